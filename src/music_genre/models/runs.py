"""What a training leaves in its folder: write it, read it, recognise it as the same."""

import hashlib
import json
import os
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from music_genre import names, params, provenance
from music_genre.data.find import SAMPLE_TABLE
from music_genre.data.find import given as given_path
from music_genre.data.table import Source, fingerprint_more, same_content, same_fingerprint
from music_genre.data.table import load as load_table
from music_genre.exceptions import InputError
from music_genre.metrics import classification
from music_genre.metrics.predictions import read
from music_genre.paths import atomic, display_path
from music_genre.provenance import Damaged

if TYPE_CHECKING:
    import keras

    from music_genre.models.inputs import Prepared

PREDICTED = ["filename", "part", "label", "predicted"]
MODEL = ["model.keras", "scaler.json"]
FILES = ["history.csv", "predictions.csv", "predictions_after.csv", *MODEL]  # beside metrics.json
COLLAPSE = 0.1  # a fall of the test accuracy, as a share, beyond what epochs differ by
# Parameters that do not change what is learnt.
# The tables count by what is in them, not by their paths.
_NOT_SETTINGS = {"features", "more", "output", "paper", "resume", "keep_states"}


def save(
    output: Path,
    *,
    model: "keras.Model",
    data: "Prepared",
    history: pd.DataFrame,
    predictions: pd.DataFrame,
    source: Source,
    given: dict,
    identity: str,
    after: Mapping[int, pd.DataFrame] | None = None,
    seconds_per_segment: float | None = None,
) -> dict:
    """Write what the run produced; ``metrics.json`` last, so that its existence means success.

    Writes history.csv, predictions.csv (probabilities to 5 significant digits), model.keras,
    scaler.json and metrics.json, which holds the checksums of the others, and returns the content
    of the last. ``given`` are the notebook's parameters, ``identity`` is that of the model and data
    before training (:func:`identity`), ``after`` the predictions after earlier epochs, by epoch,
    for predictions_after.csv (without probabilities), ``seconds_per_segment`` the time to predict
    one segment, if it was measured (:func:`music_genre.models.training.seconds_per_segment`).
    """
    more = second_table(given.get("more", ""))
    content = {
        "parameters": _settings(given),
        "paper": given["paper"],
        **({"more": more} if more else {}),
        "identity": identity,
        "epochs_run": len(history),
        "epochs_kept": int(history["kept"].sum()),
        **_chosen(history),
        "weights": model.count_params(),
        # Of an epoch that validation segments chose, what came later does not count.
        "diverged": not _chosen(history) and not bool(np.isfinite(history["loss"]).all()),
        "parts": {
            part: {"segments": len(of), **classification.score(of["label"], of["predicted"])}
            for part, of in predictions.groupby("part")
        },
        "seconds": round(float(history["seconds"][~history["kept"]].sum()), 2),
        "seconds_per_segment": seconds_per_segment,
        "source": asdict(source),
        "provenance": provenance.record(),
    }
    with provenance.together(output, "metrics.json", replacing=FILES) as new:
        provenance.write_csv(new / "history.csv", history)
        provenance.write_csv(new / "predictions.csv", predictions, digits=5)
        if after:
            provenance.write_csv(
                new / "predictions_after.csv",
                pd.concat(after, names=["epoch"]).reset_index("epoch")[["epoch", *PREDICTED]],
            )
        model.save(new / "model.keras")
        provenance.write_json(
            new / "scaler.json",
            {
                "columns": data.columns,
                "mean": data.scaler.mean_.tolist(),
                "scale": data.scaler.scale_.tolist(),
                "genres": data.genres,
                # of the Yeo-Johnson transform before the scaling, where there is one
                **({} if data.lambdas is None else {"lambdas": data.lambdas.tolist()}),
            },
        )
        content["checksums"] = provenance.checksums(new)
        provenance.write_json(new / "metrics.json", content)
    return content


