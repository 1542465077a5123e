"""The scores of one run by genre."""

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from music_genre.report.figures.style import SCORES, WIDTH


def confusion(counts: pd.DataFrame) -> Figure:
    """Draw a confusion matrix: segments as numbers, the share of the true genre as colour."""
    shares = counts.div(counts.sum(axis=1), axis=0)
    side = min(WIDTH, 2.2 + 0.5 * len(counts))
    fig = Figure(figsize=(side + 0.8, side), layout="constrained")
    ax = fig.subplots()
    sns.heatmap(shares, annot=counts, fmt="d", cmap="Blues", vmin=0, vmax=1, square=True, ax=ax,
                xticklabels=True, yticklabels=True,
                cbar_kws={"label": "share of the true genre", "shrink": 0.8})  # fmt: skip
    ax.set(xlabel="predicted", ylabel="true")
    return fig


def per_genre(scores: pd.DataFrame) -> Figure:
    """Draw precision, recall and F1 of each genre."""
    scores = scores.set_index("genre")[["precision", "recall", "f1"]]
    fig = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    ax = fig.subplots()
    scores.plot.bar(ax=ax, color=[SCORES[name] for name in scores], width=0.78, rot=0)
    ax.set(xlabel="", ylabel="per cent", ylim=(0, 100))
    names = [name.replace("f1", "F1") for name in scores]
    ax.legend(names, loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    sns.despine(fig)
    return fig
