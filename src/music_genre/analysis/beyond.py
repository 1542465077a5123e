"""Table II: networks that go beyond the paper's, classical models and averages, on every split."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from music_genre import provenance
from music_genre.data import splits
from music_genre.data.table import Source, check_features, same_content
from music_genre.exceptions import InputError
from music_genre.metrics.intervals import interval
from music_genre.metrics.predictions import by_genre, probabilities, vote
from music_genre.models import runs, tracks
from music_genre.paths import display_path, natural_key

NETWORK, CLASSICAL, AVERAGE = "network", "classical", "average"  # kinds of rows
TRACKS = ("LDA of tracks", "SVM of tracks")  # of tracks.CLASSICAL, averaged with each other too
FUTURE = ("deep-lstm", "lstm-dense", "cnn-rnn")  # "using more LSTM layers, adding dense layers ..."
# By split, accuracies in per cent that others published, and where. By segment on the split by
# segment, by track on the others; only those on the split by artist are of the same partition.
PUBLISHED = {
    "segment": {
        "ten perceptrons averaged, 20 % held out": (
            96.0,
            "github.com/lumenalux/GTZAN_music_genre_classification",
        ),
    },
    "track": {
        "SVM on features": (78.8, "github.com/Hguimaraes/gtzan.keras"),
        "CNN, votes": (83.2, "github.com/Hguimaraes/gtzan.keras"),
    },
    "artist": {
        "MFCC + SVM": (53.4, "Pons and Serra, arXiv:1805.00237"),
        "MusiCNN + SVM": (77.2, "github.com/jordipons/sklearn-audio-transfer-learning"),
        "VGGish + SVM": (77.6, "github.com/jordipons/sklearn-audio-transfer-learning"),
    },
}


@dataclass(frozen=True)
class Row:
    """A row of Table II on one split: what it predicts of the test segments, once for each seed."""

    kind: str
    predictions: list[pd.DataFrame]  # filename, label, predicted, and each genre's probability
    weights: float = np.nan  # how many numbers a network has learnt
    seconds: float = np.nan  # to train, mean over seeds


def load(folder: Path) -> tuple[dict[str, dict[str, Row]], dict[str, dict], dict[str, str]]:
    """Collect the finished trainings ``<folder>/<split>/<seed>/<row>``, the loosest split first.

    Returns
    -------
    rows : dict of dict of Row
        By split and by name.
    settings : dict of dict
        For each split what a training of it says: ``parameters`` and ``source``.
    left_out : dict of str
        Why a training failed, by its folder.

    Raises
    ------
    InputError
        None is finished, or trainings of one split were tested on different segments or tables.
    """
    found: dict[str, dict[str, list]] = {}
    settings, left_out = {}, {}
    for path in _sorted(folder.glob("*/*/*/failed.json")):
        error = provenance.read_json(path)["error"]
        left_out["/".join(path.parts[-4:-1])] = error.removeprefix("InputError: ")
    for path in _sorted(folder.glob("*/*/*/metrics.json")):
        split, _, name = path.parts[-4:-1]
        if split not in splits.SPLITS:
            continue
        content, history, predictions = runs.load(path.parent)
        test = predictions[predictions["part"] == "test"].drop(columns="part")
        one = settings.setdefault(split, {**content, "filenames": list(test["filename"])})
        if list(test["filename"]) != one["filenames"] or not same_content(
            runs.source(content), runs.source(one)
        ):
            raise InputError(
                f"{display_path(path.parent)} was not tested on the segments of the other rows: "
                "train all of them on one table and one split (`make beyond`)."
            )
        line = test.reset_index(drop=True), content.get("weights", np.nan), history["seconds"].sum()
        found.setdefault(split, {}).setdefault(name, []).append(line)
    if not found:
        raise InputError(
            f"{display_path(folder)} holds no finished training: run `make beyond` first."
        )
    rows = {
        split: {
            name: Row(NETWORK, [p for p, _, _ in of], of[0][1], float(np.mean([s for *_, s in of])))
            for name, of in found[split].items()
        }
        for split in splits.SPLITS
        if split in found
    }
    return rows, settings, left_out


def _sorted(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths, key=lambda path: natural_key(str(path)))


def source(settings: Mapping[str, dict]) -> Source:
    """Return the table that all was measured on.

    Raises
    ------
    InputError
        The splits were measured on different tables.
    """
    sources = [runs.source(one) for one in settings.values()]
    if not all(same_content(one, sources[0]) for one in sources):
        raise InputError("the splits were trained on different tables: keep them apart.")
    return sources[0]


def classical(
    folder: Path, segments: pd.DataFrame, source: Source, setting: dict, table_folder: Path
) -> dict[str, Row]:
    """Fit the models of :data:`music_genre.models.tracks.CLASSICAL` on a split, or read them.

    They are kept in ``<folder>/classical.csv``. ``setting`` is what :func:`load` says of the split.

    Raises
    ------
    InputError
        The features table's split has other test segments than the networks had.
    """
    given = setting["parameters"]
    seed = given["seed"] if given["split_seed"] < 0 else given["split_seed"]

    def fit() -> pd.DataFrame:
        check_features(segments)
        parts = splits.split(
            segments, given["split"], test_size=given["test_size"], seed=seed,
            table_folder=table_folder,
        )  # fmt: skip
        if list(segments.loc[parts == "test", "filename"]) != setting["filenames"]:
            raise InputError(
                f"{source.label} is split by {given['split']} into other test segments than the "
                "networks were tested on: name the table that they were trained on."
            )
        return tracks.predictions(segments, parts, seed=seed).round(5)

    identity = {
        "source": source, "split": given["split"], "test_size": given["test_size"], "seed": seed,
        "models": {name: repr(build(0)) for name, (_, build) in tracks.CLASSICAL.items()},
    }  # fmt: skip
    kept = runs.kept(folder / "classical.csv", identity, fit)
    return {
        name: Row(CLASSICAL, [mean([of.reset_index(drop=True)])])
        for name, of in kept.groupby("model", sort=False)
    }


def averages(rows: Mapping[str, Row]) -> dict[str, Row]:
    """Average probabilities: of each network's seeds, of the models of tracks, and of all rows.

    In the last, a network counts once, with the average of its seeds.
    """
    found = {}
    for name, row in rows.items():
        if len(row.predictions) > 1:
            found[f"{name}, {len(row.predictions)} seeds averaged"] = Row(
                AVERAGE, [mean(row.predictions)]
            )
    if all(name in rows for name in TRACKS):
        both = mean([rows[name].predictions[0] for name in TRACKS])
        found["LDA and SVM of tracks, averaged"] = Row(AVERAGE, [both])
    if len(rows) > 1:
        everything = mean([mean(row.predictions) for row in rows.values()])
        found["all rows averaged"] = Row(AVERAGE, [everything])
    return found


def mean(predictions: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Average several models' probabilities of the same segments, and say what they predict."""
    first = predictions[0]
    values = np.mean([probabilities(of).to_numpy() for of in predictions], axis=0)
    genres = probabilities(first).columns
    averaged = first[["filename", "label"]].assign(**by_genre(genres, values))
    return averaged.assign(predicted=genres.to_numpy()[values.argmax(axis=1)])


