"""Which segments train and which test."""

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, train_test_split

from music_genre.errors import InputError
from music_genre.table import clips


def split(table: pd.DataFrame, name: str, *, test_size: float, seed: int) -> np.ndarray:
    """Split the table by the named way; every genre is on both sides.

    Returns
    -------
    ndarray [shape=(n_segments,), dtype=bool]
        True where a row tests.

    Raises
    ------
    InputError
        A genre has too few segments (or tracks) to be on both sides.
    """
    try:
        test = SPLITS[name](table, test_size=test_size, seed=seed)
    except ValueError as error:
        raise InputError(
            f"test_size {test_size} of {len(table)} segments cannot be split by {name} ({error}): "
            "choose another test_size or add clips."
        ) from error
    for side, rows in (("training", ~test), ("test", test)):
        absent = sorted(set(table["label"]) - set(table["label"][rows]))
        if absent:
            raise InputError(
                f"split by {name} leaves no {side} row of genre {', '.join(absent)}: "
                "choose another test_size or seed, or add clips of that genre."
            )
    return test


def segment(table: pd.DataFrame, *, test_size: float, seed: int) -> np.ndarray:
    """Split segments at random, the paper's way: a track's segments fall on both sides.

    Each genre keeps its share on both sides (stratified; the paper does not say).

    Returns
    -------
    ndarray [shape=(n_segments,), dtype=bool]
        True where a row tests.
    """
    rows = np.arange(len(table))
    _, test = train_test_split(
        rows, test_size=test_size, random_state=seed, stratify=table["label"]
    )
    return np.isin(rows, test)


def track(table: pd.DataFrame, *, test_size: float, seed: int) -> np.ndarray:
    """Split whole tracks at random: all segments of a track fall on one side.

    The share of test rows is the nearest of 1/2, 1/3, 1/4, ... to ``test_size``.

    Returns
    -------
    ndarray [shape=(n_segments,), dtype=bool]
        True where a row tests.
    """
    folds = StratifiedGroupKFold(max(2, round(1 / test_size)), shuffle=True, random_state=seed)
    _, test = next(folds.split(table, table["label"], clips(table)))
    return np.isin(np.arange(len(table)), test)


SPLITS = {"segment": segment, "track": track}


def shared_tracks(table: pd.DataFrame, test: np.ndarray) -> pd.Series:
    """Count the tracks on each side, and those with segments on both: the leak."""
    names = clips(table)
    training, testing = set(names[~test]), set(names[test])
    return pd.Series(
        {
            "tracks in training": len(training),
            "tracks in test": len(testing),
            "tracks in both": len(training & testing),
        }
    )
