"""All rows of Table I: the paper's results and ours."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from scipy.stats import spearmanr

from music_genre import provenance
from music_genre.analysis import explanations
from music_genre.data.table import Source, clips, same_content
from music_genre.exceptions import InputError
from music_genre.metrics.classification import NAMES
from music_genre.metrics.intervals import interval
from music_genre.models import runs
from music_genre.paths import ROOT, display_path, natural_key

PARAMS = ROOT / "params"
_SETTINGS = [
    "epochs", "batch_size", "learning_rate", "activation", "dropout", "split", "scale_on",
    "test_size", "shuffle_columns", "seed",
]  # fmt: skip
_PRINTED = [*NAMES, "learning_rate", "activation"]


def load(folder: Path, names: Sequence[str] = ()) -> pd.DataFrame:
    """Collect the rows trained in a folder, all or those named, in natural order.

    ``<folder>/<row>`` is a row's run; the same training with other seeds is found as
    :func:`music_genre.models.runs.with_seeds` does. A run that failed left ``failed.json``.

    Returns
    -------
    DataFrame [shape=(n_rows, n_columns), index=name of the row]
        The settings; ``segments``, tested with each seed; the test scores ``precision``,
        ``recall``, ``f1``, ``accuracy`` in per cent, the mean over the seeds; ``low`` and
        ``high``, the ends of the accuracy's 95 % interval over tracks
        (:func:`music_genre.metrics.intervals.interval`); ``seeds``, how many; ``spread``, the
        accuracy's standard deviation over them in percentage points, missing with one;
        ``collapses``, of the seeds whose training broke down on the way, the seed and
        :func:`music_genre.models.runs.collapse`; ``train accuracy``; ``diverged``; ``failed``, the
        reason, or empty; what the paper reports under ``paper <name>``; ``source``, the features
        table measured on.

    Raises
    ------
    InputError
        No run is finished, a named row has none, or rows were measured on different tables.
    """
    names = names or [path.parent.name for path in folder.glob("*/metrics.json")]
    if not names:
        raise InputError(f"{display_path(folder)} holds no finished run: run `make report` first.")
    lines = {name: _line(folder / name) for name in sorted(names, key=natural_key)}
    rows = pd.DataFrame(lines.values(), index=list(lines))
    sources = rows["source"].dropna()
    if sources.empty:
        raise InputError(
            f"every row in {display_path(folder)} failed, the first with: {rows['failed'].iloc[0]}"
        )
    if not all(same_content(sources.iloc[0], other) for other in sources):
        raise InputError(
            f"{display_path(folder)} holds rows measured on different features tables: "
            "train them all on the same one, or keep them in separate folders."
        )
    return rows.astype({f"paper {name}": float for name in [*NAMES, "learning_rate"]})


def _line(run: Path) -> dict:
    failure = run / "failed.json"
    return _failed(provenance.read_json(failure)) if failure.exists() else _trained(run)


def _failed(content: dict) -> dict:
    given = content["parameters"]
    return {
        **{key: given.get(key, np.nan) for key in _SETTINGS},
        **dict.fromkeys(["segments", *NAMES, "low", "high", "spread", "train accuracy"], np.nan),
        "seeds": 0,
        "collapses": [],
        "diverged": False,
        "failed": content["error"],
        **{f"paper {key}": given.get("paper", {}).get(key) for key in _PRINTED},
        "source": None,
    }


def _trained(run: Path) -> dict:
    trained = [runs.load(path) for path in runs.with_seeds(run)]
    results = [result for result, _, _ in trained]
    scores = pd.DataFrame([result["parts"]["test"] for result in results])
    low, high = interval(*_correct([predictions for _, _, predictions in trained]))
    fell = {result["parameters"]["seed"]: runs.collapse(history) for result, history, _ in trained}
    first = results[0]
    return {
        **{key: first["parameters"].get(key) for key in _SETTINGS},
        "segments": first["parts"]["test"]["segments"],
        **scores[NAMES].mean(),
        "low": low,
        "high": high,
        "seeds": len(trained),
        "spread": scores["accuracy"].std(),
        "collapses": [{"seed": seed, **fall} for seed, fall in fell.items() if fall],
        "train accuracy": np.mean([result["parts"]["train"]["accuracy"] for result in results]),
        "diverged": any(result["diverged"] for result in results),
        "failed": "",
        **{f"paper {key}": first["paper"].get(key) for key in _PRINTED},
        "source": runs.source(first),
    }


def _correct(predictions: list[pd.DataFrame]) -> tuple[np.ndarray, pd.Series]:
    """Return where each run was right [shape=(n_runs, n_segments)] and the segments' tracks."""
    right = [(run["label"] == run["predicted"]).where(run["part"] == "test") for run in predictions]
    return np.array(right, dtype=float), clips(predictions[0])


