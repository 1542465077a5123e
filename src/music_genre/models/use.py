"""A model for use: simple models compared on tracks that they have not heard, the best trained.

All are stacks of dense layers, so that one format holds them (:mod:`music_genre.models.portable`).
"""

import dataclasses
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.preprocessing import PowerTransformer
from threadpoolctl import threadpool_limits

from music_genre import provenance
from music_genre.data import splits
from music_genre.data.columns import FEATURES
from music_genre.data.table import Source, same_content, tracks
from music_genre.exceptions import InputError
from music_genre.metrics import calibration, predictions
from music_genre.metrics.intervals import interval
from music_genre.models import portable, runs
from music_genre.models.baselines import checksum
from music_genre.models.inputs import powered
from music_genre.models.portable import Portable
from music_genre.models.progress import Bar

if TYPE_CHECKING:
    import keras

WITHIN = 0.99  # share of held-out tracks that lie within the limit of distance


@dataclass(frozen=True)
class Linear:
    """Logistic regression on scaled inputs."""

    C: float  # inverse strength of the L2 penalty
    power: bool = True  # transform the inputs first (Yeo-Johnson)


@dataclass(frozen=True)
class Dense:
    """Networks with a hidden layer on transformed inputs, whose logits are averaged."""

    units: int
    dropout: float
    smoothing: float  # of labels
    decay: float  # of weights
    epochs: int
    networks: int = 3  # seeds
    power: bool = True


# By display name. On two splits, five folds of each, all of them take some three minutes.
CANDIDATES: dict[str, Linear | Dense] = {
    "logistic regression, inputs only scaled, C 0.1": Linear(0.1, power=False),
    "logistic regression, C 0.01": Linear(0.01),
    "logistic regression, C 0.03": Linear(0.03),
    "logistic regression, C 0.1": Linear(0.1),
    "logistic regression, C 0.3": Linear(0.3),
    "logistic regression, C 1": Linear(1),
    "three dense networks, 64 units": Dense(64, 0.3, 0.1, 0.1, epochs=15),
    "three dense networks, 256 units": Dense(256, 0.5, 0.1, 0.1, epochs=15),
}


def fit(name: str, segments: pd.DataFrame, *, seed: int) -> Portable:
    """Train one of :data:`CANDIDATES` on all segments of a features table.

    Scaling, power transform and covariance are those of these segments. The 57 features are the
    inputs: ``length`` is the same for all of them.
    """
    candidate, values = CANDIDATES[name], segments[FEATURES].to_numpy(dtype=float)
    labels = segments["label"].to_numpy(dtype=str)
    with threadpool_limits(1):  # sums do not depend on the number of cores
        lambdas = None
        if candidate.power:
            lambdas = PowerTransformer(standardize=False).fit(values).lambdas_
            lambdas[np.ptp(values, axis=0) == 0] = 1  # of a constant, any power fits
            values = powered(values, lambdas)
        mean, scale = values.mean(axis=0), values.std(axis=0)
        scale[scale == 0] = 1
        x = (values - mean) / scale
        precision = LedoitWolf(assume_centered=True).fit(x).precision_
        if isinstance(candidate, Linear):
            network = _logistic_regression(candidate, x, labels)
        else:
            network = _dense(candidate, x.astype("float32"), labels, seed=seed)
    return Portable(
        name=name,
        genres=np.unique(labels).tolist(),
        columns=FEATURES,
        network=network,
        mean=mean,
        scale=scale,
        lambdas=lambdas,
        whitening=np.linalg.cholesky(precision),
    )


def _logistic_regression(of: Linear, x: np.ndarray, labels: np.ndarray) -> "keras.Model":
    fitted = LogisticRegression(C=of.C, max_iter=5000).fit(x, labels)
    kernel, bias = fitted.coef_.T, fitted.intercept_
    if len(fitted.classes_) == 2:  # the logit of the second one, the first one's being 0
        kernel, bias = np.pad(kernel, ((0, 0), (1, 0))), np.pad(bias, (1, 0))
    return _stack([(kernel, bias)])


def _dense(of: Dense, x: np.ndarray, labels: np.ndarray, *, seed: int) -> "keras.Model":
    """Train networks of other seeds, and join them to one."""
    import keras  # takes seconds, and is not needed where the results are kept

    genres, codes = np.unique(labels, return_inverse=True)
    weights = []
    for number in range(of.networks):
        keras.utils.clear_session()
        keras.utils.set_random_seed(seed + number)
        network = keras.Sequential(
            [
                keras.Input((x.shape[1],)),
                keras.layers.Dropout(of.dropout / 2),
                keras.layers.Dense(of.units, activation="relu"),
                keras.layers.Dropout(of.dropout),
                keras.layers.Dense(len(genres), activation="softmax"),
            ]
        )
        network.compile(
            optimizer=keras.optimizers.AdamW(1e-3, weight_decay=of.decay),
            loss=keras.losses.CategoricalCrossentropy(label_smoothing=of.smoothing),
        )
        targets = np.eye(len(genres), dtype="float32")[codes]
        network.fit(x, targets, epochs=of.epochs, batch_size=128, verbose=0)
        weights.append(network.get_weights())
    return joined(weights)


