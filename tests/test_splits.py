"""Each split keeps its promise."""

import numpy as np
import pandas as pd
import pytest

from music_genre import splits
from music_genre.errors import InputError
from music_genre.table import SAMPLE_TABLE, clips


@pytest.fixture(scope="module")
def sample():
    return pd.read_csv(SAMPLE_TABLE)


@pytest.mark.parametrize("name", splits.SPLITS)
def test_third_is_held_out_of_each_genre_and_the_seed_decides(sample, name):
    test = splits.split(sample, name, test_size=0.33, seed=0)
    assert test.dtype == bool
    assert test.shape == (500,)
    assert abs(test.mean() - 0.33) < 0.04
    assert sample["label"][test].value_counts().between(10, 25).all()
    assert np.array_equal(test, splits.split(sample, name, test_size=0.33, seed=0))
    assert not np.array_equal(test, splits.split(sample, name, test_size=0.33, seed=1))


def test_segments_of_a_track_fall_on_both_sides_of_the_papers_split(sample):
    test = splits.split(sample, "segment", test_size=0.33, seed=0)
    shared = splits.shared_tracks(sample, test)
    by_hand = set(clips(sample)[test]) & set(clips(sample)[~test])
    assert shared["tracks in both"] == len(by_hand) > 70


def test_no_track_is_on_both_sides_of_a_split_by_track(sample):
    test = splits.split(sample, "track", test_size=0.33, seed=0)
    shared = splits.shared_tracks(sample, test)
    assert shared["tracks in both"] == 0
    assert shared["tracks in training"] + shared["tracks in test"] == 100


def test_genre_that_cannot_be_on_both_sides(few_rows):
    one_track = few_rows["label"] != "metal"
    one_track |= clips(few_rows) == "metal.00000"
    with pytest.raises(InputError, match="no (training|test) row of genre metal"):
        splits.split(few_rows[one_track], "track", test_size=0.25, seed=0)


def test_test_size_that_leaves_too_few_rows(few_rows):
    with pytest.raises(InputError, match=r"test_size 0\.01 of 60 segments"):
        splits.split(few_rows, "segment", test_size=0.01, seed=0)
