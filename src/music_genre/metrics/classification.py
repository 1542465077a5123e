"""Accuracy, precision, recall and F1 as the paper reports them: macro averages in per cent."""

from collections.abc import Sequence

import pandas as pd
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

NAMES = ["precision", "recall", "f1", "accuracy"]  # in the order of Table I


def score(truth: Sequence[str], predicted: Sequence[str]) -> dict[str, float]:
    """Return macro precision, recall and F1, and accuracy, in per cent.

    A genre that is never predicted has precision 0.
    """
    precision, recall, f1, _ = precision_recall_fscore_support(
        truth, predicted, average="macro", zero_division=0
    )
    accuracy = accuracy_score(truth, predicted)
    return {
        name: 100 * float(value)
        for name, value in zip(NAMES, (precision, recall, f1, accuracy), strict=True)
    }


def per_genre(truth: Sequence[str], predicted: Sequence[str]) -> pd.DataFrame:
    """Return precision, recall, F1 in per cent and the number of segments, one line per genre."""
    genres = sorted(set(truth))
    precision, recall, f1, segments = precision_recall_fscore_support(
        truth, predicted, labels=genres, zero_division=0
    )
    return pd.DataFrame(
        {
            "genre": genres,
            "precision": 100 * precision,
            "recall": 100 * recall,
            "f1": 100 * f1,
            "segments": segments,
        }
    )


def confusion(truth: Sequence[str], predicted: Sequence[str]) -> pd.DataFrame:
    """Count segments [shape=(n_genres, n_genres)]: true genre down, predicted genre across."""
    genres = sorted(set(truth))
    counts = confusion_matrix(truth, predicted, labels=genres)
    return pd.DataFrame(counts, index=genres, columns=genres)


def confused_pairs(
    truth: Sequence[str], predicted: Sequence[str], *, pairs: int = 3
) -> pd.DataFrame:
    """List the genres most often classified as another one, by share of the true genre.

    Returns
    -------
    DataFrame [shape=(n_pairs, 4)]
        label, predicted, segments, and share: of the label's segments, 0 to 1. Fewer lines than
        ``pairs`` where no more were confused.
    """
    counts = confusion(truth, predicted)
    shares = counts.div(counts.sum(axis=1), axis=0).stack()
    shares = shares[[a != b for a, b in shares.index]].nlargest(pairs)
    lines = [(a, b, counts.loc[a, b], share) for (a, b), share in shares.items() if share > 0]
    return pd.DataFrame(lines, columns=["label", "predicted", "segments", "share"])
