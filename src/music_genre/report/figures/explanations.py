"""Ways of measuring, each against every row of Table I."""

from collections.abc import Mapping

import pandas as pd
import seaborn as sns
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from music_genre.report.figures.style import SOFT, WIDTH

_STRONGEST = 25.0  # points off, from which on the colour stays the same
_HEIGHT = 0.54  # of a strip, of the distance between two
_ON_LIGHT, _ON_DARK = "#111111", "#ffffff"


def strips(
    apart: Mapping[str, pd.DataFrame],
    explained: Mapping[str, pd.Series],
    paper: pd.DataFrame,
    names: Mapping[str, str],
) -> Figure:
    """Draw a strip for each explanation: how far its accuracy lies from each printed one.

    Parameters
    ----------
    apart
        By explanation, as :func:`music_genre.analysis.explanations.compare` returns it.
    explained
        By explanation, which rows it explains [bool, index=row]: these cells have a frame.
    paper
        As :func:`music_genre.analysis.recipes.paper_rows` returns it.
    names
        Of the explanations, for readers.
    """
    rows = next(iter(apart.values())).index
    colors, norm = sns.color_palette("RdBu_r", as_cmap=True), Normalize(-_STRONGEST, _STRONGEST)
    fig = Figure(figsize=(WIDTH, 0.7 + 0.82 * len(apart)), layout="constrained")
    ax = fig.subplots()
    for i, (account, of) in enumerate(apart.items()):
        ax.text(-0.5, i - _HEIGHT / 2 - 0.05, names[account], va="bottom", fontsize=13)
        for at, (row, points) in enumerate(of["accuracy"].items()):
            color = colors(norm(points))
            ink = _ON_LIGHT if _luminance(color) > 0.35 else _ON_DARK
            corner = at - 0.47, i - _HEIGHT / 2
            ax.add_patch(Rectangle(corner, 0.94, _HEIGHT, color=color, lw=0))
            if explained[account][row]:
                inner = corner[0] + 0.04, corner[1] + 0.04
                ax.add_patch(Rectangle(inner, 0.86, _HEIGHT - 0.08, fill=False, ec=ink, lw=2))
            ax.text(at, i, f"{points:+.1f}", ha="center", va="center", color=ink, fontsize=14)
    for at, row in enumerate(rows):
        ax.text(at, -0.94, f"row {row}", ha="center", va="bottom", fontsize=13)
        ax.text(at, -0.92, f"{paper.loc[row, 'accuracy']:.2f} %", ha="center", va="top",
                color=SOFT, fontsize=11)  # fmt: skip
    ax.set(xlim=(-0.5, len(rows) - 0.5), ylim=(len(apart) - 1 + _HEIGHT / 2 + 0.05, -1.2))
    ax.set_axis_off()
    return fig


def _luminance(color: tuple[float, ...]) -> float:
    """Return the relative luminance of an sRGB colour, 0 to 1 (WCAG 2.2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
