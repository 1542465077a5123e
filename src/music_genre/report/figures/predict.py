"""Figures of the notebook `predict`."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from music_genre.report.figures.style import (
    BACKGROUND,
    INK,
    LINE,
    OURS,
    SOFT,
    WIDTH,
    genre_colors,
)

_LEAST = 0.1  # a genre's highest probability, from which on its colour is explained
_ROOM = 0.012  # of the width: what a letter takes


def clock(seconds: float) -> str:
    """Return a time in a track as players show it: ``1:05``, ``1:00:05``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def probabilities(genres: list[str], whole: np.ndarray, *, threshold: float | None) -> Figure:
    """Draw a track's probabilities as bars, the likeliest on top, and the threshold as a line."""
    order = np.argsort(whole, kind="stable")
    colors = genre_colors(genres)
    fig = Figure(figsize=(WIDTH, 0.6 + 0.28 * len(genres)), layout="constrained")
    ax = fig.subplots()
    shown = [genres[i] for i in order]
    bars = ax.barh(range(len(order)), 100 * whole[order], color=[colors[name] for name in shown])
    ax.bar_label(bars, fmt="%.0f %%", padding=4, color=INK)
    if threshold is not None:
        ax.axvline(100 * threshold, color=SOFT, ls="--", lw=1)
        ax.text(100 * threshold, len(order) - 0.4, "threshold", color=SOFT, ha="center",
                va="bottom", fontsize="small")  # fmt: skip
    ax.set(yticks=range(len(order)), yticklabels=shown, xlim=(0, 106), xlabel="probability [%]")
    sns.despine(ax=ax)
    return fig


def over_time(
    each: np.ndarray, genres: list[str], stretches: pd.DataFrame, *, marked: dict[str, int]
) -> Figure:
    """Draw the probabilities of a track's segments over time, and under them the likeliest genre.

    Parameters
    ----------
    each
        [shape=(n_segments, n_genres)]
    stretches
        As :func:`music_genre.analysis.predict.stretches` returns them.
    marked
        Segments to point at, by what is said of them.
    """
    colors = genre_colors(genres)
    end = 3 * len(each)
    fig = Figure(figsize=(WIDTH, 3.6), layout="constrained")
    above, below = fig.subplots(2, sharex=True, height_ratios=[5, 1])
    edges = 3 * np.arange(len(each) + 1)
    shares = 100 * np.vstack([each, each[-1:]]).T
    above.stackplot(edges, shares, step="post", colors=colors.values(), lw=0)
    above.set(ylim=(0, 100), xlim=(0, end), ylabel="probability [%]")
    near = np.ptp(list(marked.values())) < len(each) / 4  # one word above the other
    for i, (says, segment) in enumerate(marked.items()):
        at, height = 3 * segment + 1.5, 22 if near and i else 9
        side = "left" if at < end / 4 else "right" if at > 3 * end / 4 else "center"
        above.annotate(says, (at, 100), xytext=(0, height), textcoords="offset points", ha=side,
                       color=INK, fontsize="small", annotation_clip=False)  # fmt: skip
        above.annotate("", (at, 100), xytext=(0, height), textcoords="offset points",
                       arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 0.8},
                       annotation_clip=False)  # fmt: skip
    _strip(below, stretches, genres, colors, end)
    named = {*stretches["code"], *np.flatnonzero(each.max(axis=0) >= _LEAST)}
    handles = [above.fill_between([], [], color=colors[genres[code]]) for code in sorted(named)]
    fig.legend(handles, [genres[code] for code in sorted(named)], loc="outside right center",
               frameon=False)  # fmt: skip
    return fig


def _strip(
    ax: Axes, stretches: pd.DataFrame, genres: list[str], colors: dict[str, str], end: int
) -> None:
    for row in stretches.itertuples(index=False):
        start, stop, code = row
        name = genres[code]
        ax.broken_barh([(start, stop - start)], (0, 1), color=colors[name], lw=0)
        if len(name) * _ROOM * end < stop - start:
            ax.text((start + stop) / 2, 0.5, name, ha="center", va="center", fontsize="small",
                    color=INK, bbox={"boxstyle": "round,pad=0.15", "facecolor": BACKGROUND,
                                     "edgecolor": "none", "alpha": 0.8})  # fmt: skip
    ax.set(ylim=(0, 1), yticks=[], xlabel="time")
    ax.xaxis.set_major_formatter(lambda seconds, _: clock(seconds))
    ax.xaxis.get_major_locator().set_params(integer=True, steps=[1, 1.5, 3, 6, 10])
    sns.despine(ax=ax, left=True)


def farthest(features: pd.DataFrame) -> Figure:
    """Draw how far some inputs of a track are from the training data's mean.

    Parameters
    ----------
    features
        As :func:`music_genre.analysis.predict.farthest` returns them.
    """
    fig = Figure(figsize=(WIDTH, 0.6 + 0.28 * len(features)), layout="constrained")
    ax = fig.subplots()
    shown = features.iloc[::-1]
    widest = max(3.0, shown["deviation"].abs().max())
    ax.axvspan(-2, 2, color=LINE, alpha=0.5, lw=0)
    ax.axvline(0, color=SOFT, lw=1)
    bars = ax.barh(shown["feature"], shown["deviation"], color=OURS)
    ax.bar_label(bars, fmt="%+.1f", padding=4, color=INK)
    ax.set(xlim=(-1.15 * widest, 1.15 * widest), xlabel="standard deviations from the mean")
    sns.despine(ax=ax)
    return fig
