"""What a segment is, how many each genre has, and clips over time."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle

from music_genre.data.columns import SAMPLE_RATE, SEGMENT_HOP
from music_genre.data.sample import ENVELOPE_HOP, MEASURE_HOP, Measures
from music_genre.report.figures.style import (
    BACKGROUND,
    INK,
    OURS,
    SOFT,
    TEST,
    WIDTH,
    genre_colors,
)  # fmt: skip

SECONDS = SEGMENT_HOP / SAMPLE_RATE  # of a segment
PITCHES = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]


def segments(clip: str, measures: Measures, counts: pd.Series) -> Figure:
    """Draw how a clip is cut into segments, and below it each genre's number of segments."""
    fig = Figure(figsize=(WIDTH, 2.9 + 0.28 * len(counts)), layout="constrained")
    wave, bars = fig.subplots(2, 1, height_ratios=[1.5, 0.6 + 0.28 * len(counts)])
    low, high = measures["envelope"]
    seconds = np.arange(len(low)) * ENVELOPE_HOP
    one = seconds <= SECONDS
    wave.fill_between(seconds, low, high, color=SOFT, linewidth=0)
    wave.fill_between(seconds[one], low[one], high[one], color=TEST, linewidth=0)
    for start in np.arange(0, seconds[-1], SECONDS):
        wave.axvline(start, color=INK, lw=1)
        wave.text(start + SECONDS / 2, 1.1, f"{clip}.{start / SECONDS:.0f}", ha="center",
                  color=INK if start else TEST)  # fmt: skip
    wave.set(ylim=(-1.05, 1.05), xlim=(0, seconds[-1]), yticks=[], ylabel="amplitude",
             xlabel=f"time [s]: each {SECONDS:.0f} s are one segment",
             xticks=range(0, 16, 3))  # fmt: skip
    _draw_sizes(bars, counts)
    sns.despine(ax=wave, left=True)
    return fig


def genre_sizes(counts: pd.Series) -> Figure:
    """Draw each genre's number of segments."""
    fig = Figure(figsize=(WIDTH, 0.8 + 0.28 * len(counts)), layout="constrained")
    _draw_sizes(fig.subplots(), counts)
    return fig


def _draw_sizes(bars: Axes, counts: pd.Series) -> None:
    bars.barh(range(len(counts)), counts, color=OURS, linewidth=0)
    bars.xaxis.set_major_formatter("{x:,.0f}")
    bars.set_yticks(range(len(counts)), counts.index)
    bars.bar_label(bars.containers[0], fmt="{:,.0f}", padding=3)
    bars.invert_yaxis()
    bars.set(xlabel="segments of the genre in the table", xlim=(0, counts.max() * 1.08))
    sns.despine(ax=bars)


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
        ax.add_patch(Rectangle(corner, width, height, facecolor="none", edgecolor=OURS, lw=1.5))
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


def closeup(measures: Measures) -> Figure:
    """Draw one clip's waveform, mel spectrogram and chroma CENS over the same time."""
    fig = Figure(figsize=(WIDTH, 5.6), layout="constrained")
    wave, mel, chroma = fig.subplots(3, 1, sharex=True)
    low, high = measures["envelope"]
    seconds = np.arange(len(low)) * ENVELOPE_HOP
    wave.fill_between(seconds, low, high, color=OURS, linewidth=0)
    wave.set(ylim=(-1.05, 1.05), ylabel="amplitude")
    steps = colormaps["magma"].resampled(16)  # of 5 dB
    loud = _over_time(mel, measures["mel"], cmap=steps, vmin=-80, vmax=0)
    mel.set_ylabel("mel band")
    shares = _over_time(chroma, measures["chroma_cens"], cmap="viridis", vmin=0, vmax=1)
    chroma.set(yticks=np.arange(12) + 0.5, yticklabels=PITCHES, ylabel="pitch class")
    chroma.tick_params(axis="y", labelsize="x-small")
    chroma.set(xlabel="time [s]", xlim=(0, seconds[-1]))
    fig.colorbar(loud, ax=mel, label="dB", fraction=0.02, pad=0.01)
    fig.colorbar(shares, ax=chroma, label="share", fraction=0.02, pad=0.01)
    return fig