def scores(rows: Mapping[str, Mapping[str, Row]], *, table_folder: Path | None) -> pd.DataFrame:
    """Score every row on every split, in per cent.

    By track, a track is given the genre of the highest mean probability over its segments.
    Intervals resample tracks; artists where the split keeps them apart.

    Returns
    -------
    DataFrame [shape=(n_rows_of_all_splits, 13)]
        split, model, kind, seeds; ``segment`` and ``track``, mean accuracies over seeds, each with
        the ends of its 95 % interval (``segment_low`` ...) and its SD over seeds
        (``segment_SD``), missing for one seed; weights; seconds.
    """
    lines = []
    for split, of_split in rows.items():
        for name, row in of_split.items():
            lines.append(
                {"split": split, "model": name, "kind": row.kind, "seeds": len(row.predictions)}
                | _scores(row, split, table_folder)
                | {"weights": row.weights, "seconds": row.seconds}
            )
    return pd.DataFrame(lines)


def _scores(row: Row, split: str, table_folder: Path | None) -> dict[str, float]:
    first = row.predictions[0]
    names = splits.tracks(first).fillna(first["filename"])
    groups = names
    if "artists" in splits.SPLITS[split].disjoint_by:
        groups = splits.artists(first, table_folder).fillna(names)
    label = first.groupby(names)["label"].first()
    by_segment = [(of["predicted"] == of["label"]).to_numpy() for of in row.predictions]
    by_track = [(vote(of, names) == label).to_numpy() for of in row.predictions]
    of_track = groups.groupby(names).first()
    found = {}
    for what, correct, of in (("segment", by_segment, groups), ("track", by_track, of_track)):
        each = [100 * one.mean() for one in correct]
        low, high = interval(np.array(correct, dtype=float), of)
        found |= {
            what: float(np.mean(each)), f"{what}_low": low, f"{what}_high": high,
            f"{what}_SD": float(np.std(each, ddof=1)) if len(each) > 1 else np.nan,
        }  # fmt: skip
    return found


