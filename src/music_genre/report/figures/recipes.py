"""All trainings of the recipe study over their epochs."""

from collections.abc import Iterable
from textwrap import fill

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from music_genre.report.figures.style import BACKGROUND, INK, OURS, PAPER, SOFT, TEST, WIDTH

_ENDS = -4.0, 106.0  # per cent: curves at 0 and at 100 are seen whole
_ABOVE = 18.0  # per cent: what the labels of two curves that end together need


def recipes(trainings: pd.DataFrame, curves: pd.DataFrame, paper: pd.DataFrame) -> Figure:
    """Draw a panel for each training: its test and training accuracy over epochs.

    The test accuracies of the other trainings of its batch size are in grey behind it. A dotted
    line marks where the split was drawn again.

    ``trainings`` and ``curves`` are those of :func:`music_genre.analysis.recipes.load`, ``paper``
    that of ``paper_rows``: its rows of the batch size are numbered diamonds.
    """
    sizes = dict.fromkeys(paper["batch_size"])
    groups = [trainings[trainings["batch_size"] == size] for size in sizes]
    lines = [-(-len(group) // 2) for group in groups]  # two panels side by side
    fig = Figure(figsize=(WIDTH, 0.4 + 1.8 * sum(lines)), layout="constrained")
    panels = fig.subplots(sum(lines), 2, squeeze=False, sharey=True)
    for ax in panels.flat:
        ax.set_axis_off()
    for group, first in zip(groups, (sum(lines[:i]) for i in range(len(lines))), strict=True):
        own = curves[curves["name"].isin(group.index)]
        for ax, (name, training) in zip(panels[first:].flat, group.iterrows(), strict=False):
            ax.set_axis_on()
            _panel(ax, name, training, own, paper[paper["batch_size"] == training["batch_size"]])
    sns.despine(fig)
    return fig


def _panel(
    ax: Axes, name: str, training: pd.Series, curves: pd.DataFrame, printed: pd.DataFrame
) -> None:
    for other, of in curves.groupby("name"):
        if other != name:
            ax.plot(of["epoch"], of["test"], color=PAPER, lw=0.8, alpha=0.6)
    own = curves[curves["name"] == name]
    last = own.iloc[-1]
    for column, color, style in (("training", OURS, "-"), ("test", TEST, "--")):
        ax.plot(own["epoch"], own[column], color=color, lw=2, ls=style,
                marker="o" if len(own) == 1 else "")  # fmt: skip
    for epoch in training["drawn_after"]:
        ax.axvline(epoch, color=INK, lw=1.2, ls=":")
        ax.annotate("drawn again", (epoch, 0), (-2, 0), textcoords="offset points", rotation=90,
                    ha="right", va="bottom", fontsize=9)  # fmt: skip
    longest = max(printed["epochs"].max(), curves["epoch"].max())
    ends = _apart(last["test"], last["training"])
    for column, color, y in zip(("test", "training"), (TEST, OURS), ends, strict=True):
        text = f"{column} {last[column]:.0f}"
        ax.annotate(text, (longest, y), (12, 0), textcoords="offset points", va="center",
                    color=color, fontsize=11)  # fmt: skip
    if training["diverged"]:
        ax.annotate("the loss became NaN", (last["epoch"], last["test"]), (8, 0), va="center",
                    textcoords="offset points", color=SOFT, fontsize=10)  # fmt: skip
    _diamonds(ax, printed["epochs"], printed["accuracy"], printed.index)
    ax.set_title(
        fill(f"{training['batch_size']} a batch: {training['recipe']}", 48), loc="left", fontsize=11
    )
    ax.set(xlim=(-0.02 * longest, 1.3 * longest), ylim=_ENDS, yticks=range(0, 101, 25))
    ax.set_xticks([tick for tick in ax.get_xticks() if 0 <= tick <= longest])
    ax.tick_params(labelsize=10, labelleft=True)


def _diamonds(
    ax: Axes, epochs: Iterable[int], accuracies: Iterable[float], rows: Iterable[str]
) -> None:
    """Draw the paper's rows, numbered, above all curves."""
    for epoch, accuracy, row in zip(epochs, accuracies, rows, strict=True):
        ax.plot(epoch, accuracy, "D", mfc=BACKGROUND, mec=INK, mew=1.2, ms=11, zorder=5)
        ax.annotate(
            row, (epoch, accuracy), ha="center", va="center_baseline", fontsize=8.5, zorder=6
        )


def _apart(one: float, other: float) -> tuple[float, float]:
    """Move two heights apart until their labels overlap neither each other nor the axis."""
    if abs(one - other) >= _ABOVE:
        return one, other
    middle, up = max((one + other) / 2, _ABOVE / 2 + 4), _ABOVE * (0.5 if one > other else -0.5)
    return middle + up, middle - up
