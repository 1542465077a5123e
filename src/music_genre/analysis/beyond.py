"""Table II: networks that go beyond the paper's, classical models and averages, on every split."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from music_genre import provenance
from music_genre.data import find, splits
from music_genre.data.table import Source, check_features, load_more, same_content
from music_genre.exceptions import InputError
from music_genre.metrics.intervals import interval, paired_difference
from music_genre.metrics.predictions import by_genre, probabilities, vote
from music_genre.models import runs, tracks
from music_genre.paths import display_path, natural_key

MEASURES = ("segment", "track")
NETWORK, CLASSICAL, AVERAGE = "network", "classical", "average"  # kinds of rows
# Rows that are averaged with each other, by the name of what comes out. Folds of training tracks
# (by artist, of validation tracks too) suggested them.
TOGETHER = {
    "LDA and SVM of tracks, averaged": ("LDA of tracks", "SVM of tracks"),
    "mlp and mlp-embedded, averaged": ("mlp", "mlp-embedded"),
    "mlp, mlp-embedded and SVM of tracks, averaged": ("mlp", "mlp-embedded", "SVM of tracks"),
}
FUTURE = ("deep-lstm", "lstm-dense", "cnn-rnn")  # what the paper plans, in its order
_SMALL = ("learning_rate", "weight_decay")  # settings that decimals would hide
_MERT = "github.com/a43992899/MARBLE/issues/7"
_PARTITION = "the published partition, 290 tracks"
# By split, accuracies in per cent that others published, what they tested on, and where they stand:
# by segment on the split by segment, by track on the others.
PUBLISHED = {
    "segment": {
        "ten perceptrons averaged": (
            96,
            "1,998 segments, a fifth; printed as 0.96",
            "github.com/lumenalux/GTZAN_music_genre_classification",
        ),
    },
    "track": {
        "SVM on features": (78.8, "tracks, five folds", "github.com/Hguimaraes/gtzan.keras"),
        "CNN, votes": (83.2, "30 % of the tracks, 3 runs", "github.com/Hguimaraes/gtzan.keras"),
    },
    "artist": {
        name: (accuracy, _PARTITION, source)
        for name, accuracy, source in [
            ("MFCC + SVM", 53.4, "Pons and Serra, arXiv:1805.00237"),
            ("MusiCNN + SVM", 77.2, "github.com/jordipons/sklearn-audio-transfer-learning"),
            ("VGGish + SVM", 77.6, "github.com/jordipons/sklearn-audio-transfer-learning"),
            ("SampleCNN", 82.1, "Lee, Park, Kim and Nam, Applied Sciences 8(1), 150, 2018"),
            ("MERT, 95 M weights", 78.6, f"arXiv:2306.00107, as quoted in {_MERT}"),
            ("MERT, 330 M weights", 79.3, f"arXiv:2306.00107, as quoted in {_MERT}"),
        ]
    },
}


@dataclass(frozen=True)
class Row:
    """A row of Table II on one split: what it predicts of the test segments, once for each seed."""

    kind: str
    predictions: list[pd.DataFrame]  # filename, label, predicted, and each genre's probability
    seeds: int = 1  # that were trained, or averaged; 0 of an average of other kinds
    weights: float = np.nan  # how many numbers a network has learnt
    seconds: float = np.nan  # to train, mean over seeds
    machine: str = ""  # that a network was trained on
    broken: tuple[int, ...] = ()  # which of its predictions are of trainings that broke down
    of: tuple[str, ...] = ()  # the rows that it is made of, by name
    more: bool = False  # whether it was trained on a second features table too


def load(folder: Path) -> tuple[dict[str, dict[str, Row]], dict[str, dict], dict[str, str]]:
    """Collect the finished trainings ``<folder>/<split>/<seed>/<row>``, the loosest split first.

    Returns
    -------
    rows : dict of dict of Row
        By split and by name.
    settings : dict of dict
        For each split what a training of it says: ``parameters`` and ``source``; and ``more``, the
        different second features tables that rows were trained on (``runs.second_table``).
    left_out : dict of str
        Why a training failed, or does not count, by its folder.

    Raises
    ------
    InputError
        None is finished, or trainings of one split were tested on different segments or tables.
    """
    found: dict[str, dict[str, list]] = {}
    settings, left_out = {}, {}
    recipes: dict[tuple, dict] = {}
    for path in _sorted(folder.glob("*/*/*/failed.json")):
        error = provenance.read_json(path)["error"]
        left_out["/".join(path.parts[-4:-1])] = error.removeprefix("InputError: ")
    for path in _sorted(folder.glob("*/*/*/metrics.json")):
        split, seed, name = path.parts[-4:-1]
        if split not in splits.SPLITS:
            continue
        if name.removesuffix(find.WITH_MORE) in tracks.CLASSICAL:
            left_out[f"{split}/{seed}/{name}"] = "a classical model has this name: rename the row."
            continue
        content, history, predictions = runs.load(path.parent)
        recipe = {**runs.settings(content), "seed": None, "more": "more" in content}
        if recipe != recipes.setdefault((split, name), recipe):
            left_out[f"{split}/{seed}/{name}"] = (
                "it was trained with other parameters than the row's first seed: train it again."
            )
            continue
        test = predictions[predictions["part"] == "test"].drop(columns="part")
        one = settings.setdefault(
            split, {**content, "filenames": list(test["filename"]), "more": []}
        )
        if list(test["filename"]) != one["filenames"] or not same_content(
            runs.source(content), runs.source(one)
        ):
            raise InputError(
                f"{display_path(path.parent)} was not tested on the segments of the other rows: "
                "train all of them on one table and one split (`make beyond`)."
            )
        if "more" in content and not any(
            runs.same_second(content["more"], known) for known in one["more"]
        ):
            one["more"].append(content["more"])
        found.setdefault(split, {}).setdefault(name, []).append(
            {
                "predictions": test.reset_index(drop=True),
                "weights": content.get("weights", np.nan),
                "seconds": history["seconds"].sum(),
                "machine": content["provenance"]["machine"],
                "accuracy": content["parts"]["test"]["accuracy"],
                # Where validation segments chose the epoch, a better one is no sign of a fall.
                "reached": 0 if "epoch_chosen" in content else 100 * history["test_accuracy"].max(),
                "more": "more" in content,
            }
        )
    if not found:
        raise InputError(
            f"{display_path(folder)} holds no finished training: run `make beyond` first."
            + "".join(f" {name} failed: {reason}" for name, reason in left_out.items())
        )
    rows = {
        split: {
            name: Row(
                NETWORK,
                [one["predictions"] for one in of],
                seeds=len(of),
                weights=of[0]["weights"],
                seconds=float(np.mean([one["seconds"] for one in of])),
                machine="; ".join(sorted({one["machine"] for one in of})),
                broken=_broken(of),
                of=(name,),
                more=of[0]["more"],
            )
            for name, of in found[split].items()
        }
        for split in splits.SPLITS
        if split in found
    }
    return rows, settings, left_out


def with_a_fifth_held_out(folder: Path) -> dict:
    """Score ``mlp-embedded`` on the terms of the highest published figure by segment.

    The trainings ``<folder>/fifth/<seed>/mlp-embedded`` are averaged, as the ten perceptrons of
    that figure are.

    Returns
    -------
    dict
        ``seeds``; ``accuracy`` of test segments in per cent, with the ends of its 95 % interval
        (``low``, ``high``), which resamples tracks; ``segments`` tested. Empty without trainings.
    """
    paths = _sorted(folder.glob("fifth/*/mlp-embedded/metrics.json"))
    trained = [runs.load(path.parent)[2] for path in paths]
    if not trained:
        return {}
    tested = [of[of["part"] == "test"].reset_index(drop=True) for of in trained]
    correct, groups = _correct(Row(AVERAGE, [mean(tested)]), "segment", "segment", None)
    low, high = interval(correct, groups)
    return {
        "seeds": len(tested), "accuracy": 100 * float(correct.mean()), "low": low, "high": high,
        "segments": len(groups),
    }  # fmt: skip


def _broken(trainings: Sequence[dict]) -> tuple[int, ...]:
    """Return which trainings ended far below their best epoch, or the best seed of their row."""
    best = max(one["accuracy"] for one in trainings)
    return tuple(
        i
        for i, one in enumerate(trainings)
        if one["accuracy"] <= max(best, one["reached"]) - 100 * runs.COLLAPSE
    )


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
    folder: Path,
    segments: pd.DataFrame,
    source: Source,
    setting: dict,
    table: Path,
    *,
    more: bool = False,
) -> dict[str, Row]:
    """Fit the models of :data:`music_genre.models.tracks.CLASSICAL` on a split, or read them.

    They are kept in ``<folder>/classical.csv``; in ``classical-more.csv`` those that take the
    second features table too, that of the networks.

    Parameters
    ----------
    setting
        What :func:`load` says of the split.
    table
        The path of the features table. The second lies beside it, or beside what was extracted.
    more
        Whether to take the second table too. The rows' names then end with ``-more``.

    Raises
    ------
    InputError
        The features table's split has other test segments than the networks had. With ``more``,
        the networks had several second tables, or theirs is not at hand and nothing is kept.
    """
    given = setting["parameters"]
    seed = given["seed"] if given["split_seed"] < 0 else given["split_seed"]
    if more and len(setting["more"]) > 1:
        raise InputError(
            "there is no second features table that all networks with more were trained on, but "
            f"{len(setting['more'])} different ones: `make beyond MORE=1` with the music trains "
            "those again that had another."
        )

    def fit() -> pd.DataFrame:
        check_features(segments)
        second = _second_table(table, setting["more"][0]) if more else ""
        parts = splits.split(
            segments, given["split"], test_size=given["test_size"], seed=seed,
            table_folder=table.parent,
        )  # fmt: skip
        if list(segments.loc[parts == "test", "filename"]) != setting["filenames"]:
            raise InputError(
                f"{source.label} is split by {given['split']} into other test segments than the "
                "networks were tested on: name the table that they were trained on."
            )
        further = load_more(str(second), segments)
        return tracks.predictions(segments, parts, seed=seed, more=further).round(5)

    identity = {
        "source": source, "split": given["split"], "test_size": given["test_size"], "seed": seed,
        "models": {name: repr(build(0)) for name, (_, build) in tracks.CLASSICAL.items()},
        **({"more": setting["more"][0]} if more else {}),
    }  # fmt: skip
    suffix = find.WITH_MORE if more else ""
    kept = runs.kept(folder / f"classical{suffix}.csv", identity, fit)
    return {
        f"{name}{suffix}": Row(
            CLASSICAL, [mean([of.reset_index(drop=True)])], of=(f"{name}{suffix}",), more=more
        )
        for name, of in kept.groupby("model", sort=False)
    }


def _second_table(table: Path, noted: dict) -> Path:
    """Return the path of the second features table that networks noted."""
    here = [find.more_table(table), find.more_table(find.EXTRACTED)]
    places = {path.resolve(): path for path in here}.values()
    for path in places:
        with suppress(InputError):  # what cannot be read is not it
            if path.is_file() and runs.same_second(runs.second_table(path), noted):
                return path
    raise InputError(
        "the second features table that all networks with more were trained on is not at hand as "
        f"{' or '.join(map(display_path, places))}: `make beyond MORE=1` with the music extracts "
        "it, and trains those again that had another."
    )


def averages(rows: Mapping[str, Row]) -> dict[str, Row]:
    """Average probabilities: of each network's seeds, of :data:`TOGETHER`, and of all rows.

    In the latter two, a network counts once, with the average of its seeds. Rows with a second
    features table are averaged apart.
    """
    found = {}
    for name, row in rows.items():
        if row.seeds > 1:
            averaged = dataclasses.replace(_averaged([row]), seeds=row.seeds)
            found[f"{name}, {row.seeds} seeds averaged"] = averaged
    for more, suffix, words in ((False, "", ""), (True, find.WITH_MORE, ", with more")):
        for together, names in TOGETHER.items():
            of = [rows[f"{name}{suffix}"] for name in names if f"{name}{suffix}" in rows]
            if len(of) == len(names):
                found[together + words] = _averaged(of)
        alike = [row for row in rows.values() if row.more == more]
        if len(alike) > 1:
            found[f"all rows averaged{words}"] = _averaged(alike)
    return found


def _averaged(rows: Sequence[Row]) -> Row:
    return Row(
        AVERAGE,
        [mean([mean(row.predictions) for row in rows])],
        seeds=0,
        of=tuple(name for row in rows for name in row.of),
        more=rows[0].more,
    )


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
    DataFrame [shape=(n_rows_of_all_splits, 15)]
        split, model, kind, seeds; ``segment`` and ``track``, mean accuracies over seeds, each with
        the ends of its 95 % interval (``segment_low`` ...) and its SD over seeds
        (``segment_SD``), missing for one seed; weights; seconds; machine; how many trainings are
        ``broken``.
    """
    lines = []
    for split, of_split in rows.items():
        for name, row in of_split.items():
            lines.append(
                {"split": split, "model": name, "kind": row.kind, "seeds": row.seeds}
                | _scores(row, split, table_folder)
                | {"weights": row.weights, "seconds": row.seconds, "machine": row.machine}
                | {"broken": len(row.broken)}
            )
    return pd.DataFrame(lines)


