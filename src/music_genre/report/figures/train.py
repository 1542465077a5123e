"""One training over its epochs."""

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from music_genre.report.figures.style import OURS, TEST, WIDTH


def curves(history: pd.DataFrame) -> Figure:
    """Draw loss and accuracy on training and test segments over epochs."""
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
