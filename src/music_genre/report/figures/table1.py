"""Scores over the rows of Table I, the paper's and ours."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from music_genre.metrics.classification import NAMES
from music_genre.report.figures.style import (
    INK,
    SCORES,
    WIDTH,
)


def over_rows(rows: pd.DataFrame) -> Figure:
    """Draw precision, recall, F1 and accuracy of each row: the paper's as outlines, ours filled.

    ``rows`` [index=row name] has a column of each score and, where the paper reports it, a
    column ``paper <score>``.
    """
    fig = Figure(figsize=(WIDTH, 3.8), layout="constrained")
    ax = fig.subplots()
    width = 0.8 / len(NAMES)
    at = np.arange(len(rows))
    for i, name in enumerate(NAMES):
        x = at + (i - (len(NAMES) - 1) / 2) * width
        ax.bar(x, rows[name], width * 0.9, color=SCORES[name], label=name.replace("f1", "F1"))
        ax.bar(x, rows[f"paper {name}"], width * 0.9, fill=False, edgecolor=INK,
               label="the paper" if i == len(NAMES) - 1 else None)  # fmt: skip
    ax.set(xticks=at, xticklabels=rows.index, xlabel="row", ylabel="per cent", ylim=(0, 100))
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    sns.despine(fig)
    return fig
