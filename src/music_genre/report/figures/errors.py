"""Where the errors fall, and which inputs the network relies on."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from music_genre.report.figures.style import BACKGROUND, INK, OURS, TEST, WIDTH

# Of a track's tested segments, those that are classified correctly: colour, opacity.
SHARES = {
    "none correct": (TEST, 1.0),
    "fewer than half": (TEST, 0.4),
    "half or more": (OURS, 0.4),
    "all correct": (OURS, 1.0),
}


def tracks(shares: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw how much of each genre's tracks is classified correctly, the splits side by side.

    Parameters
    ----------
    shares
        By the panel's title, what :func:`music_genre.analysis.errors.track_shares` returns.
    """
    most = max(map(len, shares.values()))
    fig = Figure(figsize=(WIDTH, 1.3 + 0.36 * most), layout="constrained")
    panels = fig.subplots(1, len(shares), squeeze=False, sharey=True)[0]
    for ax, (title, counts) in zip(panels, shares.items(), strict=True):
        parts = 100 * counts.div(counts.sum(axis=1), axis=0)
        left = np.zeros(len(parts))
        for share, (color, opacity) in SHARES.items():
            bars = ax.barh(range(len(parts)), parts[share], left=left, color=color, alpha=opacity,
                           height=0.8, linewidth=0, label=share)  # fmt: skip
            numbers = [f"{n:,}" if part >= 7 else "" for n, part in
                       zip(counts[share], parts[share], strict=True)]  # fmt: skip
            ax.bar_label(bars, numbers, label_type="center",
                         color=BACKGROUND if opacity == 1 else INK)  # fmt: skip
            left += parts[share].to_numpy()
        ax.set_yticks(range(len(counts)), counts.index)
        ax.set(title=title, xlabel="tracks of the genre [%]", xlim=(0, 100))
        ax.tick_params(axis="y", length=0)
    panels[0].invert_yaxis()
    handles, _ = panels[0].get_legend_handles_labels()
    fig.legend(handles, [f"segments of the track: {name}" if not i else name
                         for i, name in enumerate(SHARES)],
               loc="outside upper center", ncols=4, frameon=False, columnspacing=1.2)  # fmt: skip
    sns.despine(fig, left=True)
    return fig


def faults(measured: pd.DataFrame) -> Figure:
    """Draw by how much the accuracy differs with each fault, with its interval.

    Parameters
    ----------
    measured
        What :func:`music_genre.analysis.errors.faults` returns, by ``split``.
    """
    kinds = list(measured["fault"].unique())
    lines = measured.sort_values("fault", key=lambda fault: fault.map(kinds.index), kind="stable")
    places = range(len(lines))
    fig = Figure(figsize=(WIDTH, 1.0 + 0.36 * len(lines)), layout="constrained")
    ax = fig.subplots()
    lower = (lines["differs"] & (lines["difference"] < 0)).to_numpy()
    colors = np.where(lower, TEST, OURS)
    ax.axvline(0, color=INK, lw=1)
    ax.hlines(places, lines["difference low"], lines["difference high"], color=colors, lw=2)
    ax.scatter(lines["difference"], places, color=colors, zorder=3)
    ax.set_yticks(places, [f"{line.fault}, by {line.split} ({line.tracks:,} tracks)"
                           for line in lines.itertuples()])  # fmt: skip
    ax.set(ylim=(len(lines) - 0.5, -0.5),
           xlabel="accuracy with the fault less that without it [percentage points]")  # fmt: skip
    ax.grid(axis="x", lw=0.6)
    ax.tick_params(axis="y", length=0)
    sns.despine(fig, left=True)
    return fig


def importance(drops: pd.DataFrame) -> Figure:
    """Draw the drops of :mod:`music_genre.analysis.importance`, the largest on top."""
    fig = Figure(figsize=(WIDTH, 0.7 + 0.28 * len(drops)), layout="constrained")
    ax = fig.subplots()
    ax.barh(drops["input"], drops["drop"], xerr=drops["SD"], color=OURS, ecolor=INK, linewidth=0)
    ax.axvline(0, color=INK, lw=1)
    ax.invert_yaxis()
    ax.margins(y=0.01)
    ax.set_xlabel("accuracy lost when shuffled, mean and SD [percentage points]")
    sns.despine(fig)
    return fig
