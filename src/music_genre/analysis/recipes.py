"""Which recipe explains the paper's Table I: trainings as curves, its rows as points on them."""

import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import yaml
from tqdm import tqdm

from music_genre.analysis.table1 import natural, row_names
from music_genre.data import splits
from music_genre.data.table import Source, clips
from music_genre.exceptions import InputError
from music_genre.metrics.intervals import interval
from music_genre.models import inputs, runs
from music_genre.paths import display_path

DENSE = 512, 256, 128, 64  # units of a network that public programs train on this table
MEASURES = ["test", "training", "all rows"]  # whose accuracy the paper may have reported

# The published features_3_sec.csv: 1,000 segments a genre, less the ten that are too short.
PUBLISHED_SEGMENTS = pd.Series(
    {
        "blues": 1000, "classical": 998, "country": 997, "disco": 999, "hiphop": 998,
        "jazz": 1000, "metal": 1000, "pop": 1000, "reggae": 1000, "rock": 998,
    }
)  # fmt: skip


def paper_rows(folder: Path) -> pd.DataFrame:
    """Read what the paper reports from a table of hyperparameters (``params/<table>/*.yaml``).

    Returns
    -------
    DataFrame [shape=(n_rows, 4), index=name of the row]
        epochs, batch_size; recall and accuracy in per cent.

    Raises
    ------
    InputError
        No row of the folder names an accuracy of the paper.
    """
    rows = {}
    for path in sorted(folder.glob("*.yaml"), key=lambda path: natural(path.stem)):
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
        if "accuracy" in given.get("paper", {}):
            paper = given["paper"]
            scores = {name: paper.get(name, np.nan) for name in ("recall", "accuracy")}
            rows[path.stem] = {key: given[key] for key in ("epochs", "batch_size")} | scores
    if not rows:
        raise InputError(
            f"{display_path(folder)} holds no row with `paper: accuracy`: name another."
        )
    return pd.DataFrame.from_dict(rows, orient="index").astype({"epochs": int, "batch_size": int})