def _scores(row: Row, split: str, table_folder: Path | None) -> dict[str, float]:
    found = {}
    for what in MEASURES:
        correct, groups = _correct(row, split, what, table_folder)
        each = 100 * correct.mean(axis=1)
        low, high = interval(correct, groups)
        found |= {
            what: float(np.mean(each)), f"{what}_low": low, f"{what}_high": high,
            f"{what}_SD": float(np.std(each, ddof=1)) if len(each) > 1 else np.nan,
        }  # fmt: skip
    return found


def _correct(
    row: Row, split: str, measure: str, table_folder: Path | None
) -> tuple[np.ndarray, pd.Series]:
    """Tell which segments, or tracks, are right in each run, and the groups that draws keep whole.

    Returns
    -------
    correct : ndarray [shape=(n_runs, n), dtype=float]
    groups : Series [shape=(n,)]
        Tracks; artists where the split keeps them apart.
    """
    first = row.predictions[0]
    names = splits.tracks(first).fillna(first["filename"])
    groups = names
    if "artists" in splits.SPLITS[split].disjoint_by:
        groups = splits.artists(first, table_folder).fillna(names)
    if measure == "segment":
        correct = [of["predicted"] == of["label"] for of in row.predictions]
    else:
        label = first.groupby(names)["label"].first()
        correct = [vote(of, names) == label for of in row.predictions]
        groups = groups.groupby(names).first()
    return np.array(correct, dtype=float), groups


