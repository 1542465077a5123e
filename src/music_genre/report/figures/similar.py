"""How many of the nearest tracks have the query's genre, and which tracks are in many lists."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from music_genre.analysis.similar import SCALED, STATE
from music_genre.report.figures.style import INK, LINE, OURS, PAPER, SOFT, TEST, WIDTH

COLORS = {STATE: OURS, SCALED: TEST}
MARKERS = {STATE: "o", SCALED: "s"}
_APART = 0.36  # the lines of two spaces, of the distance between two rows
_BINS = 30


def precision(lines: pd.DataFrame, rows: str) -> Figure:
    """Draw precision with its 95 % interval for each row and space, and what chance gives.

    Parameters
    ----------
    lines
        The column named ``rows``, the text of each row, the first on top; space, precision, low,
        high and chance, in per cent.
    """
    names = list(dict.fromkeys(lines[rows]))
    spaces = list(dict.fromkeys(lines["space"]))
    fig = Figure(figsize=(WIDTH, 1.3 + 0.5 * len(names)), layout="constrained")
    ax = fig.subplots()
    _bands(ax, len(names))
    for i, space in enumerate(spaces):
        own = lines[lines["space"] == space]
        y = np.array([names.index(name) for name in own[rows]]) + _APART * (
            i - (len(spaces) - 1) / 2
        )
        ends = [own["precision"] - own["low"], own["high"] - own["precision"]]
        ax.errorbar(own["precision"], y, xerr=np.clip(ends, 0, None), fmt=MARKERS[space], ms=6,
                    lw=1.8, color=COLORS[space], label=f"by {space}")  # fmt: skip
        for at, one in zip(y, own.itertuples(), strict=True):
            right = one.high if np.isfinite(one.high) else one.precision
            ax.annotate(f"{one.precision:.1f}", (right, at), (6, 0), textcoords="offset points",
                        va="center", fontsize=11, color=SOFT, annotation_clip=False)  # fmt: skip
    chance = lines.drop_duplicates(rows)
    ax.scatter(chance["chance"], range(len(names)), marker="|", s=420, lw=2, color=PAPER, zorder=1,
               label="drawn at random")  # fmt: skip
    ax.set(yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.5, -0.5),
           xlim=(-2, 106), xticks=range(0, 101, 20),
           xlabel="nearest tracks that have the query's genre [%]")  # fmt: skip
    ax.tick_params(labelsize=12)
    ax.tick_params(axis="y", length=0)
    ax.xaxis.label.set_size(12)
    fig.legend(loc="outside upper center", ncols=3, frameon=False)
    sns.despine(fig, left=True)
    return fig


def occurrences(counts: pd.DataFrame, expected: Sequence[float]) -> Figure:
    """Draw how many tracks stand in how many lists, a panel for each space.

    Parameters
    ----------
    counts : DataFrame [shape=(n_tracks, n_spaces), index=track]
        In how many lists each track stands.
    expected
        How many tracks stand in 0, 1, 2, ... lists drawn at random.
    """
    most = int(counts.to_numpy().max())
    width = max(1, -(-(most + 1) // _BINS))
    edges = np.arange(0, most + width + 1, width) - 0.5
    fig = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    panels = fig.subplots(1, counts.shape[1], squeeze=False, sharey=True)[0]
    summed = np.histogram(np.arange(len(expected)), bins=edges, weights=expected)[0]
    for ax, (space, of) in zip(panels, counts.items(), strict=True):
        ax.hist(of, bins=edges, color=COLORS[space], linewidth=0, label="measured")
        ax.stairs(summed, edges, color=INK, lw=1.4, label="drawn at random")
        ax.set(title=f"by {space}", xlabel="lists that a track is in")
        ax.grid(axis="y", lw=0.6)
    panels[0].set_ylabel("tracks")
    panels[-1].legend(frameon=False)
    sns.despine(fig)
    return fig


def _bands(ax: Axes, rows: int) -> None:
    for at in range(0, rows, 2):
        ax.axhspan(at - 0.5, at + 0.5, color=LINE, alpha=0.3, lw=0, zorder=0)
