"""Which tracks sound alike: the nearest by a network's last state and by the features, measured.

A track is described by the mean over its segments, so a query's own segments are never among its
neighbours. The nearest are those at the smallest Euclidean distance, by scikit-learn's
``NearestNeighbors``. How good they are is measured by the share of them that has the query's genre
(precision at k), as listeners' judgements are not there. A network knows the genres of the tracks
that it was trained on, so it is measured on held-out tracks, as queries and as candidates.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from music_genre.analysis.errors import check_table, duplicates
from music_genre.data import splits
from music_genre.data.columns import FEATURES
from music_genre.data.find import given
from music_genre.data.table import Source, clips
from music_genre.exceptions import InputError, meant
from music_genre.metrics.intervals import UNKNOWN, interval, paired_difference
from music_genre.models import portable, runs
from music_genre.paths import display_path
from music_genre.provenance import read_json

K = 10  # neighbours of a track
DEPTHS = (5, K)  # of the nearest, how many are judged
STATE, SCALED = "last state", "scaled features"  # the spaces
STATES = "states.csv"  # in a run's folder
NEIGHBOURS = Path("similar", "neighbours.csv")  # in a report's folder


@dataclass(frozen=True)
class Network:
    """A network that was trained with whole tracks held out, and what it says of every track."""

    run: Path
    parts: pd.Series  # [index=track] train, validation or test; tracks it left out are missing
    states: pd.DataFrame  # [index=track, shape=(n_tracks, n_units)]


@dataclass(frozen=True)
class Measured:
    """The nearest of some tracks among themselves."""

    split: str  # of the network; empty where there is none
    part: str  # of the split: "test" was held out, "train" trained on; empty: the whole table
    other_artists: bool  # whether candidates of the query's artist are left out
    tracks: pd.DataFrame  # [index=track] label, artist, and the group that an interval resamples
    lists: dict[str, pd.DataFrame]  # by space, what nearest() returns


# ---- Tracks, and where they lie.


def track_names(segments: pd.DataFrame) -> pd.Series:
    """Return each segment's track; a segment of an unknown track is one of its own."""
    return clips(segments).fillna(segments["filename"])


def tracks(segments: pd.DataFrame, table_folder: Path | None = None) -> pd.DataFrame:
    """List a table's tracks in its order.

    Returns
    -------
    DataFrame [shape=(n_tracks, 2), index=track]
        label; artist, missing where not known (:func:`music_genre.data.splits.artists`).
    """
    named = pd.DataFrame(
        {"label": segments["label"], "artist": splits.artists(segments, table_folder)}
    )
    return named.groupby(track_names(segments).rename("track"), sort=False).first()


def scaler(segments: pd.DataFrame) -> StandardScaler:
    """Fit the scaling of the 57 features on all segments of a table. It knows no genre."""
    return StandardScaler().fit(segments[FEATURES])


def scaled(segments: pd.DataFrame, by: StandardScaler) -> pd.DataFrame:
    """Return each track's mean of the scaled features [shape=(n_tracks, 57), index=track]."""
    return _means(segments, by.transform(segments[FEATURES]), FEATURES)


def load(
    folder: Path, segments: pd.DataFrame, source: Source
) -> tuple[dict[str, Network], dict[str, str]]:
    """Load a report's networks that were trained with whole tracks held out.

    They are ``<folder>/splits/<split>/lstm``. Their states are computed once and kept there.

    Returns
    -------
    networks : dict of Network
        By the split's name, the loosest first.
    left_out : dict of str
        Why a split's network could not be used.
    """
    found, left_out = {}, {}
    for name, split in splits.SPLITS.items():
        run = folder / "splits" / name / "lstm"
        if "tracks" not in split.disjoint_by or not run.is_dir():
            continue
        try:
            found[name] = _network(run, segments, source)
        except InputError as error:
            left_out[name] = str(error)
    return found, left_out


