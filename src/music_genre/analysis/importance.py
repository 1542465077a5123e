"""Which inputs a trained network relies on, and whether their order matters to it."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from music_genre import provenance
from music_genre.analysis.errors import check_table, tested
from music_genre.data.columns import INPUTS
from music_genre.data.table import Source, check_features, clips
from music_genre.exceptions import InputError
from music_genre.metrics.intervals import paired_difference
from music_genre.models import runs
from music_genre.models.inputs import powered
from music_genre.paths import display_path

# What is shuffled together: mean and variance of one descriptor, and all MFCCs.
GROUPS = {"all MFCCs": [column for column in INPUTS if column.startswith("mfcc")]}
for _column in INPUTS:
    GROUPS.setdefault(re.sub("_(mean|var)$", "", _column), []).append(_column)

REPEATS, DRAWN = 3, 1000  # for a run's importance: shuffles, and test segments at most
LEARNT = 95.0  # per cent of training segments classified correctly
FILES = ("importance.csv", "importance.json")  # in a run's folder: the drops, what determines them


def tested_inputs(
    predictions: pd.DataFrame, segments: pd.DataFrame, scaler: dict
) -> tuple[np.ndarray, np.ndarray]:
    """Return the test segments as the model took them.

    Parameters
    ----------
    segments
        The features table that the run was measured on.
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
        The table lacks a tested segment, or the model takes inputs that are not in it.
    """
    test = tested(predictions)
    absent = test["filename"][~test["filename"].isin(segments["filename"])]
    if len(absent):
        raise InputError(
            f"the table lacks the tested segment {absent.iloc[0]}: "
            "name the table that the run was measured on."
        )
    further = [column for column in scaler["columns"] if column not in segments]
    if further:
        raise InputError(
            f"the model takes the input {further[0]} of a second features table: importance is "
            "measured of models that take the 58 inputs alone; leave `more` out of the row."
        )
    values = segments.set_index("filename").loc[test["filename"], scaler["columns"]].to_numpy()
    if "lambdas" in scaler:
        values = powered(values, np.array(scaler["lambdas"]))
    x = (values - scaler["mean"]) / scaler["scale"]
    codes = test["label"].map({genre: code for code, genre in enumerate(scaler["genres"])})
    return x.astype("float32")[:, :, np.newaxis], codes.to_numpy()


def permutation_importance(
    predict: Callable[[np.ndarray], np.ndarray],
    x: np.ndarray,
    y: np.ndarray,
    columns: Sequence[str],
    *,
    groups: Mapping[str, Sequence[str]] = GROUPS,
    repeats: int = 5,
    drawn: int | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure how much accuracy is lost when inputs are shuffled among the segments.

    Permutation importance: L. Breiman, "Random Forests", *Machine Learning* 45, 2001, section 10.
    An input that others can replace loses little when it is shuffled alone; hence groups, whose
    columns are shuffled together, in the same order of segments. (scikit-learn's
    ``permutation_importance`` shuffles single columns only.)

    Parameters
    ----------
    predict
        Takes x, returns probabilities [shape=(n_segments, n_genres)]: a model's ``predict``.
    x, y : ndarray [shape=(n_segments, n_columns, 1)], ndarray [shape=(n_segments,)]
        Scaled inputs and codes of the genres, as :func:`tested_inputs` returns them.
    columns
        The name of each column of x.
    groups
        The columns of each group; groups may overlap. The default takes mean and variance of each
        descriptor together, and all MFCCs; ``{name: [name] for name in columns}`` takes each
        column alone.
    repeats
        How often each group is shuffled. Each shuffle is a prediction of all segments.
    drawn
        Use so many segments, drawn at random, if there are more.

    Returns
    -------
    DataFrame [shape=(n_groups, 4)]
        input; columns, how many; drop, the mean accuracy lost in percentage points, the largest
        first; SD, its standard deviation over the repeats, missing with one.

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
    if drawn is not None and drawn < len(x):
        chosen = random.choice(len(x), drawn, replace=False)
        x, y = x[chosen], y[chosen]
    orders = [random.permutation(len(x)) for _ in range(repeats)]

    def accuracy(inputs: np.ndarray) -> float:
        return 100 * np.mean(predict(inputs).argmax(axis=1) == y)

    unshuffled = accuracy(x)
    lines = []
    for name, members in groups.items():
        places = [at[column] for column in members]
        drops = []
        for order in orders:
            shuffled = x.copy()
            shuffled[:, places] = x[order][:, places]
            drops.append(unshuffled - accuracy(shuffled))
        spread = np.std(drops, ddof=1) if repeats > 1 else np.nan
        lines.append((name, len(places), np.mean(drops), spread))
    frame = pd.DataFrame(lines, columns=["input", "columns", "drop", "SD"])
    return frame.sort_values("drop", ascending=False, ignore_index=True, kind="stable")


def of_run(
    run: Path, segments: pd.DataFrame, *, repeats: int = REPEATS, drawn: int = DRAWN
) -> pd.DataFrame:
    """Return a run's :func:`permutation_importance`, measured once and kept in its folder.

    A published run has no model: what was kept is all there is.

    Raises
    ------
    InputError
        The folder holds neither the importance of this run nor its model.
    """
    content, _, predictions = runs.load(run)
    determined_by = {
        "run": content["identity"],
        "parameters": content["parameters"],
        "repeats": repeats,
        "segments": min(drawn, len(tested(predictions))),
    }

    def measure() -> pd.DataFrame:
        if not (run / "model.keras").exists():
            raise InputError(
                f"{display_path(run)} holds neither model.keras nor the {FILES[0]} of this "
                "training: train it again."
            )
        check_features(segments)
        provenance.check(run, content, runs.MODEL)
        import keras  # takes seconds, and is not needed for what was kept

        scaler = provenance.read_json(run / "scaler.json")
        x, y = tested_inputs(predictions, segments, scaler)
        model = keras.saving.load_model(run / "model.keras", compile=False)
        return permutation_importance(
            lambda inputs: model.predict(inputs, batch_size=512, verbose=0),
            x, y, scaler["columns"], repeats=repeats, drawn=drawn,
        )  # fmt: skip

    return runs.kept(run / FILES[0], determined_by, measure)


def within_noise(drops: pd.DataFrame) -> list[str]:
    """Return the inputs whose drop is less than twice its standard deviation over the shuffles."""
    return drops["input"][drops["drop"] < 2 * drops["SD"]].to_list()


def unused(drops: pd.DataFrame) -> list[str]:
    """Return the inputs that no shuffle changed the accuracy by, such as a constant one."""
    return drops["input"][(drops["drop"] == 0) & ~(drops["SD"] > 0)].to_list()


def order(folder: Path, source: Source) -> dict | None:
    """Compare a report's run on shuffled columns with its row of the same recipe.

    Returns
    -------
    dict or None
        ``row`` and its ``epochs``; the accuracy on test segments in per cent with the columns
        ``in_order`` and ``shuffled``; the ``difference`` of the first less the second in percentage
        points, and ``low`` and ``high``, its paired 95 % interval over tracks; ``favours``: the
        "table" or the "drawn" order, None where the interval includes zero; ``train_in_order``
        and ``train_shuffled``, the accuracies on training segments; ``learnt_in_order`` and
        ``learnt_shuffled``, the first epochs that reach ``learnt`` per cent of these while they
        run, or None. Without both runs, None.

    Raises
    ------
    InputError
        One of the two was measured on another table.
    """
    shuffled = folder / "shuffled"
    if not (shuffled / "metrics.json").exists():
        return None
    content, history, predictions = runs.load(shuffled)
    check_table(shuffled, content, source)
    recipe = {**runs.settings(content), "shuffle_columns": False}
    for path in folder.glob("rows/*/metrics.json"):
        same = provenance.read_json(path)
        if runs.settings(same) != recipe:
            continue
        check_table(path.parent, same, source)
        _, history_in_order, in_order_predictions = runs.load(path.parent)
        test, other = tested(in_order_predictions), tested(predictions)
        correct = [of["label"] == of["predicted"] for of in (test, other)]
        in_order, out_of_order = (100 * of.mean() for of in correct)
        low, high = paired_difference(*correct, clips(test))
        return {
            "row": path.parent.name,
            "epochs": recipe["epochs"],
            "in_order": in_order,
            "shuffled": out_of_order,
            "difference": in_order - out_of_order,
            "low": low,
            "high": high,
            "train_in_order": same["parts"]["train"]["accuracy"],
            "train_shuffled": content["parts"]["train"]["accuracy"],
            "learnt": LEARNT,
            "learnt_in_order": _learnt(history_in_order),
            "learnt_shuffled": _learnt(history),
            "favours": "table" if low > 0 else "drawn" if high < 0 else None,
        }
    return None


def _learnt(history: pd.DataFrame) -> int | None:
    reached = history["epoch"][100 * history["accuracy"] >= LEARNT]
    return int(reached.iloc[0]) if len(reached) else None