def shared(rows: pd.DataFrame) -> list[str]:
    """Return the groups of rows that differ in their epochs alone, as in ``"1, 2 and 3"``."""
    apart = [name for name in _SETTINGS if name != "epochs"]
    groups = [list(of.index) for _, of in rows.groupby(apart, sort=False, dropna=False)]
    return [f"{', '.join(of[:-1])} and {of[-1]}" for of in groups if len(of) > 1]


def source(rows: pd.DataFrame) -> Source:
    """Return the features table that all rows were measured on."""
    return rows["source"].dropna().iloc[0]


def settings(folder: Path) -> Path:
    """Return the folder under ``params/`` of a report's rows; Table I's where there is none."""
    own = PARAMS / folder.parent.name
    return own if own.is_dir() else PARAMS / "table1"


def outdated(rows: pd.DataFrame, settings: Path) -> list[str]:
    """Name the rows that were trained with other settings than ``<settings>/<row>.yaml`` has now.

    Only what a file names is compared. A row without a file is outdated; one that failed is not.
    """
    names = []
    for name, row in rows[rows["failed"] == ""].iterrows():
        path = settings / f"{name}.yaml"
        given = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
        now = {key: value for key, value in given.items() if key in _SETTINGS}
        if not now or any(row[key] != value for key, value in now.items()):
            names.append(name)
    return names


def scores(rows: pd.DataFrame) -> pd.DataFrame:
    """Return our scores and the paper's, in per cent."""
    return rows[[*NAMES, *(f"paper {name}" for name in NAMES)]]


