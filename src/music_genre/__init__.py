"""Functions behind the notebooks that reproduce *Music Genre Classification With Deep Learning*."""

import os

# JAX trains this model fastest on a CPU; the variable must be set before Keras is imported.
os.environ.setdefault("KERAS_BACKEND", "jax")

__version__ = "0.1.0"
