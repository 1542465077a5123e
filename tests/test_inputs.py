"""What the network is given: scaled inputs, in the table's order or another."""

import numpy as np
import pytest

from music_genre.data import splits
from music_genre.data.columns import INPUTS
from music_genre.models import inputs


@pytest.fixture
def parts(few_rows):
    return splits.split(few_rows, "segment", test_size=0.33, seed=3)


def test_scaling_is_fitted_on_all_segments_or_on_training_segments(few_rows, parts):
    everything = inputs.prepare(few_rows, parts=parts, scale_on="all")
    training_only = inputs.prepare(few_rows, parts=parts, scale_on="train")
    assert everything.x.shape == (60, 58, 1)
    assert everything.x.dtype == np.float32
    varying = [i for i, name in enumerate(INPUTS) if name != "length"]
    assert np.allclose(everything.x[:, varying].mean(axis=0), 0, atol=1e-5)
    assert np.allclose(everything.x[:, varying].std(axis=0), 1, atol=1e-4)
    assert np.allclose(training_only.x[parts == "train"][:, varying].mean(axis=0), 0, atol=1e-5)
    assert not np.allclose(training_only.x[:, varying].mean(axis=0), 0, atol=1e-3)
    assert (everything.x[:, 0] == 0).all()  # length is the same in every segment


def test_unused_segments_have_no_say_in_the_scaling(few_rows, parts):
    parts = parts.astype("<U10")
    parts[1::5] = "unused"
    spoilt = few_rows.copy()
    spoilt.loc[parts == "unused", INPUTS] = 1e6
    one = inputs.prepare(few_rows, parts=parts, scale_on="all")
    other = inputs.prepare(spoilt, parts=parts, scale_on="all")
    assert np.array_equal(one.x[parts != "unused"], other.x[parts != "unused"])


def test_shuffled_columns_are_the_same_inputs_in_another_order(few_rows, parts):
    plain = inputs.prepare(few_rows, parts=parts, scale_on="all")
    shuffled = inputs.prepare(few_rows, parts=parts, scale_on="all", shuffle_columns=True)
    assert plain.columns == INPUTS
    assert shuffled.columns != INPUTS
    assert sorted(shuffled.columns) == sorted(INPUTS)
    places = [INPUTS.index(name) for name in shuffled.columns]
    assert np.array_equal(shuffled.x, plain.x[:, places])
    of_tempo = shuffled.scaler.mean_[shuffled.columns.index("tempo")]
    assert of_tempo == pytest.approx(few_rows["tempo"].mean())
    assert inputs.shuffled_columns(1) != inputs.shuffled_columns(0) == shuffled.columns
