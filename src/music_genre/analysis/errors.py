"""Where a trained model's errors fall: on which tracks, between which genres, on which faults.

Everything here is computed from one run's predictions, as
:func:`music_genre.models.training.predict` returns them, and the features table that the run was
measured on.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from music_genre import provenance
from music_genre.data import splits
from music_genre.data.table import Source, clips, has_features, same_content
from music_genre.exceptions import InputError
from music_genre.metrics import classification
from music_genre.metrics.intervals import interval, unpaired_difference
from music_genre.metrics.predictions import vote
from music_genre.models import runs
from music_genre.paths import display_path, natural_key

_COMPARED = ("with", "without", "difference")  # of the accuracies with a fault and without it


def find(folder: Path, source: Source) -> dict[str, Path]:
    """Find the runs of a report whose errors are examined, by split.

    They are the last row and, if it was trained, the same recipe with whole tracks held out.

    Raises
    ------
    InputError
        No row is finished, or one of the runs was measured on another table.
    """
    rows = [path.parent for path in folder.glob("rows/*/metrics.json")]
    if not rows:
        raise InputError(f"{display_path(folder)} holds no finished row: run `make report` first.")
    last = max(rows, key=lambda path: natural_key(path.name))
    found = {}
    for run in [last, folder / "splits" / "track" / "lstm"]:
        if (run / "metrics.json").exists():
            content = provenance.read_json(run / "metrics.json")
            check_table(run, content, source)
            found.setdefault(content["parameters"]["split"], run)
    return found


def check_table(run: Path, content: dict, source: Source) -> None:
    """Raise InputError if a run, with this ``metrics.json``, was measured on another table."""
    measured_on = runs.source(content)
    if not same_content(measured_on, source):
        raise InputError(
            f"{display_path(run)} was measured on {measured_on.label}, not on {source.label}: "
            "name the table that it was measured on with features."
        )


def tested(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the predictions of the test segments."""
    return predictions[predictions["part"] == "test"]


def by_track(predictions: pd.DataFrame) -> pd.DataFrame:
    """Sum up the test segments of each track.

    Returns
    -------
    DataFrame [shape=(n_tracks_tested, 6)]
        track; label; segments; correct, the share of them classified correctly in per cent;
        predicted, the track's genre by the mean of its segments' probabilities; mistaken for, the
        most frequent wrong genre (the first by name of several), missing if none.
    """
    test = tested(predictions)
    tracks = test.groupby(clips(test))
    correct = test["label"] == test["predicted"]
    wrong = test[~correct]
    modes = wrong.groupby(clips(wrong))["predicted"].agg(lambda predicted: predicted.mode()[0])
    return pd.DataFrame(
        {
            "label": tracks["label"].first(),
            "segments": tracks.size(),
            "correct": 100 * correct.groupby(clips(test)).mean(),
            "predicted": vote(test, clips(test)),
            "mistaken for": modes,
        }
    ).reset_index(names="track")


def concentration(by_track: pd.DataFrame) -> dict[str, float]:
    """Tell whether the errors on the tracks of :func:`by_track` belong to few of them or to many.

    Returns
    -------
    dict
        ``tracks`` tested; ``correct``, the share of them whose genre is predicted, in per cent;
        ``all_correct`` and ``none_correct``, how many have all or none of their segments classified
        correctly; ``wrong``, the number of segments classified wrongly; ``half``, the fewest tracks
        that hold half of these (0 if there are none).
    """
    wrong = (by_track["segments"] * (1 - by_track["correct"] / 100)).round().astype(int)
    return {
        "tracks": len(by_track),
        "correct": 100 * (by_track["label"] == by_track["predicted"]).mean(),
        "all_correct": int((by_track["correct"] == 100).sum()),
        "none_correct": int((by_track["correct"] == 0).sum()),
        "wrong": int(wrong.sum()),
        "half": _fewest_with_half(wrong.sort_values(ascending=False)) if wrong.any() else 0,
    }


