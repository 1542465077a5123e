"""All rows of a table of hyperparameters, the paper's results beside ours."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from music_genre import provenance
from music_genre.data.table import Source, clips
from music_genre.exceptions import InputError
from music_genre.metrics.classification import NAMES
from music_genre.metrics.intervals import interval
from music_genre.models import runs
from music_genre.paths import display_path

_GIVEN = ["epochs", "batch_size", "learning_rate", "activation", "dropout", "split", "scale_on"]
_PRINTED = [*NAMES, "learning_rate", "activation"]


def natural(name: str) -> list:
    """Sort key by which row 10 comes after row 9."""
    return [(0, int(t), "") if t.isdigit() else (1, 0, t) for t in re.split(r"(\d+)", name) if t]


def load(folder: Path, names: Sequence[str] = ()) -> pd.DataFrame:
    """Collect the trained in a folder, all or those named, in natural order.

    ``<folder>/<row>`` is a row's run, ``<folder>/../seeds/<seed>/<row>`` the same with another
    seed, if there are any (others there, of another table or recipe, do not count). A run that
    failed left ``failed.json``.

    Returns
    -------
    DataFrame [shape=(n_rows, n_columns), index=name of the row]
        The hyperparameters; test scores ``precision``, ``recall``, ``f1``, ``accuracy`` in per
        cent, the mean over the seeds; ``low`` and ``high``, the ends of the accuracy's 95 %
        interval over tracks (:func:`music_genre.metrics.intervals.interval`); ``seeds``, how many;
        ``collapses``, in words, of the seeds whose training broke down on the way
        (:func:`music_genre.models.runs.collapse`), or empty;
        ``spread``, the accuracy's standard deviation over them in percentage points, missing with
        one; ``train accuracy``; ``diverged``; ``failed``, why, or empty; what the paper reports
        under ``paper <name>``; the table measured on under ``source``.

    Raises
    ------
    InputError
        No run is finished, a row named has none, or trained were measured on different tables.
    """
    names = names or [path.parent.name for path in folder.glob("*/metrics.json")]
    if not names:
        raise InputError(f"{display_path(folder)} holds no finished run: run `make report` first.")
    lines = {name: _line(folder, name) for name in sorted(names, key=natural)}
    rows = pd.DataFrame(lines.values(), index=list(lines))
    sources = rows["source"].dropna()
    checksums = {source.sha256 for source in sources}
    if len(checksums) > 1:
        raise InputError(
            f"{display_path(folder)} holds rows measured on {len(checksums)} different tables: "
            "train them all on the same one, or keep them in folders of their own."
        )
    if not checksums:
        raise InputError(
            f"every row in {display_path(folder)} failed, the first so: {rows['failed'].iloc[0]}"
        )
    return rows.astype({f"paper {name}": float for name in [*NAMES, "learning_rate"]})


def _line(folder: Path, name: str) -> dict:
    failure = folder / name / "failed.json"
    if failure.exists():
        content = provenance.read_json(failure)
        given = content["parameters"]
        return {
            **{key: given.get(key) for key in _GIVEN},
            "shuffle_columns": given.get("shuffle_columns", False),
            **dict.fromkeys([*NAMES, "low", "high", "spread", "train accuracy"], np.nan),
            "seeds": 0,
            "collapses": "",
            "diverged": False,
            "failed": content["error"],
            **{f"paper {key}": given.get("paper", {}).get(key) for key in _PRINTED},
            "source": None,
        }
    trained = [runs.load(path) for path in with_seeds(folder / name)]
    results = [result for result, _, _ in trained]
    collapses = {
        result["parameters"]["seed"]: runs.collapse(history) for result, history, _ in trained
    }
    first = results[0]
    scores = pd.DataFrame([result["parts"]["test"] for result in results])
    low, high = interval(*_correct([predictions for _, _, predictions in trained]))
    return {
        **{key: first["parameters"][key] for key in _GIVEN},
        "shuffle_columns": first["parameters"].get("shuffle_columns", False),
        **scores[NAMES].mean(),
        "low": low,
        "high": high,
        "seeds": len(trained),
        "spread": scores["accuracy"].std(),
        "collapses": "; ".join(f"seed {seed}: {how}" for seed, how in collapses.items() if how),
        "train accuracy": np.mean([result["parts"]["train"]["accuracy"] for result in results]),
        "diverged": any(result["diverged"] for result in results),
        "failed": "",
        **{f"paper {key}": first["paper"].get(key) for key in _PRINTED},
        "source": runs.source(first),
    }


def with_seeds(run: Path) -> list[Path]:
    """Return the folders of a row's run and of the same with other seeds."""
    first = provenance.read_json(run / "metrics.json")
    others = sorted((run.parents[1] / "seeds").glob(f"*/{run.name}/metrics.json"))
    same = [path for path in others if _same_but_seed(provenance.read_json(path), first)]
    return [run, *(path.parent for path in same)]


