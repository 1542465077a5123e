"""How far a model's confidence is from how often it is right.

Reliability diagrams and the expected calibration error as in C. Guo, G. Pleiss, Y. Sun &
K. Q. Weinberger, *On Calibration of Modern Neural Networks*, 2017, section 2.
"""

import numpy as np
import pandas as pd

from music_genre.metrics import predictions

BINS = 10


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
