"""Networks by name: the paper's, and those that its last paragraph looks forward to."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from threadpoolctl import threadpool_limits

from music_genre.exceptions import InputError, meant

if TYPE_CHECKING:
    import keras

OPTIMIZERS = {  # by Keras' names, with what differs from its defaults
    "adam": {},
    "sgd": {"momentum": 0.9},
    "rmsprop": {},
    "adagrad": {},
    "nadam": {},
}
SCHEDULES = ("constant", "cosine")  # of the learning rate

# The paper's Fig. 7, for 58 inputs and ten genres.
PAPER_UNITS = (256, 128, 64)
PAPER_LAYERS = pd.DataFrame(
    {
        "layer": ["LSTM", "LSTM", "LSTM", "Dense"],
        "output shape": ["(58, 256)", "(58, 128)", "(64)", "(10)"],
        "parameters": [264_192, 197_120, 49_408, 650],
    }
)


@dataclass(frozen=True)
class Stack:
    """What builds hidden layers: the parameters that they all take."""

    activation: str  # of recurrent layers
    dropout: float  # share of each hidden layer's outputs that is dropped in training
    n_steps: int  # of one input: its numbers, or a track's segments

    def recurrent(self, kind: str, *units: int) -> list["keras.Layer"]:
        """Return stacked recurrent layers (``LSTM``, ``GRU``); the last returns its last state."""
        from keras import layers

        kinds = getattr(layers, kind)
        found = []
        for i, n in enumerate(units, start=1):
            last = i == len(units)
            found.append(kinds(n, activation=self.activation, return_sequences=not last))
            found += self._dropout()
        return found

    def dense(self, *units: int) -> list["keras.Layer"]:
        """Return dense layers with ReLU."""
        from keras import layers

        return [it for n in units for it in (layers.Dense(n, "relu"), *self._dropout())]

    def _dropout(self) -> list["keras.Layer"]:
        from keras import layers

        return [layers.Dropout(self.dropout)] if self.dropout else []


def _cnn_rnn(stack: Stack) -> list["keras.Layer"]:
    from keras import layers

    return [
        layers.Conv1D(64, 5, padding="same", activation="relu"),
        layers.MaxPooling1D(2),
        layers.Conv1D(128, 5, padding="same", activation="relu"),
        layers.MaxPooling1D(2),
        *stack.recurrent("LSTM", 128, 64),
    ]


def _mlp(stack: Stack) -> list["keras.Layer"]:
    from keras import layers

    return [layers.Flatten(), *stack.dense(2048, 1024)]


def _mlp_embedded(stack: Stack) -> list["keras.Layer"]:
    """Describe each number by eight others before all meet.

    After Y. Gorishniy, I. Rubachev & A. Babenko, *On Embeddings for Numerical Features in Tabular
    Deep Learning*, NeurIPS 2022, with soft steps (tanh) at places drawn at random in place of their
    sines, which Keras could not load without this project.
    """
    from keras import initializers, layers

    return [
        layers.EinsumDense(
            "nfc,fcd->nfd",
            (stack.n_steps, 32),
            bias_axes="fd",
            activation="tanh",
            kernel_initializer=initializers.RandomNormal(stddev=2.0),
            bias_initializer=initializers.RandomUniform(-math.pi, math.pi),
        ),
        layers.EinsumDense(
            "nfd,fde->nfe", (stack.n_steps, 8), bias_axes="fe", activation="relu",
            kernel_initializer=initializers.RandomUniform(-32**-0.5, 32**-0.5),
        ),
        layers.Flatten(),
        *stack.dense(1024, 512),
    ]  # fmt: skip


def _track_lstm(stack: Stack) -> list["keras.Layer"]:
    from keras import layers

    return [layers.Masking(), *stack.recurrent("LSTM", 128, 64)]


# By name, the hidden layers between the input and the softmax over the genres. A network is this
# one entry. All but OF_TRACKS read a segment's inputs as a sequence of steps with one number each.
NETWORKS: dict[str, Callable[[Stack], list["keras.Layer"]]] = {
    "paper": lambda stack: stack.recurrent("LSTM", *PAPER_UNITS),
    "single-lstm": lambda stack: stack.recurrent("LSTM", 256),  # the paper's conclusion names one
    "deep-lstm": lambda stack: stack.recurrent("LSTM", 256, 128, 128, 64, 64),
    "lstm-dense": lambda stack: [*stack.recurrent("LSTM", *PAPER_UNITS), *stack.dense(128, 64)],
    "cnn-rnn": _cnn_rnn,
    "gru": lambda stack: stack.recurrent("GRU", *PAPER_UNITS),
    "mlp": _mlp,
    "mlp-embedded": _mlp_embedded,
    "track-lstm": _track_lstm,
}
OF_TRACKS = ("track-lstm",)  # read the sequence of a track's segments, and return one genre for it


def build(
    shape: tuple[int, ...],
    n_genres: int,
    *,
    activation: str,
    dropout: float,
    learning_rate: float,
    seed: int,
    model: str = "paper",
    optimizer: str = "adam",
    schedule: str = "constant",
    steps: int = 1,
    weight_decay: float = 0.0,
    label_smoothing: float = 0.0,
    shares: bool = False,
) -> "keras.Model":
    """Build and compile a network with a softmax over the genres.

    Parameters
    ----------
    shape
        Of one input: ``(58, 1)``, a segment's numbers as steps, as the paper has it; for a network
        of :data:`OF_TRACKS` ``(n_segments, 58)``.
    model
        One of :data:`NETWORKS`.
    optimizer
        One of :data:`OPTIMIZERS`. The paper uses Adam.
    activation
        Of recurrent layers. The paper says ReLU for all hidden layers.
    dropout
        Share of outputs dropped after each recurrent or dense layer. The paper names dropout, but
        neither its rate nor its place, and its layer table lists none.
    schedule, steps
        ``cosine`` lets the learning rate fall to 0 over so many gradient steps, along half a cosine
        (Loshchilov and Hutter, 2017).
    weight_decay
        Decoupled from the gradient (Loshchilov and Hutter, 2019); 0 for none.
    label_smoothing
        Share of each label that is spread over all genres; 0 for none.
    shares
        Whether labels are shares of genres, not codes, as mixup makes them.
    seed
        Seeds Python, NumPy and the back end: weights, dropout and the order of batches.
    """
    import keras  # takes seconds, and is not needed to name the networks

    keras.utils.clear_session()  # so that names of layers do not depend on models built before
    keras.utils.set_random_seed(seed)
    hidden = NETWORKS[model](Stack(activation, dropout, shape[0]))
    output = keras.layers.Dense(n_genres, activation="softmax")
    with threadpool_limits(1):  # the number of threads would change the weights' last bits
        network = keras.Sequential([keras.Input(shape), *hidden, output])
    rate = learning_rate
    if schedule == "cosine":
        cosine = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
        rate = keras.optimizers.schedules.serialize(cosine)
    settings = {"learning_rate": rate, "weight_decay": weight_decay or None}
    network.compile(
        optimizer=keras.optimizers.deserialize(
            {"class_name": optimizer, "config": {**settings, **OPTIMIZERS[optimizer]}}
        ),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=label_smoothing)
        if label_smoothing or shares
        else "sparse_categorical_crossentropy",
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


def named(names: str) -> list[str]:
    """Return the names of networks that stand in a text, separated by spaces.

    Raises
    ------
    InputError
        There is none, or one of them is not in :data:`NETWORKS`.
    """
    found = names.split()
    unknown = [name for name in found if name not in NETWORKS]
    if unknown or not found:
        raise InputError(
            f'models is "{names}"{meant(unknown[0], NETWORKS) if unknown else ""}: name some of '
            f"{', '.join(NETWORKS)}, with spaces between."
        )
    return found
