"""Training states, so that a training goes on where an earlier one of the same recipe ended.

The first 20 epochs of a training of 40 are those of one of 20 with the same recipe. A state is kept
when a training ends and from time to time before, so one that was killed need not start again.
"""

import hashlib
import json
import platform
from contextlib import suppress
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

    Its name is a hash of all that determines the training: layers, optimizer, initial weights,
    random states, the data and their order, batch size, seed, back end, versions, kind of machine
    and accelerator, and the number of threads, which changes how sums round. Call it before
    training.
    """
    described = {
        "format": FORMAT,
        "model": model.get_config(),
        "optimizer": model.optimizer.get_config(),
        "loss": model.loss if isinstance(model.loss, str) else model.loss.get_config(),
        "batch_size": batch_size,
        "seed": seed,
        "backend": keras.backend.backend(),
        "packages": {name: version(name) for name in _PACKAGES},
        "machine": [platform.machine(), provenance.threads(), *provenance.accelerators()],
    }
    digest = hashlib.sha256(json.dumps(described, sort_keys=True, default=str).encode())
    for array in [*_state(model).values(), *data]:
        digest.update(np.ascontiguousarray(array).tobytes())
    return FOLDER / digest.hexdigest()[:32]


def save(path: Path, model: keras.Model, history: pd.DataFrame) -> None:
    """Keep the state of a model after the epochs of its history [shape=(n_epochs, n_columns)].

    A state that is not finite is no use, and is not kept.

    Raises
    ------
    InputError
        The file system refuses.
    """
    state = _state(model)
    if not _is_finite(state):
        return
    with atomic(path) as temporary:
        np.savez(
            temporary,
            **state,
            format=FORMAT,
            history=history.to_numpy(),
            columns=np.array(list(history.columns)),
        )


def restore(model: keras.Model, states: Path, *, epochs: int, done: int = 0) -> pd.DataFrame | None:
    """Bring a model to the longest state of at most ``epochs`` epochs and return its history.

    None if no state is longer than the epochs that are ``done``. A state that is damaged or belongs
    to another model is named and thrown away.
    """
    found = [path for path in states.glob("*.npz") if path.stem.isdecimal()]
    for path in sorted(found, key=lambda path: int(path.stem), reverse=True):
        if not done < int(path.stem) <= epochs:
            continue
        try:
            history, state = _read(path)
            _assign(model, state)
        except Exception as error:  # a damaged file can raise any, and costs only time
            print(f"Checkpoint {display_path(path)} is thrown away: {error or type(error)}")
            with suppress(OSError):
                path.unlink()
            continue
        return history
    return None


def _read(path: Path) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Read a history and a state, of which a zip file's own checksums have told that it is whole.

    Raises
    ------
    Exception
        Of any kind: the file is damaged. ValueError: it does not hold what :func:`save` writes.
    """
    with np.load(path, allow_pickle=False) as file:
        state = dict(file)
    found_format = int(state.pop("format", FORMAT))
    if found_format != FORMAT:
        raise ValueError(f"it is of format {found_format}, this version reads {FORMAT}")
    history = pd.DataFrame(state.pop("history"), columns=state.pop("columns"))
    history = history.astype({"epoch": int})
    if list(history["epoch"]) != list(range(1, int(path.stem) + 1)):
        raise ValueError("its history is not of these epochs")
    if not _is_finite(state):
        raise ValueError("it holds numbers that are not finite")
    return history, state


def _state(model: keras.Model) -> dict[str, np.ndarray]:
    """Return all that a training changes: weights, optimizer and dropout's random states.

    The order of the segments is not part of it: it follows from seed and epoch (`training.fit`).
    """
    return {
        **{f"variable {i}": np.asarray(v) for i, v in enumerate(model.variables)},
        **{f"optimizer {i}": np.asarray(v) for i, v in enumerate(model.optimizer.variables)},
    }


def _is_finite(state: dict[str, np.ndarray]) -> bool:
    return all(np.isfinite(array).all() for array in state.values())


def _assign(model: keras.Model, arrays: dict[str, np.ndarray]) -> None:
    """Set a model to a state, or raise ValueError and set nothing."""
    expected, found = (
        {name: (array.shape, array.dtype) for name, array in state.items()}
        for state in (_state(model), arrays)
    )
    if found != expected:
        raise ValueError("it belongs to another model")
    for kind, variables in (
        ("variable", model.variables),
        ("optimizer", model.optimizer.variables),
    ):
        for i, variable in enumerate(variables):
            variable.assign(arrays[f"{kind} {i}"])
