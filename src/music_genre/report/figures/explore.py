"""Clips over time, and the number of segments of each genre."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from music_genre.data.sample import ENVELOPE_HOP, MEASURE_HOP, Measures
from music_genre.report.figures.style import INK, OURS, WIDTH, genre_colors


def workflow(steps: Sequence[str]) -> Figure:
    """Draw steps as boxes in reading order, four to a line, joined by arrows."""
    across, width, height = 4, 0.74, 0.6
    down = math.ceil(len(steps) / across)
    fig = Figure(figsize=(WIDTH, 1.1 * down))
    ax = fig.subplots()
    ax.set(xlim=(-0.5, across - 0.5), ylim=(down - 0.5, -0.5))
    ax.axis("off")
    places = [(i % across, i // across) for i in range(len(steps))]
    for step, (x, y) in zip(steps, places, strict=True):
        corner = (x - width / 2, y - height / 2)
        ax.add_patch(Rectangle(corner, width, height, facecolor="#eef4f8", edgecolor=OURS))
        ax.text(x, y, step, ha="center", va="center", linespacing=1.5)
    for (x0, y0), (x1, y1) in zip(places, places[1:], strict=False):
        corners = [(x0 + width / 2, y0), (x1 - width / 2, y1)]
        if y0 != y1:  # to the next line: down, back to its beginning, down
            middle = (y0 + y1) / 2
            corners = [(x0, y0 + height / 2), (x0, middle), (x1, middle), (x1, y1 - height / 2)]
            ax.plot(*zip(*corners[:-1], strict=True), color=INK, lw=1)
        arrow = {"arrowstyle": "-|>", "color": INK, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", xy=corners[-1], xytext=corners[-2], arrowprops=arrow)
    return fig


def waveforms(clips: dict[str, Measures]) -> Figure:
    """Draw each clip's waveform as its lowest and highest sample over time."""
    fig, axes = _grid(clips)
    for ax, (clip, measures) in zip(axes, clips.items(), strict=True):
        low, high = measures["envelope"]
        seconds = np.arange(len(low)) * ENVELOPE_HOP
        ax.fill_between(seconds, low, high, color=OURS, linewidth=0)
        ax.set(title=clip, ylim=(-1.05, 1.05), xlim=(0, seconds[-1]))
    return _label(fig, x="time [s]", y="amplitude")


def spectrograms(clips: dict[str, Measures]) -> Figure:
    """Draw each clip's mel spectrogram in dB below its loudest cell."""
    fig, axes = _grid(clips)
    for ax, (clip, measures) in zip(axes, clips.items(), strict=True):
        mesh = _over_time(ax, measures["mel"], cmap="magma", vmin=-80, vmax=0)
        ax.set_title(clip)
    fig.colorbar(mesh, ax=axes, label="dB", fraction=0.02, pad=0.01)
    return _label(fig, x="time [s]", y="mel band")


def chromagrams(clips: dict[str, Measures]) -> Figure:
    """Draw each clip's chroma CENS: how the energy falls on the twelve pitch classes."""
    fig, axes = _grid(clips)
    for ax, (clip, measures) in zip(axes, clips.items(), strict=True):
        mesh = _over_time(ax, measures["chroma_cens"], cmap="viridis", vmin=0, vmax=1)
        ax.set(title=clip, yticks=[0.5, 4.5, 7.5], yticklabels=["C", "E", "G"])
    fig.colorbar(mesh, ax=axes, label="share", fraction=0.02, pad=0.01)
    return _label(fig, x="time [s]", y="pitch class")


def descriptors(clips: dict[str, Measures], genre_of: dict[str, str]) -> Figure:
    """Draw centroid, rolloff and zero-crossing rate over time, a colour for each genre."""
    panels = {"centroid": "Hz", "rolloff": "Hz", "zero_crossing_rate": "crossings per sample"}
    colors = genre_colors(sorted(genre_of.values()))
    fig = Figure(figsize=(WIDTH, 5.5), layout="constrained")
    axes = fig.subplots(len(panels), 1, sharex=True)
    for ax, (name, unit) in zip(axes, panels.items(), strict=True):
        for clip, measures in clips.items():
            values = pd.Series(measures[name][0]).rolling(10, min_periods=1).mean()
            seconds = np.arange(len(values)) * MEASURE_HOP
            ax.plot(seconds, values, color=colors[genre_of[clip]], label=genre_of[clip], lw=1.3)
        ax.set(title=name.replace("_", " "), ylabel=unit, xlim=(0, seconds[-1]))
    axes[-1].set_xlabel("time [s], moving average over 1 s")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside right upper", frameon=False)
    sns.despine(fig)
    return fig


def cepstra(clips: dict[str, Measures]) -> Figure:
    """Draw each clip's MFCC 2 to 20; the first, which reflects loudness, would hide the rest."""
    fig, axes = _grid(clips)
    for ax, (clip, measures) in zip(axes, clips.items(), strict=True):
        mesh = _over_time(ax, measures["mfcc"][1:], cmap="vlag", vmin=-50, vmax=50)
        ax.set(title=clip, yticks=[0.5, 8.5, 18.5], yticklabels=["2", "10", "20"])
    fig.colorbar(mesh, ax=axes, label="coefficient", fraction=0.02, pad=0.01)
    return _label(fig, x="time [s]", y="MFCC")


def genre_shares(counts: pd.Series) -> Figure:
    """Draw the number of segments per genre as the paper's pie and as bars from zero."""
    colors = list(genre_colors(list(counts.index)).values())
    fig = Figure(figsize=(WIDTH, 3.6), layout="constrained")
    pie, bars = fig.subplots(1, 2, width_ratios=[1, 1.3])
    pie.pie(counts, labels=list(counts.index), colors=colors, autopct="%.1f%%", pctdistance=0.8,
            textprops={"fontsize": 8}, wedgeprops={"edgecolor": "white"})  # fmt: skip
    bars.barh(range(len(counts)), counts, color=colors)
    bars.set_yticks(range(len(counts)), counts.index)
    bars.bar_label(bars.containers[0], fmt="{:,.0f}", padding=3)
    bars.invert_yaxis()
    bars.set(xlabel="segments", xlim=(0, counts.max() * 1.12))
    sns.despine(ax=bars)
    return fig


def _grid(clips: dict[str, Measures]) -> tuple[Figure, list[Axes]]:
    down = math.ceil(len(clips) / 2)
    fig = Figure(figsize=(WIDTH, 1.5 * down), layout="constrained")
    axes = list(fig.subplots(down, 2, sharex=True, sharey=True, squeeze=False).flat)
    for spare in axes[len(clips) :]:
        spare.remove()
    return fig, axes[: len(clips)]


def _over_time(ax: Axes, values: np.ndarray, **style: object) -> object:
    edges = np.arange(values.shape[1] + 1) * MEASURE_HOP
    return ax.pcolormesh(edges, np.arange(len(values) + 1), values, rasterized=True, **style)


def _label(fig: Figure, *, x: str, y: str) -> Figure:
    fig.supxlabel(x, fontsize="medium")
    fig.supylabel(y, fontsize="medium")
    return fig
