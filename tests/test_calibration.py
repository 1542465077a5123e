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


# Tracks: two are right, 0.9 and 0.6 sure, and one, 0.7 sure, is wrong.
TRACKS = pd.DataFrame(
    {
        "label": ["a", "b", "a"],
        "predicted": ["a", "a", "a"],
        **by_genre(["a", "b"], np.array([[0.9, 0.1], [0.7, 0.3], [0.6, 0.4]])),
    }
)


def test_segments_of_a_track_are_pooled_by_their_mean_logarithm():
    segments = pd.DataFrame(
        {"label": ["a", "b", "a"],
         **by_genre(["a", "b"], np.array([[0.8, 0.2], [1.0, 0.0], [0.5, 0.5]]))}
    )  # fmt: skip
    of = calibration.by_track(segments, pd.Series(["x", "y", "x"]))
    assert of[["track", "label", "predicted"]].to_numpy().tolist() == [
        ["x", "a", "a"], ["y", "b", "a"],
    ]  # fmt: skip
    assert of["probability of a"].to_list() == pytest.approx([2 / 3, 1 / (1 + 1e-7)])
    assert np.isfinite(calibration.log_loss(of))


def test_temperature_makes_tracks_as_sure_as_they_are_right():
    # 0.9 sure and right in three of four: odds of 9 become odds of 3 with T = log 9 / log 3 = 2.
    tracks = pd.concat([TRACKS[:1]] * 4, ignore_index=True)
    tracks.loc[3, "label"] = "b"
    assert calibration.temperature(tracks) == pytest.approx(2, rel=1e-3)
    after = calibration.with_temperature(tracks, 2.0)
    assert after["probability of a"].to_list() == pytest.approx([0.75] * 4)
    assert calibration.log_loss(after) < calibration.log_loss(tracks)


def test_coverage_and_threshold_by_hand():
    curve = calibration.coverage(TRACKS)
    assert curve["threshold"].to_list() == [0.6, 0.7, 0.9]
    assert curve["covered"].to_list() == pytest.approx([100, 200 / 3, 100 / 3])
    assert curve["accuracy"].to_list() == pytest.approx([200 / 3, 50, 100])
    assert calibration.threshold(TRACKS) == 0.9  # below it, fewer than three of four are right
    assert calibration.threshold(TRACKS.assign(label="b")) is None
    assert calibration.threshold(TRACKS.assign(label="a")) == 0.6