def _network(run: Path, segments: pd.DataFrame, source: Source) -> Network:
    if (run / "failed.json").exists():
        raise InputError(read_json(run / "failed.json")["error"].removeprefix("InputError: "))
    content, _, predictions = runs.load(run)
    check_table(run, content, source)

    def compute() -> pd.DataFrame:
        if not (run / "model.keras").exists():
            raise InputError(
                f"{display_path(run)} holds neither model.keras nor the {STATES} of this "
                "training: train it again."
            )
        states = portable.load(run).states(segments)
        units = [f"unit {i}" for i in range(1, states.shape[1] + 1)]
        return _means(segments, states, units).astype("float32").reset_index()

    identity = {"run": content["identity"], "parameters": content["parameters"], "source": source}
    states = runs.kept(run / STATES, identity, compute).set_index("track")
    if not np.isfinite(states.to_numpy()).all():
        raise InputError(
            f"what the network in {display_path(run)} says of some tracks is no number, as its "
            "training broke down: train it with a lower learning rate."
        )
    parts = predictions["part"].groupby(track_names(predictions), sort=False).first()
    return Network(run, parts, states)


def _means(segments: pd.DataFrame, values: np.ndarray, columns: Sequence[str]) -> pd.DataFrame:
    names = track_names(segments).rename("track").to_numpy()
    means = pd.DataFrame(values, columns=columns).groupby(names, sort=False).mean()
    return means.rename_axis("track")


def of_file(
    path: str | Path, by: StandardScaler, network: Network | None
) -> tuple[str, dict[str, np.ndarray]]:
    """Describe a sound file as the tracks of a table are described.

    Parameters
    ----------
    by
        The :func:`scaler` of the table.
    network
        None: the file is described by its features alone, as where the network is not there.

    Returns
    -------
    name : str
        That a track of this file would have.
    points : dict of ndarray [shape=(n_columns,)]
        By space.

    Raises
    ------
    InputError
        As :func:`music_genre.data.features.extract_clip`; the network cannot be loaded.
    """
    from music_genre.data.features import extract_clip  # librosa takes seconds to load

    segments = extract_clip(given(path), label="")
    points = {SCALED: by.transform(segments[FEATURES]).mean(axis=0)}
    if network is not None and (network.run / "model.keras").exists():
        points = {STATE: portable.load(network.run).states(segments).mean(axis=0), **points}
    return clips(segments).iloc[0], points


# ---- Nearest tracks.


def nearest(vectors: pd.DataFrame, artists: pd.Series | None = None, *, k: int = K) -> pd.DataFrame:
    """Return the nearest other tracks of each track.

    Parameters
    ----------
    vectors : DataFrame [shape=(n_tracks, n_columns), index=track]
    artists : Series [shape=(n_tracks,), index=track], optional
        If given, tracks of the query's artist are left out; where the artist is missing, none is.

    Returns
    -------
    DataFrame [shape=(at most n_tracks * k, 4)]
        track; rank, from 1; neighbour; distance. A track has fewer than k where there are no more.
    """
    names = vectors.index.to_numpy(dtype=object)
    codes = np.arange(len(names))  # as if each track had an artist of its own
    if artists is not None:
        known = pd.factorize(artists.loc[vectors.index])[0]
        codes = np.where(known < 0, known.max(initial=-1) + 1 + codes, known)
    # Of the nearest so many, k are of other artists, if there are k.
    most = min(len(names) - 1, k + int(np.bincount(codes).max(initial=1)) - 1)
    if most < 1:
        return pd.DataFrame(columns=["track", "rank", "neighbour", "distance"])
    distances, positions = NearestNeighbors(n_neighbors=most).fit(vectors.to_numpy()).kneighbors()
    allowed = codes[positions] != codes[:, np.newaxis]
    ranks = allowed.cumsum(axis=1)
    query, place = np.nonzero(allowed & (ranks <= k))
    return pd.DataFrame(
        {
            "track": names[query],
            "rank": ranks[query, place],
            "neighbour": names[positions[query, place]],
            "distance": distances[query, place],
        }
    )


def nearest_to(
    point: np.ndarray, vectors: pd.DataFrame, *, without: Collection[str] = (), k: int = K
) -> pd.DataFrame:
    """Return the tracks nearest to a point, but for some: rank, neighbour, distance."""
    others = vectors[~vectors.index.isin(without)]
    search = NearestNeighbors(n_neighbors=min(k, len(others))).fit(others.to_numpy())
    distances, positions = search.kneighbors(point[np.newaxis])
    return pd.DataFrame(
        {
            "rank": range(1, positions.size + 1),
            "neighbour": others.index[positions[0]],
            "distance": distances[0],
        }
    )


