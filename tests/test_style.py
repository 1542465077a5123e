"""Genres can be told apart in figures, also by readers who do not see all colours."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from music_genre.data.columns import FAMILIES, FEATURES
from music_genre.report.figures import features, style

GROUNDS = ("#ffffff", style.DARK[style.BACKGROUND])
# Machado, Oliveira & Fernandes 2009, severity 1: what is seen of linear RGB.
SEEN = {
    "all": np.eye(3),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                            [-0.003882, -0.048116, 1.051998]]),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                              [-0.011820, 0.042940, 0.968881]]),
}  # fmt: skip


def linear(color):
    """Return a colour as linear RGB."""
    values = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def luminance(color):
    return linear(color) @ [0.2126, 0.7152, 0.0722]


def oklab(rgb):
    """Return linear RGB in Oklab (Ottosson 2020), where 0.02 is about what is just noticed."""
    lms = np.array([[0.4122214708, 0.5363325363, 0.0514459929],
                    [0.2119034982, 0.6806995451, 0.1073969566],
                    [0.0883024619, 0.2817188376, 0.6299787005]]) @ np.clip(rgb, 0, 1)  # fmt: skip
    return np.array([[0.2104542553, 0.7936177850, -0.0040720468],
                     [1.9779984951, -2.4285922050, 0.4505937099],
                     [0.0259040371, 0.7827717662, -0.8086757660]]) @ np.cbrt(lms)  # fmt: skip


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("color", style.GENRE_COLORS)
def test_genres_read_on_both_grounds(color, ground):
    low, high = sorted([luminance(color), luminance(ground)])
    assert (high + 0.05) / (low + 0.05) >= 3  # WCAG 2.2, 1.4.11


@pytest.mark.parametrize("sight", SEEN)
def test_no_two_genres_look_alike(sight):
    seen = [oklab(SEEN[sight] @ linear(color)) for color in style.GENRE_COLORS]
    assert len(seen) == 10
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 0.08


@pytest.mark.parametrize("n", [2, 10, 15, 60])
def test_any_number_of_genres_is_told_apart(n):
    genres = [str(i) for i in range(n)]
    colors, markers = style.genre_colors(genres), style.genre_markers(genres)
    assert len({(colors[genre], markers[genre]) for genre in genres}) == n


@pytest.mark.parametrize("n", [2, 10, 15])
def test_names_beside_means_cover_neither_marks_nor_each_other(n):
    random = np.random.default_rng(0)
    labels = pd.Series(np.repeat([f"genre {i}" for i in range(n)], 40))
    points = np.repeat(random.normal(size=(n, 2)), 40, axis=0) + random.normal(size=(40 * n, 2))
    fig = features.planes({"PCA": points, "LDA": points[:, ::-1]}, labels)
    fig.draw_without_rendering()
    for ax in fig.axes:
        names = [text.get_bbox_patch().get_window_extent() for text in ax.texts]
        marks = [ax.transData.transform(of.get_offsets()[0]) for of in ax.collections]
        assert len(names) == len(marks) == n
        assert not any(a.overlaps(b) for a, b in combinations(names, 2))
        assert not any(name.contains(*mark) for name in names for mark in marks)


def test_families_hold_every_feature_once():
    assert sorted(sum(FAMILIES.values(), [])) == sorted(FEATURES)


def test_ticks_before_scaling_do_not_cover_each_other():
    before = pd.DataFrame({"a": [-600.0, 0.2, 3.0], "b": [66_149.0, 2.0, 1.3e7]})
    fig = features.scaling(before, before)
    fig.draw_without_rendering()
    boxes = [label.get_window_extent() for label in fig.axes[0].get_xticklabels()]
    assert len(boxes) >= 3
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
