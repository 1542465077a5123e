"""The rows of Table I, the paper's and ours."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from music_genre.metrics.classification import NAMES
from music_genre.report.figures.style import BACKGROUND, INK, LINE, OURS, SCORES, TEST, WIDTH

_LINES = {  # of a row: column, column of either end of its bar, words, look, place in the row
    "paper": (None, "the paper", {"fmt": "D", "mfc": BACKGROUND, "color": INK, "ms": 10}, -0.27),
    "ours": (("low", "high"), "ours, clean test segments", {"fmt": "o", "color": TEST, "ms": 10},
             0.0),
    "re-drawn third": (("re-drawn low", "re-drawn high"), "ours, a third drawn anew after training",
                       {"fmt": "s", "color": SCORES["f1"], "ms": 9}, 0.27),
}  # fmt: skip


def hero(rows: pd.DataFrame) -> Figure:
    """Draw each row's accuracy: the paper's, ours on clean test segments and on a re-drawn third.

    ``rows`` are those of :func:`music_genre.analysis.table1.compared`. What is missing of a row is
    left out.
    """
    fig = Figure(figsize=(0.85 * WIDTH, 1.1 + 0.75 * len(rows)), layout="constrained")
    ax = fig.subplots()
    at = np.arange(len(rows))
    for y in at[:-1] + 0.5:
        ax.axhline(y, color=LINE, lw=1, zorder=0)
    for column, (ends, words, look, place) in _LINES.items():
        values = rows[column]
        bars = None
        if ends is not None and rows[list(ends)].notna().any(axis=None):
            bars = [values - rows[ends[0]], rows[ends[1]] - values]
        ax.errorbar(values, at + place, xerr=bars, mew=1.8, lw=2.2, capsize=4, **look)
        _name(ax, rows, column, place, words, (ends or (column, column)))
    ax.set(xlim=(0, 100), ylim=(len(rows) - 0.45, -0.55), yticks=at)
    ax.set_yticklabels([f"row {name}" for name in rows.index], fontsize=13)
    ax.tick_params(axis="x", labelsize=12.5)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("accuracy [%]", fontsize=13)
    sns.despine(fig, left=True)
    return fig


def _name(ax, rows, column, place, words, ends) -> None:
    """Write what a marker means beside the first one that there is, where there is room for it."""
    shown = rows[[column, *ends]][rows[column].notna()]
    if shown.empty:
        return
    number = rows.index.get_loc(shown.index[0])
    left, right = shown.iloc[0].min(), shown.iloc[0].max()
    on_right = right < 55
    ax.annotate(words, (right if on_right else left, number + place), color=INK, fontsize=13,
                xytext=(12 if on_right else -12, 0), textcoords="offset points",
                ha="left" if on_right else "right", va="center")  # fmt: skip


def scores(rows: pd.DataFrame) -> Figure:
    """Draw precision, recall, F1 and accuracy of each row: the paper's outlined, ours filled.

    ``rows`` [index=row name] has a column of each score and, where the paper reports it, a
    column ``paper <score>``.
    """
    fig = Figure(figsize=(0.85 * WIDTH, 6.4), layout="constrained")
    axes = fig.subplots(2, 2, sharex=True, sharey=True).ravel()
    at = np.arange(len(rows))
    for ax, name in zip(axes, NAMES, strict=True):
        ax.vlines(at, rows[name], rows[f"paper {name}"], color=LINE, lw=2, zorder=0)
        ax.plot(at, rows[name], "o", color=OURS, ms=8)
        ax.plot(at, rows[f"paper {name}"], "D", mfc=BACKGROUND, mec=INK, mew=1.5, ms=8)
        ax.set_title(name.replace("f1", "F1"), fontsize=12, loc="left")
        ax.set(xticks=at, xticklabels=rows.index, ylim=(0, 100), xlim=(-0.5, len(rows) - 0.5))
        ax.tick_params(labelsize=12)
        ax.grid(axis="y")
    for ax in axes[2:]:
        ax.set_xlabel("row", fontsize=12)
    for ax in axes[::2]:
        ax.set_ylabel("per cent", fontsize=12)
    handles = axes[0].lines
    axes[0].legend(handles, ["ours", "the paper"], loc="lower right", frameon=False, fontsize=12)
    sns.despine(fig)
    return fig
