"""What one run gets right: by genre, and by how sure it was."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from music_genre.report.figures.style import BACKGROUND, INK, LINE, OURS, SCORES, SOFT, WIDTH

_MARKERS = {"precision": "^", "recall": "s", "f1": "o"}
_LIGHT = 0.5  # shares from which the cells are so dark that their numbers are white


def confusion(counts: pd.DataFrame) -> Figure:
    """Draw a confusion matrix: segments as numbers, the share of the true genre as colour.

    A cell without a segment is empty.
    """
    shares = counts.div(counts.sum(axis=1), axis=0).fillna(0).to_numpy()
    side = min(0.85 * WIDTH, 3 + 0.55 * len(counts))
    size = 13 * min(1, 10 / len(counts))
    fig = Figure(figsize=(side, 0.86 * side), layout="constrained")
    ax = fig.subplots()
    sns.heatmap(shares, cmap="Blues", vmin=0, vmax=1, ax=ax, cbar=False, linewidths=1,
                linecolor=LINE, clip_on=False, xticklabels=True, yticklabels=True)  # fmt: skip
    for (i, j), share in np.ndenumerate(shares):
        if number := counts.iat[i, j]:
            ax.text(j + 0.5, i + 0.5, f"{number}", ha="center", va="center", fontsize=size,
                    color="#ffffff" if share >= _LIGHT else "#111111")  # fmt: skip
    words = {"fontsize": max(8, min(size, 12.5))}
    ax.set_xticklabels(counts.columns, rotation=45, ha="right", rotation_mode="anchor", **words)
    ax.set_yticklabels(counts.index, rotation=0, **words)
    ax.tick_params(length=0)
    ax.set_xlabel("predicted", **words)
    ax.set_ylabel("true", **words)
    return fig


def per_genre(scores: pd.DataFrame) -> Figure:
    """Draw precision, recall and F1 of each genre, the highest F1 on top, with its segments.

    ``scores`` are those of :func:`music_genre.metrics.classification.per_genre`.
    """
    scores = scores.sort_values("f1", ascending=False, kind="stable")
    at = np.arange(len(scores))
    fig = Figure(figsize=(0.85 * WIDTH, 1.2 + 0.42 * len(scores)), layout="constrained")
    ax = fig.subplots()
    values = scores[list(_MARKERS)]
    ax.hlines(at, values.min(axis=1), values.max(axis=1), color=LINE, lw=3, zorder=0)
    for name, marker in _MARKERS.items():
        ax.plot(scores[name], at, marker, color=SCORES[name], ms=9, label=name.replace("f1", "F1"),
                mfc=SCORES[name] if name == "f1" else BACKGROUND, mew=2, clip_on=False)  # fmt: skip
    ax.set(xlim=(min(values.min(axis=None), 60) - 5, 100), ylim=(len(scores) - 0.5, -0.5))
    ax.set_yticks(at, scores["genre"], fontsize=12.5)
    counts = ax.secondary_yaxis("right")
    counts.set_yticks(at, [f"{n:,}" for n in scores["segments"]], fontsize=12, color=SOFT)
    counts.set_ylabel("segments", fontsize=12, color=SOFT)
    for axis in (ax, counts):
        axis.tick_params(axis="y", length=0)
    counts.spines["right"].set_visible(False)
    ax.tick_params(axis="x", labelsize=12)
    ax.set_xlabel("per cent", fontsize=12)
    ax.grid(axis="x")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False, fontsize=12)
    sns.despine(fig, left=True)
    return fig


def reliability(bins: pd.DataFrame) -> Figure:
    """Draw accuracy over confidence, with the number of segments in each bin.

    ``bins`` are those of :func:`music_genre.metrics.calibration.reliability`.
    """
    fig = Figure(figsize=(0.85 * WIDTH, 6), layout="constrained")
    ax, below = fig.subplots(2, 1, sharex=True, height_ratios=[3.2, 1])
    ax.plot([0, 100], [0, 100], color=SOFT, ls="--", lw=1.5)
    ax.text(48, 53, "as often right as sure", color=INK, fontsize=12, ha="right", va="bottom")
    ax.vlines(bins["confidence"], bins["confidence"], bins["accuracy"], color=LINE, lw=2.5)
    sizes = 40 + 300 * bins["segments"] / bins["segments"].max()
    ax.scatter(bins["confidence"], bins["accuracy"], sizes, color=OURS, clip_on=False, zorder=3)
    ax.set(xlim=(0, 100), ylim=(0, 100))
    ax.set_title("accuracy [%]", fontsize=12, loc="left", pad=12)
    width = bins["high"] - bins["low"]
    below.bar(bins["low"], bins["segments"], 0.9 * width, align="edge", color=OURS, ec="none")
    for low, step, number in zip(bins["low"], width, bins["segments"], strict=True):
        below.annotate(f"{number:,}", (low + 0.45 * step, number), (0, 2), ha="center", va="bottom",
                       textcoords="offset points", fontsize=11, color=INK)  # fmt: skip
    below.set_title("segments in each bin", fontsize=12, loc="left", pad=12)
    below.set_yticks([])
    below.set_xlabel("confidence in the predicted genre [%]", fontsize=12)
    for axis in (ax, below):
        axis.tick_params(labelsize=12)
    sns.despine(fig)
    sns.despine(ax=below, left=True)
    return fig