def _same_but_seed(result: dict, first: dict) -> bool:
    """Tell whether a run is the first with another seed, and not one of before a change."""

    def described(content: dict) -> dict:
        return {
            "shuffle_columns": False,  # trained of before there was the choice
            **content["parameters"],
            "seed": None,
            "table": content["source"]["sha256"],
        }

    return described(result) == described(first)


def _correct(predictions: list[pd.DataFrame]) -> tuple[np.ndarray, pd.Series]:
    """Return where each run was right [shape=(n_runs, n_segments)] and the segments' tracks."""
    right = [(run["label"] == run["predicted"]).where(run["part"] == "test") for run in predictions]
    return np.array(right, dtype=float), clips(predictions[0])


def source(rows: pd.DataFrame) -> Source:
    """Return the table that all rows were measured on."""
    return rows["source"].dropna().iloc[0]


def scores(rows: pd.DataFrame) -> pd.DataFrame:
    """Return our scores and the paper's, in per cent."""
    return rows[[*NAMES, *(f"paper {name}" for name in NAMES)]]


def accuracy_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return Table I's accuracies: the paper's, ours with interval, and that on training rows."""
    accuracies = pd.DataFrame(
        {
            "row": rows.index,
            "epochs": rows["epochs"].to_numpy(),
            "batch size": rows["batch_size"].to_numpy(),
            "paper": rows["paper accuracy"].to_numpy(),
            "ours": rows["accuracy"].to_numpy(),
            "95 % interval": [
                "–" if np.isnan(low) else f"{low:.2f} to {high:.2f}"
                for low, high in zip(rows["low"], rows["high"], strict=True)
            ],
            "difference": (rows["accuracy"] - rows["paper accuracy"]).to_numpy(),
            "ours, on training rows": rows["train accuracy"].to_numpy(),
        }
    )
    if (rows["seeds"] > 1).any():
        accuracies["seeds"] = rows["seeds"].to_numpy()
        accuracies["SD over seeds"] = rows["spread"].to_numpy()
    if rows["diverged"].any() or rows["failed"].any():
        accuracies["note"] = [
            f"failed: {row['failed']}" if row["failed"] else "diverged" if row["diverged"] else ""
            for _, row in rows.iterrows()
        ]
    return accuracies


def score_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return macro precision, recall and F1 of every row: the paper's, ours, the difference."""
    columns: dict[str, object] = {"row": rows.index}
    for name in NAMES[:3]:
        title = name.replace("f1", "F1")
        columns[f"{title}, paper"] = rows[f"paper {name}"].to_numpy()
        columns[f"{title}, ours"] = rows[name].to_numpy()
        columns[f"{title}, difference"] = (rows[name] - rows[f"paper {name}"]).to_numpy()
    return pd.DataFrame(columns)


