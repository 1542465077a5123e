"""A collection of one's own: how well its genres are told apart, what looks wrong in it.

Duplicates are found first, and stay in one fold with each other: what looks mislabelled is then
judged by models that have not heard its copy.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.metrics import pairwise_distances_chunked
from sklearn.preprocessing import StandardScaler

from music_genre import provenance
from music_genre.analysis import errors
from music_genre.data import splits
from music_genre.data.columns import FEATURES
from music_genre.data.table import noted, tracks
from music_genre.metrics import classification
from music_genre.metrics.intervals import UNKNOWN, interval, paired_difference
from music_genre.metrics.predictions import PREFIX, vote
from music_genre.models import runs

FOLDS = 5
FEW = 10  # tracks of a genre, or more, that a statement about it takes
# Tracks that are alike: the share of segments, and the ratio of distances. Of the 25 pairs in GTZAN
# that pass, equal ones apart, 24 have one artist and title in Sturm's index, and one is not known.
MOST, ALIKE = 0.8, 0.7
ODDS = 4  # of another genre against the label, from which on the label looks wrong
SCORES = ["split", "model", "accuracy", "low", "high", "by segment", "low by segment",
          "high by segment", "tracks", "guessing"]  # fmt: skip
JUDGES = ["logistic regression", "extra trees"]  # of the labels: models that give probabilities


def clips(segments: pd.DataFrame) -> pd.Series:
    """Return each segment's track; where the name does not tell it, the segment is its own."""
    return tracks(segments).fillna(segments["filename"]).rename("track")


def duplicates(segments: pd.DataFrame, table: Path) -> pd.DataFrame:
    """List pairs of tracks that look like duplicates, the surest first.

    Parameters
    ----------
    table
        The path of the features table, beside which its extraction noted files of the same bytes.

    Returns
    -------
    DataFrame [shape=(n_pairs, 6)]
        ``clip`` and ``other``, with the ``genre`` and the ``other genre``; ``why``: the files have
        the same bytes; at least half of the segments of the shorter are equal in all features; or
        the tracks are alike (:func:`alike`); ``ratio``, of the distances of those
        that are alike, else 0.
    """
    track, counts = clips(segments), clips(segments).value_counts()
    genres = segments["label"].groupby(track).first()
    found: dict[tuple[str, str], tuple[str, float]] = {}
    for copies in noted(table, segments=len(segments)).get("copies", []):
        first, *others = sorted(copies)
        found |= {(first, other): ("the same file", 0.0) for other in others}
    if tracks(segments).notna().all():
        for a, b, n in errors.duplicates(segments).itertuples(index=False):
            if n >= min(counts[a], counts[b]) / 2:
                found.setdefault((a, b), (f"{n} equal segments", 0.0))
        for a, b, ratio in alike(segments).itertuples(index=False):
            found.setdefault((a, b), ("alike", ratio))
    lines = [
        (a, genres[a], b, genres[b], why, ratio)
        for (a, b), (why, ratio) in found.items()
        if a in genres and b in genres
    ]
    columns = ["clip", "genre", "other", "other genre", "why", "ratio"]
    return pd.DataFrame(lines, columns=columns).sort_values(
        "ratio", kind="stable", ignore_index=True
    )


def alike(segments: pd.DataFrame) -> pd.DataFrame:
    """List pairs of tracks each of which is the other's nearest by far.

    For ``MOST`` of a track's segments, the nearest segment of another track lies in the other one,
    in both directions; and by the median it is nearer than ``ALIKE`` times the distance to any
    third track (the ratio test of D. G. Lowe, *Distinctive Image Features from Scale-Invariant
    Keypoints*, 2004). Distances are sums of absolute differences of the scaled features.

    Returns
    -------
    DataFrame [shape=(n_pairs, 3)]
        a, b (in order of name), ratio.
    """
    codes, names = pd.factorize(clips(segments))
    none = pd.DataFrame(columns=["a", "b", "ratio"])
    if len(names) < 3:
        return none
    order = codes.argsort(kind="stable")
    codes = codes[order]
    scaled = StandardScaler().fit_transform(segments[FEATURES])[order].astype("float32")
    starts = np.flatnonzero(np.diff(codes, prepend=-1))

    def nearest(distances: np.ndarray, start: int) -> np.ndarray:
        to_tracks = np.minimum.reduceat(distances, starts, axis=1)
        to_tracks[np.arange(len(distances)), codes[start : start + len(distances)]] = np.inf
        two = np.partition(to_tracks, 1, axis=1)[:, :2]
        ratio = two[:, 0] / np.maximum(two[:, 1], np.finfo("float32").tiny)
        return np.column_stack([to_tracks.argmin(axis=1), ratio])

    chunks = pairwise_distances_chunked(
        scaled, metric="cityblock", reduce_func=nearest, n_jobs=1, working_memory=256
    )
    other, ratio = np.vstack(list(chunks)).T
    pairs = pd.DataFrame({"a": codes, "b": other.astype(int), "ratio": ratio})
    near = pairs.groupby(["a", "b"])["ratio"].agg(["size", "median"]).reset_index()
    sizes = near["a"].map(pd.Series(codes).value_counts())
    near = near[(near["size"] >= MOST * sizes) & (near["median"] < ALIKE)]
    both = near.merge(near, left_on=["a", "b"], right_on=["b", "a"], suffixes=("", " back"))
    lines = [
        (*sorted([names[a], names[b]]), max(there, back))
        for a, b, there, back in both[["a", "b", "median", "median back"]].itertuples(index=False)
        if a < b
    ]
    return pd.DataFrame(lines, columns=none.columns)


