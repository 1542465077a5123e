"""The columns of the table: spread, correlation, components."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import SymmetricalLogLocator

from music_genre.report.figures.style import INK, OURS, TEST, WIDTH, genre_colors, legend


def scaling(before: pd.DataFrame, after: pd.DataFrame) -> Figure:
    """Draw the spread of some columns before and after standard scaling."""
    fig = Figure(figsize=(WIDTH, 0.4 + 0.32 * before.shape[1]), layout="constrained")
    panels = fig.subplots(1, 2, sharey=True)
    for ax, frame, title in zip(panels, (before, after), ("before", "after"), strict=True):
        sns.boxplot(frame, orient="h", ax=ax, color="#a9c9dc", fliersize=1, linewidth=0.8)
        ax.set_title(f"{title} scaling")
    panels[0].set(xscale="symlog", xlabel="value (symmetric log scale)")
    panels[0].xaxis.set_major_locator(SymmetricalLogLocator(base=1000, linthresh=2))
    panels[0].xaxis.set_major_formatter("{x:g}")
    panels[1].set_xlabel("standard deviations from the mean")
    sns.despine(fig)
    return fig


def deviation(apart: pd.DataFrame) -> Figure:
    """Draw the largest difference of each column between two tables, on a logarithmic scale."""
    fig = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    ax = fig.subplots()
    ax.scatter(apart["column"], apart["largest"].clip(lower=1e-16), s=14, color=OURS)
    ax.axhline(1e-3, color=TEST, lw=1, label="one thousandth of a standard deviation")
    ax.set(yscale="log", ylabel="standard deviations")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.tick_params(axis="x", rotation=90, labelsize=6)
    ax.legend(frameon=False)
    sns.despine(fig)
    return fig


def correlation(frame: pd.DataFrame) -> Figure:
    """Draw the correlation of every pair of columns."""
    fig = Figure(figsize=(WIDTH, 8.6), layout="constrained")
    ax = fig.subplots()
    sns.heatmap(frame.corr(), ax=ax, cmap="vlag", vmin=-1, vmax=1, square=True,
                xticklabels=True, yticklabels=True,
                cbar_kws={"label": "correlation", "shrink": 0.7})  # fmt: skip
    ax.tick_params(labelsize=6)
    return fig


def components(points: np.ndarray, labels: pd.Series, shares: np.ndarray) -> Figure:
    """Draw segments [shape=(n_segments, 2)] on two principal components, a colour per genre."""
    genres = sorted(labels.unique())
    colors = genre_colors(genres)
    fig = Figure(figsize=(WIDTH, 5.2), layout="constrained")
    ax = fig.subplots()
    means = []
    for genre in genres:
        x, y = points[(labels == genre).to_numpy()].T
        ax.scatter(x, y, s=7, alpha=0.45, linewidths=0, color=colors[genre])
        means.append(ax.scatter(x.mean(), y.mean(), s=90, color=colors[genre], edgecolor=INK))
    ax.set(
        xlabel=f"first component ({shares[0]:.1%} of the variance)",
        ylabel=f"second component ({shares[1]:.1%})",
    )
    legend(ax, means, genres)
    sns.despine(fig)
    return fig


def separation(ranked: pd.DataFrame) -> Figure:
    """Draw columns by how well they separate genres (ANOVA F), the best on top."""
    fig = Figure(figsize=(WIDTH, 0.6 + 0.24 * len(ranked)), layout="constrained")
    ax = fig.subplots()
    ax.barh(ranked["column"], ranked["F"], color=OURS)
    ax.invert_yaxis()
    ax.set_xlabel("F: variance between genres over variance within them")
    sns.despine(fig)
    return fig
