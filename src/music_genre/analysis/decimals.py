"""What the decimals of Table I tell about the number of segments that it was measured on."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

# The published features_3_sec.csv: 1,000 segments a genre, less the ten that are too short.
PUBLISHED_SEGMENTS = pd.Series(
    {
        "blues": 1000, "classical": 998, "country": 997, "disco": 999, "hiphop": 998,
        "jazz": 1000, "metal": 1000, "pop": 1000, "reggae": 1000, "rock": 998,
    }
)  # fmt: skip
HELD_OUT = 10, 20, 25, 30, 33, 40  # shares that are commonly held out, in per cent
RARE = 5.0  # per cent of sizes: a part that fits more rarely by chance is telling


def possible(accuracies: Sequence[float], segments: int) -> np.ndarray:
    """Tell which accuracies, printed in per cent to two decimals, so many segments can give.

    An accuracy is a whole number of segments divided by all of them, so a small number of segments
    cannot give every two-decimal number (the granularity test of N. J. L. Brown & J. A. J.
    Heathers, "The GRIM Test", *Social Psychological and Personality Science* 8, 2017).
    """
    printed = np.asarray(accuracies)
    nearest = np.round(printed / 100 * segments)
    return np.abs(100 * nearest / segments - printed) <= 0.005 + 1e-9


def granularity(accuracies: Sequence[float]) -> pd.DataFrame:
    """Count how many of the printed accuracies each part of the published table can give.

    Returns
    -------
    DataFrame [shape=(n_parts, 6)]
        ``part`` (``test``, ``training`` or ``all``) and ``held_out``, the share that tests in per
        cent; ``segments``; ``possible``, how many of the accuracies; ``chance``, the share of
        sizes within a tenth of this one that give all of them, in per cent; ``telling``, whether
        this one gives all and ``chance`` is below :data:`RARE`. Smallest part first.
    """
    total = int(PUBLISHED_SEGMENTS.sum())
    parts = [("all", 0, total)]
    for share in HELD_OUT:
        held_out = -(-share * total // 100)  # rounded up, as scikit-learn's train_test_split does
        parts += [("test", share, held_out), ("training", share, total - held_out)]
    table = pd.DataFrame(parts, columns=["part", "held_out", "segments"]).sort_values("segments")
    table["possible"] = [int(possible(accuracies, n).sum()) for n in table["segments"]]
    table["chance"] = [_chance(accuracies, n) for n in table["segments"]]
    fits = table["possible"] == len(accuracies)
    return table.assign(telling=fits & (table["chance"] < RARE)).reset_index(drop=True)


def _chance(accuracies: Sequence[float], segments: int) -> float:
    sizes = range(round(0.9 * segments), round(1.1 * segments) + 1)
    return 100 * float(np.mean([possible(accuracies, n).all() for n in sizes]))


def recall_gaps(paper: pd.DataFrame) -> pd.Series:
    """Return how far the printed macro recall and accuracy of each row lie apart, in points."""
    return (paper["recall"] - paper["accuracy"]).abs().round(2)


def widest_recall_gap() -> float:
    """Return how far macro recall and accuracy can lie apart on the whole published table.

    In percentage points. Accuracy less macro recall is the sum over genres of (share of the
    segments - 1/10) x recall: at most the sum of what the larger genres have above a tenth.
    """
    shares = PUBLISHED_SEGMENTS / PUBLISHED_SEGMENTS.sum()
    return float(100 * (shares - 1 / len(shares)).clip(lower=0).sum())
