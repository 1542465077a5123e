"""Accuracies of all models, on all splits and over folds."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from music_genre.data.splits import SPLITS
from music_genre.report.figures.style import INK, WIDTH


def by_split(scores: pd.DataFrame, paper: float | None = None, *, bold: str = "") -> Figure:
    """Draw each model's accuracy on every split with its 95 % interval, a colour for each split.

    ``scores`` are those of :func:`music_genre.analysis.leakage.scores`, the loosest split first.
    Models are in the order of the strictest split, the best on top; ``bold`` is one of them.
    ``paper`` is drawn as a line.
    """
    splits = list(dict.fromkeys(scores["split"]))
    strictest = scores[scores["split"] == splits[-1]].set_index("model")["accuracy"]
    models = strictest.sort_values(kind="stable").index
    fig = Figure(figsize=(WIDTH, 1.2 + len(models) * (0.2 + 0.16 * len(splits))))
    ax = fig.subplots()
    for i, split in enumerate(splits):
        own = scores[scores["split"] == split].set_index("model").loc[models]
        y = np.arange(len(models)) + ((len(splits) - 1) / 2 - i) * 0.24
        ends = [own["accuracy"] - own["low"], own["high"] - own["accuracy"]]
        ax.errorbar(own["accuracy"], y, xerr=np.clip(ends, 0, None), fmt="o", ms=5, lw=1.5,
                    color=SPLITS[split].color, label=f"split by {split}")  # fmt: skip
        for x, at, accuracy in zip(own["high"], y, own["accuracy"], strict=True):
            ax.annotate(f"{accuracy:.1f}", (x, at), (4, 0), textcoords="offset points",
                        va="center", fontsize=7, color=SPLITS[split].color,
                        bbox={"color": "white", "alpha": 0.7, "pad": 0.5})  # fmt: skip
    for at in range(0, len(models), 2):
        ax.axhspan(at - 0.5, at + 0.5, color="#f4f4f4", zorder=0)
    if paper is not None:
        ax.axvline(paper, color=INK, lw=1, ls="--", zorder=1, label=f"the paper: {paper:.2f} %")
    ax.set(yticks=range(len(models)), yticklabels=models, xlim=(0, 104), xlabel="accuracy [%]",
           ylim=(-0.5, len(models) - 0.5))  # fmt: skip
    for label in ax.get_yticklabels():
        label.set_fontweight("bold" if label.get_text() == bold else "normal")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=len(splits) + 1, frameon=False)
    sns.despine(fig)
    return fig


def over_folds(folds: pd.DataFrame) -> Figure:
    """Draw what :func:`music_genre.models.crossvalidation.over_folds` returns: mean and SD."""
    models, splits = list(dict.fromkeys(folds["model"])), list(dict.fromkeys(folds["split"]))
    fig = Figure(figsize=(WIDTH, 0.8 + 0.5 * len(models)), layout="constrained")
    ax = fig.subplots()
    for i, split in enumerate(splits):
        own = folds[folds["split"] == split].set_index("model").loc[models]
        y = np.arange(len(models)) + (i - (len(splits) - 1) / 2) * 0.24
        ax.errorbar(own["mean"], y, xerr=own["SD"], fmt="o", ms=5, capsize=3,
                    color=SPLITS[split].color, label=f"split by {split}")  # fmt: skip
    ax.set(yticks=range(len(models)), yticklabels=models, xlim=(0, 100), xlabel="accuracy [%]",
           ylim=(len(models) - 0.5, -0.5))  # fmt: skip
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    sns.despine(fig)
    return fig
