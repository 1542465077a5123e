"""The paper's network."""

from typing import TYPE_CHECKING

import pandas as pd
from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    import keras

UNITS = {  # of the stacked LSTMs, by the name of the network
    "paper": (256, 128, 64),  # the paper, Fig. 7
    "single-lstm": (256,),  # its conclusion speaks of one
}
OPTIMIZERS = {  # by Keras' names, with what differs from its defaults
    "adam": {},
    "sgd": {"momentum": 0.9},
    "rmsprop": {},
    "adagrad": {},
    "nadam": {},
}

# The paper's Fig. 7, for 58 inputs and ten genres.
PAPER_LAYERS = pd.DataFrame(
    {
        "layer": ["LSTM", "LSTM", "LSTM", "Dense"],
        "output shape": ["(58, 256)", "(58, 128)", "(64)", "(10)"],
        "parameters": [264_192, 197_120, 49_408, 650],
    }
)


def lstm(
    n_inputs: int,
    n_genres: int,
    *,
    activation: str,
    dropout: float,
    learning_rate: float,
    seed: int,
    model: str = "paper",
    optimizer: str = "adam",
) -> "keras.Model":
    """Build and compile stacked LSTMs over the inputs as a sequence, with softmax: the paper's.

    The sequence has one step per column and one number per step: ``(n_segments, n_inputs, 1)``.

    Parameters
    ----------
    model
        One of :data:`UNITS`.
    optimizer
        One of :data:`OPTIMIZERS`. The paper uses Adam.
    activation
        Of the LSTMs. The paper says ReLU for all hidden layers.
    dropout
        Share of outputs dropped after each LSTM. The paper names dropout, but neither its rate
        nor its place, and its layer table lists none.
    seed
        Seeds Python, NumPy and the back end: weights, dropout and the order of batches.
    """
    import keras  # takes seconds, and is not needed to name the networks

    keras.utils.clear_session()  # so that names of layers do not depend on models built before
    keras.utils.set_random_seed(seed)
    layers = [keras.Input((n_inputs, 1))]
    for i, units in enumerate(UNITS[model], start=1):
        sequences = i < len(UNITS[model])
        layers.append(keras.layers.LSTM(units, activation=activation, return_sequences=sequences))
        if dropout:
            layers.append(keras.layers.Dropout(dropout))
    layers.append(keras.layers.Dense(n_genres, activation="softmax"))
    with threadpool_limits(1):  # the number of threads would change the weights' last bits
        network = keras.Sequential(layers)
    network.compile(
        optimizer=keras.optimizers.deserialize(
            {
                "class_name": optimizer,
                "config": {"learning_rate": learning_rate, **OPTIMIZERS[optimizer]},
            }
        ),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return network


def layer_table(network: "keras.Model") -> pd.DataFrame:
    """List layer, output shape and parameter count, as the paper's Fig. 7 does."""
    return pd.DataFrame(
        {
            "layer": type(layer).__name__,
            "output shape": "(" + ", ".join(str(n) for n in layer.output.shape[1:]) + ")",
            "parameters": layer.count_params(),
        }
        for layer in network.layers
        if type(layer).__name__ != "Dropout"
    )
