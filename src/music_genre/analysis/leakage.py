"""Every model on every split: scores, comparisons within a split, and what leaks are worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from music_genre.data import splits
from music_genre.data.table import Source, has_features, same_content
from music_genre.exceptions import InputError
from music_genre.metrics import classification
from music_genre.metrics.intervals import interval, paired_difference
from music_genre.models import baselines, runs
from music_genre.paths import display_path
from music_genre.provenance import read_json

LSTM = "three LSTMs"  # the paper's network among the models' display names


@dataclass(frozen=True)
class Compared:
    """What all models predicted of the test segments of one split."""

    folder: Path
    result: dict  # the LSTMs' metrics.json
    history: pd.DataFrame  # the LSTMs'
    predictions: pd.DataFrame  # filename, label, and a column per model, the LSTMs first
    models: pd.DataFrame  # [index=model] track accuracy, times, and the hyperparameters chosen
    chosen: dict[str, dict]  # the same hyperparameters, of models that had some to choose
    groups: pd.Series  # each test segment's track or, where artists are disjoint, its artist


def load(
    folder: Path, names: Sequence[str] = (), *, table_folder: Path | None = None
) -> tuple[dict[str, Compared], dict[str, str]]:
    """Collect the splits in a folder, all or those named, the loosest first.

    ``<folder>/<split>/lstm`` is a run of the train notebook, ``<folder>/<split>/baselines`` one of
    the baselines notebook; one that failed left ``failed.json`` there.

    Parameters
    ----------
    table_folder
        As :func:`music_genre.data.splits.artists` takes it.

    Returns
    -------
    compared : dict of Compared
        By the split's name.
    left_out : dict of str
        Why a split could not be used, by its name.

    Raises
    ------
    InputError
        The folder holds no split, or none that could be used; a run is not finished; runs were
        measured on different tables or tested on different segments.
    """
    names = names or [name for name in splits.SPLITS if (folder / name).is_dir()]
    compared, left_out = {}, {}
    for name in sorted(names, key=list(splits.SPLITS).index):
        failed = [folder / name / part / "failed.json" for part in ("lstm", "baselines")]
        failed = [path for path in failed if path.exists()]
        if failed:
            left_out[name] = read_json(failed[0])["error"].removeprefix("InputError: ")
        else:
            compared[name] = _load(folder / name, table_folder)
    if not compared:
        why = "".join(f" Split by {name}: {reason}" for name, reason in left_out.items())
        raise InputError(
            f"{display_path(folder)} holds no split that was trained: run "
            f'`make report SPLITS="segment track"`.{why}'
        )
    measured = source(compared)
    if not all(same_content(runs.source(one.result), measured) for one in compared.values()):
        raise InputError(
            f"{display_path(folder)} holds splits of different tables: keep them apart."
        )
    return compared, left_out


def _load(folder: Path, table_folder: Path | None) -> Compared:
    result, history, predictions = runs.load(folder / "lstm")
    written, lines, theirs = baselines.load(folder / "baselines")
    test = predictions[predictions["part"] == "test"].drop(columns="part").reset_index(drop=True)
    same_segments = list(test["filename"]) == list(theirs["filename"])
    if not same_segments or not same_content(runs.source(written), runs.source(result)):
        raise InputError(
            f"in {display_path(folder)} the LSTMs and the simpler models were not tested on the "
            "same segments: run both notebooks with the same table, split, test_size and seed."
        )
    own = {
        "model": LSTM,
        "track accuracy": baselines.track_accuracy(test),
        "seconds to train": history["seconds"].sum(),
        "ms per segment": 1000 * (result.get("seconds_per_segment") or np.nan),
    }
    models = pd.concat([pd.DataFrame([own]), lines], ignore_index=True).set_index("model")
    groups = splits.tracks(test).fillna(test["filename"])
    if "artists" in splits.SPLITS[result["parameters"]["split"]].disjoint_by:
        groups = splits.artists(test, table_folder).fillna(groups)
    return Compared(
        folder=folder,
        result=result,
        history=history,
        predictions=test[["filename", "label"]].assign(
            **{LSTM: test["predicted"]}, **theirs.drop(columns=["filename", "label"])
        ),
        models=models[["track accuracy", "seconds to train", "ms per segment", "chosen"]],
        chosen=written["chosen"],
        groups=groups,
    )


def source(compared: Mapping[str, Compared]) -> Source:
    """Return the table that all splits were measured on."""
    return runs.source(next(iter(compared.values())).result)


def paper_accuracy(compared: Mapping[str, Compared]) -> float | None:
    """Return the accuracy that the paper reports for this recipe, if a run names it."""
    named = [one.result["paper"].get("accuracy") for one in compared.values()]
    return next((accuracy for accuracy in named if accuracy is not None), None)


def split_again(
    compared: Mapping[str, Compared],
    segments: pd.DataFrame,
    of: Source,
    *,
    table_folder: Path | None = None,
) -> dict[str, np.ndarray]:
    """Split the features table as each run did: :func:`music_genre.data.splits.split`, by name.

    Where only the segments' names are known, the parts are those that each run noted.

    Raises
    ------
    InputError
        The table, ``of`` this source, is not the one that the runs were measured on, or the split
        draws other test segments today.
    """
    measured = source(compared)
    if not same_content(measured, of):
        raise InputError(
            f"the splits were measured on {measured.label}, and this is {of.label}: name that "
            "table with features."
        )
    parts = {}
    for name, one in compared.items():
        if not has_features(segments):
            noted = runs.load(one.folder / "lstm")[2].set_index("filename")["part"]
            parts[name] = segments["filename"].map(noted).fillna("unused").to_numpy()
            continue
        given = one.result["parameters"]
        drawn = {key: given[key] for key in ("test_size", "seed")}
        parts[name] = splits.split(segments, given["split"], **drawn, table_folder=table_folder)
        test = segments["filename"][parts[name] == "test"]
        if list(test) != list(one.predictions["filename"]):
            raise InputError(
                f"{display_path(one.folder)} was tested on other segments than this split draws: "
                "train again."
            )
    return parts


def leak_counts(
    segments: pd.DataFrame, parts: Mapping[str, np.ndarray], *, table_folder: Path | None = None
) -> pd.DataFrame:
    """Count what the parts of each split share (:func:`music_genre.data.splits.leaks`).

    Returns
    -------
    DataFrame [shape=(n_pairs, 5)]
        split, parts, tracks, artists, exact duplicates; missing where not known.
    """
    artists = splits.artists(segments, table_folder)
    counts = {name: splits.leaks(segments, of, artists) for name, of in parts.items()}
    return pd.concat(counts, names=["split", "parts"]).reset_index()


def scores(compared: Mapping[str, Compared]) -> pd.DataFrame:
    """Return a line for each split and model, scores in per cent.

    Returns
    -------
    DataFrame [shape=(n_splits * n_models, 10)]
        split, model, accuracy (by segment), ``low`` and ``high``, the ends of its 95 % interval
        (:func:`music_genre.metrics.intervals.interval`, over tracks or artists), macro f1, accuracy
        by track, seconds to train, ms per segment, and the hyperparameters chosen.
    """
    lines = []
    for name, one in compared.items():
        label = one.predictions["label"]
        for model, more in one.models.iterrows():
            predicted = one.predictions[model]
            low, high = interval(label == predicted, one.groups)
            score = classification.score(label, predicted)
            lines.append(
                {
                    "split": name,
                    "model": model,
                    "accuracy": score["accuracy"],
                    "low": low,
                    "high": high,
                    "f1": score["f1"],
                    **more,
                }
            )
    return pd.DataFrame(lines)


def compare_with_lstm(one: Compared) -> pd.DataFrame:
    """Compare the LSTMs with each simpler model on the same test segments, the best model first.

    Returns
    -------
    DataFrame [shape=(n_models - 1, 5)]
        model; ``difference``, the LSTMs' accuracy minus the model's in percentage points; ``low``
        and ``high``, its paired 95 % interval
        (:func:`music_genre.metrics.intervals.paired_difference`); ``favours``: which of the two the
        interval favours, missing where it includes zero.
    """
    label = one.predictions["label"]
    right = {model: label == one.predictions[model] for model in one.models.index}
    lines = []
    for model in sorted(set(right) - {LSTM}, key=lambda name: (-right[name].mean(), name)):
        low, high = paired_difference(right[LSTM], right[model], one.groups)
        lines.append(
            {
                "model": model,
                "difference": 100 * (right[LSTM].mean() - right[model].mean()),
                "low": low,
                "high": high,
                "favours": LSTM if low > 0 else model if high < 0 else np.nan,
            }
        )
    return pd.DataFrame(lines)


def summary(scores: pd.DataFrame, comparisons: Mapping[str, pd.DataFrame]) -> dict[str, dict]:
    """Sum up each split by the LSTMs and by the most accurate simpler model.

    Parameters
    ----------
    scores, comparisons
        As :func:`scores` and, by the split's name, :func:`compare_with_lstm` return them.

    Returns
    -------
    dict of dict
        By the split's name: ``accuracy``, ``low`` and ``high`` of the LSTMs; ``best``, the most
        accurate simpler model's name, ``best_accuracy``, and of the difference between the two
        ``difference`` with its ``difference_low`` and ``difference_high``, and which of them the
        interval favours as ``favours``, "lstm", "best" or None; ``better``, ``undecided`` and
        ``worse``, how many simpler models are so against the LSTMs, by the intervals;
        ``guessing``, the accuracy of the model that does not learn, or None.
    """
    found = {}
    for name, of in scores.groupby("split", sort=False):
        by_model = of.set_index("model")
        own, simpler = by_model.loc[LSTM], comparisons[name]
        best = simpler.iloc[0]
        favoured = simpler["favours"]
        unlearned = [model for model in by_model.index if not _learns(model)]
        found[name] = {
            "accuracy": own["accuracy"],
            "low": own["low"],
            "high": own["high"],
            "best": best["model"],
            "best_accuracy": by_model.loc[best["model"], "accuracy"],
            "difference": best["difference"],
            "difference_low": best["low"],
            "difference_high": best["high"],
            "favours": {LSTM: "lstm", best["model"]: "best"}.get(best["favours"]),
            "better": int((favoured == simpler["model"]).sum()),
            "undecided": int(favoured.isna().sum()),
            "worse": int((favoured == LSTM).sum()),
            "guessing": by_model.loc[unlearned[0], "accuracy"] if unlearned else None,
        }
    return found


def accuracy_drops(scores: pd.DataFrame) -> pd.DataFrame:
    """Return each model's accuracy on every split and how far each stricter split lowers it.

    Returns
    -------
    DataFrame [shape=(n_models, 2 * n_splits), index=None]
        model; a column per split, in per cent; a column :func:`drop` for each split and the next
        stricter one, in percentage points. The most accurate on the strictest split comes first.
    """
    names = list(dict.fromkeys(scores["split"]))
    wide = scores.pivot(index="model", columns="split", values="accuracy")[names]
    wide.columns.name = None
    for looser, stricter in pairwise(names):
        wide[drop(looser, stricter)] = wide[looser] - wide[stricter]
    return wide.sort_values(names[-1], ascending=False).reset_index()


def drop(looser: str, stricter: str) -> str:
    """Name the column with the drop from one split to another."""
    return f"{looser} minus {stricter}"


def drop_ranges(
    drops: pd.DataFrame, parts: Mapping[str, np.ndarray], shared: pd.DataFrame
) -> list[dict]:
    """Sum up what each stricter split takes from the models that learn.

    Parameters
    ----------
    drops
        As :func:`accuracy_drops` returns them.
    parts
        As :func:`split_again` returns them.
    shared
        As :func:`leak_counts` returns it.

    Returns
    -------
    list of dict
        For each split and the next: ``looser`` and ``stricter``, their names; ``no_longer_shared``,
        what the looser one shares and only the stricter one keeps disjoint; ``leaves_out``, what
        only that one leaves out; ``mean``, ``least`` and ``most`` drop in percentage points over so
        many ``models``, ``least_model`` and ``most_model``; ``lstm``, that of the LSTMs;
        ``train_looser`` and ``train_stricter``, the numbers of training segments.
    """
    learning = drops[drops["model"].map(_learns)].set_index("model")
    found = []
    for looser, stricter in pairwise(parts):
        lost = learning[drop(looser, stricter)]
        before, after = splits.SPLITS[looser], splits.SPLITS[stricter]
        counts = shared[shared["split"] == looser]
        found.append(
            {
                "looser": looser,
                "stricter": stricter,
                "no_longer_shared": [
                    what
                    for what in after.disjoint_by
                    if what not in before.disjoint_by and counts[what].ne(0).fillna(True).any()
                ],
                "leaves_out": after.leaves_out if after.leaves_out != before.leaves_out else "",
                "models": len(lost),
                "mean": lost.mean(),
                "least": lost.min(),
                "least_model": lost.idxmin(),
                "most": lost.max(),
                "most_model": lost.idxmax(),
                "lstm": lost[LSTM],
                "train_looser": int((parts[looser] == "train").sum()),
                "train_stricter": int((parts[stricter] == "train").sum()),
            }
        )
    return found


def _learns(model: str) -> bool:
    return model not in baselines.BASELINES or baselines.BASELINES[model].learns


def scaling(compared: Mapping[str, Compared], rescaled: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Compare scaling fitted on the training segments with scaling fitted on all.

    Parameters
    ----------
    rescaled
        By the split's name, what :func:`music_genre.models.baselines.rescaled` returns. The LSTMs
        are compared where a folder beside theirs holds a run that differs in ``scale_on`` alone.

    Returns
    -------
    DataFrame [shape=(n_lines, 7)]
        split, model, accuracy scaled on ``training segments`` and on ``all segments`` in per cent,
        ``difference``, and ``low`` and ``high``, its paired 95 % interval.
    """
    lines = []
    for name, one in compared.items():
        label = one.predictions["label"]
        pairs = {
            model: (one.predictions[model], rescaled[name][model])
            for model in rescaled[name]
            if model in one.predictions
        }
        for model, pair in {**pairs, **_lstm_scaled_otherwise(one)}.items():
            on_train, on_all = (label.to_numpy() == predicted.to_numpy() for predicted in pair)
            low, high = paired_difference(on_all, on_train, one.groups)
            lines.append(
                {
                    "split": name,
                    "model": model,
                    "training segments": 100 * on_train.mean(),
                    "all segments": 100 * on_all.mean(),
                    "difference": 100 * (on_all.mean() - on_train.mean()),
                    "low": low,
                    "high": high,
                }
            )
    return pd.DataFrame(lines)