def track_shares(by_track: pd.DataFrame) -> pd.DataFrame:
    """Count each genre's tracks of :func:`by_track` by how many of their segments are correct.

    Returns
    -------
    DataFrame [shape=(n_genres, 4), dtype=int]
        Genres in order of name, by ``none correct``, ``fewer than half``, ``half or more`` (but
        not all) and ``all correct``.
    """
    share = by_track["correct"]
    levels = {
        "none correct": share == 0,
        "fewer than half": (share > 0) & (share < 50),
        "half or more": (share >= 50) & (share < 100),
        "all correct": share == 100,
    }
    return pd.DataFrame(levels).groupby(by_track["label"]).sum()


def tracks_of_confusion(predictions: pd.DataFrame, *, pairs: int = 3) -> pd.DataFrame:
    """Tell whether a few tracks cause the most confused pairs of genres.

    Returns
    -------
    DataFrame [shape=(n_pairs, 7)]
        As :func:`music_genre.metrics.classification.confused_pairs` orders them: label, predicted,
        and segments so confused; tracks, how many have such a segment; tested, how many tracks of
        the genre were; half, the fewest tracks that hold half of the segments; which, a list of
        these as (track, segments so confused, segments tested).
    """
    test = tested(predictions)
    sizes = clips(test).value_counts()
    lines = []
    confused = classification.confused_pairs(test["label"], test["predicted"], pairs=pairs)
    for label, predicted, segments, _ in confused.itertuples(index=False):
        own = test[(test["label"] == label) & (test["predicted"] == predicted)]
        counts = clips(own).value_counts().sort_index().sort_values(ascending=False, kind="stable")
        half = _fewest_with_half(counts)
        lines.append(
            {
                "label": label,
                "predicted": predicted,
                "segments": segments,
                "tracks": len(counts),
                "tested": clips(test[test["label"] == label]).nunique(),
                "half": half,
                "which": [(track, n, int(sizes[track])) for track, n in counts[:half].items()],
            }
        )
    columns = ["label", "predicted", "segments", "tracks", "tested", "half", "which"]
    return pd.DataFrame(lines, columns=columns)


def confusion_table(confused: pd.DataFrame, *, named: int = 6) -> pd.DataFrame:
    """Return what :func:`tracks_of_confusion` found for display, at most so many tracks named."""

    def names(tracks: list[tuple[str, int, int]]) -> str:
        listed = ", ".join(f"{track} ({n} of {size})" for track, n, size in tracks[:named])
        return listed + (f", {len(tracks) - named} more" if len(tracks) > named else "")

    return confused.assign(which=confused["which"].map(names)).rename(
        columns={
            "label": "genre",
            "predicted": "predicted as",
            "tested": "tracks tested",
            "half": "tracks with half",
        }
    )


def duplicates(segments: pd.DataFrame) -> pd.DataFrame:
    """List pairs of tracks with equal segments (:func:`music_genre.data.splits.equal_pairs`).

    Returns
    -------
    DataFrame [shape=(n_pairs, 3)]
        a, b, and the number of their segments that are equal.
    """
    equal = pd.DataFrame(clips(segments).to_numpy()[_equal(segments)], columns=["a", "b"])
    return equal.groupby(["a", "b"]).size().reset_index(name="segments")