def differences(
    rows: Mapping[str, Mapping[str, Row]], base: str, *, table_folder: Path | None
) -> pd.DataFrame:
    """Return how much better than one row the other networks are on each split, in points.

    Returns
    -------
    DataFrame [shape=(n, 7)]
        split, model, difference, and its 95 % interval (``low``, ``high``), paired: by track, by
        segment where tracks are on both sides. It holds the trained networks fixed. ``broken``, how
        many trainings of the two broke down; ``others``, the difference without these.
    """
    lines = []
    for split, of_split in rows.items():
        measure = measure_of(split)
        others = [name for name, row in of_split.items() if row.kind == NETWORK and name != base]
        for name in others if base in of_split else []:
            one, other = of_split[name], of_split[base]
            whole = _difference(one, other, split, measure, table_folder)
            sound = _difference(_sound(one), _sound(other), split, measure, table_folder)
            lines.append(
                {"split": split, "model": name, **whole}
                | {"broken": len(one.broken + other.broken), "others": sound["difference"]}
            )
    names = ["split", "model", "difference", "low", "high", "broken", "others"]
    return pd.DataFrame(lines, columns=names)


def _sound(row: Row) -> Row:
    """Return a row without the trainings that broke down, if any other is left."""
    kept = [of for i, of in enumerate(row.predictions) if i not in row.broken]
    return dataclasses.replace(row, predictions=kept or row.predictions, broken=())


