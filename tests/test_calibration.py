"""Confidence against accuracy, in a case worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from music_genre.metrics import calibration
from music_genre.metrics.predictions import by_genre

# confidence 0.55 right, 0.6 wrong (the bin's upper end is inside it), 0.95 right, 1.0 right
PREDICTED = pd.DataFrame(
    {
        "label": ["a", "b", "a", "b"],
        "predicted": ["a", "a", "a", "b"],
        **by_genre(["a", "b"], np.array([[0.55, 0.45], [0.6, 0.4], [0.95, 0.05], [0.0, 1.0]])),
    }
)


def test_bins_hold_what_was_worked_out():
    bins = calibration.reliability(PREDICTED)
    assert bins[["low", "high", "segments"]].to_numpy().tolist() == [[50, 60, 2], [90, 100, 2]]
    assert bins["confidence"].to_list() == pytest.approx([57.5, 97.5])
    assert bins["accuracy"].to_list() == pytest.approx([50, 100])
    # Half of the segments are 7.5 points off, half 2.5.
    assert calibration.expected_error(bins) == pytest.approx(5)


def test_every_segment_is_in_the_bin_of_its_confidence():
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(10), size=500).round(2)
    table = pd.DataFrame({"label": "g0", "predicted": "g0"}, index=range(500))
    bins = calibration.reliability(
        table.assign(**by_genre([f"g{i}" for i in range(10)], shares))
    ).set_index("high")
    counts, _ = np.histogram(shares.max(axis=1) - 1e-9, bins=np.linspace(0, 1, 11))
    assert bins["segments"].to_dict() == {10.0 * (i + 1): n for i, n in enumerate(counts) if n}


def test_a_model_without_probabilities_has_no_bins():
    broken = PREDICTED.assign(**by_genre(["a", "b"], np.full((4, 2), np.nan)))
    assert calibration.reliability(broken).empty