def verdict(scores: pd.DataFrame, split: str, measure: str) -> dict:
    """Sum up a split: its best row by ``segment`` or ``track``, the paper's, and what it planned.

    Returns
    -------
    dict
        ``split``, ``measure``; ``model``, ``accuracy``, ``low`` and ``high`` of the best row;
        ``paper``, the accuracy of the paper's network and recipe, or None, with how many ``seeds``
        and their ``SD``; ``future`` and
        ``future_accuracy``, the best of :data:`FUTURE`; ``published`` and
        ``published_accuracy``, the highest of :data:`PUBLISHED`. What is not there is empty.
    """
    of = scores[scores["split"] == split].set_index("model")
    best = of[measure].idxmax()
    planned = of.loc[of.index.isin(FUTURE), measure]
    others = {name: accuracy for name, (accuracy, _) in PUBLISHED.get(split, {}).items()}
    return {
        "split": split,
        "measure": measure,
        "model": best,
        "accuracy": of.at[best, measure],
        "low": of.at[best, f"{measure}_low"],
        "high": of.at[best, f"{measure}_high"],
        "paper": of.at["paper", measure] if "paper" in of.index else None,
        "seeds": of.at["paper", "seeds"] if "paper" in of.index else 0,
        "SD": of.at["paper", f"{measure}_SD"] if "paper" in of.index else None,
        "future": planned.idxmax() if len(planned) else "",
        "future_accuracy": planned.max() if len(planned) else None,
        "published": max(others, key=others.get) if others else "",
        "published_accuracy": max(others.values()) if others else None,
    }


def in_short(scores: pd.DataFrame) -> pd.DataFrame:
    """Return one accuracy a row and split: by track, by segment where tracks are on both sides.

    Returns
    -------
    DataFrame [shape=(n_rows_of_all_splits, 6)]
        split, model, kind, accuracy, low, high.
    """
    found = []
    for split, of in scores.groupby("split", sort=False):
        measure = "track" if splits.SPLITS[split].disjoint_by else "segment"
        names = {measure: "accuracy", f"{measure}_low": "low", f"{measure}_high": "high"}
        found.append(of[["split", "model", "kind", *names]].rename(columns=names))
    return pd.concat(found, ignore_index=True)


def as_table(scores: pd.DataFrame, split: str) -> pd.DataFrame:
    """Return a split's rows for readers, the best by track first."""
    of = scores[scores["split"] == split].sort_values("track", ascending=False, kind="stable")
    table = of[["model", "kind", "seeds"]].copy()
    for what in ("segment", "track"):
        table[f"by {what}"] = of[what]
        table[f"95 % interval, by {what}"] = [
            f"{low:.2f} to {high:.2f}"
            for low, high in zip(of[f"{what}_low"], of[f"{what}_high"], strict=True)
        ]
        table[f"SD over seeds, by {what}"] = of[f"{what}_SD"]
    weights = [None if pd.isna(n) else int(n) for n in of["weights"]]
    return table.assign(parameters=pd.Series(weights, of.index, object), seconds=of["seconds"])


def published() -> pd.DataFrame:
    """Return :data:`PUBLISHED` as a table [shape=(n, 4)]: split, model, accuracy, source."""
    return pd.DataFrame(
        [
            {"split": split, "model": model, "accuracy": accuracy, "source": source}
            for split, models in PUBLISHED.items()
            for model, (accuracy, source) in models.items()
        ]
    )


def trials(folder: Path) -> dict[str, pd.DataFrame]:
    """Return the trials of the searches kept in a folder, by split, the best trial first."""
    return {
        split: pd.read_csv(folder / f"{split}.csv").sort_values(
            "accuracy by track", ascending=False, kind="stable"
        )
        for split in splits.SPLITS
        if (folder / f"{split}.csv").is_file()
    }
