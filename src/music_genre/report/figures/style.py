"""Colours and sizes that all figures share."""

import warnings
from collections.abc import Sequence

import matplotlib as mpl
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.font_manager import fontManager

INK, SOFT, LINE, BACKGROUND = "#22272b", "#5c666e", "#c9d1d6", "#fefefe"
OURS, TEST, PAPER = "#2a6f97", "#c8553d", "#8a8f94"
SCORES = {"precision": "#5d8f4e", "recall": "#b97a1a", "f1": "#7a5195", "accuracy": OURS}
WIDTH = 10.0  # inches: the report's column

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


def genre_colors(genres: Sequence[str]) -> dict[str, tuple]:
    """Return a colour for each genre, the same in every figure."""
    return dict(zip(genres, sns.color_palette("husl", len(genres)), strict=True))


def legend(ax: Axes, handles: Sequence[Artist], names: Sequence[str]) -> None:
    """Put a legend beside an axis, whatever the names are."""
    # As labels, names that begin with an underscore would be left out (matplotlib before 3.10).
    drawn = ax.legend(
        handles,
        [str(i) for i in range(len(handles))],
        loc="upper left",
        bbox_to_anchor=(1, 1),
        frameon=False,
    )
    for text, name in zip(drawn.get_texts(), names, strict=True):
        text.set_text(name)
