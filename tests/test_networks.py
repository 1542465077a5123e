"""The model is the paper's."""

import pytest

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
