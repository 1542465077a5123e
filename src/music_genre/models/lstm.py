"""The paper's network."""

import keras
import pandas as pd
from threadpoolctl import threadpool_limits

UNITS = (256, 128, 64)  # the paper, Fig. 7

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
) -> keras.Model:
    """Build and compile the paper's model: three LSTMs over the inputs as a sequence, softmax.

    The sequence has one step per column and one number per step: ``(n_segments, n_inputs, 1)``.

    Parameters
    ----------
    activation
        Of the LSTMs. The paper says ReLU for all hidden layers.
    dropout
        Share of outputs dropped after each LSTM. The paper names dropout, but neither its rate
        nor its place, and its layer table lists none.
    seed
        Seeds Python, NumPy and the back end: weights, dropout and the order of batches.
    """
    keras.utils.clear_session()  # so that names of layers do not depend on models built before
    keras.utils.set_random_seed(seed)
    layers = [keras.Input((n_inputs, 1))]
    for units in UNITS:
        sequences = units != UNITS[-1]
        layers.append(keras.layers.LSTM(units, activation=activation, return_sequences=sequences))
        if dropout:
            layers.append(keras.layers.Dropout(dropout))
    layers.append(keras.layers.Dense(n_genres, activation="softmax"))
    with threadpool_limits(1):  # the number of threads would change the weights' last bits
        model = keras.Sequential(layers)
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def layer_table(model: keras.Model) -> pd.DataFrame:
    """List layer, output shape and parameter count, as the paper's Fig. 7 does."""
    return pd.DataFrame(
        {
            "layer": type(layer).__name__,
            "output shape": "(" + ", ".join(str(n) for n in layer.output.shape[1:]) + ")",
            "parameters": layer.count_params(),
        }
        for layer in model.layers
        if not isinstance(layer, keras.layers.Dropout)
    )
