"""Prepare the inputs, train a model, and keep what a run produced."""

import hashlib
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from sklearn.preprocessing import LabelEncoder, StandardScaler
from tqdm import tqdm

from music_genre import checkpoints, metrics, provenance
from music_genre.errors import InputError
from music_genre.features import INPUTS
from music_genre.paths import atomic, shown
from music_genre.table import Source

COLLAPSE = 0.1  # a fall of the test accuracy, as a share, beyond what epochs differ by

# Parameters that do not change what is learnt.
_NOT_SETTINGS = {"features", "output", "paper", "resume"}


@dataclass(frozen=True)
class Prepared:
    """The table as the network takes it."""

    x: np.ndarray  # [shape=(n_segments, 58, 1), dtype=float32], scaled
    y: np.ndarray  # [shape=(n_segments,), dtype=int], genre codes
    parts: np.ndarray  # [shape=(n_segments,), dtype=str], as music_genre.splits.split returns
    genres: list[str]  # the genre of each code
    columns: list[str]  # the 58 inputs in the order of x
    scaler: StandardScaler

    @property
    def train(self) -> np.ndarray:
        """True where a row trains [shape=(n_segments,), dtype=bool]."""
        return self.parts == "train"

    @property
    def test(self) -> np.ndarray:
        """True where a row tests [shape=(n_segments,), dtype=bool]."""
        return self.parts == "test"


def shuffled_columns(seed: int = 0) -> list[str]:
    """Return the 58 inputs in an order drawn by a seed.

    The network reads them as 58 steps in time, which they are not: a training on another order
    shows what the order is worth.
    """
    return np.random.default_rng(seed).permutation(INPUTS).tolist()


def prepare(
    table: pd.DataFrame, *, parts: np.ndarray, scale_on: str, shuffle_columns: bool = False
) -> Prepared:
    """Encode the labels and standardise the 58 inputs.

    ``scale_on="all"`` fits mean and variance on all rows that the split uses, as the paper does,
    so that the test rows have a say in the scaling; ``"train"`` fits them on the training rows
    only. ``shuffle_columns`` takes the inputs in the order of :func:`shuffled_columns`, the same
    for every training, else in the table's.
    """
    encoder = LabelEncoder()
    y = encoder.fit_transform(table["label"])
    columns = shuffled_columns() if shuffle_columns else INPUTS
    inputs = table[columns].to_numpy()
    scaler = StandardScaler().fit(
        inputs[parts != "unused" if scale_on == "all" else parts == "train"]
    )
    x = scaler.transform(inputs).astype("float32")[:, :, np.newaxis]
    return Prepared(x, y, parts, list(encoder.classes_), columns, scaler)


