"""All trainings of the recipe study over their epochs."""

from itertools import cycle, islice

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from music_genre.report.figures.style import INK, WIDTH


def recipes(trainings: pd.DataFrame, curves: pd.DataFrame, paper: pd.DataFrame) -> Figure:
    """Draw test (solid) and training accuracy (dotted) over epochs, a panel for each batch size.

    ``trainings`` and ``curves`` are those of :func:`music_genre.analysis.recipes.load`, ``paper``
    that of ``paper_rows``: its rows are drawn in as numbered points.
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
    axes[0].set_ylabel("accuracy [%]")
    handles = [Line2D([], [], color=color, label=recipe) for recipe, color in colors.items()]
    handles += [
        Line2D([], [], color=INK, label="on test segments"),
        Line2D([], [], color=INK, ls=":", label="on training segments"),
        Line2D([], [], color=INK, marker="D", ls="", label="rows of Table I"),
    ]
    fig.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    sns.despine(fig)
    return fig
