"""Colours and sizes that all figures share."""

from collections.abc import Sequence

import seaborn as sns

sns.set_theme(style="ticks", context="notebook", font_scale=0.8, rc={"axes.titlesize": "medium"})

INK, PAPER, OURS, TEST = "#333333", "#b8b8b8", "#2a6f97", "#c8553d"
SCORES = {"precision": "#8ab17d", "recall": "#e9a03b", "f1": "#7a5195", "accuracy": OURS}
WIDTH = 10.0  # inches: the report's column


def genre_colors(genres: Sequence[str]) -> dict[str, tuple]:
    """Return a colour for each genre, the same in every figure."""
    return dict(zip(genres, sns.color_palette("husl", len(genres)), strict=True))