def all_nearest(
    path: Path | None,
    segments: pd.DataFrame,
    source: Source,
    of: pd.DataFrame,
    spaces: Mapping[str, pd.DataFrame],
    network: Network | None,
) -> pd.DataFrame:
    """Return the nearest of every track among all others, not of its artist, in each space.

    Parameters
    ----------
    path
        Where to keep them, if anywhere.
    of
        As :func:`tracks` returns them.
    spaces
        Each track's vector, by space.
    network
        Whose states are among the spaces, if they are.

    Returns
    -------
    DataFrame [shape=(at most n_spaces * n_tracks * K, 8)]
        space, track, rank, neighbour, genre and artist of the neighbour, distance; equal segments,
        how many of the two tracks' segments are equal in all features.
    """
    written = of["artist"].fillna("").rename_axis("track").to_csv()
    identity = {
        "source": source,
        "network": network and runs.load(network.run)[0]["identity"],
        "artists": hashlib.sha256(written.encode()).hexdigest(),
        "spaces": list(spaces),
        "neighbours": K,
    }

    def compute() -> pd.DataFrame:
        lists = {space: nearest(vectors, of["artist"]) for space, vectors in spaces.items()}
        found = pd.concat(lists, names=["space"]).reset_index("space")
        return described(found, of, segments).round({"distance": 4})

    return compute() if path is None else runs.kept(path, identity, compute)


def described(found: pd.DataFrame, of: pd.DataFrame, segments: pd.DataFrame) -> pd.DataFrame:
    """Add what is known of each neighbour: genre, artist and, beside a track, equal segments."""
    about = of.loc[found["neighbour"]]
    distance = found.columns.get_loc("distance")
    found = found.copy()
    found.insert(distance, "genre", about["label"].to_numpy())
    found.insert(distance + 1, "artist", about["artist"].to_numpy())
    if "track" in found:
        found["equal segments"] = _equal_segments(found, segments)
    return found


def _equal_segments(found: pd.DataFrame, segments: pd.DataFrame) -> np.ndarray:
    """Return how many segments each track and its neighbour have in common."""
    pairs = duplicates(segments)
    counts = {}
    for a, b, equal in pairs.itertuples(index=False):
        counts[a, b] = counts[b, a] = equal
    both = found[["track", "neighbour"]].itertuples(index=False, name=None)
    return np.array([counts.get(pair, 0) for pair in both], dtype=int)


def check_query(track: str, audio: str, of: pd.DataFrame) -> None:
    """Raise InputError if a track and a file are both named, or a track that is not there."""
    if track and audio:
        raise InputError("both track and audio are given: name a track of the table, or a file.")
    if track and track not in of.index:
        raise InputError(
            f"there is no track {track} in the table{meant(track, of.index)}: name one as its "
            f"segments are named, such as {of.index[0]}, or a file of yours with audio."
        )


def example(of: pd.DataFrame, network: Network | None) -> str:
    """Return the first track that a network held out; without a network, the table's first."""
    if network is None:
        return of.index[0]
    return of.index[of.index.isin(network.parts.index[network.parts == "test"])][0]


# ---- How good they are.


def measure(
    of: pd.DataFrame, features: pd.DataFrame, networks: Mapping[str, Network]
) -> list[Measured]:
    """Find the nearest among the tracks that each network held out, among those that it was
    trained on, and by features alone among all; with and without the query's artist, if known.

    Parameters
    ----------
    of
        As :func:`tracks` returns them.
    features
        As :func:`scaled` returns them.

    Returns
    -------
    list of Measured
        The strictest split first, held-out tracks first; the whole table last.
    """
    found = []
    for name, network in reversed(networks.items()):
        for part in ("test", "train"):
            own = of[of.index.isin(network.parts.index[network.parts == part])]
            groups = own.index.to_series()
            if "artists" in splits.SPLITS[name].disjoint_by:
                groups = own["artist"].fillna(groups)
            spaces = {STATE: network.states, SCALED: features}
            found += _measured(name, part, own.assign(group=groups), spaces)
    return found + _measured("", "", of.assign(group=of.index), {SCALED: features})