def joined(weights: Sequence[Sequence[np.ndarray]]) -> "keras.Model":
    """Return one network whose logits are the mean of those of some with one hidden layer each.

    ``weights`` are those of each: kernel and bias of the hidden layer, then of the last.
    """
    first, first_bias, last, last_bias = zip(*weights, strict=True)
    return _stack(
        [
            (np.concatenate(first, axis=1), np.concatenate(first_bias)),
            (np.concatenate(last) / len(weights), np.mean(last_bias, axis=0)),
        ]
    )


def _stack(weights: list[tuple[np.ndarray, np.ndarray]]) -> "keras.Model":
    """Return dense layers with these kernels and biases: hidden ones with ReLU, then softmax."""
    names = ["relu"] * (len(weights) - 1) + ["softmax"]
    layers = [
        {"units": len(bias), "activation": name}
        for (_, bias), name in zip(weights, names, strict=True)
    ]
    network = portable.network(layers, len(weights[0][0]))
    network.set_weights([np.asarray(one, "float32") for pair in weights for one in pair])
    return network


# ---- Which model is the best, and how good it is.


def draw(
    segments: pd.DataFrame,
    names: Sequence[str],
    *,
    test_size: float,
    folds: int,
    seed: int,
    table_folder: Path | None = None,
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Split the segments in each of the ways named in which this table can be split.

    What does not test is cut into folds, which keep whole what the split keeps whole: tracks, or
    artists. (The published validation part is not enough to choose by: 197 tracks, which are
    harder than the test part's.)

    Returns
    -------
    parts : dict of ndarray [shape=(n_segments,), dtype=str]
        ``test``, ``unused``, or ``fold 1`` and so on, the loosest split first.
    left_out : dict of str
        Why a split was left out, by its name.

    Raises
    ------
    InputError
        The table can be split in none of these ways.
    """
    parts, left_out = {}, {}
    for name in [name for name in splits.SPLITS if name in names]:
        try:
            of = splits.split(
                segments, name, test_size=test_size, seed=seed, table_folder=table_folder
            )
            groups = tracks(segments)
            if "artists" in splits.SPLITS[name].disjoint_by:
                groups = _artists(segments, table_folder).fillna(groups)
            parts[name] = _with_folds(segments, of, groups, n=folds, seed=seed)
        except InputError as error:
            left_out[name] = str(error)
    if not parts:
        raise InputError(" ".join(left_out.values()))
    return parts, left_out


def _artists(segments: pd.DataFrame, table_folder: Path | None) -> pd.Series:
    artists = splits.artists(segments, table_folder)
    if artists.isna().all():
        raise InputError(
            f"folds by artist need the published list {splits.INDEX}, which is neither in "
            "data/splits nor in a folder splits beside the table: run `make data`."
        )
    return artists


def _with_folds(
    segments: pd.DataFrame, parts: np.ndarray, groups: pd.Series, *, n: int, seed: int
) -> np.ndarray:
    """Name the fold of each segment that neither tests nor is unused."""
    rest = np.flatnonzero((parts != "test") & (parts != "unused"))
    labels, of = segments["label"].to_numpy()[rest], parts.astype("<U16")
    cut = StratifiedGroupKFold(n, shuffle=True, random_state=seed)
    try:
        for number, (fit_on, held) in enumerate(cut.split(rest, labels, groups.iloc[rest]), 1):
            absent = sorted({*labels} - {*labels[fit_on]})
            if absent or not len(held):
                raise ValueError(f"all of {absent[0]} is in one" if absent else "one is empty")
            of[rest[held]] = f"fold {number}"
    except ValueError as error:
        raise InputError(
            f"what does not test cannot be cut into {n} folds ({error}): choose fewer folds, or "
            "add clips."
        ) from error
    return of


def is_fold(parts: np.ndarray) -> np.ndarray:
    """Tell which segments are in a fold [shape=(n_segments,), dtype=bool]."""
    return np.char.startswith(parts, "fold")


def compare(
    folder: Path,
    segments: pd.DataFrame,
    parts: Mapping[str, np.ndarray],
    *,
    source: Source,
    seed: int,
) -> pd.DataFrame:
    """Score each candidate on the tracks of each fold, trained on the other folds.

    Results are kept in ``folder`` (:func:`music_genre.models.runs.kept`). The test part is not
    looked at.

    Returns
    -------
    DataFrame [shape=(n_splits * n_candidates, 6)]
        split; model; accuracy by track in per cent; log loss, after the temperature that fits these
        tracks best; temperature; seconds to train on all folds but one.
    """

    def compute() -> pd.DataFrame:
        lines = []
        with Bar(total=len(parts) * len(CANDIDATES), unit="model") as bar:
            for split, of in parts.items():
                for name in CANDIDATES:
                    bar.set_postfix_str(f"{name}, by {split}")
                    start = time.perf_counter()
                    held = _over_folds(name, segments, of, seed=seed)
                    seconds = time.perf_counter() - start
                    temperature = calibration.temperature(held)
                    fitted = calibration.with_temperature(held, temperature)
                    lines.append(
                        {
                            "split": split,
                            "model": name,
                            "accuracy": accuracy(held),
                            "log loss": calibration.log_loss(fitted),
                            "temperature": temperature,
                            "seconds": seconds / len(np.unique(of[is_fold(of)])),
                        }
                    )
                    bar.update()
        return pd.DataFrame(lines)

    identity = _identity(segments, parts, [*CANDIDATES], source=source, seed=seed)
    return runs.kept(folder / "candidates.csv", identity, compute)


def choose(candidates: pd.DataFrame) -> tuple[str, str]:
    """Return the strictest split of :func:`compare`'s table, and the model that is best on it.

    That is the one with the lowest log loss: a score of all probabilities, in which models differ
    less by chance than in how many tracks are right.
    """
    strictest = candidates["split"].iloc[-1]
    of = candidates[candidates["split"] == strictest]
    return strictest, of.loc[of["log loss"].idxmin(), "model"]


def measure(
    folder: Path,
    segments: pd.DataFrame,
    parts: Mapping[str, np.ndarray],
    name: str,
    *,
    source: Source,
    seed: int,
) -> pd.DataFrame:
    """Predict, with one model, the tracks of each fold and of each test part.

    The former are predicted by the model trained on the other folds, the latter by the model
    trained on all of them. Results are kept in ``folder``
    (:func:`music_genre.models.runs.kept`).

    Returns
    -------
    DataFrame [shape=(n_tracks, 6 + n_genres)]
        split; part, ``folds`` or ``test``; and what :func:`held_out` returns.
    """

    def compute() -> pd.DataFrame:
        tables = {}
        for split, of in parts.items():
            tables[split, "folds"] = _over_folds(name, segments, of, seed=seed)
            model = fit(name, segments[is_fold(of)], seed=seed)
            tables[split, "test"] = held_out(model, segments[of == "test"])
        return pd.concat(tables, names=["split", "part"]).reset_index(["split", "part"])

    identity = _identity(segments, parts, [name], source=source, seed=seed)
    return runs.kept(folder / "held_out.csv", identity, compute)


def _over_folds(name: str, segments: pd.DataFrame, parts: np.ndarray, *, seed: int) -> pd.DataFrame:
    """Return :func:`held_out` of each fold, predicted by the model trained on the others."""
    folds = is_fold(parts)
    tables = [
        held_out(fit(name, segments[folds & (parts != fold)], seed=seed), segments[parts == fold])
        for fold in np.unique(parts[folds])
    ]
    return pd.concat(tables, ignore_index=True)


def held_out(model: Portable, segments: pd.DataFrame) -> pd.DataFrame:
    """Predict tracks that a model has not heard.

    Returns
    -------
    DataFrame [shape=(n_tracks, 4 + n_genres)]
        track, label, predicted, distance (the median of its segments'), and each genre's
        probability, before any temperature.
    """
    predicted = segments[["label"]].assign(
        **predictions.by_genre(model.genres, model.probabilities(segments))
    )
    names = tracks(segments)
    by_track = calibration.by_track(predicted, names)
    distances = pd.Series(model.distances(segments)).groupby(names.to_numpy()).median()
    by_track.insert(3, "distance", distances.loc[by_track["track"]].to_numpy())
    return by_track


def accuracy(of_tracks: pd.DataFrame) -> float:
    """Return the share of tracks whose genre is predicted, in per cent."""
    return 100 * float((of_tracks["label"] == of_tracks["predicted"]).mean())


def calibrate(measured: pd.DataFrame, split: str) -> dict[str, float | None]:
    """Return what makes a model's answers honest, by the tracks in a split's folds.

    Returns
    -------
    dict
        ``temperature`` and ``threshold`` as :mod:`music_genre.metrics.calibration` finds them;
        ``limit``, the distance within which :data:`WITHIN` of the tracks lie.
    """
    tracks = measured[(measured["split"] == split) & (measured["part"] == "folds")]
    temperature = calibration.temperature(tracks)
    return {
        "temperature": temperature,
        "threshold": calibration.threshold(calibration.with_temperature(tracks, temperature)),
        "limit": float(tracks["distance"].quantile(WITHIN)),
    }


def expect(measured: pd.DataFrame, calibrated: Mapping, artists: Mapping[str, str]) -> pd.DataFrame:
    """Return what to expect of a model, by the test tracks of each split.

    Parameters
    ----------
    measured
        As :func:`measure` returns it.
    calibrated
        As :func:`calibrate` returns it.
    artists
        The artist of each track, where known: intervals resample artists.

    Returns
    -------
    DataFrame [shape=(n_splits, 11)]
        split; tracks; accuracy with ``low`` and ``high``, its 95 % interval; ``sure``, the share of
        tracks that are as confident as the threshold, ``accuracy if sure`` and ``if unsure``;
        ``outside``, the share beyond the limit of distance: all in per cent; ``calibration error``
        and ``calibrated``, the expected error of the confidence without and with the temperature,
        in percentage points. Missing where there is no such track.
    """
    lines = []
    for split, of in measured[measured["part"] == "test"].groupby("split", sort=False):
        after = calibration.with_temperature(of, calibrated["temperature"])
        right, threshold = after["label"] == after["predicted"], calibrated["threshold"]
        sure = predictions.confidence(after) >= (np.inf if threshold is None else threshold)
        low, high = interval(right, [artists.get(track, track) for track in of["track"]])
        errors = (calibration.expected_error(calibration.reliability(it)) for it in (of, after))
        before_and_after = dict(zip(("calibration error", "calibrated"), errors, strict=True))
        lines.append(
            {
                "split": split,
                "tracks": len(of),
                "accuracy": 100 * right.mean(),
                "low": low,
                "high": high,
                "sure": 100 * sure.mean(),
                "accuracy if sure": 100 * right[sure].mean(),
                "if unsure": 100 * right[~sure].mean(),
                "outside": 100 * (of["distance"] > calibrated["limit"]).mean(),
                **before_and_after,
            }
        )
    return pd.DataFrame(lines)


# ---- The model for use.


def usable(parts: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return which segments to train the model for use on [shape=(n_segments,), dtype=bool].

    All but those that a split leaves out: by the published lists, clips that are faulty or repeat
    another one.
    """
    return np.all([of != "unused" for of in parts.values()], axis=0)


def about(name: str, segments: pd.DataFrame, *, source: Source, seed: int, known: Mapping) -> dict:
    """Return the card of a model for use: what it is trained on, and what is known of it.

    Parameters
    ----------
    segments
        Those that it is trained on (:func:`usable`).
    known
        More of JSON's values; NaN counts as not known.
    """
    fits = checksum(model=_described(name), segments=segments["filename"].tolist(), seed=seed)
    card = {
        "source": asdict(source),
        "fit": fits,
        "trained on": {"segments": len(segments), "tracks": int(tracks(segments).nunique())},
        **known,
    }
    return json.loads(json.dumps(card), parse_constant=lambda _: None)


def finished(folder: Path, card: dict, calibrated: Mapping) -> Portable | None:
    """Return the model for use in a folder if it has the same card, else None."""
    try:
        model = portable.load(folder)
        tables = [Source(**of["source"]) for of in (model.card, card)]
        known = [{**of, "source": None, "provenance": None} for of in (model.card, card)]
    except (InputError, KeyError, TypeError):
        return None
    same = known[0] == known[1] and same_content(*tables)
    return (
        model if same and {key: getattr(model, key) for key in calibrated} == calibrated else None
    )


def train(
    name: str, segments: pd.DataFrame, card: dict, calibrated: Mapping, *, seed: int
) -> Portable:
    """Train one of :data:`CANDIDATES` for use, on all segments given."""
    model = fit(name, segments, seed=seed)
    card = {**card, "provenance": provenance.record()}
    return dataclasses.replace(model, card=card, **calibrated)


def _described(name: str) -> list:
    return [name, type(CANDIDATES[name]).__name__, asdict(CANDIDATES[name])]


def _identity(
    segments: pd.DataFrame,
    parts: Mapping[str, np.ndarray],
    names: Sequence[str],
    *,
    source: Source,
    seed: int,
) -> dict:
    fits = checksum(
        models=[*map(_described, names)],
        parts={name: [*zip(segments["filename"], of, strict=True)] for name, of in parts.items()},
    )
    return {"source": source, "fits": fits, "seed": seed}