def groups(segments: pd.DataFrame, artists: pd.Series, twins: pd.DataFrame) -> pd.DataFrame:
    """Number what stays together when it is held out.

    Parameters
    ----------
    artists : Series [shape=(n_segments,)]
        Missing where not known.
    twins
        As :func:`duplicates` returns them: they stay together too.

    Returns
    -------
    DataFrame [shape=(n_segments, 2)]
        ``track`` and ``artist``; missing where the artist is not known.
    """
    track = clips(segments)
    keys = {"track": track, "artist": artists}
    return pd.DataFrame({split: _joined(of, track, twins) for split, of in keys.items()})


def _joined(keys: pd.Series, track: pd.Series, twins: pd.DataFrame) -> pd.Series:
    codes, names = pd.factorize(keys)
    code_of = pd.Series(codes).groupby(track.to_numpy()).first()
    pairs = np.array([code_of[twins[side]].to_numpy() for side in ("clip", "other")], dtype=int)
    pairs = pairs[:, (pairs >= 0).all(axis=0)]
    edges = coo_array((np.ones(pairs.shape[1]), pairs), shape=(len(names), len(names)))
    joined = connected_components(edges, directed=False)[1] if len(names) else np.array([])
    return pd.Series(np.where(codes >= 0, np.append(joined, -1)[codes], np.nan), index=keys.index)


def counts(segments: pd.DataFrame, of: pd.Series) -> pd.Series:
    """Count each genre's tracks or artists, 0 where none is known [index: genre]."""
    known = of.groupby(segments["label"]).nunique()
    return known.reindex(sorted(segments["label"].unique()), fill_value=0)


def folds(segments: pd.DataFrame, held_together: pd.Series, *, seed: int = 0) -> list[np.ndarray]:
    """Cut what can be measured into folds.

    Genres of a single group cannot be both trained on and tested, and are left out.

    Parameters
    ----------
    held_together : Series [shape=(n_segments,)]
        A column of :func:`groups`. Where it is missing, a segment is neither trained on nor tested.

    Returns
    -------
    list of ndarray [shape=(n_segments,), dtype=bool]
        True where a segment tests; those that test in another fold train. Empty if fewer than two
        genres can be measured.
    """
    number = counts(segments, held_together)
    enough = number[number >= 2]
    if len(enough) < 2:
        return []
    used = (held_together.notna() & segments["label"].isin(enough.index)).to_numpy()
    return splits.group_folds(
        segments["label"], held_together, used, n=min(FOLDS, enough.max()), seed=seed
    )


def scores(held_out: Mapping[str, pd.DataFrame], together: pd.DataFrame) -> pd.DataFrame:
    """Score held-out predictions by track and by segment.

    Parameters
    ----------
    held_out
        By split, as :func:`music_genre.models.crossvalidation.held_out` returns them.
    together
        As :func:`groups` returns them, with the segments' ``filename`` as index.

    Returns
    -------
    DataFrame [shape=(n_splits * n_models, 10)]
        split, model, ``accuracy`` by track with ``low`` and ``high``, ``by segment`` with ``low by
        segment`` and ``high by segment``, in per cent; ``tracks`` tested; ``guessing``, the share
        of the most frequent genre among these. The 95 % intervals resample what was held out
        together.
    """
    lines = []
    for split, of in held_out.items():
        for model, predicted in of.groupby("model", sort=False):
            lines.append({"split": split, "model": model,
                          **_scores([predicted], together[split])})  # fmt: skip
    return pd.DataFrame(lines, columns=SCORES)


def by_track(predicted: pd.DataFrame) -> pd.DataFrame:
    """Return each track's label and the genre that its segments' mean probabilities name."""
    track = clips(predicted)
    label = predicted["label"].groupby(track).first()
    return pd.DataFrame({"label": label, "predicted": vote(predicted, track)})


def _scores(predictions: list[pd.DataFrame], together: pd.Series) -> dict:
    """Score one or several runs, whose mean counts."""
    of_segments, of_tracks = [], []
    group_of_track = {}
    for predicted in predictions:
        names = predicted["filename"]
        right = predicted["label"] == predicted["predicted"]
        of_segments.append(pd.Series(right.to_numpy(dtype=float), index=names))
        voted = by_track(predicted)
        of_tracks.append((voted["label"] == voted["predicted"]).astype(float))
        group_of_track |= dict(zip(clips(predicted), together[names], strict=True))
    line = {}
    for name, ends, of, group_of in (
        ("accuracy", ("low", "high"), of_tracks, group_of_track),
        ("by segment", ("low by segment", "high by segment"), of_segments, together),
    ):
        each = pd.concat(of, axis=1)  # a column for each run, missing where it did not test
        low, high = _interval(each.T.to_numpy(), [group_of[one] for one in each.index])
        line |= {name: 100 * each.mean().mean(), ends[0]: low, ends[1]: high}
    tested = pd.concat(predictions)
    labels = tested["label"].groupby(clips(tested)).first()
    guessing = 100 * labels.value_counts(normalize=True).max()
    return line | {"tracks": len(labels), "guessing": guessing}