def fit(
    model: keras.Model,
    data: Prepared,
    *,
    epochs: int,
    batch_size: int,
    seed: int,
    resume: bool = True,
    history: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Train up to an epoch, with a progress bar; stop at the first loss that is not finite.

    With ``resume`` the training goes on from the longest state that an earlier one of the same
    recipe left (:mod:`music_genre.checkpoints`); the numbers are those of one in a single go. For
    that the order of the rows in an epoch follows from ``seed`` and the epoch alone. (With the JAX
    back end; the others begin anew.) ``history`` is what this model has gone through already, on
    other rows: its epochs count, and stand first in what is returned.

    Returns
    -------
    DataFrame [shape=(n_epochs_run, 7)]
        epoch (from 1), loss and accuracy of the training rows (while the epoch ran) and of the
        test rows (after it), the seconds that the epoch took, and whether it was ``kept``: taken
        from a state. Accuracies are shares, 0 to 1.
    """
    lines = [] if history is None else history.to_dict("records")
    if lines and not np.isfinite(lines[-1]["loss"]):
        return history
    train, test = (data.x[data.train], data.y[data.train]), (data.x[data.test], data.y[data.test])
    model.optimizer.build(model.trainable_variables)
    states = checkpoints.folder(model, *train, *test, batch_size=batch_size, seed=seed)
    # Other back ends shuffle by generators of their own, which a state does not hold.
    resume = resume and keras.backend.backend() == "jax"
    kept = checkpoints.restore(model, states, epochs=epochs) if resume else None
    if kept is not None:
        lines += kept[len(lines) :].assign(kept=True).to_dict("records")
    done = len(lines)
    if done < epochs:
        # stdout, not tqdm's stderr: JupyterLab shows that in red, papermill hands this on.
        form = {"desc": "training", "unit": "epoch", "ncols": 80, "file": sys.stdout}
        with tqdm(total=epochs, initial=done, **form) as bar:
            model.fit(
                *train,
                validation_data=test,
                initial_epoch=done,
                epochs=epochs,
                batch_size=batch_size,
                callbacks=[
                    keras.callbacks.LambdaCallback(
                        # Keras shuffles by NumPy's global generator.
                        on_epoch_begin=lambda epoch, _: np.random.seed([seed, epoch])  # noqa: NPY002
                    ),
                    _follow(lines, bar, states),
                    keras.callbacks.TerminateOnNaN(),
                ],
                verbose=0,
            )
    return pd.DataFrame(lines)


def _follow(lines: list[dict], bar: tqdm, states: Path) -> keras.callbacks.Callback:
    """Return a callback that notes each epoch, moves the bar and keeps states."""
    last = {"epoch": time.perf_counter(), "state": time.perf_counter(), "path": None}

    def after_epoch(epoch: int, logs: dict) -> None:
        now = time.perf_counter()
        lines.append(
            {
                "epoch": epoch + 1,
                "loss": logs["loss"],
                "accuracy": logs["accuracy"],
                "test_loss": logs["val_loss"],
                "test_accuracy": logs["val_accuracy"],
                "seconds": now - last["epoch"],
                "kept": False,
            }
        )
        last["epoch"] = now
        bar.set_postfix_str(f"loss {logs['loss']:.3f}, test {logs['val_accuracy']:.1%}")
        bar.update()
        ends = epoch + 1 == bar.total
        if np.isfinite(logs["loss"]) and (ends or now - last["state"] >= checkpoints.EVERY):
            path = states / f"{epoch + 1}.npz"
            history = pd.DataFrame(lines).drop(columns="kept")
            checkpoints.save(path, callback.model, history)
            if last["path"]:
                last["path"].unlink(missing_ok=True)
            last.update(state=now, path=path)

    callback = keras.callbacks.LambdaCallback(on_epoch_end=after_epoch)
    return callback


def predict(model: keras.Model, data: Prepared, table: pd.DataFrame) -> pd.DataFrame:
    """Predict every segment that the split uses.

    Returns
    -------
    DataFrame [shape=(n_segments_used, 4 + n_genres)]
        filename, part (``train``, ``validation`` or ``test``), label, predicted, and each genre's
        probability.
    """
    used = data.parts != "unused"
    probabilities = model.predict(data.x[used], batch_size=512, verbose=0)
    genres = np.array(data.genres)
    return pd.DataFrame(
        {
            "filename": table["filename"].to_numpy()[used],
            "part": data.parts[used],
            "label": table["label"].to_numpy()[used],
            "predicted": genres[probabilities.argmax(axis=1)],
            **dict(zip(genres, probabilities.T, strict=True)),
        }
    )


def save(
    output: Path,
    *,
    model: keras.Model,
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
            part: {"segments": len(rows), **metrics.score(rows["label"], rows["predicted"])}
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
            f"{shown(run)} holds no finished run (no metrics.json): run the train notebook first."
        )
    content = provenance.read_json(run / "metrics.json")
    predictions = run / "predictions.csv"
    if not predictions.exists():  # as published
        predictions = run / "predictions.csv.gz"
    return content, pd.read_csv(run / "history.csv"), pd.read_csv(predictions)


def identity(model: keras.Model, data: Prepared) -> str:
    """Return a checksum of a training's layers, optimizer, split and inputs.

    It tells whether a change of the code makes another training of the same parameters. The inputs
    enter by the mean size of each column, to four digits: they differ in their last bits between
    kinds of machine (which a state to go on from may not: :mod:`music_genre.checkpoints`).
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
        f"{content['seconds']:.0f} s of training{kept}; results in `{shown(folder)}`."
    )