def second_table(more: str | Path) -> dict | None:
    """Return which second features table something was made with, None if with none.

    Returns
    -------
    dict or None
        ``path``, the file's name; ``sha256`` of the file; ``fingerprint`` of its content
        (:func:`music_genre.data.table.fingerprint_more`), which an earlier version did not note.

    Raises
    ------
    InputError
        As :func:`music_genre.data.table.fingerprint_more`.
    """
    if not more:
        return None
    path = given_path(more)
    return {
        "path": names.readable(path.name),
        "sha256": provenance.sha256(path),
        "fingerprint": fingerprint_more(path),
    }


def _chosen(history: pd.DataFrame) -> dict:
    """Return the epoch whose weights a training kept, where validation segments chose one."""
    if "validation_loss" not in history or history["validation_loss"].isna().all():
        return {}
    return {"epoch_chosen": int(history["epoch"][history["validation_loss"].idxmin()])}


def load(run: Path) -> tuple[dict, pd.DataFrame, pd.DataFrame]:
    """Read a run's metrics, history and predictions back.

    Raises
    ------
    InputError
        The folder holds no finished run, or a damaged one.
    """
    content = read_finished(run / "metrics.json", notebook="train")
    history = table_of(run / "history.csv", content, pd.read_csv)
    return content, history, table_of(run / "predictions.csv", content, read)


def load_after(run: Path) -> dict[int, pd.DataFrame]:
    """Read a finished run's predictions back, by the epoch after which they were made.

    The last epoch's are always there, those of earlier ones if ``score_after`` named them.

    Returns
    -------
    dict of DataFrame [shape=(n_segments_used, 4)]
        filename, part, label, predicted.
    """
    content, history, predictions = load(run)
    name, found = "predictions_after.csv", {}
    if as_published(run / name).exists() or {name, f"{name}.gz"} & {*content.get("checksums", [])}:
        for epoch, of in table_of(run / name, content, read).groupby("epoch"):
            found[int(epoch)] = of[PREDICTED].reset_index(drop=True)
    return dict(sorted(found.items())) | {len(history): predictions[PREDICTED]}


def read_finished(path: Path, *, notebook: str) -> dict:
    """Read the JSON file that a notebook writes when a run is finished.

    Raises
    ------
    InputError
        There is none, or it cannot be read.
    """
    if not path.exists():
        raise InputError(
            f"{display_path(path.parent)} holds no finished run (no {path.name}): "
            f"run the {notebook} notebook first."
        )
    try:
        content = provenance.read_json(path)
        Source(**content["source"])
    except (InputError, KeyError, TypeError) as error:
        raise Damaged(path.parent, f"{path.name} is cut off, or of another version") from error
    return content


def table_of(path: Path, content: dict, reader: Callable[[Path], pd.DataFrame]) -> pd.DataFrame:
    """Read a table of a finished run, whose JSON file holds ``content``, plain or packed.

    Raises
    ------
    InputError
        It is missing, or not the one that was written with the JSON file.
    """
    path = as_published(path)
    provenance.check(path.parent, content, [path.name])
    try:
        return reader(path)
    except FileNotFoundError as error:
        raise Damaged(path.parent, f"{path.name} is missing") from error
    except (OSError, EOFError, ValueError, KeyError, zlib.error) as error:
        raise Damaged(path.parent, f"{path.name} cannot be read: {error}") from error


def as_published(path: Path) -> Path:
    """Return a table's path, or that of the packed table where it was published so."""
    packed = path.with_name(f"{path.name}.gz")
    return packed if packed.exists() and not path.exists() else path


