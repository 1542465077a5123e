"""Arrays or tables in, a Figure out."""

import math
from collections.abc import Sequence
from itertools import cycle, islice

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import SymmetricalLogLocator

from music_genre.metrics import NAMES
from music_genre.sample import STEP, WAVE_STEP, Measures

sns.set_theme(style="ticks", context="notebook", font_scale=0.8, rc={"axes.titlesize": "medium"})
WIDTH = 10.0  # inches: the report's column

INK, PAPER, OURS, TEST = "#333333", "#b8b8b8", "#2a6f97", "#c8553d"
SPLITS = {"segment": OURS, "track": "#e9a03b", "artist": TEST}
SCORES = {"precision": "#8ab17d", "recall": "#e9a03b", "f1": "#7a5195", "accuracy": OURS}


def genre_colors(genres: Sequence[str]) -> dict[str, tuple]:
    """Return a colour for each genre, the same in every figure."""
    return dict(zip(genres, sns.color_palette("husl", len(genres)), strict=True))


def workflow(steps: Sequence[str]) -> Figure:
    """Draw steps as boxes in reading order, four to a row, joined by arrows."""
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
        if y0 != y1:  # to the next row: down, back to its beginning, down
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
        seconds = np.arange(len(low)) * WAVE_STEP
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
            seconds = np.arange(len(values)) * STEP
            ax.plot(seconds, values, color=colors[genre_of[clip]], label=genre_of[clip], lw=1.3)
        ax.set(title=name.replace("_", " "), ylabel=unit, xlim=(0, seconds[-1]))
    axes[-1].set_xlabel("time [s], moving average over 1 s")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside right upper", frameon=False)
    sns.despine(fig)
    return fig


def cepstra(clips: dict[str, Measures]) -> Figure:
    """Draw each clip's MFCC 2 to 20; the first, its loudness, would hide the rest."""
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
    bars.barh(counts.index, counts, color=colors)
    bars.bar_label(bars.containers[0], fmt="{:,.0f}", padding=3)
    bars.invert_yaxis()
    bars.set(xlabel="segments", xlim=(0, counts.max() * 1.12))
    sns.despine(ax=bars)
    return fig


def scaling(before: pd.DataFrame, after: pd.DataFrame) -> Figure:
    """Draw the spread of some columns before and after standard scaling."""
    fig = Figure(figsize=(WIDTH, 0.4 + 0.32 * before.shape[1]), layout="constrained")
    panels = fig.subplots(1, 2, sharey=True)
    for ax, frame, title in zip(panels, (before, after), ("before", "after"), strict=True):
        sns.boxplot(frame, orient="h", ax=ax, color="#a9c9dc", fliersize=1, linewidth=0.8)
        ax.set_title(f"{title} scaling")
    panels[0].set(xscale="symlog", xlabel="value (symmetric log scale)")
    panels[0].xaxis.set_major_locator(SymmetricalLogLocator(base=1000, linthresh=2))
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
    for genre in genres:
        x, y = points[(labels == genre).to_numpy()].T
        ax.scatter(x, y, s=7, alpha=0.45, linewidths=0, color=colors[genre])
        ax.scatter(x.mean(), y.mean(), s=90, color=colors[genre], edgecolor=INK, label=genre)
    ax.set(
        xlabel=f"first component ({shares[0]:.1%} of the variance)",
        ylabel=f"second component ({shares[1]:.1%})",
    )
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
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


def curves(history: pd.DataFrame) -> Figure:
    """Draw loss and accuracy over epochs, of training and test rows."""
    fig = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    marker = "o" if len(history) < 3 else None
    panels = {"loss": (1, "cross-entropy"), "accuracy": (100, "accuracy [%]")}
    for ax, (name, (scale, unit)) in zip(fig.subplots(1, 2), panels.items(), strict=True):
        for column, color, label in ((name, OURS, "training"), (f"test_{name}", TEST, "test")):
            ax.plot(
                history["epoch"], scale * history[column], color=color, marker=marker, label=label
            )
        ax.set(xlabel="epoch", ylabel=unit)
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend(frameon=False)
    sns.despine(fig)
    return fig


def confusion(counts: pd.DataFrame) -> Figure:
    """Draw a confusion matrix: segments as numbers, the share of the true genre as colour."""
    shares = counts.div(counts.sum(axis=1), axis=0)
    side = min(WIDTH, 2.2 + 0.5 * len(counts))
    fig = Figure(figsize=(side + 0.8, side), layout="constrained")
    ax = fig.subplots()
    sns.heatmap(shares, annot=counts, fmt="d", cmap="Blues", vmin=0, vmax=1, square=True, ax=ax,
                cbar_kws={"label": "share of the true genre", "shrink": 0.8})  # fmt: skip
    ax.set(xlabel="predicted", ylabel="true")
    return fig


def per_genre(scores: pd.DataFrame) -> Figure:
    """Draw precision, recall and F1 of each genre."""
    return _score_bars(scores.set_index("genre")[["precision", "recall", "f1"]])


