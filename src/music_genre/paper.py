"""The paper checked against itself: what it says, what contradicts it, what was measured here."""

from pathlib import Path

import pandas as pd

from music_genre import study
from music_genre.models import PAPER_LAYERS
from music_genre.paths import ROOT

TABLE_ONE = ROOT / "params" / "table1"


def contradictions(rows: pd.DataFrame, trainings: Path) -> pd.DataFrame:
    """List the places in which the paper contradicts itself or leaves open what was done.

    Parameters
    ----------
    rows : DataFrame
        Our rows of Table I, as :func:`music_genre.summary.load` returns them.
    trainings
        Folder with the trainings of the recipe study; it need not exist.

    Returns
    -------
    DataFrame [shape=(n_places, 4)]
        ``the paper says``, ``where``, ``against it``, ``measured here``.
    """
    lines = [
        (
            "The epoch that was chosen is 600",
            "Methodology E",
            "Table I ends at 120 epochs",
            f"{int(rows['epochs'].max())} epochs at most, as in Table I",
        ),
        (
            "Accuracy 0.4626 after 7 epochs, batch size 128",
            "Experiments C",
            "Table I, row 1: 33.45 %; 45.92 % stands in row 2, after 20 epochs",
            _ours(rows, ["1", "2"], 46.26),
        ),
        (
            "Accuracy 0.5867 with batch size 220",
            "Experiments C",
            "Table I has no such row: 57.51 % is row 3, with 128; with 220 it begins at 72.37 %",
            _ours(rows, ["3", "4"], 58.67),
        ),
        (
            "Learning rate 1e-2, later 1e-1",
            "Experiments B and C",
            "none is printed for rows 3 and 6; Adam's usual rate is a tenth to a hundredth of that",
            _as_printed(trainings),
        ),
        (
            "All hidden layers use ReLU",
            "Methodology E",
            "an LSTM's usual activation is tanh, the only one its fused GPU kernel has",
            _as_printed(trainings),
        ),
        (
            "Dropout is used to prevent overfitting",
            "Methodology E",
            f"the layer table (Fig. 7) lists {len(PAPER_LAYERS)} layers, none of them dropout; "
            "neither rate nor place is given",
            "none in these rows" if not rows["dropout"].fillna(0).any() else "some in these rows",
        ),
        (
            "The genres are: nine names",
            "Experiments A",
            "ten genres elsewhere; country is missing from the list",
            "ten genres in GTZAN's table",
        ),
        (
            "An accuracy of 91.78 %, on a testing set",
            "Methodology F, Experiments C",
            "which rows were held out, and whether the model had met them, is not said",
            _held_out(rows, trainings),
        ),
        (
            "Better than 60 % and 51.88 % of others; the results remain comparable",
            "Conclusion",
            "those were measured on other splits and inputs; an accuracy by segment, with "
            "segments of one track on both sides, is not comparable with theirs",
            f"on the paper's kind of split {rows['accuracy'].max():.2f} % at most",
        ),
    ]
    columns = ["the paper says", "where", "against it", "measured here"]
    return pd.DataFrame(lines, columns=columns)


def _ours(rows: pd.DataFrame, names: list[str], said: float) -> str:
    """Say what our rows came to, and whether their intervals hold what the text says."""
    found = []
    for name in names:
        if name in rows.index:
            row = rows.loc[name]
            holds = "holds" if row["low"] <= said <= row["high"] else "does not hold"
            found.append(
                f"row {name}: {row['accuracy']:.2f} % (95 % interval {row['low']:.2f} to "
                f"{row['high']:.2f}, which {holds} {said:.2f})"
            )
    return "; ".join(found) or "not measured in this report"


def _as_printed(folder: Path) -> str:
    """Say what became of the trainings with the printed settings, if there are any."""
    if not list(folder.glob("*/metrics.json")):
        return "not measured in this report (make report TABLE=table1-as-printed)"
    trainings, curves = study.load(folder)
    said = []
    for name, training in trainings.iterrows():
        if training["recipe"] in ("relu, rate 0.01", "relu, rate 0.1"):
            last = curves[curves["name"] == name].iloc[-1]
            end = "the loss is no number" if training["diverged"] else f"{last['test']:.1f} %"
            said.append(f"{training['recipe']}: {end} after epoch {training['epochs']}")
    return "; ".join(said) or "not measured in this report"


def _held_out(rows: pd.DataFrame, folder: Path) -> str:
    paper = study.paper_rows(TABLE_ONE)
    parts = study.granularity(paper).set_index("part")
    third = parts.loc["test, 33% held out"]
    text = (
        f"the decimals of Table I fit {third['segments']:,} rows, a third of the published table "
        f"({third['accuracies possible']} accuracies possible; {third['by chance']} by chance); "
        f"ours on test rows: {rows['accuracy'].max():.2f} % at most, on training rows "
        f"{rows['train accuracy'].max():.2f} %"
    )
    if not list(folder.glob("*/metrics.json")):
        return text
    trainings, curves = study.load(folder)
    met = trainings.index[trainings["recipe"].str.contains(study.REDRAWN)]
    ends = [curves[curves["name"] == name]["test"].iloc[-1] for name in met]
    return text + "".join(
        f"; {trainings.loc[name, 'recipe']}: {end:.2f} %"
        for name, end in zip(met, ends, strict=True)
    )
