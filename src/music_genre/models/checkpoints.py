"""Training states, so that a training goes on where an earlier one of the same recipe ended.

The first 20 epochs of a training of 40 are those of one of 20 with the same recipe. A state is kept
when a training ends and from time to time before, so one that was killed need not start again.
"""

import hashlib
import json
import platform
import zipfile
from importlib.metadata import version
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from music_genre import provenance
from music_genre.paths import ROOT, atomic, display_path

FOLDER = ROOT / ".cache" / "checkpoints"
FORMAT = 1
EVERY = 60  # seconds between the states that a training keeps; each replaces the one before
_PACKAGES = ["keras", "jax", "jaxlib", "numpy"]


def folder(model: keras.Model, *data: np.ndarray, batch_size: int, seed: int) -> Path:
    """Return the folder for the states of one training, whatever its number of epochs.

    Its name is a hash of all that determines the training: layers, optimizer, initial weights and
    random states, the data and their order, batch size, seed, back end, versions, kind of machine,
    and the number of threads, which changes how sums round. Call it before training.
    """
    described = {
        "format": FORMAT,
        "model": model.get_config(),
        "optimizer": model.optimizer.get_config(),
        "loss": model.loss,
        "batch_size": batch_size,
        "seed": seed,
        "backend": keras.backend.backend(),
        "packages": {name: version(name) for name in _PACKAGES},
        "machine": [platform.machine(), provenance.threads()],
    }
    digest = hashlib.sha256(json.dumps(described, sort_keys=True, default=str).encode())
    for array in [*_state(model).values(), *data]:
        digest.update(np.ascontiguousarray(array).tobytes())
    return FOLDER / digest.hexdigest()[:32]


def save(path: Path, model: keras.Model, history: pd.DataFrame) -> None:
    """Keep the state of a model after the epochs of its history [shape=(n_epochs, n_columns)]."""
    with atomic(path) as temporary:
        np.savez(
            temporary,
            **_state(model),
            format=FORMAT,
            history=history.to_numpy(),
            columns=np.array(list(history.columns)),
        )


def restore(model: keras.Model, states: Path, *, epochs: int, done: int = 0) -> pd.DataFrame | None:
    """Bring a model to the longest state of at most ``epochs`` epochs and return its history.

    None if no state is longer than the epochs that are ``done``. A state that is damaged or belongs
    to another model is named and skipped.
    """
    found = [path for path in states.glob("*.npz") if path.stem.isdigit()]
    for path in sorted(found, key=lambda path: int(path.stem), reverse=True):
        if not done < int(path.stem) <= epochs:
            continue
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = dict(file)
            found_format = int(arrays.pop("format", FORMAT))
            if found_format != FORMAT:
                raise ValueError(f"it is of format {found_format}, this version reads {FORMAT}")
            history = pd.DataFrame(arrays.pop("history"), columns=arrays.pop("columns"))
            _assign(model, arrays)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            print(f"Checkpoint {display_path(path)} is skipped: {error}")
            continue
        return history.astype({"epoch": int})
    return None


def _state(model: keras.Model) -> dict[str, np.ndarray]:
    """Return all that a training changes: weights, optimizer and dropout's random states.

    The order of the segments is not part of it: it follows from seed and epoch (`training.fit`).
    """
    return {
        **{f"variable {i}": np.asarray(v) for i, v in enumerate(model.variables)},
        **{f"optimizer {i}": np.asarray(v) for i, v in enumerate(model.optimizer.variables)},
    }


def _assign(model: keras.Model, arrays: dict[str, np.ndarray]) -> None:
    """Set a model to a state, or raise ValueError and set nothing."""
    expected = _state(model)
    if {name: array.shape for name, array in expected.items()} != {
        name: array.shape for name, array in arrays.items()
    }:
        raise ValueError("it belongs to another model")
    for kind, variables in (
        ("variable", model.variables),
        ("optimizer", model.optimizer.variables),
    ):
        for i, variable in enumerate(variables):
            variable.assign(arrays[f"{kind} {i}"])