def waveforms(clips: dict[str, Measures]) -> Figure:
    """Draw each clip's waveform as its lowest and highest sample over time."""
    fig, axes = _grid(clips)
    for ax, (clip, measures) in zip(axes, clips.items(), strict=True):
        pairs = measures["envelope"].reshape(2, -1, 2)  # half as many points, the same look
        low, high = pairs[0].min(axis=1), pairs[1].max(axis=1)
        seconds = np.arange(len(low)) * 2 * ENVELOPE_HOP
        ax.fill_between(seconds, low, high, color=OURS, linewidth=0)
        ax.set(title=clip, ylim=(-1.05, 1.05), xlim=(0, seconds[-1]))
    return _label(fig, x="time [s]", y="amplitude")


def spectrograms(clips: dict[str, Measures]) -> Figure:
    """Draw each clip's mel spectrogram in dB below its loudest cell."""
    steps = colormaps["magma"].resampled(16)  # of 5 dB
    fig, axes = _grid(clips)
    for ax, (clip, measures) in zip(axes, clips.items(), strict=True):
        mesh = _over_time(ax, measures["mel"], cmap=steps, vmin=-80, vmax=0)
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


def brightness(clips: dict[str, Measures]) -> Figure:
    """Draw each clip's centroid, rolloff and rate of zero crossings over time, all in hertz.

    The rate is drawn as the frequency of a sine wave that crosses zero as often.
    """
    lines = {"rolloff": (OURS, "-"), "centroid": (TEST, "--"), "zero crossings": (INK, ":")}
    fig, axes = _grid(clips)
    for ax, (clip, measures) in zip(axes, clips.items(), strict=True):
        crossings = measures["zero_crossing_rate"] * SAMPLE_RATE / 2
        for name, (color, style) in lines.items():
            values = crossings if name == "zero crossings" else measures[name]
            smooth = pd.Series(values[0]).rolling(10, min_periods=1).mean() / 1000
            seconds = np.arange(len(smooth)) * MEASURE_HOP
            ax.plot(seconds, smooth, color=color, ls=style, lw=1.4, label=name)
        ax.set(title=clip, xlim=(0, seconds[-1]))
    axes[0].set_ylim(bottom=0)
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3,
               frameon=False)  # fmt: skip
    sns.despine(fig)
    return _label(fig, x="time [s], moving average over 1 s", y="frequency [kHz]")


def cepstra(clips: dict[str, Measures]) -> Figure:
    """Draw each clip's MFCC 2 to 20; the first, which reflects loudness, would hide the rest."""
    steps = colormaps["vlag"].resampled(20)
    fig, axes = _grid(clips)
    for ax, (clip, measures) in zip(axes, clips.items(), strict=True):
        mesh = _over_time(ax, measures["mfcc"][1:], cmap=steps, vmin=-50, vmax=50)
        ax.set(title=clip, yticks=[0.5, 8.5, 18.5], yticklabels=["2", "10", "20"])
    fig.colorbar(mesh, ax=axes, label="coefficient", fraction=0.02, pad=0.01)
    return _label(fig, x="time [s]", y="MFCC")


def genre_shares(counts: pd.Series) -> Figure:
    """Draw the number of segments per genre as the paper's pie."""
    fig = Figure(figsize=(WIDTH, 5.2), layout="constrained")
    _, _, shares = fig.subplots().pie(
        counts, labels=list(counts.index), colors=genre_colors(list(counts.index)).values(),
        autopct="%.1f%%", pctdistance=0.8, wedgeprops={"edgecolor": BACKGROUND},
    )  # fmt: skip
    for share in shares:
        share.set(color=INK, bbox={"facecolor": BACKGROUND, "edgecolor": "none", "alpha": 0.8,
                                   "boxstyle": "round,pad=0.15"})  # fmt: skip
    return fig


def _grid(clips: dict[str, Measures]) -> tuple[Figure, list[Axes]]:
    down = math.ceil(len(clips) / 2)
    fig = Figure(figsize=(WIDTH, 1.5 * down), layout="constrained")
    axes = list(fig.subplots(down, 2, sharex=True, sharey=True, squeeze=False).flat)
    for spare in axes[len(clips) :]:
        spare.remove()
    return fig, axes[: len(clips)]


def _over_time(ax: Axes, values: np.ndarray, **style: object) -> AxesImage:
    # One pixel a cell in the file; the browser draws them larger.
    bands, times = values.shape
    return ax.imshow(values, origin="lower", aspect="auto", interpolation="none",
                     extent=(0, times * MEASURE_HOP, 0, bands), **style)  # fmt: skip


def _label(fig: Figure, *, x: str, y: str) -> Figure:
    fig.supxlabel(x, fontsize="medium")
    fig.supylabel(y, fontsize="medium")
    return fig