def faults(
    predictions: pd.DataFrame,
    segments: pd.DataFrame,
    *,
    table_folder: Path | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure the accuracy on tested tracks with a known fault of GTZAN, and on the rest.

    The faults are segments equal to another track's, whether or not such a segment was trained on,
    if the features are known; and, if the published lists are available
    (:mod:`music_genre.data.annotations`) and the table is GTZAN's, the 70 clips that the
    fault-filtered partition leaves out (repetitions, distortions, wrong labels;
    :func:`music_genre.data.splits.artist`). The rest is all tracks without the fault.

    Parameters
    ----------
    segments
        The features table that the run was measured on.
    table_folder
        The table's folder, where the lists may be.
    seed
        Of the intervals.

    Returns
    -------
    DataFrame [shape=(n_faults, 14)]
        fault; tracks and segments tested; wrong, how many of these segments are classified
        wrongly; ``with`` and ``without`` the fault, accuracies in per cent, and their
        ``difference`` in percentage points, each followed by ``<name> low`` and ``<name> high``:
        the 95 % interval over tracks; ``differs``, whether that of the difference excludes zero.
        Missing are accuracies of no segment and intervals of fewer than two tracks.
    """
    test = tested(predictions)
    tracks = clips(test)
    kinds = {}
    if has_features(segments):
        pairs = _equal(segments)
        twins = pd.DataFrame(segments["filename"].to_numpy()[np.vstack([pairs, pairs[:, ::-1]])])
        trained = predictions["filename"][predictions["part"] == "train"]
        leaked = test["filename"].isin(twins[0][twins[1].isin(trained)])
        doubled = tracks.isin(clips(segments).to_numpy()[pairs].ravel())
        kinds = {
            "duplicate of another track": (doubled, ~doubled),
            "duplicate, equal segment trained on": (leaked, ~doubled),
            "duplicate, no equal segment trained on": (doubled & ~leaked, ~doubled),
        }
    left_out = _left_out(segments, table_folder)
    if left_out is not None:
        faulty = tracks.isin(left_out)
        kinds["left out by the published partition"] = (faulty, ~faulty)
    correct = test["label"] == test["predicted"]
    lines = []
    for fault, sides in kinds.items():
        (faulty, of), (sound, of_sound) = ((correct[side], tracks[side]) for side in sides)
        several = of.nunique() > 1, of_sound.nunique() > 1
        unknown = np.nan, np.nan
        ends = {
            "with": interval(faulty, of, seed=seed) if several[0] else unknown,
            "without": interval(sound, of_sound, seed=seed) if several[1] else unknown,
            "difference": unpaired_difference(faulty, of, sound, of_sound, seed=seed)
            if all(several)
            else unknown,
        }
        accuracies = {"with": 100 * faulty.mean(), "without": 100 * sound.mean()}
        accuracies["difference"] = accuracies["with"] - accuracies["without"]
        line = {
            "fault": fault,
            "tracks": of.nunique(),
            "segments": len(faulty),
            "wrong": int((~faulty).sum()),
        }
        for name, (low, high) in ends.items():
            line |= {name: accuracies[name], f"{name} low": low, f"{name} high": high}
        line["differs"] = line["difference low"] > 0 or line["difference high"] < 0
        lines.append(line)
    ends = [f"{name}{end}" for name in _COMPARED for end in ("", " low", " high")]
    columns = ["fault", "tracks", "segments", "wrong", *ends, "differs"]
    return pd.DataFrame(lines, columns=columns).astype({"differs": bool})


def lowering(measured: Iterable[pd.DataFrame]) -> list[str]:
    """Return the faults of which one of these :func:`faults` shows that they lower the accuracy."""
    found = pd.concat(measured)
    return found["fault"][found["differs"] & (found["difference"] < 0)].unique().tolist()


def fault_table(measured: pd.DataFrame) -> pd.DataFrame:
    """Return what :func:`faults` measured for display, each accuracy followed by its interval."""
    shown = measured[["fault", "tracks", "segments", "wrong"]].copy()
    for name in _COMPARED:
        ends = measured[[name, f"{name} low", f"{name} high"]].itertuples(index=False)
        shown[name] = [
            "–"
            if np.isnan(value)
            else f"{value:.1f}"
            if np.isnan(low)
            else f"{value:.1f} ({low:.1f} to {high:.1f})"
            for value, low, high in ends
        ]
    return shown


def _fewest_with_half(counts: pd.Series) -> int:
    """Return how many of the counts, largest first, make up half of their sum."""
    return int((counts.cumsum() < counts.sum() / 2).sum()) + 1


def _equal(segments: pd.DataFrame) -> np.ndarray:
    """Return pairs of equal segments of different tracks, by position and in order of name.

    Returns
    -------
    ndarray [shape=(n_pairs, 2), dtype=int]
    """
    pairs = splits.equal_pairs(segments)
    names = clips(segments).to_numpy()[pairs]
    pairs = np.where(names[:, :1] <= names[:, 1:], pairs, pairs[:, ::-1])
    return pairs[names[:, 0] != names[:, 1]]


def _left_out(segments: pd.DataFrame, table_folder: Path | None) -> pd.Series | None:
    """Return the clips that the published partition leaves out, None where it does not apply."""
    try:
        parts = splits.artist(segments, test_size=0, seed=0, table_folder=table_folder)
    except InputError:  # the lists are not available, or this is not GTZAN's table
        return None
    return clips(segments)[parts == "unused"]
