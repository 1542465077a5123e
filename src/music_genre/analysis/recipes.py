"""Which recipe explains the paper's Table I: trainings as curves, its rows as points on them.

A *recipe* is what Table I does not vary: activation, learning rate, dropout, and whether one model
is trained on over splits that are drawn again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path

import pandas as pd

from music_genre import provenance
from music_genre.analysis import explanations
from music_genre.analysis.printed import paper_rows as paper_rows
from music_genre.data.table import Source, clips, same_content
from music_genre.exceptions import InputError
from music_genre.metrics.classification import NAMES
from music_genre.metrics.classification import score as scores_of
from music_genre.metrics.intervals import interval
from music_genre.models import runs
from music_genre.paths import display_path, natural_key

# What the paper may have reported: the accuracy on test, training or all segments (which is what to
# expect on a third drawn anew), or the first until Table I's accuracy leaps, and then the third.
MEASURES = ["test", "training", "all", "switch"]


def load(folder: Path, names: Sequence[str] = ()) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Collect finished trainings, all in a folder or those named.

    Returns
    -------
    trainings : DataFrame [shape=(n_trainings, 9), index=name]
        recipe (a label of all settings but the batch size), resplit (whether the split was drawn
        again on the way), drawn_after (a list of the epochs after which it was), batch_size,
        epochs (run), diverged, ``low`` and ``high`` of the last test accuracy's 95 % interval over
        tracks, and source.
    curves : DataFrame [shape=(n_epochs_of_all, 4)]
        name, epoch, and the accuracies in per cent: ``test`` after the epoch, ``training`` while
        it ran, as Keras reports it.

    Raises
    ------
    InputError
        No training is finished, or they were measured on different features tables.
    """
    names = names or [path.parent.name for path in folder.glob("*/metrics.json")]
    if not names:
        raise InputError(
            f"{display_path(folder)} holds no finished training: run `make report RECIPES=1`."
        )
    lines, curves = {}, []
    for name in sorted(names, key=natural_key):
        result, history, predictions = runs.load(folder / name)
        tested = predictions["part"] == "test"
        correct = (predictions["label"] == predictions["predicted"])[tested]
        low, high = interval(correct, clips(predictions)[tested])
        given = result["parameters"]
        lines[name] = {
            "recipe": label(given),
            "resplit": bool(given.get("resplit_after")),
            "drawn_after": list(given.get("resplit_after") or []),
            "batch_size": given["batch_size"],
            "epochs": len(history),
            "diverged": result["diverged"],
            "low": low,
            "high": high,
            "source": runs.source(result),
        }
        curves.append(
            pd.DataFrame(
                {
                    "name": name,
                    "epoch": history["epoch"],
                    "test": 100 * history["test_accuracy"],
                    "training": 100 * history["accuracy"],
                }
            )
        )
    trainings = pd.DataFrame.from_dict(lines, orient="index")
    if not all(same_content(source(trainings), other) for other in trainings["source"]):
        raise InputError(
            f"{display_path(folder)} holds trainings on different features tables: keep them in "
            "folders of their own."
        )
    return trainings, pd.concat(curves, ignore_index=True)


def measure(folder: Path, names: Iterable[str]) -> pd.DataFrame:
    """Measure trainings after their last epoch, and after those of ``score_after``.

    Returns
    -------
    DataFrame [shape=(n_epochs_predicted * 4, 11)]
        name, epoch, measure, and the columns of :func:`music_genre.analysis.explanations.measure`.
    """
    measured = {
        (name, epoch): explanations.measure(predicted)
        for name in names
        for epoch, predicted in runs.load_after(folder / name).items()
    }
    return pd.concat(measured, names=["name", "epoch", "measure"]).reset_index()


def label(given: Mapping[str, object]) -> str:
    """Name the recipe of a training's parameters."""
    words = [str(given["activation"]), f"rate {given['learning_rate']:g}"]
    if given.get("optimizer", "adam") != "adam":
        words.insert(0, given["optimizer"])
    if given.get("dropout"):
        words.append(f"dropout {given['dropout']:g}")
    if given.get("resplit_after"):
        several = "s" if len(given["resplit_after"]) > 1 else ""
        words.append(f"re-split after epoch{several} {', '.join(map(str, given['resplit_after']))}")
    if given.get("shuffle_columns"):
        words.append("columns shuffled")
    return ", ".join(words)


def source(trainings: pd.DataFrame) -> Source:
    """Return the features table that all trainings were measured on."""
    return trainings["source"].iloc[0]