def _interval(correct: np.ndarray, group: list) -> tuple[float, float]:
    return interval(correct, group) if len(set(group)) > 1 else UNKNOWN


def networks(folder: Path, rows: list[str], together: pd.DataFrame) -> tuple[pd.DataFrame, dict]:
    """Score the trained networks of a report on their test segments, over their seeds.

    Returns
    -------
    scored : DataFrame
        As :func:`scores`; a network has one split.
    failed : dict
        Why the others could not be trained, by row.
    """
    lines, failed = [], {}
    for row in rows:
        run = folder / "rows" / row
        if (run / "failed.json").exists():
            failed[row] = provenance.read_json(run / "failed.json")["error"]
            continue
        given = runs.load(run)[0]["parameters"]
        kind = "three LSTMs" if given["model"] == "paper" else given["model"]
        tested = [errors.tested(runs.load(one)[2]) for one in runs.with_seeds(run)]
        lines.append(
            {
                "split": given["split"],
                "model": kind if len(rows) == 1 else f"{kind}, row {row}",
                **_scores(tested, together["track"]),
            }
        )
    return pd.DataFrame(lines, columns=SCORES), failed


def best(scored: pd.DataFrame) -> pd.Series:
    """Return the line of the model that is most accurate by track on the strictest split."""
    strictest = scored[scored["split"] == scored["split"].iloc[-1]]
    return strictest.loc[strictest["accuracy"].idxmax()]


def mislabelled(predicted: pd.DataFrame) -> pd.DataFrame:
    """List tracks whose label held-out predictions contradict with confidence, the surest first.

    :data:`JUDGES` name one and the same other genre, and by the mean of their probabilities over
    the track's segments it is at least ``ODDS`` times as probable as the label.

    Parameters
    ----------
    predicted
        As :func:`music_genre.models.crossvalidation.held_out` returns them, of one split.

    Returns
    -------
    DataFrame [shape=(n_tracks, 5)]
        track; label; predicted; confidence, the probability of the predicted genre in per cent;
        ``of the label``, that of the label.
    """
    genres = {name: name.removeprefix(PREFIX) for name in predicted if name.startswith(PREFIX)}
    judged = predicted[predicted["model"].isin(JUDGES)]
    by = [judged["model"], clips(judged)]
    probabilities = judged[list(genres)].rename(columns=genres).groupby(by).mean()
    favourites = probabilities.idxmax(axis=1).unstack(level="model")
    mean = probabilities.groupby(level="track").mean()
    label = judged["label"].groupby(clips(judged)).first()
    listed = pd.DataFrame(
        {
            "label": label,
            "predicted": favourites[JUDGES[0]],
            "confidence": 100 * mean.max(axis=1),
            "of the label": [100 * mean.at[one, of] for one, of in label.items()],
        }
    )
    agreed = favourites.eq(favourites[JUDGES[0]], axis=0).all(axis=1)
    other = listed["predicted"] != label
    sure = listed["of the label"] * ODDS <= listed["confidence"]
    odds = listed["of the label"] / listed["confidence"]
    order = odds[agreed & other & sure].sort_values(kind="stable").index
    return listed.loc[order].reset_index(names="track")


def drop(held_out: Mapping[str, pd.DataFrame], model: str, artists: pd.Series) -> dict:
    """Compare a model's tracks with whole tracks held out and with whole artists held out.

    Parameters
    ----------
    held_out
        As for :func:`scores`, with ``track`` and ``artist``.
    artists
        The column ``artist`` of :func:`groups`, with the segments' ``filename`` as index.

    Returns
    -------
    dict
        ``track`` and ``artist``, accuracies in per cent on the same ``tracks``; ``difference`` in
        percentage points, the first less the second; ``low`` and ``high``, its 95 % interval over
        artists.
    """
    right = {}
    for split in ("track", "artist"):
        predicted = held_out[split][held_out[split]["model"] == model]
        voted = by_track(predicted)
        right[split] = (voted["label"] == voted["predicted"]).astype(float)
    both = pd.DataFrame(right).dropna()
    predicted = predicted.set_index(clips(predicted))["filename"]
    group = artists[predicted.groupby(level=0).first()[both.index]].to_numpy()
    low, high = paired_difference(both["track"], both["artist"], group)
    means = 100 * both.mean()
    return {**means, "tracks": len(both), "difference": means["track"] - means["artist"],
            "low": low, "high": high}  # fmt: skip


def confusions(voted: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs of genres most often confused, in tracks of :func:`by_track`."""
    pairs = classification.confused_pairs(voted["label"], voted["predicted"])
    return pairs.rename(columns={"segments": "tracks"})
