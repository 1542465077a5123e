"""How sure the model for use is, how often that is right, and what it leaves unsaid."""

from collections.abc import Mapping

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from music_genre.report.figures.style import BACKGROUND, OURS, PAPER, SOFT, TEST, WIDTH


def reliability(before: pd.DataFrame, after: pd.DataFrame) -> Figure:
    """Draw accuracy over confidence, without and with the temperature.

    Both are bins of :func:`music_genre.metrics.calibration.reliability`, of tracks. A point's area
    grows with the tracks in its bin.
    """
    fig = Figure(figsize=(WIDTH, 0.5 * WIDTH), layout="constrained")
    ax = fig.subplots()
    ax.plot([0, 100], [0, 100], color=SOFT, ls="--", lw=1.5, label="as often right as sure")
    for bins, label, colour, face in (
        (before, "before", PAPER, BACKGROUND),
        (after, "with the temperature", OURS, OURS),
    ):
        ax.plot(bins["confidence"], bins["accuracy"], color=colour, lw=1.5)
        ax.scatter(bins["confidence"], bins["accuracy"],
                   30 + 220 * bins["segments"] / bins["segments"].max(), facecolor=face,
                   edgecolor=colour, lw=2, label=label, zorder=3, clip_on=False)  # fmt: skip
    ax.set(xlim=(0, 100), ylim=(0, 100))
    ax.set_title("tracks that are right [%]", fontsize=12, loc="left", pad=12)
    ax.set_xlabel("probability of the track's likeliest genre [%]", fontsize=12)
    ax.tick_params(labelsize=12)
    legend = ax.legend(loc="upper left", frameon=False, fontsize=12)
    for points in legend.legend_handles[1:]:
        points.set_sizes([80])
    sns.despine(fig)
    return fig


def coverage(curves: Mapping[str, pd.DataFrame], threshold: float | None, *, sure: float) -> Figure:
    """Draw how many tracks are right over how many are answered, the surest first.

    Parameters
    ----------
    curves
        Those of :func:`music_genre.metrics.calibration.coverage`, by name.
    threshold
        Marked on each curve, if there is one.
    sure
        The share of right tracks that the threshold was to give, in per cent: a line.
    """
    fig = Figure(figsize=(WIDTH, 0.42 * WIDTH), layout="constrained")
    ax = fig.subplots()
    ax.axhline(sure, color=SOFT, ls="--", lw=1.2, label=f"{sure:.0f} % right")
    for (name, curve), colour in zip(curves.items(), (OURS, TEST), strict=True):
        ax.plot(curve["covered"], curve["accuracy"], color=colour, lw=2, label=name)
        at = curve[curve["threshold"] >= (2 if threshold is None else threshold)].head(1)
        ax.plot(at["covered"], at["accuracy"], "o", color=colour, ms=10, clip_on=False)
    ax.set(xlim=(0, 100), ylim=(0, 102))
    ax.set_title("of these, right [%]", fontsize=12, loc="left", pad=12)
    ax.set_xlabel("tracks that are as sure, the surest first [%]", fontsize=12)
    ax.tick_params(labelsize=12)
    ax.legend(loc="lower left", frameon=False, fontsize=12)
    sns.despine(fig)
    return fig
