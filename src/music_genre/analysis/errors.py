"""Where a trained model's errors fall: on which tracks, on which faults of GTZAN, by which inputs.

The tables come from one run's predictions (as :func:`music_genre.models.training.predict` returns them),
the features table it was measured on, and its model.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from scipy.spatial import KDTree
from sklearn.preprocessing import StandardScaler

from music_genre import provenance
from music_genre.analysis.table1 import natural
from music_genre.data import splits
from music_genre.data.columns import FEATURES, INPUTS
from music_genre.data.table import Source, clips
from music_genre.exceptions import InputError
from music_genre.metrics import classification
from music_genre.metrics.intervals import interval, paired_difference, unpaired_difference
from music_genre.models import runs
from music_genre.paths import display_path

# Standard deviations by which equal segments may differ: some copies of the published table hold
# its values rounded (2e-5 off); the nearest unequal segments of different tracks are 0.08 apart.
EQUAL = 1e-4

# What is shuffled together: mean and variance of one descriptor, and all MFCCs once more.
_MFCC = [column for column in INPUTS if column.startswith("mfcc")]
GROUPS: dict[str, list[str]] = {"all MFCCs": _MFCC}
for _column in INPUTS:
    GROUPS.setdefault(re.sub("_(mean|var)$", "", _column), []).append(_column)


NAMED = 6  # tracks named of those that cause a confusion
REPEATS, DRAWN = 3, 1000  # of a run's importance: shuffles, and test rows at most
IMPORTANCE = "importance.csv"  # beside a run's metrics.json


def find(folder: Path, table: Source) -> dict[str, Path]:
    """Find the trainings of a report whose errors are worth a look, by their split.

    That is its last row, and the same recipe with whole tracks held out, if it was trained.

    Raises
    ------
    InputError
        No row is finished, or one was measured on another table.
    """
    rows = sorted(folder.glob("rows/*/metrics.json"), key=lambda path: natural(path.parent.name))
    if not rows:
        raise InputError(f"{display_path(folder)} holds no finished row: run `make report` first.")
    found = {}
    for path in [rows[-1], folder / "splits" / "track" / "lstm" / "metrics.json"]:
        if path.exists():
            content = provenance.read_json(path)
            _check_table(path.parent, content, table)
            found.setdefault(content["parameters"]["split"], path.parent)
    return found


def _check_table(run: Path, content: dict, table: Source) -> None:
    if content["source"]["sha256"] != table.sha256:
        raise InputError(
            f"{display_path(run)} was measured on {runs.source(content).label}, and this is "
            f"{table.label}: name that table with features."
        )


def by_track(predictions: pd.DataFrame) -> pd.DataFrame:
    """Sum up the tested segments of each track.

    Returns
    -------
    DataFrame [shape=(n_tracks_tested, 6)]
        clip; label; segments; right, how many of them in per cent; predicted, the genre of the
        track by its segments' mean probabilities; taken for, the most frequent wrong genre (the
        first by name of several), missing if none.
    """
    tested = _tested(predictions)
    tracks = tested.groupby(clips(tested))
    right = tested["label"] == tested["predicted"]
    genres = tested.columns[4:]
    wrong = tested[~right]
    return pd.DataFrame(
        {
            "label": tracks["label"].first(),
            "segments": tracks.size(),
            "right": 100 * right.groupby(clips(tested)).mean(),
            "predicted": genres[tracks[list(genres)].mean().to_numpy().argmax(axis=1)],
            "taken for": wrong.groupby(clips(wrong))["predicted"].agg(lambda them: them.mode()[0]),
        }
    ).reset_index(names="clip")


def describe_tracks(by_track: pd.DataFrame) -> str:
    """Say how errors fall on the tracks of :func:`by_track`: on few or on many."""
    wrong = (by_track["segments"] * (1 - by_track["right"] / 100)).round()
    told = (by_track["label"] == by_track["predicted"]).mean()
    text = (
        f"{len(by_track):,} tracks were tested. By the mean of its segments' probabilities "
        f"{told:.1%} of them are told right; every segment is right in "
        f"{(by_track['right'] == 100).sum():,} tracks, none in {(by_track['right'] == 0).sum():,}."
    )
    if not wrong.any():
        return text
    worst = wrong.sort_values(ascending=False)
    half = int((worst.cumsum() < worst.sum() / 2).sum()) + 1
    return (
        f"{text} Half of the {int(worst.sum()):,} wrong segments belong to {half:,} tracks "
        f"({half / len(by_track):.0%})."
    )


def tracks_of_confusion(predictions: pd.DataFrame, *, pairs: int = 3) -> pd.DataFrame:
    """Tell whether a few tracks cause the most confused pairs of genres.

    Returns
    -------
    DataFrame [shape=(n_pairs, 7)]
        As :func:`music_genre.metrics.classification.confused_pairs` orders them: label, predicted, and segments
        so confused; tracks, how many have such a segment; of, how many of the genre were tested;
        cause half, the fewest that have half of the segments; and which these are (``NAMED`` at
        most), with how many of their tested segments.
    """
    tested = _tested(predictions)
    sizes = clips(tested).value_counts()
    lines = []
    confused = classification.confused_pairs(tested["label"], tested["predicted"], pairs=pairs)
    for label, predicted, segments, _ in confused.itertuples(index=False):
        own = tested[(tested["label"] == label) & (tested["predicted"] == predicted)]
        counts = clips(own).value_counts().sort_index().sort_values(ascending=False, kind="stable")
        half = int((counts.cumsum() < segments / 2).sum()) + 1
        named = [f"{track} ({n} of {sizes[track]})" for track, n in counts[:half].items()]
        lines.append(
            {
                "label": label,
                "predicted": predicted,
                "segments": segments,
                "tracks": len(counts),
                "of": clips(tested[tested["label"] == label]).nunique(),
                "cause half": half,
                "which": ", ".join(named[:NAMED])
                + (f", {half - NAMED} more" if half > NAMED else ""),
            }
        )
    columns = ["label", "predicted", "segments", "tracks", "of", "cause half", "which"]
    return pd.DataFrame(lines, columns=columns)


def duplicates(table: pd.DataFrame) -> pd.DataFrame:
    """List pairs of tracks with equal segments: all 57 features, to within rounding (``EQUAL``).

    Returns
    -------
    DataFrame [shape=(n_pairs, 3)]
        a, b and how many segments of theirs are equal.
    """
    equal = pd.DataFrame(clips(table).to_numpy()[_equal(table)], columns=["a", "b"])
    return equal.groupby(["a", "b"]).size().reset_index(name="segments")


def faults(
    predictions: pd.DataFrame,
    table: pd.DataFrame,
    *,
    table_folder: Path | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure the accuracy on tested tracks with a known fault of GTZAN, and on the rest.

    Faults are: segments equal to another track's (:func:`duplicates`), whether or not such a
    segment was trained on; and, if the published lists are at hand (:mod:`music_genre.data.annotations`) and
    the table is GTZAN's, the 70 clips that the fault-filtered partition leaves out (repetitions,
    distortions, wrong labels; :func:`music_genre.data.splits.artist`). The rest is all tracks without
    the fault.

    Parameters
    ----------
    table
        The features table that the run was measured on.
    table_folder
        The table's folder, for the lists.
    seed
        Of the intervals.

    Returns
    -------
    DataFrame [shape=(n_faults, 12)]
        fault; tracks and segments tested; ``with`` and ``without`` the fault, accuracies in per
        cent, and their ``difference`` in percentage points, each followed by ``<name> low`` and
        ``<name> high``: the 95 % interval over tracks. Missing are accuracies of no segment and
        intervals of fewer than two tracks.
    """
    tested = _tested(predictions)
    tracks = clips(tested)
    rows = _equal(table)
    twins = pd.DataFrame(table["filename"].to_numpy()[np.vstack([rows, rows[:, ::-1]])])
    trained = predictions["filename"][predictions["part"] == "train"]
    leaked = tested["filename"].isin(twins[0][twins[1].isin(trained)])
    doubled = tracks.isin(clips(table).to_numpy()[rows].ravel())
    kinds = {
        "duplicate of another track": (doubled, ~doubled),
        "an equal segment was trained on": (leaked, ~doubled),
        "no equal segment was trained on": (doubled & ~leaked, ~doubled),
    }
    left_out = _left_out(table, table_folder)
    if left_out is not None:
        faulty = tracks.isin(left_out)
        kinds["left out by the published partition"] = (faulty, ~faulty)
    right = tested["label"] == tested["predicted"]
    lines = []
    for fault, sides in kinds.items():
        (faulty, of), (sound, of_sound) = ((right[side], tracks[side]) for side in sides)
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
        line = {"fault": fault, "tracks": of.nunique(), "segments": len(faulty)}
        for name, (low, high) in ends.items():
            line |= {name: accuracies[name], f"{name} low": low, f"{name} high": high}
        lines.append(line)
    return pd.DataFrame(lines)