def compared(rows: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Return each row's accuracy as printed, on clean test segments and on a re-drawn third.

    Parameters
    ----------
    scores
        Those of :func:`music_genre.analysis.explanations.over_seeds`.

    Returns
    -------
    DataFrame [shape=(n_rows, 10), index=name of the row]
        row, epochs, batch; in per cent ``paper``; ``ours``, with the ends ``low`` and ``high`` of
        its 95 % interval; ``re-drawn third``, with ``re-drawn low`` and ``re-drawn high`` two
        standard deviations of a single score away. Missing where there is none.
    """
    drawn = scores.xs("re-drawn", level="measure").reindex(rows.index)
    mean, spread = drawn["accuracy"], 2 * drawn["accuracy SD"]
    return pd.DataFrame(
        {
            "row": rows.index,
            "epochs": rows["epochs"],
            "batch": rows["batch_size"],
            "paper": rows["paper accuracy"],
            "ours": rows["accuracy"],
            "low": rows["low"],
            "high": rows["high"],
            "re-drawn third": mean,
            "re-drawn low": mean - spread,
            "re-drawn high": mean + spread,
        },
        index=rows.index,
    )


def tested(rows: pd.DataFrame) -> str:
    """Return how many segments rows were tested on, as in ``"3,059"``; a span if they differ."""
    numbers = rows["segments"].dropna().astype(int)
    ends = dict.fromkeys([numbers.min(), numbers.max()])
    return " to ".join(f"{number:,}" for number in ends)


def main_table(rows: pd.DataFrame, compared: pd.DataFrame) -> pd.DataFrame:
    """Return Table I in few columns: the paper's accuracies and ours, in per cent."""
    table = compared[["row", "epochs", "batch", "paper", "ours", "re-drawn third"]].copy()
    table.insert(5, "95 % interval", _intervals(rows, decimals=1))
    if table["paper"].isna().all():
        table = table.drop(columns="paper")
    return _noted(table, rows)


def accuracy_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return Table I's accuracies: the paper's, ours with interval, and on training segments."""
    accuracies = pd.DataFrame(
        {
            "row": rows.index,
            "epochs": rows["epochs"].to_numpy(),
            "batch size": rows["batch_size"].to_numpy(),
            "paper": rows["paper accuracy"].to_numpy(),
            "ours": rows["accuracy"].to_numpy(),
            "95 % interval": _intervals(rows, decimals=2),
            "difference": (rows["accuracy"] - rows["paper accuracy"]).to_numpy(),
            "ours, training segments": rows["train accuracy"].to_numpy(),
        }
    )
    if (rows["seeds"] > 1).any():
        accuracies["seeds"] = rows["seeds"].to_numpy()
        accuracies["SD over seeds"] = rows["spread"].to_numpy()
    return _noted(accuracies, rows)


def _intervals(rows: pd.DataFrame, *, decimals: int) -> list[str]:
    return [
        "–" if np.isnan(low) else f"{low:.{decimals}f} to {high:.{decimals}f}"
        for low, high in zip(rows["low"], rows["high"], strict=True)
    ]


def _noted(table: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Add a note to the rows that failed or diverged, if any did."""
    if not (rows["diverged"].any() or rows["failed"].any()):
        return table
    return table.assign(
        note=[
            f"failed: {row['failed']}" if row["failed"] else "diverged" if row["diverged"] else ""
            for _, row in rows.iterrows()
        ]
    )


def of_run(content: dict) -> pd.DataFrame:
    """Return one run's scores on each part of its split, after what the paper reports, in per cent.

    ``content`` are the run's metrics.

    Returns
    -------
    DataFrame [shape=(n_parts, 6)]
        ``measured on``; the scores; segments, missing for the paper.
    """
    parts = runs.parts(content).set_index("part")
    order = [part for part in ("test", "validation", "train") if part in parts.index]
    words = {"train": "training"}
    ours = parts.loc[order, [*NAMES, "segments"]].astype({"segments": object})
    ours.insert(0, "measured on", [f"ours, {words.get(part, part)} segments" for part in order])
    printed = {name: content["paper"].get(name, np.nan) for name in NAMES}
    if not np.isfinite(list(printed.values())).any():
        return ours.reset_index(drop=True)
    paper = pd.DataFrame([{"measured on": "the paper", **printed, "segments": None}], dtype=object)
    return pd.concat([paper, ours], ignore_index=True)


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
    """Return the hyperparameters of every row, as printed and as used."""
    used = rows.reset_index(names="row")
    recipes = pd.DataFrame(
        {
            "row": used["row"],
            "epochs": used["epochs"],
            "batch size": used["batch_size"],
            "learning rate, printed": used["paper learning_rate"].map("{:g}".format, "ignore"),
            "learning rate, ours": used["learning_rate"].map("{:g}".format, "ignore"),
            "activation, printed": used["paper activation"].fillna("–"),
            "activation, ours": used["activation"],
            "dropout": used["dropout"].map("{:g}".format, "ignore"),
            "split": used["split"],
            "scaled on": used["scale_on"],
        }
    )
    if used["shuffle_columns"].any():
        recipes["columns"] = used["shuffle_columns"].map({True: "shuffled", False: "as published"})
    return recipes


@dataclass(frozen=True)
class Findings:
    """What the finished rows say for and against the paper's Table I.

    Accuracies are in per cent, differences in percentage points.
    """

    apart: pd.Series  # [index=row] absolute difference from the paper, where it reports the row
    short: pd.Series  # [index=row] the paper's accuracy less ours, there
    later: list[str]  # rows from that on in which the printed accuracy leaps; none without one
    earlier: list[str]  # the others that the paper reports
    sides: dict[str, list[str]]  # rows whose paper accuracy is above, below, inside our interval
    order: float | None  # Spearman's rank correlation with the paper; None for two rows or fewer
    ahead: pd.Series | None  # precision less recall, the paper's and ours, where the paper's is
    # largest; named after the row
    widest: pd.Series  # the row whose training accuracy is farthest above its test accuracy
    collapses: list[dict]  # row, seed and music_genre.models.runs.collapse of it
    diverged: list[str]
    failed: list[str]
    otherwise: list[str]  # trained with another activation or learning rate than the paper prints
    one_seed: list[str]


def findings(rows: pd.DataFrame) -> Findings:
    """Compare our rows with the paper's and with each other."""
    finished = rows[rows["failed"] == ""]
    both = finished.dropna(subset=["paper accuracy"])
    paper, ours = both["paper accuracy"], both["accuracy"]
    sides = {"above": paper > both["high"], "below": paper < both["low"]}
    sides["inside"] = both["low"].notna() & ~(sides["above"] | sides["below"])
    ranked = len(both) > 2 and paper.nunique() > 1 and ours.nunique() > 1
    gap = finished["train accuracy"] - finished["accuracy"]
    printed = both[["batch_size"]].assign(accuracy=paper)
    later = explanations.since_leap(printed, both.index)[1] if len(both) > 1 else []
    return Findings(
        apart=(ours - paper).abs(),
        short=paper - ours,
        later=later,
        earlier=[row for row in both.index if row not in later],
        sides={side: list(both.index[on_it]) for side, on_it in sides.items() if on_it.any()},
        order=float(spearmanr(paper, ours).statistic) if ranked else None,
        ahead=_ahead(finished),
        widest=finished.loc[gap.idxmax()],
        collapses=[
            {"row": row, **fall} for row, falls in rows["collapses"].items() for fall in falls
        ],
        diverged=list(rows.index[rows["diverged"]]),
        failed=list(rows.index[rows["failed"] != ""]),
        otherwise=list(finished.index[_otherwise(finished)]),
        one_seed=list(rows.index[rows["seeds"] == 1]),
    )


def _ahead(finished: pd.DataFrame) -> pd.Series | None:
    ahead = pd.DataFrame(
        {
            "paper": finished["paper precision"] - finished["paper recall"],
            "ours": finished["precision"] - finished["recall"],
        }
    ).dropna()
    return ahead.loc[ahead["paper"].idxmax()] if len(ahead) else None


def _otherwise(rows: pd.DataFrame) -> pd.Series:
    """Tell which rows were trained with another activation or rate than the paper prints."""
    return rows["paper activation"].notna() & (
        (rows["activation"] != rows["paper activation"])
        | (rows["learning_rate"] != rows["paper learning_rate"].fillna(rows["learning_rate"]))
    )
