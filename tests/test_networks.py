"""The model is the paper's."""

import numpy as np
import pytest

from music_genre.exceptions import InputError
from music_genre.models import networks


def build(n_inputs=58, n_genres=10, dropout=0.0, **given):
    return networks.build(
        (n_inputs, 1),
        n_genres,
        activation="tanh",
        dropout=dropout,
        learning_rate=1e-3,
        seed=0,
        **given,
    )


def test_layers_have_the_papers_parameter_counts():
    # The paper, Fig. 7.
    layers = networks.layer_table(build())
    assert list(layers["parameters"]) == [264_192, 197_120, 49_408, 650]
    assert layers["parameters"].sum() == 511_370
    assert layers.equals(networks.PAPER_LAYERS)


def test_counts_follow_from_the_lstm_equations():
    # Four gates, each with a kernel, a recurrent kernel and a bias.
    expected, inputs = [], 1
    for units in (256, 128, 64):
        expected.append(4 * (inputs + units + 1) * units)
        inputs = units
    expected.append((inputs + 1) * 3)
    layers = networks.layer_table(build(n_inputs=7, n_genres=3))
    assert list(layers["parameters"]) == expected
    assert not layers.equals(networks.PAPER_LAYERS)


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_dropout_stands_after_each_lstm_only_if_given(dropout):
    names = [type(layer).__name__ for layer in build(dropout=dropout).layers]
    assert names.count("Dropout") == (3 if dropout else 0)


def test_single_lstm_is_the_first_of_the_papers_three_and_its_softmax():
    layers = networks.layer_table(build(model="single-lstm"))
    assert list(layers["parameters"]) == [264_192, (256 + 1) * 10]
    assert list(layers["output shape"]) == ["(256)", "(10)"]


def test_optimizers_are_keras_own_with_the_rate_given():
    # Momentum is not Keras' default.
    names = {"adam": "Adam", "sgd": "SGD", "rmsprop": "RMSprop", "adagrad": "Adagrad",
             "nadam": "Nadam"}  # fmt: skip
    assert set(names) == set(networks.OPTIMIZERS)
    for name, expected in names.items():
        optimizer = build(model="single-lstm", optimizer=name).optimizer
        assert type(optimizer).__name__ == expected
        assert float(optimizer.learning_rate) == pytest.approx(1e-3)
        assert getattr(optimizer, "momentum", 0) == (0.9 if name == "sgd" else 0)


@pytest.mark.parametrize("name", networks.NETWORKS)
def test_every_network_gives_each_genre_a_probability(name):
    shape = (10, 58) if name in networks.OF_TRACKS else (58, 1)
    model = networks.build(
        shape, 10, model=name, activation="tanh", dropout=0.1, learning_rate=1e-3, seed=0
    )
    probabilities = model.predict(np.random.default_rng(0).normal(size=(3, *shape)), verbose=0)
    assert probabilities.shape == (3, 10)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert (model.count_params() == 511_370) == (name == "paper")  # the paper, Fig. 7


def test_rate_that_falls_along_a_cosine_is_half_at_half_time_and_nothing_at_the_end():
    optimizer = build(schedule="cosine", steps=100).optimizer
    rates = []
    for step in (0, 50, 100):
        optimizer.iterations.assign(step)
        rates.append(float(optimizer.learning_rate))
    assert rates == pytest.approx([1e-3, 0.5e-3, 0], abs=1e-9)


def test_label_smoothing_and_weight_decay_are_what_was_asked_for():
    model = build(label_smoothing=0.2, weight_decay=0.05)
    certain = np.eye(10, dtype="float32")[:1]
    # Of 0.2, each of ten genres gets 0.02: -0.82 log p - 9 x 0.02 log q.
    p, q = 0.91, 0.01
    given = np.full((1, 10), q, dtype="float32")
    given[0, 0] = p
    expected = -(0.82 * np.log(p) + 9 * 0.02 * np.log(q))
    assert float(model.loss(certain, given)) == pytest.approx(expected, rel=1e-5)
    assert model.optimizer.weight_decay == pytest.approx(0.05)
    assert build().optimizer.weight_decay is None


def test_names_of_networks_are_read_from_a_text():
    assert networks.named("mlp  gru") == ["mlp", "gru"]
    with pytest.raises(InputError, match=r'models is "mpl" \(did you mean mlp\?\)'):
        networks.named("mpl")
    with pytest.raises(InputError, match='models is ""'):
        networks.named("")