def fault_table(measured: pd.DataFrame) -> pd.DataFrame:
    """Return what :func:`faults` measured, each accuracy with its interval in brackets."""
    shown = measured[["fault", "tracks", "segments"]].copy()
    for name in ("with", "without", "difference"):
        ends = measured[[name, f"{name} low", f"{name} high"]].itertuples(index=False)
        shown[name] = [
            "–" if np.isnan(value) else f"{value:.1f}{_brackets(low, high)}"
            for value, low, high in ends
        ]
    return shown


def describe_faults(measured: Mapping[str, pd.DataFrame]) -> str:
    """Say of which faults of :func:`faults`, by split, the accuracy differs from that without."""
    points = []
    test = "its 95 % interval over tracks excludes zero"
    for split, lines in measured.items():
        apart = lines[(lines["difference low"] > 0) | (lines["difference high"] < 0)]
        told = "; ".join(
            f"*{line['fault']}*: {line['difference']:+.1f} points "
            f"(95 % interval {line['difference low']:+.1f} to {line['difference high']:+.1f})"
            for _, line in apart.iterrows()
        )
        points.append(
            f"- Split by {split}, the accuracy on tracks or segments with the fault less that on "
            f"those without is, where {test}: {told}."
            + (" Of the other kinds no difference can be told." if len(apart) < len(lines) else "")
            if told
            else f"- Split by {split}, no kind of fault can be told from the rest."
        )
    return "\n".join(points)