def _measured(
    split: str, part: str, of: pd.DataFrame, spaces: Mapping[str, pd.DataFrame]
) -> list[Measured]:
    # Every track keeps a candidate where other artists are asked for.
    apart = candidates(of, other_artists=True)["all"].gt(0).all()
    ways = (True, False) if apart and of["artist"].notna().any() else (False,)
    return [
        Measured(
            split,
            part,
            other,
            of,
            {
                space: nearest(vectors.loc[of.index], of["artist"] if other else None)
                for space, vectors in spaces.items()
            },
        )
        for other in ways
    ]


def precision(found: pd.DataFrame, label: pd.Series, depth: int) -> pd.Series:
    """Return the share of each track's nearest that has its genre [shape=(n_tracks,)], 0 to 1.

    Parameters
    ----------
    found
        As :func:`nearest` returns them.
    label : Series [shape=(n_tracks,), index=track]
    depth
        How many of the nearest are judged; fewer where a track has fewer, missing where none.
    """
    first = found[found["rank"] <= depth]
    hits = first["neighbour"].map(label).to_numpy() == first["track"].map(label).to_numpy()
    return (
        pd.Series(hits, dtype=float).groupby(first["track"].to_numpy()).mean().reindex(label.index)
    )


def candidates(of: pd.DataFrame, *, other_artists: bool) -> pd.DataFrame:
    """Count each track's candidates and those of them that have its genre.

    Returns
    -------
    DataFrame [shape=(n_tracks, 2), index=track]
        ``all`` and ``same``. A list drawn at random, of whatever length, has an expected precision
        of exactly ``same / all``; the best one at k has ``min(same, k) / min(all, k)``.
    """
    of_genre = of.groupby("label")["label"].transform("size")
    left_out = left_out_of_genre = 1  # the track itself
    if other_artists:
        left_out = of.groupby("artist")["label"].transform("size").fillna(1)
        left_out_of_genre = of.groupby(["label", "artist"])["label"].transform("size").fillna(1)
    return pd.DataFrame({"all": len(of) - left_out, "same": of_genre - left_out_of_genre},
                        index=of.index, dtype=int)  # fmt: skip


def scores(measured: Sequence[Measured]) -> pd.DataFrame:
    """Return a line for each measurement, space and depth, in per cent.

    Returns
    -------
    DataFrame [shape=(n_lines, 12)]
        split, part, artists ("other": none of the query's, or "any"), space; ``tracks`` that were
        queries; ``k``; ``precision`` with the ends ``low`` and ``high`` of its 95 % interval over
        tracks or artists (:func:`music_genre.metrics.intervals.interval`: other queries, the same
        candidates);
        ``chance``, the precision to expect of lists drawn at random; ``best``, the highest that
        the numbers of tracks allow.
    """
    return pd.DataFrame(
        {**_of(one), "space": space, **_score(one, space, depth, one.tracks.index)}
        for one in measured
        for space in one.lists
        for depth in DEPTHS
    )


def key(one: Measured) -> tuple[str, str, str]:
    """Return what tells a measurement from others in :func:`precisions`."""
    return tuple(_of(one).values())


def precisions(scores: pd.DataFrame) -> dict[tuple[str, str, str], dict[str, float]]:
    """Return the precisions of :func:`scores` of one depth: by split, part and artists, then
    by space.
    """
    by_measured = scores.groupby(["split", "part", "artists"], sort=False)
    return {key: dict(zip(of["space"], of["precision"], strict=True)) for key, of in by_measured}


def by_genre(one: Measured) -> pd.DataFrame:
    """Return :func:`scores` for each genre: genre, space, tracks, k, precision, ..."""
    return pd.DataFrame(
        {"genre": genre, "space": space, **_score(one, space, depth, of.index)}
        for genre, of in one.tracks.groupby("label")
        for space in one.lists
        for depth in DEPTHS
    )


def _of(one: Measured) -> dict:
    artists = "other" if one.other_artists else "any"
    return {"split": one.split, "part": one.part, "artists": artists}


