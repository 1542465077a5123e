"""What explains Table I: its rows, compared with several ways to measure the same trainings.

A finished model can be measured on the test segments, on those that it was trained on, on all, and
on a *re-drawn third*: a third of all segments drawn anew, without keeping the genres' shares. A
notebook measures on the last where its cell that splits, without a seed, is run again between
training and scoring. Two thirds of these segments were trained on.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from music_genre.data import splits
from music_genre.data.columns import INPUTS
from music_genre.data.table import check_features
from music_genre.exceptions import InputError
from music_genre.metrics.classification import NAMES, confusion, per_genre, score
from music_genre.models import dense, runs
from music_genre.paths import display_path

MEASURES = ("test", "training", "all", "re-drawn")  # segments that a model may be measured on
DRAWS = 2000
FAR = 3.0  # standard deviations beyond which a printed score is not explained
NEAR = 3.0  # points within which it is met


def measure(predictions: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Score one model's predictions on each of :data:`MEASURES`.

    Parameters
    ----------
    predictions
        part, label, predicted, as :func:`music_genre.models.runs.load_after` returns them.

    Returns
    -------
    DataFrame [shape=(4, 9), index=measure]
        ``segments``; the scores of :data:`~music_genre.metrics.classification.NAMES` in per cent,
        for the re-drawn third the mean over draws; ``<score> SD``, their standard deviation over
        draws in points, 0 but for the re-drawn third.
    """
    part, lines = predictions["part"], {}
    for name, of in {
        "test": predictions[part == "test"],
        "training": predictions[part == "train"],
        "all": predictions,
    }.items():
        lines[name] = {"segments": len(of), **score(of["label"], of["predicted"])}
    scores = draws(predictions, seed=seed)
    lines["re-drawn"] = {"segments": _third(predictions), **scores.mean()}
    table = pd.DataFrame.from_dict(lines, orient="index").astype({"segments": int})
    for name in NAMES:
        table[f"{name} SD"] = 0.0
        table.loc["re-drawn", f"{name} SD"] = scores[name].std()
    return table


