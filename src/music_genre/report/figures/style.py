"""Colours and sizes that all figures share."""

import warnings
from collections.abc import Sequence
from itertools import cycle

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.font_manager import fontManager
from matplotlib.transforms import Bbox

INK, SOFT, LINE, BACKGROUND = "#22272b", "#5c666e", "#c9d1d6", "#fefefe"
OURS, TEST, PAPER = "#2a6f97", "#c8553d", "#8a8f94"
SCORES = {"precision": "#5d8f4e", "recall": "#b97a1a", "f1": "#7a5195", "accuracy": OURS}
WIDTH = 10.0  # inches: the report's column

# For genres in the order of their names. Each reads on the page's white and on its dark ground, as
# dots that are drawn as an image keep their colour there. Also with protanopia or deuteranopia no
# two look alike: found by exchange, for the largest smallest distance in Oklab. A marker tells
# genres apart as well, and the genre after the tenth has the first colour with another marker.
GENRE_COLORS = (
    "#006cc0", "#c08400", "#007800", "#c000a8", "#fc5484",
    "#489cb4", "#78606c", "#8484fc", "#9018fc", "#d81800",
)  # fmt: skip
GENRE_MARKERS = "os^DvP<X>ph"

# What the page shows instead where a reader prefers dark. Other colours stay, such as those of
# heat maps and of the numbers in them.
DARK = {
    INK: "#e4e8eb", SOFT: "#a3adb5", LINE: "#3b444b", BACKGROUND: "#15191c",
    OURS: "#6db3de", TEST: "#f08a72", PAPER: "#9aa3aa",
    SCORES["precision"]: "#9ccc8c", SCORES["recall"]: "#e9b45e", SCORES["f1"]: "#c39ade",
}  # fmt: skip

# Names such as Ba$$in are text and no mathematics, so powers of ten on an axis are written out.
_PLAIN = {"text.parse_math": False, "text.usetex": False}
_INKS = dict.fromkeys(["text.color", "axes.labelcolor", "xtick.color", "ytick.color"], INK)
sns.set_theme(
    style="ticks", context="notebook", font_scale=0.85,
    rc={"axes.titlesize": "medium", "axes.edgecolor": SOFT, "grid.color": LINE, **_INKS, **_PLAIN},
)  # fmt: skip

# The usual font lacks Chinese, Japanese and Korean: one of these steps in, if it is installed.
# (A figure's text is text on the page: there the reader's own fonts do the rest.)
_CJK = [
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans JP", "Noto Sans SC", "Source Han Sans",
    "IPAexGothic", "WenQuanYi Zen Hei", "Droid Sans Fallback", "Unifont",
    "Hiragino Sans", "PingFang SC", "Apple SD Gothic Neo", "Arial Unicode MS",
    "Yu Gothic", "Microsoft YaHei", "Malgun Gothic",
]  # fmt: skip
# What else is missing costs a figure the right width of a word, no more.
warnings.filterwarnings("ignore", message=r"Glyph \d+ .*missing from font")
_INSTALLED = set(fontManager.get_font_names())
mpl.rcParams["font.family"] = ["sans-serif", *(name for name in _CJK if name in _INSTALLED)]


def genre_colors(genres: Sequence[str]) -> dict[str, str]:
    """Return a colour for each genre, the same in every figure; after ten they begin again."""
    return dict(zip(genres, cycle(GENRE_COLORS), strict=False))


def genre_markers(genres: Sequence[str]) -> dict[str, str]:
    """Return a marker for each genre: with its colour, no other genre of up to 110 has it."""
    return dict(zip(genres, cycle(GENRE_MARKERS), strict=False))


def label_points(ax: Axes, points: np.ndarray, names: Sequence[str]) -> None:
    """Write a name beside each point [shape=(n, 2), in data units] where it covers no other.

    Call it when everything else is drawn. Names that find no free place near their point overlap
    as little as possible.
    """
    ax.figure.draw_without_rendering()  # so that the layout, and what a name covers, is known
    inside = ax.get_window_extent()
    per_point = ax.figure.dpi / 72
    centres = ax.transData.transform(points)
    taken = [Bbox.from_bounds(x - r, y - r, 2 * r, 2 * r)
             for x, y in centres for r in [7 * per_point]]  # fmt: skip
    box = {"boxstyle": "round,pad=0.15", "facecolor": BACKGROUND, "edgecolor": "none", "alpha": 0.8}
    for name, point, centre in zip(names, points, centres, strict=True):
        text = ax.annotate(
            name, point, xytext=(0, 0), textcoords="offset points", ha="center", va="center",
            bbox=box, arrowprops={"arrowstyle": "-", "color": INK, "lw": 0.8, "shrinkB": 3},
        )  # fmt: skip
        text.set_in_layout(False)
        half = np.array([text.get_window_extent().width, text.get_window_extent().height]) / 2 + 2

        def cost(offset: np.ndarray, centre: np.ndarray = centre, half: np.ndarray = half) -> float:
            place = Bbox([centre + offset - half, centre + offset + half])
            hidden = place.width * place.height - _shared(place, inside)
            return hidden + sum(_shared(place, other) for other in taken)

        around = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        offsets = [
            np.array([np.cos(angle), np.sin(angle)]) * (half + distance * per_point)
            for distance in (5, 15, 30, 50, 80, 120)
            for angle in around
        ]
        offset = min(offsets, key=cost)
        text.set_position(offset / per_point)
        taken.append(Bbox([centre + offset - half, centre + offset + half]))


def _shared(one: Bbox, other: Bbox) -> float:
    both = Bbox.intersection(one, other)
    return both.width * both.height if both else 0.0