def load(folder: Path, names: Sequence[str] = ()) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Collect finished trainings, all in a folder or those named.

    Returns
    -------
    trainings : DataFrame [shape=(n_trainings, n_columns), index=name]
        recipe (the settings but the batch size, in words), batch_size, epochs (run), diverged,
        ``low`` and ``high`` of the last test accuracy's 95 % interval over tracks, and source.
    curves : DataFrame [shape=(n_epochs_of_all, 5)]
        name, epoch, and the accuracies in per cent: ``test`` after the epoch,
        ``training`` while it ran, as Keras reports it, and ``all rows``, both by their shares.

    Raises
    ------
    InputError
        No training is finished, or they were measured on different tables.
    """
    names = names or [path.parent.name for path in folder.glob("*/metrics.json")]
    if not names:
        raise InputError(
            f"{display_path(folder)} holds no finished training: run `make report RECIPES=1`."
        )
    lines, curves = {}, []
    for name in sorted(names, key=natural):
        result, history, predictions = runs.load(folder / name)
        tested = predictions["part"] == "test"
        right = (predictions["label"] == predictions["predicted"])[tested]
        low, high = interval(right, clips(predictions)[tested])
        lines[name] = {
            "recipe": _in_words(result["parameters"]),
            "batch_size": result["parameters"]["batch_size"],
            "epochs": len(history),
            "diverged": result["diverged"],
            "low": low,
            "high": high,
            "source": runs.source(result),
        }
        test, train = 100 * history["test_accuracy"], 100 * history["accuracy"]
        share = tested.mean()
        curves.append(
            pd.DataFrame(
                {
                    "name": name,
                    "epoch": history["epoch"],
                    "test": test,
                    "training": train,
                    "all rows": share * test + (1 - share) * train,
                }
            )
        )
    trainings = pd.DataFrame.from_dict(lines, orient="index")
    if len({source.sha256 for source in trainings["source"]}) > 1:
        raise InputError(
            f"{display_path(folder)} holds trainings on different tables: keep them apart."
        )
    return trainings, pd.concat(curves, ignore_index=True)


def source(trainings: pd.DataFrame) -> Source:
    """Return the table that all trainings were measured on."""
    return trainings["source"].iloc[0]


def points(trainings: pd.DataFrame, curves: pd.DataFrame, paper: pd.DataFrame) -> pd.DataFrame:
    """Read each training off at the paper's rows of its batch size, as far as it ran.

    A row is a point on a curve. A training that diverged keeps its last accuracies.

    Returns
    -------
    DataFrame [shape=(n_points, 6)]
        name, row, the three accuracies of ``MEASURES`` and ``paper``, in per cent.
    """
    lines = []
    for name, training_ in trainings.iterrows():
        curve = curves[curves["name"] == name].set_index("epoch")
        for row, printed in paper[paper["batch_size"] == training_["batch_size"]].iterrows():
            if printed["epochs"] <= training_["epochs"] or training_["diverged"]:
                at = curve.loc[min(int(printed["epochs"]), training_["epochs"])]
                lines.append(
                    {"name": name, "row": row, **at[MEASURES], "paper": printed["accuracy"]}
                )
    return pd.DataFrame(lines, columns=["name", "row", *MEASURES, "paper"])


def distances(points: pd.DataFrame) -> pd.Series:
    """Return the distance to the paper of each measure: the mean absolute difference, in points."""
    return points[MEASURES].sub(points["paper"], axis=0).abs().mean()


def by_training(trainings: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """List every training with the rows it covers and its test and training accuracy there."""
    lines = []
    for name, training_ in trainings.iterrows():
        own = points[points["name"] == name]
        lines.append(
            {
                "batch size": training_["batch_size"],
                "recipe": training_["recipe"],
                "epochs": training_["epochs"],
                **{
                    f"row {row}": f"{test:.1f} / {train:.1f}"
                    for row, test, train in own[["row", "test", "training"]].itertuples(index=False)
                },
                "note": "diverged" if training_["diverged"] else "",
            }
        )
    table = pd.DataFrame(lines).fillna("–")
    rows = sorted((c for c in table if c.startswith("row ")), key=natural)
    return table[["batch size", "recipe", "epochs", *rows, "note"]]


def recipes(trainings: pd.DataFrame, points: pd.DataFrame, paper: pd.DataFrame) -> pd.DataFrame:
    """Score every recipe for the whole table: one training for each batch size.

    A recipe is constant where the trainings differ in the batch size alone, else it changes with
    it (in Table I at row 4). Only recipes that cover every row of the paper are scored.

    Returns
    -------
    DataFrame [shape=(n_recipes, n_batch_sizes + 4)]
        The recipe at each batch size, whether it is constant, and the distance of each of
        ``MEASURES``; nearest by test accuracy first.
    """
    sizes = list(dict.fromkeys(paper["batch_size"]))
    lines = []
    for names in product(*(trainings.index[trainings["batch_size"] == size] for size in sizes)):
        own = points[points["name"].isin(names)]
        if len(own) < len(paper):
            continue
        used = [trainings.loc[name, "recipe"] for name in names]
        lines.append(
            {
                **{f"batch size {size}": recipe for size, recipe in zip(sizes, used, strict=True)},
                "constant": "yes" if len(set(used)) == 1 else "no",
                **distances(own),
            }
        )
    if not lines:
        raise InputError("no recipe covers every row of the paper: train each batch size longer.")
    return pd.DataFrame(lines).sort_values("test", ignore_index=True)


def verdict(scored: pd.DataFrame, trainings: pd.DataFrame, points: pd.DataFrame) -> str:
    """Say which recipe comes nearest, by each measure, and how far that can be trusted."""
    lines = [_reached(points, trainings)]
    for measure in MEASURES:
        best = scored.loc[scored[measure].idxmin()]
        lines.append(
            f"- **Were they accuracies on {_of[measure]}**, the nearest of {len(scored)} recipes "
            f"would be {_pair(best)}, {best[measure]:.1f} percentage points from the paper on "
            "average."
        )
    used = scored.filter(like="batch size ")
    redrawn = used.apply(lambda column: column.str.contains(REDRAWN)).any(axis=1)
    if redrawn.any() and not redrawn.all():
        fresh, again = scored[~redrawn].iloc[0], scored[redrawn].iloc[0]
        lines.append(
            "- **Fresh models or one trained on.** With a model trained afresh for every row, the "
            f"nearest by test accuracy is {_pair(fresh)}, {fresh['test']:.1f} points away; with "
            f"one model trained on over re-drawn splits, {_pair(again)}, {again['test']:.1f}. "
            "The second meets test rows that it was trained on: its test accuracy says little of "
            "segments that it never met. And it was drawn anew after epochs at which Table I has "
            "rows, so its nearness is in part made."
        )
    margin = ((trainings["high"] - trainings["low"]) / 2).median()
    lines.append(
        f"- **How strong this is.** Each recipe was trained once, with one seed. One test accuracy "
        f"here is known to about {margin:.1f} points either way (half a 95 % interval over tracks, "
        "the median of all trainings), and another seed moves it too: of recipes whose distances "
        "differ by a point or so none can be called the nearer."
    )
    return "\n".join(lines)


def _reached(points: pd.DataFrame, trainings: pd.DataFrame) -> str:
    """Say which of the paper's accuracies no training reaches on test rows, or that each is."""
    best = points.loc[points.groupby("row", sort=False)["test"].idxmax()].set_index("row")
    short = best[best["test"] < best["paper"]]
    if short.empty:
        return "- **Are they reached at all?** Every row's accuracy is, by one training or other."
    told = ", ".join(
        f"row {row} ({line['paper']:.2f} %; at most {line['test']:.2f} %, "
        f"{trainings.loc[line['name'], 'recipe']})"
        for row, line in short.iterrows()
    )
    return f"- **Are they reached at all?** Not on test rows by any training here in {told}."


