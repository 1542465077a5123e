"""What a training leaves in its folder: write it, read it, tell whether it is the same."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from music_genre import provenance
from music_genre.data.table import Source
from music_genre.exceptions import InputError
from music_genre.metrics import classification
from music_genre.models.inputs import Prepared
from music_genre.paths import atomic, display_path

if TYPE_CHECKING:
    import keras

COLLAPSE = 0.1  # a fall of the test accuracy, as a share, beyond what epochs differ by
# Parameters that do not change what is learnt.
_NOT_SETTINGS = {"features", "output", "paper", "resume"}


def save(
    output: Path,
    *,
    model: "keras.Model",
    data: Prepared,
    history: pd.DataFrame,
    predictions: pd.DataFrame,
    source: Source,
    given: dict,
    identity: str,
) -> dict:
    """Write what the run produced; ``metrics.json`` last, so that its existence means success.

    Writes history.csv, predictions.csv (probabilities to 5 significant digits), model.keras,
    scaler.json and metrics.json, and returns the content of the last. ``given`` are the notebook's
    parameters, ``identity`` is that of the model and data before training (:func:`identity`).
    """
    output.mkdir(parents=True, exist_ok=True)
    (output / "metrics.json").unlink(missing_ok=True)
    provenance.write_csv(output / "history.csv", history)
    provenance.write_csv(output / "predictions.csv", predictions, digits=5)
    with atomic(output / "model.keras") as temporary:
        model.save(temporary)
    provenance.write_json(
        output / "scaler.json",
        {
            "columns": data.columns,
            "mean": data.scaler.mean_.tolist(),
            "scale": data.scaler.scale_.tolist(),
            "genres": data.genres,
        },
    )
    content = {
        "parameters": _settings(given),
        "paper": given["paper"],
        "identity": identity,
        "epochs_run": len(history),
        "epochs_kept": int(history["kept"].sum()),
        "diverged": bool(~np.isfinite(history["loss"]).all()),
        "parts": {
            part: {"segments": len(rows), **classification.score(rows["label"], rows["predicted"])}
            for part, rows in predictions.groupby("part")
        },
        "seconds": round(float(history["seconds"][~history["kept"]].sum()), 2),
        "source": asdict(source),
        "provenance": provenance.record(),
    }
    provenance.write_json(output / "metrics.json", content)
    return content


def load(run: Path) -> tuple[dict, pd.DataFrame, pd.DataFrame]:
    """Read a run's metrics, history and predictions back.

    Raises
    ------
    InputError
        The folder holds no finished run.
    """
    if not (run / "metrics.json").exists():
        raise InputError(
            f"{display_path(run)} holds no finished run (no metrics.json): run the train notebook first."
        )
    content = provenance.read_json(run / "metrics.json")
    predictions = run / "predictions.csv"
    if not predictions.exists():  # as published
        predictions = run / "predictions.csv.gz"
    return content, pd.read_csv(run / "history.csv"), pd.read_csv(predictions)


def identity(model: "keras.Model", data: Prepared) -> str:
    """Return a checksum of a training's layers, optimizer, split and inputs.

    It tells whether a change of the code makes another training of the same parameters. The inputs
    enter by the mean size of each column, to four digits: they differ in their last bits between
    kinds of machine (which a state to go on from may not: :mod:`music_genre.models.checkpoints`).
    """
    sizes = np.abs(data.x).mean(axis=(0, 2), dtype=float)
    described = {
        "model": model.get_config(),
        "optimizer": model.optimizer.get_config(),
        "parts": data.parts.tolist(),
        "genres": data.y.tolist(),
        "inputs": [f"{size:.4f}" for size in sizes],
    }
    text = json.dumps(described, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def finished(
    output: Path, *, source: Source, given: dict, identity: str
) -> tuple[dict, pd.DataFrame, pd.DataFrame] | None:
    """Return what the same training left in a folder before, as :func:`load` does, or None.

    The same is one of equal :func:`identity`, on an equal table, with equal parameters, whatever
    the version of the libraries. What the paper reports is no part of it, and brought up to date.
    """
    if not (output / "metrics.json").exists():
        return None
    content, history, predictions = load(output)
    found = content["parameters"], content.get("identity"), content["source"]["sha256"]
    if found != (_settings(given), identity, source.sha256):
        return None
    if content["paper"] != given["paper"]:
        content["paper"] = given["paper"]
        provenance.write_json(output / "metrics.json", content)
    return content, history, predictions


def _settings(given: dict) -> dict:
    return {name: value for name, value in given.items() if name not in _NOT_SETTINGS}


def source(content: dict) -> Source:
    """Return the table that a run was measured on, from its metrics."""
    return Source(**content["source"])


def collapse(history: pd.DataFrame) -> str:
    """Say where a training broke down and how it ended, or nothing where it did not.

    It did if an epoch's test accuracy lies :data:`COLLAPSE` or more under the best before it; the
    deepest such fall is told.
    """
    tested = history.set_index("epoch")["test_accuracy"]
    falls = tested.cummax() - tested
    if not falls.max() >= COLLAPSE:
        return ""
    low = falls.idxmax()
    best = tested.loc[:low].idxmax()
    return (
        f"from {tested[best]:.1%} on test rows after epoch {best} it fell to {tested[low]:.1%} "
        f"after epoch {low}, and ended at {tested.iloc[-1]:.1%}"
    ).replace("%", " %")


def parts(content: dict) -> pd.DataFrame:
    """Return the scores of each part of the split, one line each, in per cent."""
    frame = pd.DataFrame(content["parts"]).T.rename_axis("part").reset_index()
    return frame.astype({"segments": int})


def describe(content: dict, folder: Path, *, again: bool = False) -> str:
    """Say in a sentence what a run was, what came out, where it is, and if it is an ``again``."""
    given = content["parameters"]
    test, train = content["parts"]["test"], content["parts"]["train"]
    end = (
        f"**The loss stopped being a finite number in epoch {content['epochs_run']}: training "
        "ended there, and the scores are those of a broken model.** "
        if content["diverged"]
        else ""
    )
    kept = (
        f" (epochs 1 to {content['epochs_kept']} come from an earlier training of the same recipe)"
        if content["epochs_kept"]
        else ""
    )
    before = (
        f"Trained before (commit {content['provenance']['commit']}, "
        f"{content['provenance']['created'][:10]}) and not again. "
        if again
        else ""
    )
    return (
        f"{before}{content['epochs_run']} of {given['epochs']} epochs, batch size "
        f"{given['batch_size']}, learning rate {given['learning_rate']:g}, {given['activation']}, "
        f"dropout {given['dropout']:g}, split by {given['split']}, seed {given['seed']}"
        f"{', columns shuffled' if given.get('shuffle_columns') else ''}. {end}"
        f"Accuracy on {test['segments']:,} test segments {test['accuracy']:.2f} %, on "
        f"{train['segments']:,} training segments {train['accuracy']:.2f} %. "
        f"{content['seconds']:.0f} s of training{kept}; results in `{display_path(folder)}`."
    )