def points(trainings: pd.DataFrame, measured: pd.DataFrame, paper: pd.DataFrame) -> pd.DataFrame:
    """Read each training off at the paper's rows of its batch size, where it was measured there.

    A training that diverged keeps its last accuracies.

    Returns
    -------
    DataFrame [shape=(n_points, 7)]
        name, row, the accuracies of :data:`MEASURES` and ``paper``, in per cent.
    """
    accuracies = measured.set_index(["name", "epoch", "measure"])["accuracy"].unstack()
    rows, lines = list(paper.index), []
    since = rows.index(explanations.leap(paper))
    for name, training in trainings.iterrows():
        own = accuracies.loc[name]
        for row, printed in paper[paper["batch_size"] == training["batch_size"]].iterrows():
            epoch = int(printed["epochs"])
            if training["diverged"]:
                epoch = min(epoch, own.index[-1])
            if epoch in own.index:
                at = own.loc[epoch, ["test", "training", "all"]].to_dict()
                at["switch"] = at["test" if rows.index(row) < since else "all"]
                lines.append({"name": name, "row": row, **at, "paper": printed["accuracy"]})
    return pd.DataFrame(lines, columns=["name", "row", *MEASURES, "paper"])


def by_training(trainings: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """List every training with its accuracy on test and all segments at the rows it covers."""
    lines = []
    for name, training in trainings.iterrows():
        own = points[points["name"] == name]
        lines.append(
            {
                "batch size": training["batch_size"],
                "recipe": training["recipe"],
                "epochs": training["epochs"],
                **{
                    f"row {row}": f"{test:.1f} / {all_of_them:.1f}"
                    for row, test, all_of_them in own[["row", "test", "all"]].itertuples(
                        index=False
                    )
                },
                "note": "diverged" if training["diverged"] else "",
            }
        )
    table = pd.DataFrame(lines).fillna("–")
    rows = sorted((column for column in table if column.startswith("row ")), key=natural_key)
    return table[["batch size", "recipe", "epochs", *rows, "note"]]


def measured_table(trainings: pd.DataFrame, measured: pd.DataFrame) -> pd.DataFrame:
    """List every training and epoch measured: accuracies, and all scores of a re-drawn third."""
    wide = measured.set_index(["name", "epoch", "measure"]).unstack()
    of = trainings.loc[wide.index.get_level_values("name")]
    table = pd.DataFrame(
        {
            "batch size": of["batch_size"].to_numpy(),
            "recipe": of["recipe"].to_numpy(),
            "epoch": wide.index.get_level_values("epoch"),
            **{name: wide["accuracy", name].to_numpy() for name in explanations.MEASURES},
            "SD": wide["accuracy SD", "re-drawn"].to_numpy(),
            **{name: wide[name, "re-drawn"].to_numpy() for name in NAMES if name != "accuracy"},
        }
    )
    return table.sort_values(["batch size", "recipe", "epoch"], ignore_index=True)


def highest(trainings: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """Return, for each row of the paper, the training that is most accurate on test segments.

    Returns
    -------
    DataFrame [shape=(n_rows_covered, 5)]
        row; ``paper`` and ``test``, the accuracies in per cent; ``short``, by how many points the
        paper's is missed, 0 if it is reached; the training's recipe.
    """
    best = points.loc[points.groupby("row")["test"].idxmax()].set_index("row", drop=False)
    best = best.loc[sorted(best.index, key=natural_key)].reset_index(drop=True)
    short = best["paper"] - best["test"]
    return pd.DataFrame(
        {
            "row": best["row"],
            "paper": best["paper"],
            "test": best["test"],
            "short": short.where(short > 0.005, 0.0),  # the paper prints two decimals
            "recipe": trainings.loc[best["name"], "recipe"].to_numpy(),
        }
    )


def distances(points: pd.DataFrame) -> pd.Series:
    """Return the mean absolute difference from the paper of each measure, in points."""
    return points[MEASURES].sub(points["paper"], axis=0).abs().mean()


def score(trainings: pd.DataFrame, points: pd.DataFrame, paper: pd.DataFrame) -> pd.DataFrame:
    """Measure how far each recipe lies from the whole of Table I: one training per batch size.

    Only what covers every row of the paper is scored.

    Returns
    -------
    DataFrame [shape=(n_recipes, n_batch_sizes + 5)]
        The recipe at each batch size; ``constant``, whether that is the same for all; ``resplit``,
        whether a training of it is; the distance of each of :data:`MEASURES`. Nearest by test
        accuracy first.

    Raises
    ------
    InputError
        No combination of the trainings covers every row.
    """
    sizes = list(dict.fromkeys(paper["batch_size"]))
    recipes, lines = [f"batch size {size}" for size in sizes], []
    for names in product(*(trainings.index[trainings["batch_size"] == size] for size in sizes)):
        own, used = points[points["name"].isin(names)], trainings.loc[list(names)]
        if len(own) == len(paper):
            lines.append(
                {
                    **dict(zip(recipes, used["recipe"], strict=True)),
                    "constant": used["recipe"].nunique() == 1,
                    "resplit": used["resplit"].any(),
                    **distances(own),
                }
            )
    if not lines:
        raise InputError("no recipe covers every row of the paper: train each batch size longer.")
    return pd.DataFrame(lines).sort_values("test", ignore_index=True)


def nearest(scored: pd.DataFrame) -> pd.DataFrame:
    """Return the nearest recipe by each measure, with fresh models and with one trained on.

    Returns
    -------
    DataFrame [shape=(n, n_batch_sizes + 3)]
        ``measure``, one of :data:`MEASURES`; ``resplit``; the recipe at each batch size; its
        ``distance`` in points.
    """
    recipes = [column for column in scored if column.startswith("batch size ")]
    lines = []
    for measure, (resplit, group) in product(MEASURES, scored.groupby("resplit")):
        best = group.loc[group[measure].idxmin()]
        lines.append(
            {"measure": measure, "resplit": resplit, **best[recipes], "distance": best[measure]}
        )
    return pd.DataFrame(lines)


def as_printed(scored: pd.DataFrame, paper: pd.DataFrame) -> pd.Series | None:
    """Return the scored recipe with the settings that the paper prints, or None if there is none.

    Its name is its position in ``scored``. Rows for which the paper prints no rate have that of the
    first other row of their batch size.
    """
    printed = paper.dropna(subset=["activation", "learning_rate"]).drop_duplicates("batch_size")
    wanted = {f"batch size {row['batch_size']}": label(row) for _, row in printed.iterrows()}
    if not wanted or not set(wanted) <= set(scored):
        return None
    found = scored[(scored[list(wanted)] == pd.Series(wanted)).all(axis=1)]
    return found.iloc[0] if len(found) else None


def margin(trainings: pd.DataFrame) -> float:
    """Return half the 95 % interval of a test accuracy, the median of all trainings, in points."""
    return float(((trainings["high"] - trainings["low"]) / 2).median())


def sessions(folder: Path, source: Source) -> pd.DataFrame:
    """Score the models in a folder that were trained on over re-drawn splits, around each new draw.

    Returns
    -------
    DataFrame [shape=(n_scored, 7)]
        recipe; ``drawn after``, the epoch after which the split was drawn again; ``epoch``, the one
        after which the model was scored on the new test segments: at once, after one more epoch,
        and at the others before the next draw whose predictions were kept; the scores in per cent.
        Draws whose predictions were not kept, and runs on another features table, are left out.
    """
    lines = []
    for path in sorted(folder.glob("*/metrics.json")):
        content = provenance.read_json(path)
        given = content["parameters"]
        if given.get("resplit_after") and same_content(runs.source(content), source):
            after = runs.load_after(path.parent)
            lines += [{"recipe": label(given), **one} for one in _around(after, given)]
    return pd.DataFrame(lines, columns=["recipe", "drawn after", "epoch", *NAMES])


def _around(after: dict[int, pd.DataFrame], given: dict) -> Iterator[dict]:
    drawn_after = given["resplit_after"]
    for drawn, until in zip(drawn_after, [*drawn_after[1:], max(after)], strict=True):
        own = [epoch for epoch in after if drawn < epoch <= until]
        for epoch in [drawn, *own] if drawn in after and own else []:
            tested = after[epoch][after[own[0]]["part"] == "test"]
            scores = scores_of(tested["label"], tested["predicted"])
            yield {"drawn after": drawn, "epoch": epoch, **scores}


def first_epochs(scored: pd.DataFrame) -> pd.Series:
    """Return by how much the first epoch on a new draw changes the test accuracy, in points.

    ``scored`` is what :func:`sessions` returns.
    """
    later = scored["epoch"] - scored["drawn after"]
    accuracies = scored.assign(later=later).pivot_table(
        index=["recipe", "drawn after"], columns="later", values="accuracy"
    )
    return accuracies.reindex(columns=[0, 1]).diff(axis=1)[1].dropna()
