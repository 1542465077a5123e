"""How far a model's confidence is from how often it is right.

Reliability diagrams and the expected calibration error as in C. Guo, G. Pleiss, Y. Sun &
K. Q. Weinberger, *On Calibration of Modern Neural Networks*, 2017, section 2.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

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


def mean_log(probabilities: np.ndarray) -> np.ndarray:
    """Return the mean log-probability of each genre over a track's segments [shape=(n_genres,)]."""
    return np.log(np.maximum(np.asarray(probabilities, dtype=float), LEAST)).mean(axis=0)


def mean_logs(probabilities: np.ndarray, tracks: Sequence[str]) -> pd.DataFrame:
    """Return :func:`mean_log` of each track [shape=(n_tracks, n_genres), index=track].

    Parameters
    ----------
    probabilities : ndarray [shape=(n_segments, n_genres)]
    tracks
        The track of each segment.
    """
    logs = np.log(np.maximum(np.asarray(probabilities, dtype=float), LEAST))
    return pd.DataFrame(logs).groupby(np.asarray(tracks)).mean()


def tempered(logs: np.ndarray, temperature: float) -> np.ndarray:
    """Return probabilities from log-probabilities [shape=(..., n_genres)], over a temperature."""
    return softmax(logs / temperature, axis=-1)


def temperature(logs: np.ndarray, codes: Sequence[int]) -> float:
    """Fit the temperature by which held-out tracks' probabilities fit best.

    It is the one with the lowest mean negative log-likelihood, between 0.05 and 20 (Guo et al.,
    section 4.2, there of a network's logits).

    Parameters
    ----------
    logs : ndarray [shape=(n_tracks, n_genres)]
        Log-probabilities, as :func:`mean_logs` returns them.
    codes
        The true genre of each track, as a column of ``logs``.
    """
    rows = np.arange(len(logs))

    def loss(power: float) -> float:
        return -log_softmax(logs / np.exp(power), axis=1)[rows, codes].mean()

    found = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded")
    return float(np.exp(found.x))


def coverage(confidence: np.ndarray, right: np.ndarray) -> pd.DataFrame:
    """Return, for each threshold, how many tracks are as confident, and how many of them right.

    Parameters
    ----------
    confidence, right
        The probability of each track's likeliest genre, and whether that is the true one
        [shape=(n_tracks,)].

    Returns
    -------
    DataFrame [shape=(n_thresholds, 3)]
        ``threshold``, rising, a line for each confidence that occurs; ``covered``, the share of
        tracks with this confidence or more; ``accuracy``, the share of them that is right.
    """
    tracks = pd.DataFrame({"threshold": confidence, "right": right, "tracks": 1})
    by = tracks.groupby("threshold", as_index=False).sum().iloc[::-1]
    above = by["tracks"].cumsum()
    by = by.assign(covered=above / above.iloc[-1], accuracy=by["right"].cumsum() / above)
    return by.iloc[::-1].reset_index(drop=True)[["threshold", "covered", "accuracy"]]


def threshold(confidence: np.ndarray, right: np.ndarray) -> float | None:
    """Return the lowest confidence at which :data:`SURE` of the tracks above it are right.

    None if there is none. Arguments are those of :func:`coverage`.
    """
    enough = (of := coverage(confidence, right))[of["accuracy"] >= SURE]
    return float(enough["threshold"].iloc[0]) if len(enough) else None
