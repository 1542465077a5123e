"""A model's predictions as a table: a line for each segment, a column for each genre's probability.

A genre may be called `label`, `part` or `1960`: its column has a prefix, and names stay text.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

PREFIX = "probability of "
_NAMES = ["filename", "part", "label", "predicted"]  # before the probabilities


def by_genre(genres: Sequence[str], probabilities: np.ndarray) -> dict[str, np.ndarray]:
    """Return the columns of probabilities [shape=(n_segments, n_genres)], by their names."""
    return {PREFIX + genre: of for genre, of in zip(genres, probabilities.T, strict=True)}


def read(path: Path) -> pd.DataFrame:
    """Read predictions, of one model or of several, as CSV: names as text, the rest as numbers.

    Earlier versions wrote probabilities without a prefix, after filename, part, label and
    predicted; they are given one.
    """
    columns = list(pd.read_csv(path, nrows=0).columns)
    if columns[:4] == _NAMES:
        columns[4:] = [PREFIX + name.removeprefix(PREFIX) for name in columns[4:]]
    numbers = [name for name in columns if name.startswith(PREFIX)]
    return pd.read_csv(
        path,
        header=0,
        names=columns,
        dtype={name: float if name in numbers else str for name in columns},
        keep_default_na=False,
        na_values=dict.fromkeys(numbers, [""]),  # of a broken model
    )


def probabilities(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return each genre's probability, the columns named by genre."""
    columns = [name for name in predictions if name.startswith(PREFIX)]
    return predictions[columns].rename(columns=lambda name: name.removeprefix(PREFIX))


def confidence(predictions: pd.DataFrame) -> pd.Series:
    """Return the probability of each segment's likeliest genre, 0 to 1; NaN of a broken model."""
    columns = [name for name in predictions if name.startswith(PREFIX)]
    return predictions[columns].max(axis=1, skipna=False)


def vote(predictions: pd.DataFrame, groups: pd.Series) -> pd.Series:
    """Return the genre of the highest mean probability over each group's segments, by group."""
    columns = [name for name in predictions if name.startswith(PREFIX)]
    means = predictions[columns].groupby(groups).mean()
    genres = np.array([name.removeprefix(PREFIX) for name in columns], dtype=object)
    # Not idxmax, which fails on a broken model's NaN.
    return pd.Series(genres[means.to_numpy().argmax(axis=1)], index=means.index, dtype=str)