def importance(drops: pd.DataFrame) -> Figure:
    """Draw what :func:`music_genre.analysis.importance` measured, the largest drop on top."""
    fig = Figure(figsize=(WIDTH, 0.6 + 0.22 * len(drops)), layout="constrained")
    ax = fig.subplots()
    ax.barh(drops["input"], drops["drop"], xerr=drops["SD"], color=OURS, ecolor=INK)
    ax.axvline(0, color=INK, lw=1)
    ax.invert_yaxis()
    ax.margins(y=0.01)
    ax.set_xlabel("accuracy lost when shuffled [percentage points], with SD over the repeats")
    sns.despine(fig)
    return fig


def tracks(by_track: pd.DataFrame) -> Figure:
    """Draw each track of :func:`music_genre.analysis.by_track` by its share of right segments.

    Tracks of a genre with the same share lie below each other.
    """
    genres = sorted(by_track["label"].unique())
    equal = by_track.groupby(["label", "right"])["clip"]
    below = (equal.cumcount() + 0.5) / equal.transform("size") - 0.5
    y = by_track["label"].map(genres.index) + 0.8 * below
    fig = Figure(figsize=(WIDTH, 0.8 + 0.5 * len(genres)), layout="constrained")
    ax = fig.subplots()
    told = by_track["label"] == by_track["predicted"]
    for which, color, label in ((told, OURS, "right"), (~told, TEST, "wrong")):
        ax.scatter(by_track["right"][which], y[which], s=9, color=color, alpha=0.7, linewidths=0,
                   label=f"the track's genre {label}")  # fmt: skip
    means = by_track.groupby("label")["right"].mean()
    ax.scatter(means, range(len(genres)), marker="|", s=260, color=INK, label="mean of the genre")
    ax.set(yticks=range(len(genres)), yticklabels=genres, xlabel="segments right [%]")
    ax.invert_yaxis()
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    sns.despine(fig)
    return fig


def over_rows(rows: pd.DataFrame) -> Figure:
    """Draw precision, recall, F1 and accuracy of each row: the paper's as outlines, ours filled.

    ``rows`` [index=row name] has a column of each score and, where the paper reports it, a
    column ``paper <score>``.
    """
    fig = Figure(figsize=(WIDTH, 3.8), layout="constrained")
    ax = fig.subplots()
    width = 0.8 / len(NAMES)
    at = np.arange(len(rows))
    for i, name in enumerate(NAMES):
        x = at + (i - (len(NAMES) - 1) / 2) * width
        ax.bar(x, rows[name], width * 0.9, color=SCORES[name], label=name.replace("f1", "F1"))
        ax.bar(x, rows[f"paper {name}"], width * 0.9, fill=False, edgecolor=INK,
               label="the paper" if i == len(NAMES) - 1 else None)  # fmt: skip
    ax.set(xticks=at, xticklabels=rows.index, xlabel="row", ylabel="per cent", ylim=(0, 100))
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    sns.despine(fig)
    return fig


def recipes(trainings: pd.DataFrame, curves: pd.DataFrame, paper: pd.DataFrame) -> Figure:
    """Draw test (solid) and training accuracy (dotted) over epochs, a panel for each batch size.

    The arguments are those of :func:`music_genre.study.load` and ``paper_rows``: the paper's rows
    are drawn in as numbered points.
    """
    sizes = list(dict.fromkeys(paper["batch_size"]))
    used = list(dict.fromkeys(trainings["recipe"]))
    strong_then_light = [*(palette := sns.color_palette("tab20"))[::2], *palette[1::2]]
    colors = dict(zip(used, islice(cycle(strong_then_light), len(used)), strict=True))
    fig = Figure(figsize=(WIDTH, 5.8), layout="constrained")
    axes = fig.subplots(1, len(sizes), sharey=True, squeeze=False)[0]
    for ax, size in zip(axes, sizes, strict=True):
        for name, training in trainings[trainings["batch_size"] == size].iterrows():
            curve, color = curves[curves["name"] == name], colors[training["recipe"]]
            marker = "." if len(curve) == 1 else ""
            ax.plot(curve["epoch"], curve["test"], color=color, lw=1.5, marker=marker)
            ax.plot(curve["epoch"], curve["training"], color=color, lw=1, ls=":", marker=marker)
        printed = paper[paper["batch_size"] == size]
        ax.plot(printed["epochs"], printed["accuracy"], "D", color=INK, ms=6, zorder=5)
        for row, line in printed.iterrows():
            ax.annotate(row, (line["epochs"], line["accuracy"]), (0, 7), va="bottom", ha="center",
                        textcoords="offset points")  # fmt: skip
        ax.set(title=f"batch size {size}", xlabel="epoch", ylim=(0, 104))
    axes[0].set_ylabel("accuracy in per cent")
    handles = [Line2D([], [], color=color, label=recipe) for recipe, color in colors.items()]
    handles += [
        Line2D([], [], color=INK, label="test rows"),
        Line2D([], [], color=INK, ls=":", label="training rows"),
        Line2D([], [], color=INK, marker="D", ls="", label="the paper's rows"),
    ]
    fig.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    sns.despine(fig)
    return fig