def draws(predictions: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Score one model's predictions on :data:`DRAWS` re-drawn thirds.

    The numbers of segments of each true and predicted genre in a third that is drawn at random
    have a multivariate hypergeometric distribution.

    Returns
    -------
    DataFrame [shape=(2000, 4)]
        The scores in per cent.
    """
    cells = confusion(predictions["label"], predictions["predicted"]).to_numpy()
    drawn = np.random.default_rng(seed).multivariate_hypergeometric(
        cells.ravel(), _third(predictions), size=DRAWS, method="marginals"
    )
    return _scores(drawn.reshape(DRAWS, *cells.shape))


def _third(predictions: pd.DataFrame) -> int:
    return int(np.ceil(dense.TEST_SIZE * len(predictions)))  # as scikit-learn's train_test_split


def _scores(counts: np.ndarray) -> pd.DataFrame:
    """Score confusion matrices [shape=(n, n_genres, n_genres)] as ``classification.score`` does."""
    right = np.diagonal(counts, axis1=1, axis2=2)
    true, predicted = counts.sum(axis=2), counts.sum(axis=1)
    precision = right / np.maximum(predicted, 1)
    recall = right / np.maximum(true, 1)
    f1 = 2 * right / np.maximum(true + predicted, 1)
    columns = [precision.mean(axis=1), recall.mean(axis=1), f1.mean(axis=1)]
    columns.append(right.sum(axis=1) / counts.sum(axis=(1, 2)))
    return pd.DataFrame(100 * np.column_stack(columns), columns=NAMES)


def of_rows(folder: Path, rows: Iterable[str]) -> pd.DataFrame:
    """Measure every seed of the rows trained in ``<folder>/<row>``.

    Returns
    -------
    DataFrame [shape=(n_rows * n_seeds * 4, 12)]
        row, seed, measure, and the columns of :func:`measure`.
    """
    lines = []
    for row in rows:
        for run in runs.with_seeds(folder / row):
            seed = runs.load(run)[0]["parameters"]["seed"]
            *_, predictions = runs.load_after(run).values()
            measured = measure(predictions, seed=seed).rename_axis("measure").reset_index()
            lines.append(measured.assign(row=row, seed=seed))
    table = pd.concat(lines, ignore_index=True)
    return table[["row", "seed", *table.columns.drop(["row", "seed"])]]


def over_seeds(measured: pd.DataFrame) -> pd.DataFrame:
    """Return each row's scores by each measure: the mean over seeds, and what a seed varies by.

    The standard deviation of one printed score has two parts: that over seeds, pooled over the rows
    (each row alone has too few seeds), and that over draws of a re-drawn third.

    Returns
    -------
    DataFrame [shape=(n_rows * 4, 8), index=(row, measure)]
        The scores; ``<score> SD``, missing if no row has two seeds.
    """
    groups = measured.groupby(["row", "measure"], sort=False)
    means = groups[NAMES].mean()
    drawn = groups[[f"{name} SD" for name in NAMES]].mean()
    freedom = groups.size() - 1
    variances = groups[NAMES].var().fillna(0).mul(freedom, axis=0)
    pooled = variances.groupby("measure").sum().div(freedom.groupby("measure").sum(), axis=0)
    at = means.index.get_level_values("measure")
    for name in NAMES:
        means[f"{name} SD"] = np.sqrt(pooled[name].loc[at].to_numpy() + drawn[f"{name} SD"] ** 2)
    return means


def leap(paper: pd.DataFrame) -> str:
    """Return the row whose printed accuracy exceeds by most that of the row before it.

    Only rows of one batch size are compared, so that more epochs are all that differs; where there
    are no two of one, the last row is returned.
    """
    rises = paper.groupby("batch_size")["accuracy"].diff()
    return rises.idxmax() if rises.notna().any() else paper.index[-1]


def since_leap(paper: pd.DataFrame, rows: Sequence[str]) -> tuple[str, list[str]]:
    """Return the row of the :func:`leap`, and which of some rows come from it on."""
    since, order = leap(paper), list(paper.index)
    return since, [row for row in rows if order.index(row) >= order.index(since)]


def explanations(
    scores: pd.DataFrame, dense_scores: pd.DataFrame, later: Sequence[str]
) -> dict[str, pd.DataFrame]:
    """Return the ways to measure that may explain Table I, with the scores that each expects.

    Parameters
    ----------
    scores, dense_scores
        Of the rows and of a dense network, as :func:`over_seeds` returns them.
    later
        The rows since the leap.

    Returns
    -------
    dict of DataFrame [shape=(n_rows, 8), index=row]
        The scores and their standard deviations: by each of :data:`MEASURES`; of the dense network
        on test segments, ``dense``; and on test segments before the leap but then on a re-drawn
        third, ``then re-drawn``, on all segments, ``then all``, or of the dense network, ``then
        dense``.
    """
    found = {name: scores.xs(name, level="measure") for name in MEASURES}
    found["dense"] = dense_scores.xs("test", level="measure").loc[found["test"].index]
    for name in ("re-drawn", "all", "dense"):
        found[f"then {name}"] = pd.concat([found["test"].drop(index=later), found[name].loc[later]])
    return found


def compare(explained: pd.DataFrame, paper: pd.DataFrame) -> pd.DataFrame:
    """Compare explained scores with the printed ones, row by row.

    Returns
    -------
    DataFrame [shape=(n_rows, 8), index=row]
        For each score the difference explained less printed, in points, and the same in standard
        deviations as ``<score> z``.
    """
    table = pd.DataFrame(index=explained.index)
    for name in NAMES:
        table[name] = explained[name] - paper[name].reindex(explained.index)
        table[f"{name} z"] = table[name] / explained[f"{name} SD"]
    return table


def explains(apart: pd.DataFrame) -> pd.Series:
    """Tell in which rows all scores lie within :data:`FAR` standard deviations of the printed ones.

    ``apart`` is what :func:`compare` returns; without a standard deviation no row is explained.

    Returns
    -------
    Series [bool, index=row]
    """
    return (apart[[f"{name} z" for name in NAMES]].abs() <= FAR).all(axis=1)


def summary(explanations: Mapping[str, pd.DataFrame], paper: pd.DataFrame) -> pd.DataFrame:
    """Compare each explanation with the whole of Table I.

    Parameters
    ----------
    explanations
        By name, the scores and SDs of every row that it explains [index=row].

    Returns
    -------
    DataFrame [shape=(n_explanations, 10), index=explanation]
        ``rows``; for each score the mean absolute distance over the rows in points, and ``<score>
        z``, the root mean square distance in standard deviations; ``unexplained``, the rows with a
        score that lies more than :data:`FAR` standard deviations off.
    """
    lines = {}
    for name, explained in explanations.items():
        apart = compare(explained, paper)
        z = apart[[f"{score} z" for score in NAMES]]
        lines[name] = {
            "rows": len(apart),
            **apart[NAMES].abs().mean(),
            **np.sqrt((z**2).mean()),
            "unexplained": list(apart.index[(z.abs() > FAR).any(axis=1)]),
        }
    return pd.DataFrame.from_dict(lines, orient="index")


def of_dense(
    segments: pd.DataFrame, *, epochs: Mapping[int, Sequence[int]], seeds: Iterable[int]
) -> pd.DataFrame:
    """Train a dense network (:mod:`music_genre.models.dense`) and measure it after epochs named.

    Returns
    -------
    DataFrame [shape=(n_epochs_named * n_seeds * 4, 13)]
        batch_size, epoch, seed, measure, and the columns of :func:`measure`.
    """
    check_features(segments)
    trained = {
        (*key, seed): measure(one, seed=seed)
        for seed in seeds
        for key, one in dense.predictions(segments, epochs=epochs, seed=seed).items()
    }
    names = ["batch_size", "epoch", "seed", "measure"]
    return pd.concat(trained).rename_axis(names).reset_index()


def at_rows(of_dense: pd.DataFrame, paper: pd.DataFrame) -> pd.DataFrame:
    """Give a dense network's scores the names of the rows with its batch sizes and epochs."""
    rows = paper[["batch_size", "epochs"]].rename_axis("row").reset_index()
    return rows.merge(of_dense, left_on=["batch_size", "epochs"], right_on=["batch_size", "epoch"])


def lookup(segments: pd.DataFrame, split: str, *, seeds: Iterable[int]) -> pd.Series:
    """Give each test segment the genre of its nearest training segment; return the accuracies.

    Nearest by Euclidean distance of the scaled inputs. Nothing is learnt.

    Returns
    -------
    Series [index=seed of the split]
        Accuracy on test segments in per cent.
    """
    accuracies = {}
    x, y = segments[INPUTS].to_numpy(), segments["label"].to_numpy()
    for seed in seeds:
        parts = splits.split(segments, split, test_size=dense.TEST_SIZE, seed=seed)
        train, test = parts == "train", parts == "test"
        scaled = StandardScaler().fit(x[train]).transform(x)
        model = KNeighborsClassifier(n_neighbors=1).fit(scaled[train], y[train])
        accuracies[seed] = 100 * accuracy_score(y[test], model.predict(scaled[test]))
    return pd.Series(accuracies)


def finished(folder: Path, names: Sequence[str], paper: pd.DataFrame) -> list[str]:
    """Return the rows, of those named or of all, that are trained and that the paper reports.

    Raises
    ------
    InputError
        There is none.
    """
    rows = [
        row
        for row in names or [path.parent.name for path in folder.glob("*/metrics.json")]
        if (folder / row / "metrics.json").exists() and not (folder / row / "failed.json").exists()
    ]
    rows = [row for row in paper.index if row in rows]
    if not rows:
        raise InputError(
            f"{display_path(folder)} holds no finished row that the paper reports: run "
            "`make report` first."
        )
    return rows


# ---- For tables and sentences.


def by_seed(measured: pd.DataFrame, paper: pd.DataFrame) -> pd.DataFrame:
    """List rows with the accuracy of each seed, on clean test segments / on a re-drawn third."""
    wide = measured.set_index(["row", "seed", "measure"])["accuracy"].unstack()
    shown = wide.apply(lambda one: f"{one['test']:.1f} / {one['re-drawn']:.1f}", axis=1).unstack()
    shown = shown.loc[list(dict.fromkeys(measured["row"]))]
    shown.columns = [f"seed {seed}" for seed in shown]
    shown.insert(0, "paper", paper["accuracy"].loc[shown.index])
    return shown.reset_index()


def as_table(scores: pd.DataFrame, paper: pd.DataFrame) -> pd.DataFrame:
    """List every row's scores: as printed, then by each measure."""
    lines = []
    for row, of in scores.groupby("row", sort=False):
        lines.append({"row": row, "segments": "as printed", **paper.loc[row, NAMES]})
        for measure_name, one in of.droplevel("row").iterrows():
            line = {"row": row, "segments": measure_name, **one[NAMES]}
            lines.append(line | {"SD of accuracy": one["accuracy SD"]})
    return pd.DataFrame(lines)


def summary_table(summary: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Return :func:`summary` for readers, with the explanations' names."""
    together = np.sqrt((summary[[f"{name} z" for name in NAMES]] ** 2).mean(axis=1))
    table = summary[NAMES].assign(
        **{"in SDs": together, "off in row": summary["unexplained"].map(", ".join)}
    )
    table.insert(0, "explanation", [names[name] for name in summary.index])
    return table


def distance_table(apart: Mapping[str, pd.DataFrame], names: Mapping[str, str]) -> pd.DataFrame:
    """List every explanation's distances in every row, with those in SDs in brackets."""
    lines = []
    for explanation, of in apart.items():
        for row, one in of.iterrows():
            cells = {name: _with_sd(one[name], one[f"{name} z"]) for name in NAMES}
            lines.append({"explanation": names[explanation], "row": row, **cells})
    return pd.DataFrame(lines)


def _with_sd(points: float, sds: float) -> str:
    if np.isnan(points):
        return "–"
    return f"{points:+.1f}" if np.isnan(sds) else f"{points:+.1f} ({sds:+.1f})"


def too_high(apart: pd.DataFrame) -> list[str]:
    """Return the rows in which an explanation expects :data:`NEAR` points too much or more."""
    return list(apart.index[apart["accuracy"] >= NEAR])


def ahead(
    measured: pd.DataFrame, dense_measured: pd.DataFrame, paper: pd.DataFrame
) -> pd.Series | None:
    """Return how far precision exceeds recall where the paper's does so most.

    Returns
    -------
    Series or None
        ``rows``, those whose printed difference is :data:`NEAR` points or more; the largest there:
        ``paper``, as printed, and ``ours``, of any seed and measure, and of the dense network on
        test segments; in points. None where there is no such row.
    """
    printed = (paper["precision"] - paper["recall"]).loc[list(dict.fromkeys(measured["row"]))]
    rows = list(printed.index[printed >= NEAR])
    if not rows:
        return None
    tested = dense_measured[dense_measured["measure"] == "test"]
    ours = [
        (of["precision"] - of["recall"])[of["row"].isin(rows)].max() for of in (measured, tested)
    ]
    return pd.Series({"rows": rows, "paper": printed.max(), "ours": max(ours)})


def differences(
    folder: Path, rows: Iterable[str], paper: pd.DataFrame, dense_measured: pd.DataFrame
) -> pd.DataFrame:
    """Compare differences between the printed scores of a row with those of our models.

    Returns
    -------
    DataFrame [shape=(n_rows * 2, 6)]
        row; scores, as in ``precision less recall``; ``printed``, in points; ``re-drawn, %``, the
        share of re-drawn thirds of all seeds whose difference is at least as far out: twice the
        share on the printed one's side of their median, with 0.01 points for the rounding of the
        printed scores; ``dense, lowest`` and ``dense, highest``, the dense network's on test
        segments over its seeds.
    """
    lines = []
    for row in rows:
        drawn = pd.concat(
            draws(runs.load(run)[2], seed=seed)
            for seed, run in enumerate(runs.with_seeds(folder / row))
        )
        of = dense_measured[(dense_measured["row"] == row) & (dense_measured["measure"] == "test")]
        for one, other in (("precision", "recall"), ("recall", "f1")):
            printed = paper.loc[row, one] - paper.loc[row, other]
            ours = drawn[one] - drawn[other]
            above, below = (ours >= printed - 0.01).mean(), (ours <= printed + 0.01).mean()
            lines.append(
                {
                    "row": row,
                    "scores": f"{one} less {other}".replace("f1", "F1"),
                    "printed": printed,
                    "re-drawn, %": min(100.0, 200 * min(above, below)),
                    "dense, lowest": (of[one] - of[other]).min(),
                    "dense, highest": (of[one] - of[other]).max(),
                }
            )
    columns = ["row", "scores", "printed", "re-drawn, %", "dense, lowest", "dense, highest"]
    return pd.DataFrame(lines, columns=columns)


def by_heart(scores: pd.DataFrame, paper: pd.DataFrame, later: Sequence[str]) -> dict | None:
    """Tell which clean test accuracies make a re-drawn third fit the last row.

    Returns
    -------
    dict or None
        ``training``, the accuracy on training segments, and the ``low`` and ``high`` accuracies on
        test segments between which that on all segments lies within :data:`NEAR` points of the
        printed one; in per cent. None where no row is later than the leap.
    """
    if not later:
        return None
    training = scores.loc[(later[-1], "training"), "accuracy"]
    ends = [
        (paper.loc[later[-1], "accuracy"] + off - (1 - dense.TEST_SIZE) * training)
        / dense.TEST_SIZE
        for off in (-NEAR, NEAR)
    ]
    return {"training": training, "low": max(ends[0], 0.0), "high": min(ends[1], 100.0)}


def best_epoch(folder: Path, rows: Iterable[str]) -> float:
    """Return the highest test accuracy of any epoch of some rows' trainings, in per cent."""
    tested = [
        runs.load(run)[1]["test_accuracy"].max()
        for row in rows
        for run in runs.with_seeds(folder / row)
    ]
    return 100 * float(max(tested))


def spreads_of_recall(folder: Path, rows: Iterable[str]) -> dict[str, float]:
    """Return each row's standard deviation of recall over genres, on all segments, in points."""
    spreads = {}
    for row in rows:
        predictions = runs.load(folder / row)[2]
        recalls = per_genre(predictions["label"], predictions["predicted"])["recall"]
        spreads[row] = float(recalls.std(ddof=0))
    return spreads


def settings(folder: Path, row: str) -> dict:
    """Return the parameters that a row was trained with."""
    return runs.settings(runs.load(folder / row)[0])


def in_all(lists: Iterable[list[str]]) -> list[str]:
    """Return what is in every one of some lists, in the order of the first."""
    first, *others = lists
    return [one for one in first if all(one in other for other in others)]


def verdict(apart: Mapping[str, pd.DataFrame], later: list[str]) -> dict[str, float | bool]:
    """Tell whether clean tests and, since the leap, re-drawn thirds fit Table I.

    Returns
    -------
    dict
        ``fits``: in every later row all scores of a re-drawn third lie within :data:`NEAR` points
        of the printed ones, and the accuracy of a clean test does not. ``least`` and ``most``: how
        far the accuracy of a clean test lies off before the leap. From it on: ``nearest``, how far
        that of a re-drawn third lies off at most, ``dense``, that of a dense network, and
        ``clean``, that of a clean test at least; in points.
    """
    before = [row for row in apart["test"].index if row not in later]
    drawn = apart["re-drawn"].loc[later, NAMES].abs()
    clean = apart["test"]["accuracy"].abs()
    return {
        "fits": bool(
            later and before and (drawn <= NEAR).all(axis=None) and (clean[later] > NEAR).all()
        ),
        "least": clean[before].min(),
        "most": clean[before].max(),
        "nearest": drawn["accuracy"].max(),
        "dense": apart["dense"].loc[later, "accuracy"].abs().max(),
        "clean": clean[later].min(),
    }