def _difference(
    one: Row, other: Row, split: str, measure: str, table_folder: Path | None
) -> dict[str, float]:
    a, groups = _correct(one, split, measure, table_folder)
    b, _ = _correct(other, split, measure, table_folder)
    low, high = paired_difference(a, b, groups)
    return {"difference": 100 * float(a.mean() - b.mean()), "low": low, "high": high}


def measure_of(split: str) -> str:
    """Return what is counted on a split: tracks; segments where a track is on both sides."""
    return "track" if splits.SPLITS[split].disjoint_by else "segment"


def verdict(
    scores: pd.DataFrame, rows: Mapping[str, Row], split: str, *, table_folder: Path | None
) -> dict:
    """Sum up a split, by the measure of :func:`measure_of`.

    Returns
    -------
    dict
        ``split``, ``measure``; ``model``, ``accuracy``, ``low`` and ``high`` of the best of ``n``
        rows; ``next``, the best of the rows that share none of its models, and by how much the best
        is better (``ahead``, with ``ahead_low`` and ``ahead_high``); ``paper``, the accuracy of the
        paper's network and recipe, or None, with how many ``seeds``, how many of them ``broken``,
        and the accuracy of the ``others``; ``published``, ``published_accuracy`` and what that was
        measured on (``published_on``), the highest of :data:`PUBLISHED`. What is not there is
        empty.
    """
    measure = measure_of(split)
    of = scores[scores["split"] == split].set_index("model")
    best = of[measure].idxmax()
    parts = set(rows[best].of)
    apart = of.loc[[parts.isdisjoint(rows[name].of) for name in of.index], measure]
    others = PUBLISHED.get(split, {})
    highest = max(others, key=lambda name: others[name][0]) if others else ""
    found = {
        "split": split,
        "measure": measure,
        "model": best,
        "accuracy": of.at[best, measure],
        "low": of.at[best, f"{measure}_low"],
        "high": of.at[best, f"{measure}_high"],
        "n": len(of),
        "next": apart.idxmax() if len(apart) else "",
        "paper": None,
        "published": highest,
        "published_accuracy": others[highest][0] if others else None,
        "published_on": others[highest][1] if others else "",
    }
    if "paper" in rows:
        correct, _ = _correct(_sound(rows["paper"]), split, measure, table_folder)
        found |= {"paper": of.at["paper", measure], "seeds": rows["paper"].seeds}
        found |= {"broken": len(rows["paper"].broken), "others": 100 * float(correct.mean())}
    if found["next"]:
        ahead = _difference(rows[best], rows[found["next"]], split, measure, table_folder)
        found |= {"ahead": ahead["difference"], "ahead_low": ahead["low"]}
        found["ahead_high"] = ahead["high"]
    return found


