"""Table I's accuracies, and ours by the segments that they are measured on."""

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from music_genre.report.figures.style import INK, WIDTH

_SHOWN = {  # measure: label, colour, marker
    "test": ("clean test", "#2a6f97", "o"),
    "re-drawn": ("re-drawn third", "#c8553d", "s"),
    "training": ("training segments", "#8a8f94", "^"),
}


def by_measure(scores: pd.DataFrame, paper: pd.DataFrame) -> Figure:
    """Draw each row's accuracy as printed and by measure, with two standard deviations either way.

    ``scores`` are those of :func:`music_genre.analysis.explanations.over_seeds`, ``paper`` those of
    :func:`music_genre.analysis.recipes.paper_rows`.
    """
    rows = list(dict.fromkeys(scores.index.get_level_values("row")))
    at = range(len(rows))
    fig = Figure(figsize=(WIDTH, 4.2), layout="constrained")
    ax = fig.subplots()
    for measure, (label, color, marker) in _SHOWN.items():
        of = scores.xs(measure, level="measure").loc[rows]
        errors = 2 * of["accuracy SD"]
        ax.errorbar(at, of["accuracy"], yerr=errors if errors.notna().all() else None,
                    color=color, fmt=marker, ms=6, capsize=3, lw=1.2, label=label)  # fmt: skip
    ax.plot(at, paper.loc[rows, "accuracy"], "D", mfc="none", mec=INK, mew=1.6, ms=10,
            label="the paper's Table I", zorder=5)  # fmt: skip
    ax.set(xticks=list(at), xticklabels=rows, xlabel="row of Table I", ylabel="accuracy [%]",
           ylim=(0, 104), xlim=(-0.5, len(rows) - 0.5))  # fmt: skip
    ax.legend(loc="lower right", frameon=False)
    sns.despine(fig)
    return fig
