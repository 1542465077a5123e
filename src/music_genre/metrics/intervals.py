"""Intervals for accuracies that resample whole tracks or artists, not segments.

The segments of a track are not independent: a model that classifies one of them correctly does so
with most others. Intervals that resample single segments are therefore too narrow. Here whole
groups are resampled, each with all its segments: the cluster form of the percentile bootstrap
(B. Efron & R. J. Tibshirani, *An Introduction to the Bootstrap*, 1993, chapters 8 and 13).
``scipy.stats.bootstrap`` resamples single observations only.
"""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from music_genre.exceptions import InputError

ENDS = 2.5, 97.5  # the ends of a 95 % interval, in per cent of the draws
UNKNOWN = np.nan, np.nan


def interval(
    correct: ArrayLike, groups: ArrayLike, *, seed: int = 0, draws: int = 2000
) -> tuple[float, float]:
    """Return the 95 % interval of an accuracy, in per cent.

    Parameters
    ----------
    correct : array_like [shape=(n_segments,) or (n_runs, n_segments)]
        Whether each segment was classified correctly: 1 or 0, NaN where it was not tested. For
        several runs (seeds, folds), which may have tested different segments, the interval is that
        of their mean accuracy.
    groups : array_like [shape=(n_segments,)]
        The track or artist of each segment. Where one is missing, the interval is not known: NaN.

    Raises
    ------
    InputError
        The shapes differ, or fewer than two groups were tested.
    """
    if pd.isna(np.asarray(groups)).any():
        return UNKNOWN
    right, tested = _by_group(correct, groups)
    return _ends(_accuracies(right, tested, _times_drawn(len(right), seed, draws)))


def paired_difference(
    correct_a: ArrayLike,
    correct_b: ArrayLike,
    groups: ArrayLike,
    *,
    seed: int = 0,
    draws: int = 2000,
) -> tuple[float, float]:
    """Return the 95 % interval of accuracy *a* minus accuracy *b*, in percentage points.

    It is paired: a draw has the same groups for both, so what makes a group hard for both cancels.
    Parameters are those of :func:`interval`; the number of runs may differ.

    Raises
    ------
    InputError
        As :func:`interval`; also if *a* and *b* were not tested on the same segments.
    """
    one, two = (np.atleast_2d(np.asarray(c, dtype=float)) for c in (correct_a, correct_b))
    if not np.array_equal(np.isnan(one).all(axis=0), np.isnan(two).all(axis=0)):
        raise InputError(
            "the two accuracies were not tested on the same segments: compare those tested in both."
        )
    if pd.isna(np.asarray(groups)).any():
        return UNKNOWN
    a, b = _by_group(one, groups), _by_group(two, groups)
    times = _times_drawn(len(a[0]), seed, draws)
    return _ends(_accuracies(*a, times) - _accuracies(*b, times))


def unpaired_difference(
    correct_a: ArrayLike,
    groups_a: ArrayLike,
    correct_b: ArrayLike,
    groups_b: ArrayLike,
    *,
    seed: int = 0,
    draws: int = 2000,
) -> tuple[float, float]:
    """Return the 95 % interval of accuracy *a* minus accuracy *b* where they share no group.

    It is in percentage points. The groups of each side are drawn separately (the two-sample
    bootstrap, Efron & Tibshirani 1993, section 8.3). Parameters and errors are those of
    :func:`interval`.
    """
    if pd.isna(np.asarray(groups_a)).any() or pd.isna(np.asarray(groups_b)).any():
        return UNKNOWN
    sides = [_by_group(correct_a, groups_a), _by_group(correct_b, groups_b)]
    a, b = (
        _accuracies(*side, _times_drawn(len(side[0]), [seed, number], draws))
        for number, side in enumerate(sides)
    )
    return _ends(a - b)


def _by_group(correct: ArrayLike, groups: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Count correct and tested segments [shape=(n_groups, n_runs)] of groups that were tested."""
    runs, groups = np.atleast_2d(np.asarray(correct, dtype=float)), pd.Series(np.asarray(groups))
    if runs.shape[1] != len(groups):
        raise InputError(
            f"{runs.shape[1]} segments have {len(groups)} groups: name the group of each."
        )
    segments = pd.DataFrame(runs.T).groupby(groups)
    right, tested = segments.sum().to_numpy(), segments.count().to_numpy()
    ever = tested.any(axis=1)
    if ever.sum() < 2:
        raise InputError(
            f"{ever.sum()} group was tested: an interval takes two or more; test on more tracks."
        )
    return right[ever], tested[ever]


def _times_drawn(n_groups: int, seed: int | list[int], draws: int) -> np.ndarray:
    """Draw groups with replacement: how often each is drawn [shape=(n_draws, n_groups)]."""
    shares = np.full(n_groups, 1 / n_groups)
    return np.random.default_rng(seed).multinomial(n_groups, shares, size=draws)


def _accuracies(right: np.ndarray, tested: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return each draw's accuracy in per cent, the mean over the runs [shape=(n_draws,)]."""
    with np.errstate(invalid="ignore"):  # 0/0: a run that tested none of the drawn groups
        return np.nanmean(100 * (times @ right) / (times @ tested), axis=1)


def _ends(values: np.ndarray) -> tuple[float, float]:
    low, high = np.percentile(values, ENDS)
    return float(low), float(high)
