"""How far a model's confidence is from how often it is right, and how to mend that.

Reliability diagrams and the expected calibration error as in C. Guo, G. Pleiss, Y. Sun &
K. Q. Weinberger, *On Calibration of Modern Neural Networks*, 2017, section 2.
"""

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from music_genre.metrics import predictions

BINS = 10
LEAST = 1e-7  # probability: a network's 0 is no more than this
SURE = 0.75  # share of tracks that are right, of those that are as confident as the threshold


def reliability(predicted: pd.DataFrame) -> pd.DataFrame:
    """Compare confidence with accuracy in ten bins of equal width.

    Parameters
    ----------
    predicted
        label, predicted and each genre's probability, a line for each segment, as
        :func:`music_genre.metrics.predictions.read` returns them. The confidence is that in the
        predicted genre. Segments without probabilities (of a broken model) do not count.

    Returns
    -------
    DataFrame [shape=(n_bins, 5)]
        ``low`` and ``high``, the ends of a bin, in per cent (the lower one is outside, but for 0);
        ``segments``, how many are in it; ``confidence`` and ``accuracy``, their means in per cent.
        Bins without a segment are left out.
    """
    confidence = predictions.confidence(predicted)
    known = confidence.notna()
    confidence = confidence[known]
    right = (predicted["label"] == predicted["predicted"])[known]
    # Rounded, as in 0.3 * 10 or where a sum of probabilities is a little above 1.
    upper = np.ceil(np.round(confidence * BINS, 6)).clip(1, BINS).astype(int)
    bins = pd.DataFrame({"upper": upper, "confidence": confidence, "accuracy": right})
    groups = bins.groupby("upper")
    means = 100 * groups.mean().reset_index(drop=True)
    ends = 100 / BINS * np.array(list(groups.groups), dtype=float)
    return pd.DataFrame(
        {
            "low": ends - 100 / BINS,
            "high": ends,
            "segments": groups.size().to_numpy(),
            "confidence": means["confidence"],
            "accuracy": means["accuracy"],
        }
    )


def expected_error(bins: pd.DataFrame) -> float:
    """Return the expected calibration error of :func:`reliability`'s bins in percentage points.

    It is the mean distance of accuracy from confidence, each bin weighted by its segments.
    """
    apart = (bins["accuracy"] - bins["confidence"]).abs()
    return float(np.average(apart, weights=bins["segments"]))


# ---- Tracks: what their segments' probabilities come to, and how sure that is.


def pooled(probabilities: np.ndarray) -> np.ndarray:
    """Return a track's probabilities [shape=(n_genres,)] from those of its segments.

    They are the softmax of the segments' mean log-probability (the logarithmic opinion pool).
    """
    return softmax(np.log(np.maximum(np.asarray(probabilities, float), LEAST)).mean(axis=0))


def by_track(predicted: pd.DataFrame, tracks: pd.Series) -> pd.DataFrame:
    """Pool the predictions of segments to predictions of tracks.

    Parameters
    ----------
    predicted
        label, and each genre's probability, as :func:`music_genre.metrics.predictions.read` has
        them.
    tracks
        The track of each segment.

    Returns
    -------
    DataFrame [shape=(n_tracks, 3 + n_genres)]
        track, in the order of names; label; predicted; each genre's probability (:func:`pooled`).
    """
    shares = predictions.probabilities(predicted)
    groups = shares.groupby(tracks.to_numpy())
    labels = predicted["label"].groupby(tracks.to_numpy()).first()
    of_tracks = np.array([pooled(of.to_numpy()) for _, of in groups])
    table = pd.DataFrame({"track": labels.index, "label": labels.to_numpy()})
    return _with_probabilities(table, list(shares), of_tracks)


def tempered(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Return probabilities [shape=(..., n_genres)] with their logarithms over a temperature."""
    return softmax(np.log(probabilities) / temperature, axis=-1)


def with_temperature(tracks: pd.DataFrame, temperature: float) -> pd.DataFrame:
    """Return :func:`by_track`'s table with :func:`tempered` probabilities."""
    shares = predictions.probabilities(tracks)
    return _with_probabilities(tracks, list(shares), tempered(shares.to_numpy(), temperature))


def temperature(tracks: pd.DataFrame) -> float:
    """Fit the temperature with which held-out tracks' probabilities fit best.

    It is the one with the lowest :func:`log_loss`, between 0.05 and 20 (Guo et al., section 4.2,
    there of a network's logits). ``tracks`` is a table of :func:`by_track`.
    """
    found = minimize_scalar(
        lambda power: log_loss(with_temperature(tracks, np.exp(power))),
        bounds=(np.log(0.05), np.log(20)),
        method="bounded",
    )
    return float(np.exp(found.x))


def log_loss(tracks: pd.DataFrame) -> float:
    """Return the mean negative logarithm of the true genre's probability."""
    shares = predictions.probabilities(tracks)
    true = shares.columns.get_indexer(tracks["label"])
    return float(-np.log(shares.to_numpy()[np.arange(len(shares)), true]).mean())


def coverage(tracks: pd.DataFrame) -> pd.DataFrame:
    """Return, for each threshold, how many tracks are as confident, and how many of them right.

    Returns
    -------
    DataFrame [shape=(n_thresholds, 3)]
        ``threshold``, 0 to 1 and rising, a line for each confidence that occurs; ``covered``, the
        share of tracks with this confidence or more, and ``accuracy``, the share of them whose
        genre is predicted, in per cent.
    """
    confidence = predictions.confidence(tracks)
    right = tracks["label"] == tracks["predicted"]
    each = pd.DataFrame({"threshold": confidence, "right": right, "tracks": 1})
    falling = each.groupby("threshold", as_index=False).sum().iloc[::-1]
    above = falling["tracks"].cumsum()
    return pd.DataFrame(
        {
            "threshold": falling["threshold"],
            "covered": 100 * above / len(tracks),
            "accuracy": 100 * falling["right"].cumsum() / above,
        }
    )[::-1].reset_index(drop=True)


def threshold(tracks: pd.DataFrame) -> float | None:
    """Return the lowest confidence with :data:`SURE` of the tracks as confident or more right.

    None if there is none. ``tracks`` is a table of :func:`by_track`.
    """
    curve = coverage(tracks)
    enough = curve["threshold"][curve["accuracy"] >= 100 * SURE]
    return float(enough.iloc[0]) if len(enough) else None


def _with_probabilities(
    table: pd.DataFrame, genres: list[str], probabilities: np.ndarray
) -> pd.DataFrame:
    predicted = np.array(genres, dtype=object)[probabilities.argmax(axis=1)]
    new = {"predicted": predicted, **predictions.by_genre(genres, probabilities)}
    return table.assign(**new)