def _lstm_scaled_otherwise(one: Compared) -> dict[str, tuple[pd.Series, pd.Series]]:
    """Return the LSTMs' predictions by both ways to scale, training segments first, if trained."""

    def but_scaling(result: dict) -> dict:
        return {**result["parameters"], "scale_on": None}

    own = one.result
    for path in sorted(one.folder.glob("*/metrics.json")):
        other, _, predictions = runs.load(path.parent)
        if (
            but_scaling(other) == but_scaling(own)
            and other["parameters"]["scale_on"] != own["parameters"]["scale_on"]
            and same_content(runs.source(other), runs.source(own))
        ):
            theirs = predictions.loc[predictions["part"] == "test", "predicted"].astype(str)
            pair = (one.predictions[LSTM], theirs)
            return {LSTM: pair if own["parameters"]["scale_on"] == "train" else pair[::-1]}
    return {}


def best_epochs(compared: Mapping[str, Compared]) -> pd.DataFrame:
    """Compare the LSTMs' last epoch with the one that is best on the test segments.

    Returns
    -------
    DataFrame [shape=(n_splits, 6)]
        split; last epoch and its accuracy on test segments in per cent; the best epoch and its
        accuracy; ``difference`` in percentage points.
    """
    lines = []
    for name, one in compared.items():
        accuracies = 100 * one.history.set_index("epoch")["test_accuracy"]
        best, last = accuracies.idxmax(), accuracies.index[-1]
        lines.append(
            {
                "split": name,
                "last epoch": last,
                "accuracy": accuracies[last],
                "best epoch": best,
                "accuracy of the best": accuracies[best],
                "difference": accuracies[best] - accuracies[last],
            }
        )
    return pd.DataFrame(lines)


def with_interval(lines: pd.DataFrame) -> pd.DataFrame:
    """Put the columns ``low`` and ``high`` into one, for a reader."""
    text = [f"{low:.1f} to {high:.1f}" for low, high in lines[["low", "high"]].to_numpy()]
    return lines.assign(low=text).drop(columns="high").rename(columns={"low": "95 % interval"})