def recipe_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the hyperparameters of every row, the printed ones beside those used."""
    used = rows.reset_index(names="row")
    recipes = pd.DataFrame(
        {
            "row": used["row"],
            "epochs": used["epochs"],
            "batch size": used["batch_size"],
            "learning rate, printed": used["paper learning_rate"].map("{:g}".format, "ignore"),
            "learning rate, ours": used["learning_rate"].map("{:g}".format, "ignore"),
            "activation, printed": used["paper activation"],
            "activation, ours": used["activation"],
            "dropout": used["dropout"].map("{:g}".format, "ignore"),
            "split": used["split"],
            "scaled on": used["scale_on"],
        }
    )
    if used["shuffle_columns"].any():
        recipes["columns"] = np.where(used["shuffle_columns"], "shuffled", "the table's order")
    return recipes


def headline(rows: pd.DataFrame) -> str:
    """Say what came out, in two sentences."""
    measured = source(rows)
    text = (
        f"On {measured.in_words} of {measured.clips:,} clips, the test accuracy "
        f"measured over the {len(rows)} rows lies between {rows['accuracy'].min():.2f} and "
        f"{rows['accuracy'].max():.2f} %"
    )
    printed = rows["paper accuracy"].dropna()
    if len(printed):
        text += f"; the paper's Table I has {printed.min():.2f} to {printed.max():.2f} %"
    otherwise = rows.index[_otherwise(rows)]
    if len(otherwise):
        text += (
            f". {row_names(otherwise, 'Row')} {'was' if len(otherwise) == 1 else 'were'} trained "
            "with another activation or learning rate than the paper prints"
        )
    if measured.is_sample:
        return f"{text}. **This was measured on the sample and is not a result about GTZAN.**"
    return f"{text}."


def findings(rows: pd.DataFrame) -> str:
    """List what the rows say for and against the paper's Table I, each point from the figures."""
    points = []
    both = rows.dropna(subset=["paper accuracy", "accuracy"])
    if len(both):
        gaps = (both["accuracy"] - both["paper accuracy"]).abs()
        points.append(
            f"**Size.** The accuracy measured differs from the paper's by {gaps.min():.1f} "
            f"percentage points (row {gaps.idxmin()}) to {gaps.max():.1f} (row {gaps.idxmax()}), "
            f"{gaps.mean():.1f} on average. " + _beyond_the_interval(both)
        )
    ahead = (rows["paper precision"] - rows["paper recall"])[rows["failed"] == ""].dropna()
    if len(ahead):
        widest = ahead.idxmax()
        points.append(
            f"**Precision.** In the paper's row {widest} precision is {ahead[widest]:.1f} points "
            f"above recall, the most of its rows; in ours there "
            f"{rows.loc[widest, 'precision'] - rows.loc[widest, 'recall']:.1f}."
        )
    if len(both) > 2:
        agreement = both["accuracy"].corr(both["paper accuracy"], method="spearman")
        points.append(
            f"**Order.** The rank correlation of our accuracies with the paper's is "
            f"{agreement:.2f} (1: the rows are in the same order)."
        )
    gap = (rows["train accuracy"] - rows["accuracy"]).dropna()
    points.append(
        f"**Training against test.** In row {gap.idxmax()} the model knows "
        f"{rows.loc[gap.idxmax(), 'train accuracy']:.1f} % of the segments it was trained on and "
        f"{rows.loc[gap.idxmax(), 'accuracy']:.1f} % of those held out; that is the widest gap "
        "of all rows."
    )
    for name, how in rows["collapses"][rows["collapses"] != ""].items():
        points.append(
            f"**Stability.** Training broke down on the way in row {name}: {how}. The last epoch "
            "counts, as in every row."
        )
    diverged = rows.index[rows["diverged"]]
    if len(diverged):
        points.append(
            f"**Divergence.** The loss stopped being finite in {row_names(diverged)}; the "
            "scores there are those of a broken model."
        )
    failed = rows.index[rows["failed"] != ""]
    if len(failed):
        points.append(
            f"**Failure.** {row_names(failed, 'Row')} could not be trained; Table I says why, and "
            "nothing here speaks of it."
        )
    points.append(_certainty(rows[rows["failed"] == ""]))
    if source(rows).is_sample:
        points.append(
            f"**The sample.** All this was measured on the embedded sample, "
            f"{source(rows).segments:,} of GTZAN's 9,990 segments. It shows that the pipeline "
            "works and cannot say whether the paper's figures hold."
        )
    return "\n".join(f"- {point}" for point in points)


def _otherwise(rows: pd.DataFrame) -> pd.Series:
    """Tell which rows were trained with another activation or rate than the paper prints."""
    return rows["paper activation"].notna() & (
        (rows["activation"] != rows["paper activation"])
        | (rows["learning_rate"] != rows["paper learning_rate"].fillna(rows["learning_rate"]))
    )


def row_names(names: Sequence[str], word: str = "row") -> str:
    """Return names as "row 4" or "rows 4, 5"."""
    return f"{word}{'s' if len(names) > 1 else ''} {', '.join(names)}"


def _beyond_the_interval(both: pd.DataFrame) -> str:
    """Say in which rows the paper's accuracy lies outside ours' interval."""
    outside = (both["paper accuracy"] < both["low"]) | (both["paper accuracy"] > both["high"])
    sides = []
    for rows, what in (
        (both[outside & (both["paper accuracy"] > both["high"])], "above"),
        (both[outside & (both["paper accuracy"] < both["low"])], "below"),
        (both[~outside], "within"),
    ):
        if len(rows):
            sides.append(f"{what} it in {row_names(rows.index)}")
    return f"Against the 95 % interval of ours, the paper's accuracy lies {'; '.join(sides)}."


def _certainty(rows: pd.DataFrame) -> str:
    intervals = (
        "The intervals draw the tracks of the test rows anew, since the segments of a track are "
        "not independent"
    )
    fewest, most = rows["seeds"].min(), rows["seeds"].max()
    if fewest > 1:
        return (
            f"**Certainty.** Each row was trained with {fewest} seeds"
            f"{' or more' if most > fewest else ''}, which decide split, initial weights and "
            f"batches; a seed moves the accuracy by {rows['spread'].min():.2f} to "
            f"{rows['spread'].max():.2f} points (standard deviation). {intervals}."
        )
    return (
        f"**Certainty.** {intervals}; they say nothing of another seed. "
        + (
            "No row was trained with a second seed"
            if rows["seeds"].max() == 1
            else f"Of {row_names(rows.index[rows['seeds'] == 1])} there is one seed only"
        )
        + ", so a small difference from the paper means little."
    )