def by_split(scores: pd.DataFrame, paper: float | None = None, *, bold: str = "") -> Figure:
    """Draw each model's accuracy on every split with its 95 % interval, a colour for each split.

    ``scores`` is that of :func:`music_genre.leakage.scores`, the loosest split first; models are in
    the order of the strictest, the best on top; ``bold`` is one of them. ``paper`` is drawn as a
    line.
    """
    splits = list(dict.fromkeys(scores["split"]))
    strictest = scores[scores["split"] == splits[-1]].set_index("model")["accuracy"]
    models = strictest.sort_values(kind="stable").index
    fig = Figure(figsize=(WIDTH, 1.2 + len(models) * (0.2 + 0.16 * len(splits))))
    ax = fig.subplots()
    for i, split in enumerate(splits):
        own = scores[scores["split"] == split].set_index("model").loc[models]
        y = np.arange(len(models)) + ((len(splits) - 1) / 2 - i) * 0.24
        ends = [own["accuracy"] - own["low"], own["high"] - own["accuracy"]]
        ax.errorbar(own["accuracy"], y, xerr=np.clip(ends, 0, None), fmt="o", ms=5, lw=1.5,
                    color=SPLITS[split], label=f"split by {split}")  # fmt: skip
        for x, at, accuracy in zip(own["high"], y, own["accuracy"], strict=True):
            ax.annotate(f"{accuracy:.1f}", (x, at), (4, 0), textcoords="offset points",
                        va="center", fontsize=7, color=SPLITS[split],
                        bbox={"color": "white", "alpha": 0.7, "pad": 0.5})  # fmt: skip
    for at in range(0, len(models), 2):
        ax.axhspan(at - 0.5, at + 0.5, color="#f4f4f4", zorder=0)
    if paper is not None:
        ax.axvline(paper, color=INK, lw=1, ls="--", zorder=1, label=f"the paper: {paper:.2f} %")
    ax.set(yticks=range(len(models)), yticklabels=models, xlim=(0, 104), xlabel="accuracy [%]",
           ylim=(-0.5, len(models) - 0.5))  # fmt: skip
    for label in ax.get_yticklabels():
        label.set_fontweight("bold" if label.get_text() == bold else "normal")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=len(splits) + 1, frameon=False)
    sns.despine(fig)
    return fig


def over_folds(folds: pd.DataFrame) -> Figure:
    """Draw mean and standard deviation over folds, those of ``music_genre.leakage.over_folds``."""
    models, splits = list(dict.fromkeys(folds["model"])), list(dict.fromkeys(folds["split"]))
    fig = Figure(figsize=(WIDTH, 0.8 + 0.5 * len(models)), layout="constrained")
    ax = fig.subplots()
    for i, split in enumerate(splits):
        own = folds[folds["split"] == split].set_index("model").loc[models]
        y = np.arange(len(models)) + (i - (len(splits) - 1) / 2) * 0.24
        ax.errorbar(own["mean"], y, xerr=own["SD"], fmt="o", ms=5, capsize=3, color=SPLITS[split],
                    label=f"split by {split}")  # fmt: skip
    ax.set(yticks=range(len(models)), yticklabels=models, xlim=(0, 100), xlabel="accuracy [%]",
           ylim=(len(models) - 0.5, -0.5))  # fmt: skip
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    sns.despine(fig)
    return fig


def _score_bars(scores: pd.DataFrame) -> Figure:
    fig = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    ax = fig.subplots()
    scores.plot.bar(ax=ax, color=[SCORES[name] for name in scores], width=0.78, rot=0)
    ax.set(xlabel="", ylabel="per cent", ylim=(0, 100))
    names = [name.replace("f1", "F1") for name in scores]
    ax.legend(names, loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    sns.despine(fig)
    return fig


def _grid(clips: dict[str, Measures]) -> tuple[Figure, list[Axes]]:
    down = math.ceil(len(clips) / 2)
    fig = Figure(figsize=(WIDTH, 1.5 * down), layout="constrained")
    axes = list(fig.subplots(down, 2, sharex=True, sharey=True, squeeze=False).flat)
    for spare in axes[len(clips) :]:
        spare.remove()
    return fig, axes[: len(clips)]


def _over_time(ax: Axes, values: np.ndarray, **style: object) -> object:
    edges = np.arange(values.shape[1] + 1) * STEP
    return ax.pcolormesh(edges, np.arange(len(values) + 1), values, rasterized=True, **style)


def _label(fig: Figure, *, x: str, y: str) -> Figure:
    fig.supxlabel(x, fontsize="medium")
    fig.supylabel(y, fontsize="medium")
    return fig
