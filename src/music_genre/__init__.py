"""Functions behind the notebooks that reproduce *Music Genre Classification With Deep Learning*."""

import os
from pathlib import Path

# Both must be set before Keras is imported; what the user has set stays.
# JAX trains this model fastest on a CPU, and keeps what it compiled (some 8 s for every training).
os.environ.setdefault("KERAS_BACKEND", "jax")
_CACHE = Path(__file__).resolve().parents[2] / ".cache" / "jax"
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(_CACHE))

__version__ = "0.1.0"
