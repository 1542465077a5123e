"""Which segments train, which validate and which test, and what leaks between them."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, train_test_split
from sklearn.preprocessing import StandardScaler

from music_genre.data import annotations
from music_genre.data.columns import FEATURES
from music_genre.data.table import has_features, tracks
from music_genre.exceptions import InputError

PARTS = ("train", "validation", "test")  # of a split; segments in none of them are "unused"
PARTITION = {
    "train": "train_filtered.txt",
    "validation": "valid_filtered.txt",
    "test": "test_filtered.txt",
}
INDEX = "GTZANindex.txt"
# Standard deviations by which equal segments may differ: some copies of the published table hold
# its values rounded (2e-5 off); the nearest unequal segments of different tracks are 0.08 apart.
EQUAL = 1e-4
MOST_ABSENT = 0.05  # share of a list's clips that a table may lack


def split(
    table: pd.DataFrame, name: str, *, test_size: float, seed: int, table_folder: Path | None = None
) -> np.ndarray:
    """Split the segments in the named way.

    Every genre is in the training part and in the test part, and no two parts share what the
    split promises to keep disjoint.

    Parameters
    ----------
    name
        One of :data:`SPLITS`.
    test_size, seed
        Share of the segments that test, and the seed of the draw. (The split by artist is
        published and takes neither.)
    table_folder
        The folder of the features table. Its folder ``splits`` is searched for the published
        lists if the project's ``data/splits`` lacks them.

    Returns
    -------
    ndarray [shape=(n_segments,), dtype=str]
        ``train``, ``validation``, ``test`` or ``unused``.

    Raises
    ------
    InputError
        A genre has too few segments (or tracks) for both parts; the split needs each segment's
        track and a filename does not tell it; the lists are missing, or name too many clips that
        the table lacks; two parts share a track or artist that the split keeps disjoint.
    """
    try:
        parts = SPLITS[name].draw(table, test_size=test_size, seed=seed, table_folder=table_folder)
    except InputError:
        raise
    except ValueError as error:
        raise InputError(
            f"test_size {test_size} of {len(table)} segments cannot be split by {name}: a genre "
            f"has too few ({error}). Choose another test_size or add clips."
        ) from error
    _check_genres(table, name, train=parts == "train", test=parts == "test")
    _check_disjoint(table, name, parts, table_folder)
    return parts


def set_aside(
    table: pd.DataFrame, parts: np.ndarray, name: str, *, share: float, seed: int
) -> np.ndarray:
    """Move a share of the training segments to ``validation``, drawn as the named split draws.

    ``parts`` [shape=(n_segments,), dtype=str] is what :func:`split` returned, and stays as it is.

    Raises
    ------
    InputError
        The split has a part ``validation`` of its own; as :func:`split`.
    """
    if np.isin("validation", parts):
        raise InputError(
            f"split by {name} has validation segments of its own: leave validation_size at 0."
        )
    parts, training = parts.astype("<U10"), np.flatnonzero(parts == "train")
    drawn = split(table.iloc[training], name, test_size=share, seed=seed)
    parts[training[drawn == "test"]] = "validation"
    return parts


def segment(
    table: pd.DataFrame, *, test_size: float, seed: int, table_folder: Path | None = None
) -> np.ndarray:
    """Split segments at random, the paper's way: a track's segments fall on both sides.

    Each genre keeps its share on both sides (stratified; the paper does not say).
    """
    positions = np.arange(len(table))
    _, test = train_test_split(
        positions, test_size=test_size, random_state=seed, stratify=table["label"]
    )
    return np.where(np.isin(positions, test), "test", "train")


def segment_folds(table: pd.DataFrame, *, n: int, seed: int) -> Iterator[tuple]:
    """Cut the segments into ``n`` folds at random, stratified by genre."""
    cut = StratifiedKFold(n, shuffle=True, random_state=seed)
    return cut.split(table, table["label"])


def track(
    table: pd.DataFrame, *, test_size: float, seed: int, table_folder: Path | None = None
) -> np.ndarray:
    """Split whole tracks at random: all segments of a track fall on one side.

    The share of test segments is the nearest of 1/2, 1/3, 1/4, ... to ``test_size``.
    """
    n = max(2, round(1 / test_size))
    _, test = next(track_folds(table, n=n, seed=seed))
    return np.where(np.isin(np.arange(len(table)), test), "test", "train")


def track_folds(table: pd.DataFrame, *, n: int, seed: int) -> Iterator[tuple]:
    """Cut whole tracks into ``n`` folds at random, stratified by genre as far as tracks allow."""
    cut = StratifiedGroupKFold(n, shuffle=True, random_state=seed)
    return cut.split(table, table["label"], _tracks(table, "track"))


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
    """A way to hold segments out: all that the code and the notebooks know about it."""

    draw: Callable[..., np.ndarray]  # (table, test_size, seed, table_folder): each segment's part
    disjoint_by: tuple[str, ...]  # what no two parts share, of "tracks" and "artists"
    held_out: str  # completes "with ... held out"
    color: str  # in every figure
    leaves_out: str = ""  # what is in no part, if anything
    folds: Callable[..., Iterator[tuple]] | None = None  # (table, n, seed): as scikit-learn's split


# The loosest first. A split is this one entry and its functions.
SPLITS = {
    "segment": Split(
        segment,
        disjoint_by=(),
        held_out="random segments",
        color="#2a6f97",
        folds=segment_folds,
    ),
    "track": Split(
        track,
        disjoint_by=("tracks",),
        held_out="whole tracks",
        color="#b97a1a",
        folds=track_folds,
    ),
    "artist": Split(
        artist,
        disjoint_by=("tracks", "artists"),
        held_out="whole artists",
        color="#c8553d",
        leaves_out="faulty clips",
    ),
}


def folds(table: pd.DataFrame, name: str, *, n: int = 10, seed: int) -> list[np.ndarray]:
    """Cross-validate: return, for each of ``n`` folds, which segments test; the others train.

    Every segment tests in one fold; each fold has its share of every genre, as nearly as whole
    tracks allow.

    Parameters
    ----------
    name
        One of :data:`SPLITS` that has folds. (The split by artist is one fixed partition.)

    Returns
    -------
    list of ndarray [shape=(n_segments,), dtype=bool]
        True where a segment tests.

    Raises
    ------
    InputError
        As :func:`split`; also where the split has no folds.
    """
    cut = SPLITS[name].folds
    if cut is None:
        others = " or ".join(other for other, of in SPLITS.items() if of.folds)
        raise InputError(f"split by {name} has no folds: cross-validate by {others}.")
    try:
        tests = [np.isin(np.arange(len(table)), test) for _, test in cut(table, n=n, seed=seed)]
    except InputError:
        raise
    except ValueError as error:
        raise InputError(
            f"{len(table)} segments cannot be split by {name} into {n} folds ({error}): "
            "choose fewer folds or add clips."
        ) from error
    for test in tests:
        _check_genres(table, name, train=~test, test=test)
    return tests


def group_folds(
    labels: pd.Series, groups: pd.Series, used: np.ndarray, *, n: int, seed: int
) -> list[np.ndarray]:
    """Cut the segments that are used into ``n`` folds at random; what is of one group stays in one.

    Each fold has its share of every genre, as nearly as whole groups allow; a genre of fewer groups
    than folds is in some of them.

    Returns
    -------
    list of ndarray [shape=(n_segments,), dtype=bool]
        True where a segment tests.
    """
    positions = np.flatnonzero(used)
    cut = StratifiedGroupKFold(n, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        drawn = list(cut.split(positions, labels.iloc[positions], groups.iloc[positions]))
    return [np.isin(np.arange(len(used)), positions[test]) for _, test in drawn]


def artists(table: pd.DataFrame, table_folder: Path | None = None) -> pd.Series:
    """Return each segment's artist, missing where not known.

    Artists come from Sturm's index of GTZAN (B. L. Sturm, *An Analysis of the GTZAN Music Genre
    Dataset*, MIRUM 2012), if it is in ``data/splits`` or in the folder ``splits`` of
    ``table_folder``. The index names no artist for 81 of the 1,000 clips.
    """
    lines = annotations.read(INDEX, table_folder) or []
    fields = [line.split(":::") for line in lines if ":::" in line]
    known = {Path(file.strip()).stem: who.strip() for file, who, _ in fields if who.strip()}
    return tracks(table).map(known).astype(object)  # not float where none is known


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
        How many ``tracks``, ``artists`` and ``equal segments`` (:func:`equal_pairs`) both parts
        hold. Missing where no track, no artist, or no feature is known.
    """
    same = pd.Series(np.nan, range(len(table)))
    if has_features(table):
        one, other = equal_pairs(table).T
        pairs = coo_array((np.ones(len(one)), (one, other)), shape=(len(table), len(table)))
        same[:] = connected_components(pairs, directed=False)[1]
    keys = {"tracks": tracks(table), "artists": artists, "equal segments": same}
    there = [part for part in PARTS if (parts == part).any()]
    counts = pd.DataFrame(
        index=[" and ".join(pair) for pair in combinations(there, 2)], columns=list(keys)
    )
    for what, key in keys.items():
        if key.notna().any():
            sides = {part: set(key[parts == part].dropna()) for part in there}
            counts[what] = [len(sides[a] & sides[b]) for a, b in combinations(there, 2)]
    return counts.astype("Int64")


