"""Where the errors fall, and which inputs the network relies on."""

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from music_genre.report.figures.style import INK, OURS, TEST, WIDTH


def tracks(by_track: pd.DataFrame) -> Figure:
    """Draw each track of :func:`music_genre.analysis.errors.by_track` by its share correct.

    Tracks of a genre with the same share are drawn below each other.
    """
    genres = sorted(by_track["label"].unique())
    equal = by_track.groupby(["label", "correct"])["track"]
    below = (equal.cumcount() + 0.5) / equal.transform("size") - 0.5
    y = by_track["label"].map(genres.index) + 0.8 * below
    fig = Figure(figsize=(WIDTH, 0.8 + 0.5 * len(genres)), layout="constrained")
    ax = fig.subplots()
    right = by_track["label"] == by_track["predicted"]
    for which, color, label in ((right, OURS, "correct"), (~right, TEST, "wrong")):
        ax.scatter(by_track["correct"][which], y[which], s=9, color=color, alpha=0.7, linewidths=0,
                   label=f"genre of the track {label}")  # fmt: skip
    means = by_track.groupby("label")["correct"].mean()
    ax.scatter(means, range(len(genres)), marker="|", s=260, color=INK, label="mean of the genre")
    ax.set(yticks=range(len(genres)), yticklabels=genres,
           xlabel="segments classified correctly [%]")  # fmt: skip
    ax.invert_yaxis()
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    sns.despine(fig)
    return fig


def importance(drops: pd.DataFrame) -> Figure:
    """Draw the drops of :mod:`music_genre.analysis.importance`, the largest on top."""
    fig = Figure(figsize=(WIDTH, 0.6 + 0.22 * len(drops)), layout="constrained")
    ax = fig.subplots()
    ax.barh(drops["input"], drops["drop"], xerr=drops["SD"], color=OURS, ecolor=INK)
    ax.axvline(0, color=INK, lw=1)
    ax.invert_yaxis()
    ax.margins(y=0.01)
    ax.set_xlabel("accuracy lost when shuffled, mean and SD over the shuffles [percentage points]")
    sns.despine(fig)
    return fig
