"""Which segments train, which validate and which test, and what leaks between them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, train_test_split

from music_genre.data import annotations
from music_genre.data.columns import FEATURES
from music_genre.data.table import clips
from music_genre.exceptions import InputError

# A row's part, and what it is for. The rest is "unused".
PARTS = {"train": "to train on", "validation": "to choose by", "test": "held out"}
PARTITION = {
    "train": "train_filtered.txt",
    "validation": "valid_filtered.txt",
    "test": "test_filtered.txt",
}
INDEX = "GTZANindex.txt"
MOST_ABSENT = 0.05  # share of a list's clips that a table may lack


def split(
    table: pd.DataFrame, name: str, *, test_size: float, seed: int, table_folder: Path | None = None
) -> np.ndarray:
    """Split the table by the named way; every genre is in training and in test.

    Parameters
    ----------
    name
        One of :data:`SPLITS`.
    test_size, seed
        Share of the rows that test, and the seed of the draw. (The split by artist is published
        and takes neither.)
    table_folder
        The table's folder; its folder ``splits`` may hold the published lists if the project's
        ``data/splits`` does not.

    Returns
    -------
    ndarray [shape=(n_segments,), dtype=str]
        ``train``, ``validation``, ``test`` or ``unused``.

    Raises
    ------
    InputError
        A genre has too few segments (or tracks) to be in training and in test; the split needs
        the rows' tracks and their names do not tell; the lists are not there, or name too many
        clips that the table lacks.
    """
    try:
        parts = SPLITS[name].draw(table, test_size=test_size, seed=seed, table_folder=table_folder)
    except InputError:
        raise
    except ValueError as error:
        raise InputError(
            f"test_size {test_size} of {len(table)} segments cannot be split by {name} ({error}): "
            "choose another test_size or add clips."
        ) from error
    _check_genres(table, name, train=parts == "train", test=parts == "test")
    return parts


def segment(
    table: pd.DataFrame, *, test_size: float, seed: int, table_folder: Path | None = None
) -> np.ndarray:
    """Split segments at random, the paper's way: a track's segments fall on both sides.

    Each genre keeps its share on both sides (stratified; the paper does not say).
    """
    rows = np.arange(len(table))
    _, test = train_test_split(
        rows, test_size=test_size, random_state=seed, stratify=table["label"]
    )
    return np.where(np.isin(rows, test), "test", "train")


def track(
    table: pd.DataFrame, *, test_size: float, seed: int, table_folder: Path | None = None
) -> np.ndarray:
    """Split whole tracks at random: all segments of a track fall on one side.

    The share of test rows is the nearest of 1/2, 1/3, 1/4, ... to ``test_size``.
    """
    n = max(2, round(1 / test_size))
    return np.where(next(_folds(table, "track", n=n, seed=seed)), "test", "train")


def artist(
    table: pd.DataFrame, *, test_size: float, seed: int, table_folder: Path | None = None
) -> np.ndarray:
    """Take GTZAN's published partition, in which no artist is in two parts and no clip is faulty.

    443 clips train, 197 validate, 290 test; the segments of the other 70 are unused (C. Kereliuk,
    B. L. Sturm & J. Larsen, *Deep Learning and Music Adversaries*, IEEE Transactions on
    Multimedia 17, 2015). The lists are fixed: ``test_size`` and ``seed`` do not matter.
    """
    names = _tracks(table, "artist")
    part_of = {}
    for part, name in PARTITION.items():
        lines = annotations.read(name, table_folder)
        if lines is None:
            raise InputError(
                f"split by artist needs the published list {name}, which is neither in data/splits "
                "nor in a folder splits beside the table: run `make data`."
            )
        listed = [Path(line).stem for line in lines]  # blues/blues.00029.wav
        absent = sorted(set(listed) - set(names))
        if len(absent) >= MOST_ABSENT * len(listed):
            raise InputError(
                f"the table lacks {len(absent)} of the {len(listed)} clips in {name} "
                f"({', '.join(absent[:3])}, ...): split by artist needs GTZAN's full table; "
                "run `make data`, or name the table with features (FEATURES= of make)."
            )
        if absent:
            print(f"{name} names clips that the table lacks, left out: {', '.join(absent)}")
        part_of |= dict.fromkeys(listed, part)
    return names.map(part_of).fillna("unused").to_numpy(dtype=str)


@dataclass(frozen=True)
class Split:
    """A way to hold segments out."""

    draw: Callable[..., np.ndarray]  # (table, test_size, seed, table_folder): each segment's part
    disjoint_by: tuple[str, ...]  # what no two parts share: columns of :func:`leaks`
    held_out: str  # the same in words, as in "with ... held out"
    color: str  # in every figure


# The loosest first. All that a split is stands here; the rest of the code reads it.
SPLITS = {
    "segment": Split(segment, (), "segments of tracks that were trained on", "#2a6f97"),
    "track": Split(track, ("tracks",), "whole tracks", "#e9a03b"),
    "artist": Split(
        artist, ("tracks", "artists"), "whole artists, faulty clips left out,", "#c8553d"
    ),
}


def folds(table: pd.DataFrame, name: str, *, n: int = 10, seed: int) -> Iterator[np.ndarray]:
    """Cross-validate: yield, for each of ``n`` folds, which rows test; the others train.

    Every row tests in one fold; each fold has its share of every genre, as nearly as whole tracks
    allow. ``name`` is ``segment`` or ``track``; the split by artist is one fixed partition.

    Yields
    ------
    ndarray [shape=(n_segments,), dtype=bool]
        True where a row tests.

    Raises
    ------
    InputError
        As :func:`split`; also where ``name`` has no folds.
    """
    try:
        for test in _folds(table, name, n=n, seed=seed):
            _check_genres(table, name, train=~test, test=test)
            yield test
    except InputError:
        raise
    except ValueError as error:
        raise InputError(
            f"{len(table)} segments cannot be split by {name} into {n} folds ({error}): "
            "choose fewer folds or add clips."
        ) from error


def tracks(table: pd.DataFrame) -> pd.Series:
    """Return each row's track, missing where its name does not tell.

    ``blues.00000`` of ``blues.00000.3.wav``; a name without a segment, ``blues.00000.wav`` or
    ``song.wav``, tells none.
    """
    names = clips(table)
    return names.mask((names == table["filename"]) | (names == table["label"]))


def artists(table: pd.DataFrame, table_folder: Path | None = None) -> pd.Series:
    """Return each row's artist, missing where not known.

    Known are those in Sturm's index of GTZAN (B. L. Sturm, *An Analysis of the GTZAN Music Genre
    Dataset*, MIRUM 2012), if it is in ``data/splits`` or in the folder ``splits`` of ``table_folder``.
    The index names no artist for 81 of the 1,000 clips.
    """
    fields = [
        line.split(":::") for line in annotations.read(INDEX, table_folder) or [] if ":::" in line
    ]
    known = {Path(file.strip()).stem: who.strip() for file, who, _ in fields if who.strip()}
    return tracks(table).map(known)


def leaks(table: pd.DataFrame, parts: np.ndarray, artists: pd.Series) -> pd.DataFrame:
    """Count what the parts of a split have in common.

    Parameters
    ----------
    parts : ndarray [shape=(n_segments,)]
        As :func:`split` returns.
    artists : Series [shape=(n_segments,)]
        As :func:`artists` returns.

    Returns
    -------
    DataFrame [shape=(n_pairs, 3), index="train and test", ...]
        ``tracks``, ``artists``, and ``exact duplicates``: different rows equal in all 57
        features. Missing where no track, or no artist, is known.
    """
    _, same = np.unique(table[FEATURES].to_numpy(), axis=0, return_inverse=True)
    keys = {"tracks": tracks(table), "artists": artists, "exact duplicates": pd.Series(same)}
    there = [part for part in PARTS if (parts == part).any()]
    counts = pd.DataFrame(
        index=[" and ".join(pair) for pair in combinations(there, 2)], columns=list(keys)
    )
    for what, key in keys.items():
        if key.notna().any():
            sides = {part: set(key[parts == part].dropna()) for part in there}
            counts[what] = [len(sides[a] & sides[b]) for a, b in combinations(there, 2)]
    return counts.astype("Int64")


def sizes(parts: np.ndarray) -> dict[str, int]:
    """Return how many segments are in each of :data:`PARTS`, and how many are unused."""
    return {part: int((parts == part).sum()) for part in (*PARTS, "unused")}


def _folds(table: pd.DataFrame, name: str, *, n: int, seed: int) -> Iterator[np.ndarray]:
    if name == "segment":
        cut = StratifiedKFold(n, shuffle=True, random_state=seed)
        indices = cut.split(table, table["label"])
    elif name == "track":
        cut = StratifiedGroupKFold(n, shuffle=True, random_state=seed)
        indices = cut.split(table, table["label"], _tracks(table, name))
    else:
        raise InputError(
            f"split by {name} is one fixed partition: cross-validate by segment or by track."
        )
    for _, test in indices:
        yield np.isin(np.arange(len(table)), test)


def _tracks(table: pd.DataFrame, name: str) -> pd.Series:
    """Return each row's track, for a split that needs it."""
    names = tracks(table)
    if names.isna().any():
        odd = table["filename"][names.isna()].iloc[0]
        raise InputError(
            f"split by {name} needs each row's track, which the filename {odd} does not tell "
            "(blues.00000.3.wav, segment 3 of track blues.00000, would): choose split segment, or "
            "a table with such names."
        )
    return names


def _check_genres(table: pd.DataFrame, name: str, *, train: np.ndarray, test: np.ndarray) -> None:
    way_out = "use GTZAN's table" if name == "artist" else "choose another test_size or seed"
    for side, rows in (("training", train), ("test", test)):
        absent = sorted(set(table["label"]) - set(table["label"][rows]))
        if absent:
            raise InputError(
                f"split by {name} leaves no {side} row of genre {', '.join(absent)}: "
                f"{way_out}, or add clips of that genre."
            )
