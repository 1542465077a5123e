"""What the decimals of Table I tell about the number of segments that it was measured on."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

# The published features_3_sec.csv: 1,000 segments a genre, less the ten that are too short.
PUBLISHED_SEGMENTS = pd.Series(
    {
        "blues": 1000, "classical": 998, "country": 997, "disco": 999, "hiphop": 998,
        "jazz": 1000, "metal": 1000, "pop": 1000, "reggae": 1000, "rock": 998,
    }
)  # fmt: skip
THIRD = 3297  # segments that a test part of 33 % has, rounded up as scikit-learn does
HELD_OUT = 10, 20, 25, 30, 33, 40  # shares that are commonly held out, in per cent
# Accuracies that the paper's text gives (Experiments C), by what it says of them; not in Table I.
IN_TEXT = {"7 epochs, batch size 128": 46.26, "batch size 220": 58.67}
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


def by_value(printed: Mapping[str, float]) -> pd.DataFrame:
    """Tell which printed accuracies a third of the published table and all of it can give.

    Returns
    -------
    DataFrame [shape=(n_values, 4)]
        where (the key), printed in per cent, ``third`` and ``all``: whether it is possible.
    """
    table = pd.DataFrame({"where": list(printed), "printed": list(printed.values())})
    return table.assign(
        third=possible(table["printed"], THIRD),
        all=possible(table["printed"], int(PUBLISHED_SEGMENTS.sum())),
    )


def stratified_third() -> pd.Series:
    """Return each genre's segments in a third of the published table that keeps their shares."""
    exact = PUBLISHED_SEGMENTS * THIRD / PUBLISHED_SEGMENTS.sum()
    sizes = np.floor(exact).astype(int)
    sizes[(exact - sizes).nlargest(THIRD - sizes.sum()).index] += 1
    return sizes


def recall_gaps(paper: pd.DataFrame, sizes: pd.Series = PUBLISHED_SEGMENTS) -> pd.DataFrame:
    """Compare how far printed macro recall and accuracy lie apart with what a table allows.

    On n segments, accuracy less macro recall is the sum over the G genres of (share of the segments
    - 1/G) times (recall - 100 %): it is largest where all that is lacking in recall falls on the
    smallest genres. The printed numbers are rounded, so the true gap may be 0.01 points smaller.

    Parameters
    ----------
    paper
        recall and accuracy in per cent [index=row].
    sizes
        The number of segments of each genre.

    Returns
    -------
    DataFrame [shape=(n_rows, 4), index=row]
        ``gap``, as printed, in points; ``limit``, the largest that the sizes allow at this recall;
        ``excluded``, whether the gap exceeds it; ``spread``, the smallest standard deviation of
        recall over the genres that gives the gap (Cauchy-Schwarz).
    """
    share = (sizes / sizes.sum() - 1 / len(sizes)).to_numpy()
    gaps = (paper["accuracy"] - paper["recall"]).round(2)
    least = (gaps.abs() - 0.01).clip(lower=0)
    limit = [max(_furthest(share, recall), _furthest(-share, recall)) for recall in paper["recall"]]
    table = pd.DataFrame({"gap": gaps, "limit": limit}, index=paper.index)
    return table.assign(
        excluded=least > table["limit"] + 1e-9,
        spread=least / (np.sqrt((share**2).sum()) * np.sqrt(len(share))),
    )


def gap_table(of_all: pd.DataFrame, of_third: pd.DataFrame) -> pd.DataFrame:
    """List what :func:`recall_gaps` tells of all segments and of a third."""
    yes_no = {True: "yes", False: "no"}
    return pd.DataFrame(
        {
            "row": of_all.index,
            "accuracy less recall": of_all["gap"].to_numpy(),
            "possible on all, at most": of_all["limit"].to_numpy(),
            "all excluded": of_all["excluded"].map(yes_no).to_numpy(),
            "possible on a third that keeps shares, at most": of_third["limit"].to_numpy(),
            "such a third excluded": of_third["excluded"].map(yes_no).to_numpy(),
        }
    )


def _furthest(share: np.ndarray, recall: float) -> float:
    """Return the largest sum of -share x (100 - recall) with a given mean recall, in points."""
    lacking = len(share) * (100 - recall)
    taken = np.clip(lacking - 100 * np.arange(len(share)), 0, 100)  # by the genres in this order
    return float((np.sort(-share)[::-1] * taken).sum())