def tested_inputs(
    predictions: pd.DataFrame, table: pd.DataFrame, scaler: dict
) -> tuple[np.ndarray, np.ndarray]:
    """Return the test rows as the model took them.

    Parameters
    ----------
    scaler
        The content of the run's ``scaler.json``.

    Returns
    -------
    x : ndarray [shape=(n_tested, 58, 1), dtype=float32]
        Scaled, in the order of the scaler's columns.
    y : ndarray [shape=(n_tested,), dtype=int]
        Codes of the genres, in the order of the scaler's genres.

    Raises
    ------
    InputError
        The table lacks a tested segment.
    """
    tested = _tested(predictions)
    absent = tested["filename"][~tested["filename"].isin(table["filename"])]
    if len(absent):
        raise InputError(
            f"the table lacks the tested segment {absent.iloc[0]}: "
            "name the table that the run was measured on."
        )
    values = table.set_index("filename").loc[tested["filename"], scaler["columns"]].to_numpy()
    x = (values - scaler["mean"]) / scaler["scale"]
    codes = tested["label"].map({genre: code for code, genre in enumerate(scaler["genres"])})
    return x.astype("float32")[:, :, np.newaxis], codes.to_numpy()


def importance(
    predict: Callable[[np.ndarray], np.ndarray],
    x: np.ndarray,
    y: np.ndarray,
    columns: Sequence[str],
    *,
    groups: Mapping[str, Sequence[str]] = GROUPS,
    repeats: int = 5,
    rows: int | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure how much accuracy is lost when inputs are shuffled among the rows.

    Permutation importance (L. Breiman, "Random Forests", *Machine Learning* 45, 2001, section 10).
    An input that others can stand in for loses little when it is shuffled alone; hence groups,
    whose columns are shuffled together, by the same order of rows. (scikit-learn's
    ``permutation_importance`` shuffles single columns only.)

    Parameters
    ----------
    predict
        Takes x, returns probabilities [shape=(n_rows, n_genres)]: a model's ``predict``.
    x, y : ndarray [shape=(n_rows, n_columns, 1)], ndarray [shape=(n_rows,)]
        Scaled inputs and codes of the genres, as :func:`tested_inputs` returns them.
    columns
        The name of each column of x.
    groups
        The columns of each group, which may overlap. ``{name: [name] for name in columns}`` takes
        each alone; the default, mean and variance of each descriptor together, and all MFCCs.
    repeats
        How often each group is shuffled, each a prediction of all rows.
    rows
        Take so many rows, drawn, if there are more.

    Returns
    -------
    DataFrame [shape=(n_groups, 4)]
        input; columns, how many; drop, the mean accuracy lost in percentage points, the largest
        first; SD, its standard deviation over the repeats, missing of one.

    Raises
    ------
    InputError
        A group names a column that x does not have.
    """
    at = {name: i for i, name in enumerate(columns)}
    unknown = [name for members in groups.values() for name in members if name not in at]
    if unknown:
        raise InputError(
            f"a group of inputs names the column {unknown[0]}, which the model does not take: "
            "name some of its 58 inputs."
        )
    random = np.random.default_rng(seed)
    if rows is not None and rows < len(x):
        drawn = random.choice(len(x), rows, replace=False)
        x, y = x[drawn], y[drawn]
    orders = [random.permutation(len(x)) for _ in range(repeats)]

    def accuracy(inputs: np.ndarray) -> float:
        return 100 * np.mean(predict(inputs).argmax(axis=1) == y)

    whole = accuracy(x)
    lines = []
    for name, members in groups.items():
        places = [at[column] for column in members]
        drops = []
        for order in orders:
            shuffled = x.copy()
            shuffled[:, places] = x[order][:, places]
            drops.append(whole - accuracy(shuffled))
        spread = np.std(drops, ddof=1) if repeats > 1 else np.nan
        lines.append((name, len(places), np.mean(drops), spread))
    frame = pd.DataFrame(lines, columns=["input", "columns", "drop", "SD"])
    return frame.sort_values("drop", ascending=False, ignore_index=True, kind="stable")


def importance_of(
    run: Path, table: pd.DataFrame, *, repeats: int = REPEATS, rows: int = DRAWN
) -> pd.DataFrame:
    """Measure a run's :func:`importance` and keep it in its folder, or read what was kept.

    It is read where the run's model is not at hand, as of a published run.

    Raises
    ------
    InputError
        There is neither the model nor what was kept.
    """
    kept = run / IMPORTANCE
    if (run / "model.keras").exists():
        scaler = provenance.read_json(run / "scaler.json")
        x, y = tested_inputs(runs.load(run)[2], table, scaler)
        model = keras.saving.load_model(run / "model.keras", compile=False)
        provenance.write_csv(
            kept,
            importance(
                lambda inputs: model.predict(inputs, batch_size=512, verbose=0),
                x, y, scaler["columns"], repeats=repeats, rows=rows,
            ),
        )  # fmt: skip
    if not kept.exists():
        raise InputError(
            f"{display_path(run)} holds neither model.keras nor {IMPORTANCE}: train it again."
        )
    return pd.read_csv(kept)


def describe_importance(drops: pd.DataFrame) -> str:
    """Say which inputs, shuffled, cost most, and how many next to nothing.

    Next to nothing is less than twice the standard deviation of a drop over its shuffles.
    """
    first, *others = drops.nlargest(4, "drop").itertuples()
    little = drops[drops["drop"] < 2 * drops["SD"]]
    named = "; ".join(f"*{line.input}* {line.drop:.1f}" for line in others)
    return (
        f"Shuffling *{first.input}* costs {first.drop:.1f} points of accuracy, the most; next come "
        f"{named}. Of {len(drops)} inputs and groups {len(little)} cost too little to be told from "
        "nothing" + (f": {', '.join(little['input'])}." if len(little) else ".")
    )


def order(folder: Path, table: Source) -> pd.DataFrame:
    """Compare a report's training on shuffled columns with its row of the same recipe.

    Returns
    -------
    DataFrame [shape=(1, 7)]
        row; epochs; accuracy on test rows in per cent with the columns ``in order`` and
        ``shuffled``; ``difference`` of the first less the second, and ``low`` and ``high``, its
        paired 95 % interval over tracks. Empty where there are not both.
    """
    shuffled = folder / "shuffled"
    if not (shuffled / "metrics.json").exists():
        return pd.DataFrame()
    content, _, predictions = runs.load(shuffled)
    _check_table(shuffled, content, table)
    recipe = {**content["parameters"], "shuffle_columns": False}
    for path in folder.glob("rows/*/metrics.json"):
        same, _, ours = runs.load(path.parent)
        if same["parameters"] == recipe:
            right = [of["label"] == of["predicted"] for of in map(_tested, (ours, predictions))]
            accuracies = [100 * of.mean() for of in right]
            low, high = paired_difference(*right, clips(_tested(ours)))
            line = {
                "row": path.parent.name,
                "epochs": recipe["epochs"],
                "in order": accuracies[0],
                "shuffled": accuracies[1],
                "difference": accuracies[0] - accuracies[1],
                "low": low,
                "high": high,
            }
            return pd.DataFrame([line])
    return pd.DataFrame()


def describe_order(measured: pd.DataFrame) -> str:
    """Say what the order of the columns is worth, from :func:`order`."""
    if measured.empty:
        return "Not measured in this report: there is no row and a training like it but shuffled."
    line = measured.iloc[0]
    if line["low"] > 0:
        end = "the table's order is better than the one drawn"
    elif line["high"] < 0:
        end = "the order drawn is better than the table's"
    else:
        end = "the two cannot be told apart"
    return (
        f"With the recipe of row {line['row']}, {line['epochs']} epochs, the accuracy on test "
        f"rows is {line['in order']:.2f} % with the columns in the table's order and "
        f"{line['shuffled']:.2f} % in another: {line['difference']:+.2f} points, 95 % interval "
        f"{line['low']:+.2f} to {line['high']:+.2f}; **{end}**. It is one other order, drawn once."
    )


def _brackets(low: float, high: float) -> str:
    return "" if np.isnan(low) else f" ({low:.1f} to {high:.1f})"


def _tested(predictions: pd.DataFrame) -> pd.DataFrame:
    return predictions[predictions["part"] == "test"]


def _equal(table: pd.DataFrame) -> np.ndarray:
    """Return the rows of equal segments of different tracks [shape=(n_pairs, 2)], in name order."""
    scaled = StandardScaler().fit_transform(table[FEATURES])
    pairs = KDTree(scaled).query_pairs(EQUAL, p=np.inf, output_type="ndarray")
    names = clips(table).to_numpy()[pairs]
    pairs = np.where(names[:, :1] <= names[:, 1:], pairs, pairs[:, ::-1])
    return pairs[names[:, 0] != names[:, 1]]


def _left_out(table: pd.DataFrame, table_folder: Path | None) -> pd.Series | None:
    """Return the clips that the published partition leaves out, None where it does not apply."""
    try:
        parts = splits.artist(table, test_size=0, seed=0, table_folder=table_folder)
    except InputError:  # the lists are not at hand, or this is not GTZAN's table
        return None
    return clips(table)[parts == "unused"]
