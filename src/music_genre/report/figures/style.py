"""Colours and sizes that all figures share."""

from collections.abc import Sequence

import matplotlib as mpl
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.font_manager import fontManager

# Names such as Ba$$in are text and no mathematics, so powers of ten on an axis are written out.
_PLAIN = {"text.parse_math": False, "text.usetex": False}
sns.set_theme(
    style="ticks", context="notebook", font_scale=0.8, rc={"axes.titlesize": "medium", **_PLAIN}
)

# The usual font lacks Chinese, Japanese and Korean: one of these steps in, if it is installed.
# (For other letters report.fonts looks through all fonts when a figure is shown.)
_CJK = [
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans JP", "Noto Sans SC", "Source Han Sans",
    "IPAexGothic", "WenQuanYi Zen Hei", "Droid Sans Fallback", "Unifont",
    "Hiragino Sans", "PingFang SC", "Apple SD Gothic Neo", "Arial Unicode MS",
    "Yu Gothic", "Microsoft YaHei", "Malgun Gothic",
]  # fmt: skip
_INSTALLED = set(fontManager.get_font_names())
mpl.rcParams["font.family"] = ["sans-serif", *(name for name in _CJK if name in _INSTALLED)]

INK, PAPER, OURS, TEST = "#333333", "#b8b8b8", "#2a6f97", "#c8553d"
SCORES = {"precision": "#8ab17d", "recall": "#e9a03b", "f1": "#7a5195", "accuracy": OURS}
WIDTH = 10.0  # inches: the report's column


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