def identity(model: "keras.Model", data: "Prepared") -> str:
    """Return a checksum of a training's layers, optimizer, split and inputs.

    It differs where a change of the code makes another training of the same parameters. The inputs
    enter by the mean magnitude of each column, to four decimals, because their last bits differ
    between kinds of machine. (A state to go on from needs equal bits:
    :mod:`music_genre.models.checkpoints`.)
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

    The same has an equal :func:`identity`, tables of the same content, equal parameters and Keras'
    back end, whatever the version of the libraries. What the paper reports is not compared but
    updated. A damaged run is named, and None is returned.
    """
    if not (output / "metrics.json").exists():
        return None
    try:
        content, history, predictions = load(output)
        provenance.check(output, content)
    except Damaged as error:
        print(f"{display_path(output)} is damaged ({error.reason}): it is made again.")
        return None
    backend = content["provenance"]["keras_backend"]
    found = {"trained as": [content.get("identity"), backend], **_determined_by(content)}
    more = second_table(given.get("more", ""))
    wanted = {"parameters": _settings(given), "source": asdict(source), "more": more}
    here = [identity, os.environ["KERAS_BACKEND"]]
    if not same(found, {"trained as": here, **_determined_by(wanted)}):
        return None
    updated = {**content, "paper": given["paper"]}
    if more and "fingerprint" not in content["more"]:
        updated["more"] = more
    if updated != content:
        provenance.write_json(output / "metrics.json", updated)
    return updated, history, predictions


def settings(content: dict) -> dict:
    """Return what shaped a run, from its metrics: this version's parameters of the training."""
    return {k: v for k, v in _determined_by(content)["parameters"].items() if k != "score_after"}


def with_seeds(run: Path) -> list[Path]:
    """Return the folders of a run and of the same with other seeds.

    Those of ``<folder>/rows/<row>`` are ``<folder>/seeds/<seed>/<row>``. What differs from the
    run in more than its seed, left there before a change, does not count.
    """

    def described(folder: Path) -> dict:
        found = _determined_by(provenance.read_json(folder / "metrics.json"))
        found["parameters"]["seed"] = None
        return found

    first = described(run)
    others = sorted((run.parents[1] / "seeds").glob(f"*/{run.name}/metrics.json"))
    return [run, *(path.parent for path in others if same(described(path.parent), first))]