def dense(table: pd.DataFrame, paper: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Train a dense network, one number per input and no sequence, at the paper's rows.

    Units ``DENSE``, each layer with ReLU and dropout 0.2, then softmax; Adam at its usual rate,
    1e-3; a third of the segments held out, scaling fitted on all rows.

    Returns
    -------
    DataFrame [shape=(n_rows, 6)]
        row, epochs, batch size, and in per cent the accuracy that the paper prints, and the
        network's on test rows and on training rows (while the epoch ran).
    """
    parts = splits.split(table, "segment", test_size=0.33, seed=seed)
    data = inputs.prepare(table, parts=parts, scale_on="all")
    x = data.x[:, :, 0]
    histories = {}
    longest = paper.groupby("batch_size")["epochs"].max()
    with tqdm(total=longest.sum(), desc="training", unit="epoch", ncols=80, file=sys.stdout) as bar:
        for batch_size, epochs in longest.items():
            keras.utils.set_random_seed(seed)
            layers = [keras.Input((x.shape[1],))]
            for units in DENSE:
                layers += [keras.layers.Dense(units, "relu"), keras.layers.Dropout(0.2)]
            model = keras.Sequential([*layers, keras.layers.Dense(len(data.genres), "softmax")])
            model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
            histories[batch_size] = model.fit(
                x[data.train],
                data.y[data.train],
                validation_data=(x[data.test], data.y[data.test]),
                epochs=int(epochs),
                batch_size=int(batch_size),
                callbacks=[
                    keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: bar.update())
                ],
                verbose=0,
            ).history
    lines = []
    for row, printed in paper.iterrows():
        history, last = histories[printed["batch_size"]], int(printed["epochs"]) - 1
        lines.append(
            {
                "row": row,
                "epochs": last + 1,
                "batch size": int(printed["batch_size"]),
                "paper": printed["accuracy"],
                "dense, test": 100 * history["val_accuracy"][last],
                "dense, training": 100 * history["accuracy"][last],
            }
        )
    return pd.DataFrame(lines)


def dense_in_words(measured: pd.DataFrame) -> str:
    """Say where the dense network comes near to the paper's accuracies and where it does not."""
    apart = (measured["dense, test"] - measured["paper"]).abs()
    near, far = measured["row"][apart <= 3], measured["row"][apart > 3]
    text = (
        f"On test rows it lies within 3 points of the paper in {row_names(near)}"
        if len(near)
        else "On test rows it lies within 3 points of the paper in no row"
    )
    if len(far):
        text += (
            f", and {apart[apart > 3].min():.1f} to {apart.max():.1f} points off in "
            f"{row_names(far)}"
        )
    return text + "."


def reachable(accuracies: Sequence[float], segments: int) -> np.ndarray:
    """Tell which accuracies, printed in per cent to two decimals, a number of segments can give.

    An accuracy is a whole number of segments over all of them, so on few segments not every
    two-decimal number can occur (the granularity test of N. J. L. Brown & J. A. J. Heathers, "The
    GRIM Test", *Social Psychological and Personality Science* 8, 2017).
    """
    printed = np.asarray(accuracies)
    nearest = np.round(printed / 100 * segments)
    return np.abs(100 * nearest / segments - printed) <= 0.005 + 1e-9


def granularity(paper: pd.DataFrame) -> pd.DataFrame:
    """List which parts of the published table can have given all accuracies that the paper prints.

    Returns
    -------
    DataFrame [shape=(n_parts, 4)]
        part; segments; accuracies possible, of how many; and by chance: the share of sizes within
        a tenth of that one that make all of them possible.
    """
    total = int(PUBLISHED_SEGMENTS.sum())
    sizes = {"all rows": total}
    for share in (0.1, 0.2, 0.25, 0.3, 0.33, 0.4):
        held_out = int(np.ceil(round(share * total, 6)))  # as scikit-learn's train_test_split
        sizes[f"test rows with {share:.0%} held out"] = held_out
        sizes[f"training rows with {share:.0%} held out"] = total - held_out
    printed = paper["accuracy"].to_numpy()
    lines = []
    for part, segments in sorted(sizes.items(), key=lambda item: item[1]):
        near = range(round(0.9 * segments), round(1.1 * segments) + 1)
        chance = np.mean([reachable(printed, n).all() for n in near])
        fits = int(reachable(printed, segments).sum())
        lines.append((part, segments, f"{fits} of {len(printed)}", f"{chance:.1%}"))
    return pd.DataFrame(lines, columns=["part", "segments", "accuracies possible", "by chance"])


def widest_recall_gap() -> float:
    """Return how far macro recall and accuracy can lie apart on all published rows, in points.

    Accuracy less macro recall is the sum over genres of (share of the rows - 1/10) x recall, at
    most what the genres above a tenth have too much.
    """
    shares = PUBLISHED_SEGMENTS / PUBLISHED_SEGMENTS.sum()
    return float(100 * (shares - 1 / len(shares)).clip(lower=0).sum())


def whose_accuracy(paper: pd.DataFrame) -> str:
    """Say what the printed numbers themselves tell of the rows they were measured on."""
    possible = granularity(paper)
    every = f"{len(paper)} of {len(paper)}"
    fits = possible[possible["accuracies possible"] == every]
    telling = fits[fits["by chance"].str.rstrip("%").astype(float) < 5]
    gap = (paper["recall"] - paper["accuracy"]).abs()
    text = (
        "A reported accuracy is a whole number of segments over all segments measured on, so the "
        "decimals carry information. All "
        f"{len(paper)} printed accuracies are possible on {', on '.join(fits['part'])}; "
    )
    text += (
        "; ".join(
            f"of these only {part} ({segments:,} segments) would fit so by chance as rarely as in "
            f"{chance} of cases"
            for part, segments, _, chance in telling.itertuples(index=False)
        )
        or "none of these is a telling coincidence"
    )
    return (
        f"{text}. The printed macro recall differs from the accuracy by up to {gap.max():.2f} "
        f"points (row {gap.idxmax()}); on all {PUBLISHED_SEGMENTS.sum():,} rows of the published "
        f"table, with its nearly equal genres, it cannot by more than {widest_recall_gap():.2f}, "
        f"which {(gap.round(2) > widest_recall_gap()).sum()} of the rows exceed. So what was "
        "reported was not measured on all rows, nor on a part in which every genre keeps its share."
        if gap.max() > widest_recall_gap()
        else f"{text}."
    )


REDRAWN = "one model over re-drawn splits"
_of = {"test": "test rows", "training": "training rows", "all rows": "all rows"}


def _pair(line: pd.Series) -> str:
    used = line[[name for name in line.index if name.startswith("batch size ")]]
    if line["constant"] == "yes":
        return f"*{used.iloc[0]}* in every row"
    return ", ".join(f"*{recipe}* for {name}" for name, recipe in used.items())


def _in_words(given: dict) -> str:
    words = [given["activation"], f"rate {given['learning_rate']:g}"]
    if given["dropout"]:
        words.append(f"dropout {given['dropout']:g}")
    if given.get("redraw"):
        after = ", ".join(map(str, given["redraw"]))
        words.append(f"{REDRAWN} (after epoch {after})")
    if given.get("shuffle_columns"):
        words.append("columns shuffled")
    return ", ".join(words)