def _score(one: Measured, space: str, depth: int, queries: pd.Index) -> dict:
    values = precision(one.lists[space], one.tracks["label"], depth).loc[queries]
    there = candidates(one.tracks, other_artists=one.other_artists).loc[queries]
    there = there[there["all"] > 0]
    groups = one.tracks["group"].loc[queries]
    several = groups[values.notna()].nunique() > 1
    low, high = interval(values, groups) if several else UNKNOWN
    best = np.minimum(there["same"], depth) / np.minimum(there["all"], depth)
    return {
        "tracks": int(values.notna().sum()),
        "k": depth,
        "precision": 100 * values.mean(),
        "low": low,
        "high": high,
        "chance": 100 * (there["same"] / there["all"]).mean(),
        "best": 100 * best.mean(),
    }


def differences(measured: Sequence[Measured]) -> pd.DataFrame:
    """Compare the two spaces on the same queries and candidates.

    Returns
    -------
    DataFrame [shape=(n_lines, 8)]
        split, part, artists, k; ``difference``, the state's precision minus the features' in
        percentage points; ``low`` and ``high``, its paired 95 % interval over tracks or artists;
        ``favours``: which space the interval favours, missing where it includes zero.
    """
    lines = []
    for one in measured:
        for depth in DEPTHS if STATE in one.lists else ():
            state, features = (
                precision(one.lists[space], one.tracks["label"], depth) for space in (STATE, SCALED)
            )
            several = one.tracks["group"][state.notna()].nunique() > 1
            low, high = (
                paired_difference(state, features, one.tracks["group"]) if several else UNKNOWN
            )
            lines.append(
                {
                    **_of(one),
                    "k": depth,
                    "difference": 100 * (state.mean() - features.mean()),
                    "low": low,
                    "high": high,
                    "favours": STATE if low > 0 else SCALED if high < 0 else np.nan,
                }
            )
    return pd.DataFrame(lines)


def occurrences(found: pd.DataFrame, names: pd.Index) -> pd.Series:
    """Count in how many other tracks' lists each track stands [shape=(n_tracks,), dtype=int]."""
    return found["neighbour"].value_counts().reindex(names, fill_value=0)


def hubness(counts: pd.Series) -> dict:
    """Tell how unequally tracks stand in others' lists, from :func:`occurrences`.

    Hubs are in many lists, anti-hubs in none (M. Radovanović, A. Nanopoulos & M. Ivanović, *Hubs in
    Space*, Journal of Machine Learning Research 11, 2010).

    Returns
    -------
    dict
        ``skewness`` of the counts (missing where all are equal); ``hub``, the track in most lists
        (the first of several), and in how many; ``in no list``, the share of tracks in per cent.
    """
    return {
        "skewness": float(stats.skew(counts)) if counts.nunique() > 1 else np.nan,
        "hub": counts.idxmax(),
        "in lists": int(counts.max()),
        "in no list": 100 * float((counts == 0).mean()),
    }


def hubs(measured: Sequence[Measured], segments: pd.DataFrame) -> pd.DataFrame:
    """Return the :func:`hubness` of each measurement and space, and duplicates among neighbours.

    Returns
    -------
    DataFrame [shape=(n_lines, 10)]
        split, part, artists, space; what :func:`hubness` returns; ``neighbours``, how many
        all lists hold; ``duplicates``, how many of these have segments equal to the query's.
    """
    lines = []
    for one in measured:
        for space, found in one.lists.items():
            lines.append(
                {
                    **_of(one),
                    "space": space,
                    **hubness(occurrences(found, one.tracks.index)),
                    "neighbours": len(found),
                    "duplicates": int((_equal_segments(found, segments) > 0).sum()),
                }
            )
    return pd.DataFrame(lines)


def at_random(n_tracks: int) -> dict:
    """Return what to expect of lists drawn at random.

    All other tracks' lists hold a track with the same probability, so the count is binomial.

    Returns
    -------
    dict
        ``skewness``; ``in no list``, the share of tracks in per cent; ``tracks``, how many are in
        0, 1, 2, ... lists [shape=(n_tracks,)]; ``most``, the lists of
        the largest hub (the median).
    """
    drawn = stats.binom(n_tracks - 1, min(1, K / (n_tracks - 1)))
    return {
        "most": int(drawn.ppf(0.5 ** (1 / n_tracks))),  # the median of the largest count
        "skewness": float(drawn.stats("s")),
        "in no list": 100 * float(drawn.pmf(0)),
        "tracks": n_tracks * drawn.pmf(np.arange(n_tracks)),
    }
