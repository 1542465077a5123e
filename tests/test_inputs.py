"""What the network is given: scaled inputs, in the table's order or another."""

import numpy as np
import pytest
from sklearn.preprocessing import PowerTransformer

from music_genre.data import splits
from music_genre.data.columns import INPUTS
from music_genre.exceptions import InputError
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


def test_power_transform_is_scikit_learns_fitted_on_what_the_scaling_is(few_rows, parts):
    data = inputs.prepare(few_rows, parts=parts, scale_on="train", scaling="power")
    values, train = few_rows[INPUTS].to_numpy(), parts == "train"
    expected = PowerTransformer().fit(values[train]).transform(values)
    varying = [i for i, name in enumerate(INPUTS) if name != "length"]
    assert np.allclose(data.x[:, varying, 0], expected[:, varying], atol=1e-3)
    again = (inputs.powered(values, data.lambdas) - data.scaler.mean_) / data.scaler.scale_
    assert np.allclose(data.x[:, :, 0], again, atol=1e-4)


def test_tracks_are_sequences_of_their_segments_filled_up_with_zeros(few_rows):
    table = few_rows.drop(index=few_rows.index[4])  # the first track has one segment less
    names = splits.tracks(table)
    parts = splits.split(table, "track", test_size=0.33, seed=3)
    plain = inputs.prepare(table, parts=parts, scale_on="all")
    data = inputs.by_track(plain, names)
    assert data.x.shape == (names.nunique(), 5, 58)
    assert np.array_equal(data.x[0, :4], plain.x[:4, :, 0])
    assert not data.x[0, 4].any()
    for name, i in zip(names, range(len(table)), strict=True):
        track = list(dict.fromkeys(names)).index(name)
        assert data.of[i] == track
        assert (data.y[track], data.parts[track]) == (plain.y[i], plain.parts[i])


def test_tracks_on_both_sides_cannot_be_sequences(few_rows, parts):
    data = inputs.prepare(few_rows, parts=parts, scale_on="all")
    with pytest.raises(InputError, match="choose split track or artist"):
        inputs.by_track(data, splits.tracks(few_rows))
    with pytest.raises(InputError, match="does not tell each segment's track"):
        inputs.by_track(data, splits.tracks(few_rows).mask(few_rows.index == few_rows.index[0]))
