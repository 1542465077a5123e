"""All rows of a table of hyperparameters, the paper's results beside ours."""

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from music_genre import training
from music_genre.errors import InputError
from music_genre.metrics import NAMES
from music_genre.paths import shown
from music_genre.table import Source

_GIVEN = ["epochs", "batch_size", "learning_rate", "activation", "dropout", "split", "scale_on"]
_PRINTED = [*NAMES, "learning_rate", "activation"]


def natural(name: str) -> list:
    """Sort key by which row 10 comes after row 9."""
    return [(0, int(t), "") if t.isdigit() else (1, 0, t) for t in re.split(r"(\d+)", name) if t]


def load(folder: Path, names: Sequence[str] = ()) -> pd.DataFrame:
    """Collect the finished runs in a folder, all or those named, in natural order.

    Returns
    -------
    DataFrame [shape=(n_rows, n_columns), index=name of the row]
        The hyperparameters; test scores ``precision``, ``recall``, ``f1``, ``accuracy`` in per
        cent; ``train accuracy``; ``diverged``; what the paper reports under ``paper <name>``; the
        table measured on under ``source``.

    Raises
    ------
    InputError
        No run is finished, or runs were measured on different tables.
    """
    names = names or [path.parent.name for path in folder.glob("*/metrics.json")]
    if not names:
        raise InputError(f"{shown(folder)} holds no finished run: run `make report` first.")
    lines = {}
    for name in sorted(names, key=natural):
        result, _, _ = training.load(folder / name)
        lines[name] = {
            **{key: result["parameters"][key] for key in _GIVEN},
            **{key: result["parts"]["test"][key] for key in NAMES},
            "train accuracy": result["parts"]["train"]["accuracy"],
            "diverged": result["diverged"],
            **{f"paper {key}": result["paper"].get(key) for key in _PRINTED},
            "source": training.source(result),
        }
    rows = pd.DataFrame(lines.values(), index=list(lines))
    checksums = {source.sha256 for source in rows["source"]}
    if len(checksums) > 1:
        raise InputError(
            f"{shown(folder)} holds rows measured on {len(checksums)} different tables: "
            "train them all on the same one, or keep them in folders of their own."
        )
    return rows.astype({f"paper {name}": float for name in [*NAMES, "learning_rate"]})


def source(rows: pd.DataFrame) -> Source:
    """Return the table that all rows were measured on."""
    return rows["source"].iloc[0]


def scores(rows: pd.DataFrame) -> pd.DataFrame:
    """Return our scores and the paper's, in per cent."""
    return rows[[*NAMES, *(f"paper {name}" for name in NAMES)]]


def accuracy_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return Table I's accuracies: the paper's, ours, the difference, and that on training rows."""
    accuracies = pd.DataFrame(
        {
            "row": rows.index,
            "epochs": rows["epochs"].to_numpy(),
            "batch size": rows["batch_size"].to_numpy(),
            "paper": rows["paper accuracy"].to_numpy(),
            "ours": rows["accuracy"].to_numpy(),
            "difference": (rows["accuracy"] - rows["paper accuracy"]).to_numpy(),
            "ours, on training rows": rows["train accuracy"].to_numpy(),
        }
    )
    if rows["diverged"].any():
        accuracies["note"] = ["diverged" if row else "" for row in rows["diverged"]]
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
    return pd.DataFrame(
        {
            "row": used["row"],
            "epochs": used["epochs"],
            "batch size": used["batch_size"],
            "learning rate, printed": used["paper learning_rate"].map("{:g}".format, "ignore"),
            "learning rate, ours": used["learning_rate"].map("{:g}".format),
            "activation, printed": used["paper activation"],
            "activation, ours": used["activation"],
            "dropout": used["dropout"].map("{:g}".format),
            "split": used["split"],
            "scaled on": used["scale_on"],
        }
    )


def headline(rows: pd.DataFrame) -> str:
    """Say what came out, in two sentences."""
    text = (
        f"The test accuracy measured over the {len(rows)} rows lies between "
        f"{rows['accuracy'].min():.2f} and {rows['accuracy'].max():.2f} %"
    )
    printed = rows["paper accuracy"].dropna()
    if len(printed):
        text += f"; the paper's Table I has {printed.min():.2f} to {printed.max():.2f} %"
    if source(rows).is_sample:
        return (
            f"{text}. **This was measured on {source(rows).segments:,} segments and is not a "
            "result about GTZAN.**"
        )
    return f"{text}, on {source(rows).segments:,} segments of {source(rows).clips:,} clips."


def findings(rows: pd.DataFrame) -> str:
    """List what the rows say for and against the paper's Table I, each point from the figures."""
    points = []
    both = rows.dropna(subset=["paper accuracy"])
    if len(both):
        gaps = (both["accuracy"] - both["paper accuracy"]).abs()
        points.append(
            f"**Size.** The accuracy measured differs from the paper's by {gaps.min():.1f} "
            f"percentage points (row {gaps.idxmin()}) to {gaps.max():.1f} (row {gaps.idxmax()}), "
            f"{gaps.mean():.1f} on average."
        )
    if len(both) > 2:
        agreement = both["accuracy"].corr(both["paper accuracy"], method="spearman")
        points.append(
            f"**Order.** The rank correlation of our accuracies with the paper's is "
            f"{agreement:.2f} (1: the rows are in the same order)."
        )
    gap = rows["train accuracy"] - rows["accuracy"]
    points.append(
        f"**Training against test.** In row {gap.idxmax()} the model knows "
        f"{rows.loc[gap.idxmax(), 'train accuracy']:.1f} % of the segments it was trained on and "
        f"{rows.loc[gap.idxmax(), 'accuracy']:.1f} % of those held out; that is the widest gap "
        "of all rows."
    )
    failed = rows.index[rows["diverged"]]
    if len(failed):
        points.append(
            f"**Divergence.** The loss stopped being finite in row {', '.join(failed)}; the "
            "scores there are those of a broken model."
        )
    points.append(
        "**Certainty.** Each row was trained once, with one seed and one split. How much another "
        "seed would change is not measured here, so a small difference from the paper means "
        "little."
    )
    if source(rows).is_sample:
        points.append(
            f"**The sample.** All this was measured on the embedded sample, "
            f"{source(rows).segments:,} of GTZAN's 9,990 segments. It shows that the pipeline "
            "works and cannot say whether the paper's figures hold."
        )
    return "\n".join(f"- {point}" for point in points)
