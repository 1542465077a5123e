"""A training of many epochs against what the paper reports."""

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from music_genre.report.figures.style import INK, OURS, SOFT, TEST, WIDTH

_ENDS = -2.0, 104.0  # per cent: a curve at 100 is seen whole


def long_training(history: pd.DataFrame, *, highest: float, chance: float) -> Figure:
    """Draw accuracy over epochs on training and test segments.

    Parameters
    ----------
    history
        As :func:`music_genre.models.runs.load` returns it.
    highest, chance
        The paper's highest accuracy and that of guessing, in per cent: drawn as lines.
    """
    fig = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    ax = fig.subplots()
    last = history.iloc[-1]
    said = f"the paper's highest: {highest:.2f}", f"guessing: {chance:.0f}"
    for y, text in zip((highest, chance), said, strict=True):
        ax.axhline(y, color=INK, lw=1.2, ls="--", zorder=3)
        ax.annotate(text, (last["epoch"] / 2, y), (0, -4), textcoords="offset points",
                    ha="center", va="top", fontsize=11)  # fmt: skip
    for column, color, label in (("accuracy", OURS, "training"), ("test_accuracy", TEST, "test")):
        ax.plot(history["epoch"], 100 * history[column], color=color, lw=1.2)
        end = 100 * last[column]
        # Training is labelled above its end and test below it, as both may end in one place.
        ax.annotate(f"{label} {end:.1f}", (last["epoch"], end), (6, 0), color=color, fontsize=11,
                    va="bottom" if label == "training" else "top",
                    textcoords="offset points")  # fmt: skip
    ax.set(xlim=(0, 1.02 * last["epoch"]), ylim=_ENDS, xlabel="epoch", ylabel="accuracy [%]")
    ax.tick_params(labelsize=11, labelcolor=SOFT)
    sns.despine(fig)
    return fig