def in_short(scores: pd.DataFrame) -> pd.DataFrame:
    """Return one accuracy a row and split (:func:`measure_of`).

    Averages of a network's seeds are left out unless one is the best on a split.

    Returns
    -------
    DataFrame [shape=(n_rows_of_all_splits, 7)]
        split, model, kind, accuracy, low, high, broken.
    """
    best = {
        of.loc[of[measure_of(split)].idxmax(), "model"] for split, of in scores.groupby("split")
    }
    kept = ~scores["model"].str.endswith("seeds averaged") | scores["model"].isin(best)
    found = []
    for split, of in scores[kept].groupby("split", sort=False):
        measure = measure_of(split)
        names = {measure: "accuracy", f"{measure}_low": "low", f"{measure}_high": "high"}
        found.append(of[["split", "model", "kind", *names, "broken"]].rename(columns=names))
    return pd.concat(found, ignore_index=True)


def as_table(scores: pd.DataFrame, split: str) -> pd.DataFrame:
    """Return a split's rows for readers, the best (:func:`measure_of`) first.

    A column has the letters of :func:`machines` where networks were trained on several.
    """
    of = scores[scores["split"] == split]
    of = of.sort_values(measure_of(split), ascending=False, kind="stable")
    seeds = [n or None for n in of["seeds"]]
    table = of[["model", "kind"]].assign(seeds=pd.Series(seeds, of.index, object))
    for what in ("segment", "track"):
        table[f"by {what}"] = of[what]
        table[f"95 % interval, by {what}"] = [
            f"{low:.2f} to {high:.2f}"
            for low, high in zip(of[f"{what}_low"], of[f"{what}_high"], strict=True)
        ]
        table[f"SD over seeds, by {what}"] = of[f"{what}_SD"]
    weights = [None if pd.isna(n) else int(n) for n in of["weights"]]
    table = table.assign(parameters=pd.Series(weights, of.index, object), seconds=of["seconds"])
    letters = machines(scores, split)
    if len(letters) < 2:
        return table
    return table.assign(machine=of["machine"].map(letters).astype(object))


def published() -> pd.DataFrame:
    """Return :data:`PUBLISHED` [shape=(n, 5)]: split, model, accuracy, tested on, source."""
    return pd.DataFrame(
        [
            {"split": split, "model": model, "accuracy": f"{accuracy:g}", "tested on": tested}
            | {"source": source}
            for split, models in PUBLISHED.items()
            for model, (accuracy, tested, source) in models.items()
        ]
    )


def trials(folder: Path) -> dict[tuple[str, str], pd.DataFrame]:
    """Return the trials of the searches kept in a folder, the best first.

    By split, and the end of the names of what has a second features table, or nothing.
    """
    return {
        (split, suffix): pd.read_csv(folder / f"{split}{suffix}.csv")
        .sort_values("accuracy by track", ascending=False, kind="stable")
        .round({"seconds": 0, "accuracy by track": 2})
        .astype({"seconds": int})
        .apply(lambda of: of.map("{:.2g}".format) if of.name in _SMALL else of)
        for split in splits.SPLITS
        for suffix in ("", find.WITH_MORE)
        if (folder / f"{split}{suffix}.csv").is_file()
    }


def n_tracks(rows: Mapping[str, Row]) -> int:
    """Return how many tracks, or parts of one, test on a split."""
    first = next(iter(rows.values())).predictions[0]
    return splits.tracks(first).fillna(first["filename"]).nunique()


def machines(scores: pd.DataFrame, split: str) -> dict[str, str]:
    """Return a letter for each machine, or several of one row, that a split was trained on."""
    of = scores.loc[scores["split"] == split, "machine"]
    return {name: chr(ord("a") + i) for i, name in enumerate(sorted(set(of) - {""}))}