def kept(path: Path, identity: dict, compute: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """Return results that take long: those kept in a file if they are the same, else new ones.

    The results stand in ``path``, a CSV file; what determined them, and what they were made with,
    beside it in the JSON file of the same name. A process that is killed on the way leaves results
    without the JSON file at most, which are computed again.

    Parameters
    ----------
    path
        Where to keep the results, with the suffix ``.csv``.
    identity
        All that determines the results, in values that JSON knows. Under ``source`` may stand the
        features table as a :class:`~music_genre.data.table.Source`, under ``more`` the second one
        (:func:`second_table`): they are compared by content.
    compute
        Called without arguments if nothing kept has this identity. The results need names for
        columns; their index is not kept.

    Returns
    -------
    DataFrame
        As read from the file, also the first time: floats to the last bit, text as text (of row
        names such as "7" too), missing values (None as well) as NaN.
    """
    note = path.with_suffix(".json")
    wanted = json.loads(json.dumps(identity, default=asdict, allow_nan=False))
    content = _noted(path, note)
    if "identity" not in content or not same(content["identity"], wanted):
        results = compute()
        note.unlink(missing_ok=True)
        with atomic(path) as temporary:
            results.to_csv(temporary, index=False, na_rep="NaN")
        dtypes = {name: _dtype(results[name]) for name in results}
        content = {"identity": wanted, "dtypes": dtypes, "provenance": provenance.record()}
        content["checksums"] = {path.name: provenance.sha256(path)}
        provenance.write_json(note, content)
    dtypes = content["dtypes"]
    if not dtypes:
        return pd.DataFrame()
    return pd.read_csv(
        path,
        dtype={name: dtype.split()[0] for name, dtype in dtypes.items() if dtype != "object"},
        keep_default_na=False,
        # In text without gaps, NaN is what a genre is called.
        na_values={name: ["NaN"] for name, dtype in dtypes.items() if dtype != "str"},
    )


def _noted(path: Path, note: Path) -> dict:
    """Return what is noted of results that are kept; nothing where they are missing or damaged."""
    if not (path.exists() and note.exists()):
        return {}
    try:
        content = provenance.read_json(note)
        provenance.check(path.parent, content)
    except InputError as error:
        reason = error.reason if isinstance(error, Damaged) else f"{note.name} cannot be read"
        print(f"{display_path(path)} is damaged ({reason}): it is made again.")
        return {}
    return content


def _dtype(column: pd.Series) -> str:
    if pd.api.types.infer_dtype(column, skipna=True) == "string":
        return "str" if column.notna().all() else "str or missing"
    return str(column.dtype)


def _settings(given: dict) -> dict:
    return {name: value for name, value in given.items() if name not in _NOT_SETTINGS}


def _determined_by(content: dict) -> dict:
    """Return a run's parameters, as this version has them, and its tables."""
    defaults = _settings(params.defaults("train"))
    parameters = {**defaults, **content["parameters"]}
    return {
        "parameters": parameters, "source": content["source"], "more": content.get("more"),
    }  # fmt: skip


def same(one: dict, other: dict) -> bool:
    """Tell whether two identities are equal.

    Tables, under ``source`` and ``more``, are compared by content.
    """
    tables = [identity.get("source") for identity in (one, other)]
    rest = [{**identity, "source": None, "more": None} for identity in (one, other)]
    if rest[0] != rest[1] or not same_second(one.get("more"), other.get("more")):
        return False
    if None in tables:
        return tables[0] == tables[1]
    return same_content(*(Source(**table) for table in tables))


def same_second(one: object, other: object) -> bool:
    """Tell whether two second tables (:func:`second_table`) hold the same, whatever their files.

    Of one that an earlier version noted, without its fingerprint, only the file tells.
    """
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return one == other
    if one["sha256"] == other["sha256"]:
        return True
    known = "fingerprint" in one and "fingerprint" in other
    return known and same_fingerprint(one["fingerprint"], other["fingerprint"])


def source(content: dict) -> Source:
    """Return the table that a run was measured on, from its metrics."""
    return Source(**content["source"])


def collapse(history: pd.DataFrame) -> dict | None:
    """Return where a training broke down and how it ended, or None where it did not.

    It did if an epoch's test accuracy lies :data:`COLLAPSE` or more under the best before it; the
    deepest such fall is returned.

    Returns
    -------
    dict or None
        ``best``, ``low`` and ``last``, test accuracies in per cent: the best before the fall, the
        lowest, the last epoch's; ``best_epoch`` and ``low_epoch``.
    """
    tested = history.set_index("epoch")["test_accuracy"]
    falls = tested.cummax() - tested
    if not falls.max() >= COLLAPSE:
        return None
    low = falls.idxmax()
    best = tested.loc[:low].idxmax()
    return {
        "best": 100 * tested[best],
        "best_epoch": int(best),
        "low": 100 * tested[low],
        "low_epoch": int(low),
        "last": 100 * tested.iloc[-1],
    }


def measured_on(folder: Path, features: str = "") -> tuple[pd.DataFrame, Source]:
    """Return the features table that the runs in a folder were measured on.

    Where it is not at hand, as published runs do not bring it, the runs tell the names and labels
    of its segments; the features are not known (:func:`music_genre.data.table.has_features`).

    Parameters
    ----------
    features
        The table, if one is named: it is returned, whatever the runs were measured on.

    Returns
    -------
    segments, source
        As :func:`music_genre.data.table.load` returns them; or, of a table that is not at hand,
        only the columns filename and label, and only the segments that one of the runs used.

    Raises
    ------
    InputError
        As :func:`music_genre.data.table.load`, or a run is damaged.
    """
    found = [
        (read_finished(path, notebook="train"), path.parent)
        for path in sorted(folder.glob("**/metrics.json"))
    ]
    if features or not found:
        return load_table(features)
    whole, run = max(found, key=lambda one: parts(one[0])["segments"].sum())
    segments, at_hand = load_table(str(SAMPLE_TABLE) if source(whole).is_sample else "")
    if same_content(at_hand, source(whole)):
        return segments, at_hand
    return load(run)[2][["filename", "label"]], source(whole)


def parts(content: dict) -> pd.DataFrame:
    """Return the scores of each part of the split, one line each, in per cent."""
    frame = pd.DataFrame(content["parts"]).T.rename_axis("part").reset_index()
    return frame.astype({"segments": int})
