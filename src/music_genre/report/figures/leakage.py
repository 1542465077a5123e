"""Accuracies of all models, on all splits and over folds."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from music_genre.data.splits import SPLITS
from music_genre.report.figures.style import INK, LINE, SOFT, WIDTH

_MARKERS = dict(zip(SPLITS, ("o", "s", "D", "^", "v"), strict=False))
_APART = 0.25  # the lines of two splits, of the distance between two models
_LETTER = 1.2  # per cent: the width of a label's letter
_ENDS = -2.0, 104.0  # per cent: what lies at 0 or at 100 is seen whole


def by_split(scores: pd.DataFrame, paper: float | None = None, *, bold: str = "") -> Figure:
    """Draw each model's accuracy on its splits with its 95 % interval, a marker for each split.

    ``scores`` are those of :func:`music_genre.analysis.leakage.scores`, the loosest split first.
    Models are in the order of the strictest split, the best on top; ``bold`` is one of them.
    ``paper`` is drawn as a line.
    """
    splits = list(dict.fromkeys(scores["split"]))
    strictest = scores[scores["split"] == splits[-1]].set_index("model")["accuracy"]
    strictest = strictest.reindex(dict.fromkeys(scores["model"]))
    models = strictest.sort_values(ascending=False, kind="stable", na_position="last").index
    fig, ax = _banded(models, len(splits), bold)
    for split, y in _lines(splits, models):
        own = scores[scores["split"] == split].set_index("model").reindex(models)
        ends = [own["accuracy"] - own["low"], own["high"] - own["accuracy"]]
        ax.errorbar(own["accuracy"], y, xerr=np.clip(ends, 0, None), fmt=_MARKERS.get(split, "o"),
                    ms=6, lw=1.8, color=SPLITS[split].color)  # fmt: skip
        for at, (_, one) in zip(y, own.iterrows(), strict=True):
            if np.isnan(one["accuracy"]):
                continue
            text = f"{one['accuracy']:.1f}" + (f" by {split}" if at < 0.5 else "")
            if paper is not None and one["high"] < paper < one["high"] + len(text) * _LETTER:
                _label(ax, one["low"], at, text, right=False)  # the paper's line is in its way
            else:
                _label(ax, one["high"], at, text)
    if paper is not None:
        ax.axvline(paper, color=INK, lw=1.2, ls="--", zorder=1)
        ax.annotate(f"the paper: {paper:.2f}", (paper, 1), (0, 3), ha="center", va="bottom",
                    xycoords=("data", "axes fraction"), textcoords="offset points",
                    fontsize=11)  # fmt: skip
    return fig


def over_folds(folds: pd.DataFrame) -> Figure:
    """Draw what :func:`music_genre.models.crossvalidation.over_folds` returns: mean and SD."""
    models, splits = list(dict.fromkeys(folds["model"])), list(dict.fromkeys(folds["split"]))
    fig, ax = _banded(models, len(splits))
    for split, y in _lines(splits, models):
        own = folds[folds["split"] == split].set_index("model").loc[models]
        ax.errorbar(own["mean"], y, xerr=own["SD"], fmt=_MARKERS.get(split, "o"), ms=6, lw=1.8,
                    color=SPLITS[split].color)  # fmt: skip
        for at, mean, deviation in zip(y, own["mean"], own["SD"], strict=True):
            text = f"{mean:.1f} ± {deviation:.1f}" + (f" by {split}" if at < 0.5 else "")
            _label(ax, mean + deviation, at, text)
    return fig


def _banded(models: list[str] | pd.Index, splits: int, bold: str = "") -> tuple[Figure, Axes]:
    """Return axes with a line for each model, the first on top, every other one on a band."""
    fig = Figure(figsize=(WIDTH, 0.9 + len(models) * (0.15 + 0.22 * splits)), layout="constrained")
    ax = fig.subplots()
    for at in range(0, len(models), 2):
        ax.axhspan(at - 0.5, at + 0.5, color=LINE, alpha=0.3, lw=0, zorder=0)
    ax.set(yticks=range(len(models)), yticklabels=models, xlim=_ENDS, xlabel="accuracy [%]",
           ylim=(len(models) - 0.5, -0.5))  # fmt: skip
    ax.tick_params(labelsize=12)
    ax.tick_params(axis="y", length=0)
    ax.xaxis.label.set_size(12)
    for label in ax.get_yticklabels():
        label.set_fontweight("bold" if label.get_text() == bold else "normal")
    sns.despine(fig, left=True)
    return fig, ax


def _lines(splits: list[str], models: list[str] | pd.Index) -> list[tuple[str, np.ndarray]]:
    """Return each split with the heights at which its points lie, the first split on top."""
    middle = (len(splits) - 1) / 2
    return [
        (split, np.arange(len(models)) + (i - middle) * _APART) for i, split in enumerate(splits)
    ]


def _label(ax: Axes, x: float, y: float, text: str, *, right: bool = True) -> None:
    ax.annotate(text, (x, y), (6 if right else -6, 0), textcoords="offset points", va="center",
                ha="left" if right else "right", fontsize=11, color=SOFT)  # fmt: skip
