"""Functions behind the notebooks that reproduce *Music Genre Classification With Deep Learning*."""

import os
from pathlib import Path

# All must be set before Keras is imported; what the user has set stays.
# JAX trains this model fastest on a CPU. It keeps what it compiled: the training step, and the many
# small functions that initialize a model, which by themselves it finds too quick to be kept.
os.environ.setdefault("KERAS_BACKEND", "jax")
_CACHE = Path(__file__).resolve().parents[2] / ".cache" / "jax"
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(_CACHE))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")

__version__ = "0.1.0"
