"""One training over its epochs."""

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from music_genre.report.figures.style import BACKGROUND, INK, OURS, TEST, WIDTH

_PANELS = {"loss": (1, "cross-entropy loss"), "accuracy": (100, "accuracy [%]")}
_LINES = {"": ("training segments", OURS, "-"), "test_": ("test segments", TEST, (0, (5, 1.5)))}


def curves(history: pd.DataFrame, paper: pd.DataFrame | None = None) -> Figure:
    """Draw loss and accuracy on training and test segments over epochs.

    ``paper``, as :func:`music_genre.analysis.printed.points` returns it, are rows of Table I that
    the training passes: diamonds with the row's name in the panel of accuracy.
    """
    fig = Figure(figsize=(0.9 * WIDTH, 4.4), layout="constrained")
    marker = "o" if len(history) < 3 else None
    axes = fig.subplots(1, 2)
    for ax, (name, (scale, unit)) in zip(axes, _PANELS.items(), strict=True):
        for part, (words, color, style) in _LINES.items():
            ax.plot(history["epoch"], scale * history[part + name], color=color, ls=style, lw=2,
                    marker=marker, label=words)  # fmt: skip
        ax.set_xlabel("epoch", fontsize=12)
        ax.set_title(unit, fontsize=12, loc="left")
        ax.tick_params(labelsize=12)
        ax.xaxis.get_major_locator().set_params(integer=True)
    if paper is not None and len(paper):
        _points(axes[1], paper)
    axes[1].legend(frameon=False, fontsize=12, loc="best")
    sns.despine(fig)
    return fig


def _points(ax: Axes, paper: pd.DataFrame) -> None:
    ax.plot(paper["epoch"], paper["accuracy"], "D", color=INK, mfc=BACKGROUND, mew=1.5, ms=8,
            label="Table I, by row", clip_on=False, zorder=5)  # fmt: skip
    for row, epoch, accuracy in paper.itertuples(index=False):
        ax.annotate(row, (epoch, accuracy), (0, -9), textcoords="offset points", color=INK,
                    ha="center", va="top", fontsize=12, zorder=4,
                    bbox={"fc": BACKGROUND, "ec": "none", "pad": 1})  # fmt: skip
