"""Scores against a case worked out by hand."""

import pytest

from music_genre.metrics import classification

#         predicted   a  b  c
# true a: 3 segments  2  1  0
# true b: 2 segments  0  2  0
# true c: 1 segment   0  1  0
TRUTH = ["a", "a", "a", "b", "b", "c"]
PREDICTED = ["a", "a", "b", "b", "b", "b"]


def test_macro_scores_in_per_cent():
    # precision: a 2/2, b 2/4, c never predicted 0; recall: 2/3, 2/2, 0; F1: 4/5, 2/3, 0
    assert classification.score(TRUTH, PREDICTED) == pytest.approx(
        {
            "precision": 100 * (1 + 1 / 2 + 0) / 3,
            "recall": 100 * (2 / 3 + 1 + 0) / 3,
            "f1": 100 * (4 / 5 + 2 / 3 + 0) / 3,
            "accuracy": 100 * 4 / 6,
        }
    )


def test_scores_by_genre():
    scores = classification.per_genre(TRUTH, PREDICTED).set_index("genre")
    assert scores.loc["a", "f1"] == pytest.approx(80)
    assert scores.loc["b", "recall"] == pytest.approx(100)
    assert list(scores["segments"]) == [3, 2, 1]


def test_confusion_has_true_genres_down():
    counts = classification.confusion(TRUTH, PREDICTED)
    assert counts.loc["a", "b"] == 1
    assert counts.loc["b", "a"] == 0
    assert counts.to_numpy().tolist() == [[2, 1, 0], [0, 2, 0], [0, 1, 0]]


def test_confused_pairs_come_by_share():
    pairs = classification.confused_pairs(TRUTH, PREDICTED)
    assert pairs[["label", "predicted", "segments"]].to_numpy().tolist() == [
        ["c", "b", 1], ["a", "b", 1],
    ]  # fmt: skip
    assert pairs["share"].to_list() == pytest.approx([1, 1 / 3])
    assert classification.confused_pairs(TRUTH, TRUTH).empty
