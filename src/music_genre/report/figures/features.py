"""The columns of the table: spread, correlation, what separates the genres."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from music_genre.report.figures.style import (
    BACKGROUND,
    INK,
    LINE,
    OURS,
    SOFT,
    TEST,
    WIDTH,
    genre_colors,
    genre_markers,
    label_points,
)  # fmt: skip

CELLS = 70  # along each side of a plane
OUTERMOST = 0.5  # per cent of the segments at each end of an axis that lie beyond it


def scaling(before: pd.DataFrame, after: pd.DataFrame) -> Figure:
    """Draw the spread of some columns before and after standard scaling."""
    fig = Figure(figsize=(WIDTH, 0.8 + 0.32 * before.shape[1]), layout="constrained")
    panels = fig.subplots(1, 2, sharey=True)
    dots = {"rasterized": True, "marker": ".", "markeredgecolor": OURS, "markersize": 2}
    for ax, frame, title in zip(panels, (before, after), ("before", "after"), strict=True):
        sns.boxplot(frame, orient="h", ax=ax, color=OURS, fill=False, linewidth=1, flierprops=dots)
        ax.set_title(f"{title} scaling")
    # Between -1 and 1 the axis is linear: of the ticks in there, only that at 0 has room.
    powers = 1000.0 ** np.arange(1, 1 + np.ceil(np.log10(1 + before.abs().max(axis=None)) / 3))
    low, high = before.min(axis=None), before.max(axis=None)
    ticks = [tick for tick in [*-powers[::-1], 0, *powers] if low <= tick <= high] or [low]
    panels[0].set_xscale("symlog", linthresh=1)
    panels[0].set_xticks(ticks, [f"{tick:g}" for tick in ticks], minor=False)
    panels[0].minorticks_off()
    panels[0].set_xlabel("value (logarithmic beyond ±1)")
    panels[1].set_xlabel("standard deviations from the mean")
    sns.despine(fig)
    return fig


def deviation(apart: pd.DataFrame) -> Figure:
    """Draw the largest difference of each column between two tables, the largest on top."""
    apart = apart.sort_values("largest", ascending=False)
    fig = Figure(figsize=(WIDTH, 0.9 + 0.22 * len(apart)), layout="constrained")
    ax = fig.subplots()
    ax.scatter(apart["largest"].clip(lower=1e-16), apart["column"], s=18, color=OURS)
    ax.axvline(1e-3, color=TEST, lw=1)
    ax.text(1e-3, -1, " one thousandth", color=TEST, va="center")
    ax.set(xscale="log", xlabel="largest difference [standard deviations of the column]")
    ax.set_ylim(len(apart) - 0.5, -1.5)
    ax.xaxis.set_major_formatter("{x:g}")
    sns.despine(fig)
    return fig


def correlation(matrix: pd.DataFrame, families: Mapping[str, Sequence[str]]) -> Figure:
    """Draw the correlation of every pair of columns, those of a family side by side."""
    ordered = [column for members in families.values() for column in members]
    fig = Figure(figsize=(WIDTH, 8.4), layout="constrained")
    ax = fig.subplots()
    cells = ax.imshow(matrix.loc[ordered, ordered], cmap="vlag", vmin=-1, vmax=1,
                      interpolation="none")  # fmt: skip
    fig.colorbar(cells, ax=ax, label="correlation", shrink=0.7)
    ends = np.cumsum([len(members) for members in families.values()]) - 0.5
    middles = ends - [len(members) / 2 for members in families.values()]
    for end in ends[:-1]:
        ax.axhline(end, color="#111111", lw=0.8)
        ax.axvline(end, color="#111111", lw=0.8)
    ax.set_xticks(middles, list(families), rotation=45, ha="right", rotation_mode="anchor")
    ax.set_yticks(middles, list(families))
    ax.tick_params(length=0, labelsize="large")
    sns.despine(fig, left=True, bottom=True)
    return fig


def planes(points: Mapping[str, np.ndarray], labels: pd.Series) -> Figure:
    """Draw where the genres lie on planes, side by side, with a mark at each genre's mean.

    Parameters
    ----------
    points : mapping of ndarray [shape=(n_segments, 2)]
        By the title of the plane. Each axis shows all but the outermost per cent of the segments
        and, always, the means.
    labels : Series [shape=(n_segments,)]
    """
    genres = sorted(labels.unique())
    colors, markers = genre_colors(genres), genre_markers(genres)
    fig = Figure(figsize=(WIDTH, 5.4), layout="constrained")
    drawn = []
    for ax, title in zip(fig.subplots(1, len(points), squeeze=False)[0], points, strict=True):
        of = [points[title][(labels == genre).to_numpy()] for genre in genres]
        means = np.array([one.mean(axis=0) for one in of])
        low, high = np.percentile(points[title], [OUTERMOST, 100 - OUTERMOST], axis=0)
        low, high = np.minimum(low, means.min(axis=0)), np.maximum(high, means.max(axis=0))
        margin = 0.05 * (high - low) + 1e-9
        limits = np.stack([low - margin, high + margin], axis=1)
        image = _most_frequent(of, limits, [colors[genre] for genre in genres])
        ax.imshow(image, extent=limits.ravel(), aspect="auto", origin="lower", interpolation="none")
        for genre, mean in zip(genres, means, strict=True):
            ax.scatter(*mean, s=150, color=colors[genre], marker=markers[genre], zorder=3,
                       edgecolor=BACKGROUND, linewidth=1.5)  # fmt: skip
        ax.set(title=title, xlabel="first direction", ylabel="second direction",
               xticks=[], yticks=[])  # fmt: skip
        drawn.append((ax, means))
    sns.despine(fig)
    for ax, means in drawn:
        label_points(ax, means, genres)
    return fig


def _most_frequent(
    points: Sequence[np.ndarray], limits: np.ndarray, colors: Sequence[str]
) -> np.ndarray:
    """Return an image: each cell in the colour of its most frequent genre, fainter with few."""
    counts = np.stack(
        [np.histogram2d(*one.T, bins=CELLS, range=limits)[0].T for one in points], axis=-1
    )
    image = np.array([to_rgba(color) for color in colors])[counts.argmax(axis=-1)]
    image[..., 3] = np.where(counts.any(axis=-1), np.clip(0.2 + 0.1 * counts.sum(-1), 0, 0.7), 0)
    return image


def spread(columns: pd.DataFrame, labels: pd.Series) -> Figure:
    """Draw how each column is distributed in each genre, with a mark at the median.

    Parameters
    ----------
    columns : DataFrame [shape=(n_segments, n_columns)]
        Scaled. Each axis shows all but the outermost per cent of the segments.
    labels : Series [shape=(n_segments,)]
    """
    genres = sorted(labels.unique())
    down = -(-columns.shape[1] // 2)
    fig = Figure(figsize=(WIDTH, down * (1 + 0.28 * len(genres))), layout="constrained")
    axes = list(fig.subplots(down, 2, sharey=True, squeeze=False).flat)
    for ax, (name, values) in zip(axes, columns.items(), strict=False):
        low, high = np.percentile(values, [OUTERMOST, 100 - OUTERMOST])
        ax.axvline(0, color=LINE, lw=1, zorder=0)
        sns.violinplot(
            x=values.where(values.between(low, high)), y=labels, order=genres, orient="h", ax=ax,
            cut=0, inner=None, gridsize=40, density_norm="width", width=0.9,
            color=OURS, saturation=1, linecolor=OURS, linewidth=1, alpha=0.45,
        )  # fmt: skip
        medians = values.groupby(labels).median()[genres]
        ax.scatter(medians, range(len(genres)), marker="|", s=90, color=INK, zorder=3)
        ax.set(title=name, xlabel="standard deviations from the mean", ylabel="")
        ax.set_yticks(range(len(genres)), genres)
    for spare in axes[columns.shape[1] :]:
        spare.remove()
    sns.despine(fig)
    return fig


def separation(ranked: pd.DataFrame) -> Figure:
    """Draw columns by how well they separate genres (ANOVA F), the best on top."""
    fig = Figure(figsize=(WIDTH, 0.6 + 0.26 * len(ranked)), layout="constrained")
    ax = fig.subplots()
    ax.hlines(ranked["column"], 0, ranked["F"], color=SOFT, lw=1)
    ax.scatter(ranked["F"], ranked["column"], color=OURS, zorder=3)
    ax.invert_yaxis()
    ax.set(xlabel="F: variance between genres over variance within them", xlim=(0, None))
    sns.despine(fig)
    return fig
