"""Table II as a picture: every row on every split, and what others published."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from music_genre.data.splits import SPLITS
from music_genre.report.figures.style import INK, LINE, SOFT, WIDTH

_MARKERS = dict(zip(SPLITS, ("o", "s", "D"), strict=False))
_APART = 0.24  # the lines of two splits, of the distance between two rows


def by_row(
    scores: pd.DataFrame, published: Mapping[str, Mapping[str, tuple]], *, bold: str = ""
) -> Figure:
    """Draw each row's accuracy on every split with its 95 % interval, the best on top.

    Parameters
    ----------
    scores : DataFrame [shape=(n_rows_of_all_splits, 6)]
        split, model, accuracy, low, high, in per cent, and how many trainings are ``broken``; the
        strictest split, which orders the models, last. An asterisk marks what is broken.
    published
        By split, other people's accuracies by model, in per cent: drawn hollow, in lines of their
        own below.
    """
    splits = list(dict.fromkeys(scores["split"]))
    ordered = [
        model
        for split in reversed(splits)
        for model in scores[scores["split"] == split].sort_values("accuracy")["model"][::-1]
    ]
    models = list(dict.fromkeys(ordered))
    others = [
        (split, model, of[0]) for split in splits for model, of in published.get(split, {}).items()
    ]
    lines = len(models) + len(others)
    fig = Figure(
        figsize=(WIDTH, 1.2 + len(models) * 0.55 + len(others) * 0.35), layout="constrained"
    )
    ax = fig.subplots()
    for at in range(0, lines, 2):
        ax.axhspan(at - 0.5, at + 0.5, color=LINE, alpha=0.3, lw=0, zorder=0)
    for i, split in enumerate(splits):
        own = scores[scores["split"] == split].set_index("model")
        own = own.loc[[model for model in models if model in own.index]]
        y = np.array([models.index(model) for model in own.index])
        y = y + (i - (len(splits) - 1) / 2) * _APART
        ends = np.clip([own["accuracy"] - own["low"], own["high"] - own["accuracy"]], 0, None)
        ax.errorbar(own["accuracy"], y, xerr=ends, fmt=_MARKERS.get(split, "o"), ms=5, lw=1.6,
                    color=SPLITS[split].color, label=f"split by {split}")  # fmt: skip
        for at, one in zip(y, own.itertuples(), strict=True):
            text = f"{one.accuracy:.1f}{'*' if one.broken else ''}"
            ax.annotate(text, (one.high, at), (4, 0), textcoords="offset points",
                        va="center", fontsize=9, color=SOFT)  # fmt: skip
    for at, (split, _, accuracy) in enumerate(others, start=len(models)):
        ax.plot(accuracy, at, _MARKERS.get(split, "o"), ms=7, mfc="none", mew=1.6,
                color=SPLITS[split].color)  # fmt: skip
        ax.annotate(f"{accuracy:g}", (accuracy, at), (8, 0), textcoords="offset points",
                    va="center", fontsize=10, color=SOFT)  # fmt: skip
    names = [*models, *(f"published: {model}" for _, model, _ in others)]
    ax.set(yticks=range(lines), yticklabels=names, ylim=(lines - 0.5, -0.5), xlim=(0, 106),
           xlabel="accuracy [%]")  # fmt: skip
    if others:
        ax.axhline(len(models) - 0.5, color=INK, lw=0.8)
    ax.tick_params(axis="y", length=0)
    ax.tick_params(axis="x", top=True, labeltop=True)
    ax.grid(axis="x", color=LINE, lw=0.6)
    ax.set_axisbelow(True)
    for label in ax.get_yticklabels():
        label.set_fontweight("bold" if label.get_text() == bold else "normal")
    fig.legend(loc="outside upper center", ncols=len(splits), frameon=False)
    sns.despine(fig, left=True)
    return fig