def equal_pairs(table: pd.DataFrame) -> np.ndarray:
    """Return pairs of segments that are equal in all 57 features, to within rounding.

    The features are scaled; :data:`EQUAL` says how far they may differ.

    Returns
    -------
    ndarray [shape=(n_pairs, 2), dtype=int]
        Positions in the table.
    """
    scaled = StandardScaler().fit_transform(table[FEATURES])
    return KDTree(scaled).query_pairs(EQUAL, p=np.inf, output_type="ndarray")


def sizes(parts: np.ndarray) -> dict[str, int]:
    """Return how many segments are in each of :data:`PARTS`, and how many are unused."""
    return {part: int((parts == part).sum()) for part in (*PARTS, "unused")}


def _tracks(table: pd.DataFrame, name: str) -> pd.Series:
    """Return each segment's track, for a split that needs it."""
    names = tracks(table)
    if names.isna().any():
        odd = table["filename"][names.isna()].iloc[0]
        raise InputError(
            f"split by {name} needs each segment's track, which the filename {odd} does not tell "
            "(blues.00000.3.wav, segment 3 of track blues.00000, would): choose split segment, or "
            "a table with such names."
        )
    return names


def _check_genres(table: pd.DataFrame, name: str, *, train: np.ndarray, test: np.ndarray) -> None:
    for side, segments in (("training", train), ("test", test)):
        absent = sorted(set(table["label"]) - set(table["label"][segments]))
        if absent:
            raise InputError(
                f"split by {name} leaves no {side} segment of genre {', '.join(absent)}: add clips "
                "of that genre, or choose another test_size or seed where the split takes them."
            )


def _check_disjoint(
    table: pd.DataFrame, name: str, parts: np.ndarray, table_folder: Path | None
) -> None:
    groups = {"tracks": tracks(table), "artists": artists(table, table_folder)}
    used = parts != "unused"
    for what in SPLITS[name].disjoint_by:
        spread = pd.Series(parts[used]).groupby(groups[what][used].to_numpy()).nunique()
        shared = spread.index[spread > 1]
        if len(shared):
            raise InputError(
                f"split by {name} must keep {what} disjoint, but {len(shared)} of them "
                f"({', '.join(shared[:3])}) are in more than one part: "
                f"correct its draw function in {__name__}."
            )
