"""A dense network on the same 58 inputs: no sequence, one number per input."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd
from tqdm import tqdm

from music_genre.data import splits
from music_genre.data.table import Source
from music_genre.models import inputs

if TYPE_CHECKING:
    import keras

UNITS = 512, 256, 128, 64  # of a network that public programs train on this table
DROPOUT = 0.2
TEST_SIZE = 0.33


def network(n_inputs: int, n_genres: int, *, seed: int) -> "keras.Model":
    """Build and compile the network: dense layers with ReLU and dropout, softmax, Adam at 1e-3.

    ``seed`` seeds Python, NumPy and the back end: weights, dropout and the order of batches.
    """
    import keras  # takes seconds, and is not needed where the curves are kept

    keras.utils.set_random_seed(seed)
    layers = [keras.Input((n_inputs,))]
    for units in UNITS:
        layers += [keras.layers.Dense(units, "relu"), keras.layers.Dropout(DROPOUT)]
    model = keras.Sequential([*layers, keras.layers.Dense(n_genres, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def curves(segments: pd.DataFrame, *, epochs: Mapping[int, int], seed: int) -> pd.DataFrame:
    """Train one network for each batch size, for its number of epochs, with a progress bar.

    A third of the segments is held out; the scaling is fitted on all of them, as in the paper.

    Returns
    -------
    DataFrame [shape=(n_epochs_of_all, 4)]
        batch_size; epoch, from 1; accuracy in per cent on ``test`` segments after the epoch and
        on ``training`` segments while it ran.
    """
    from keras.callbacks import LambdaCallback

    parts = splits.split(segments, "segment", test_size=TEST_SIZE, seed=seed)
    data = inputs.prepare(segments, parts=parts, scale_on="all")
    x = data.x[:, :, 0]
    trained = []
    form = {"desc": "training", "unit": "epoch", "ncols": 80, "file": sys.stdout}
    with tqdm(total=sum(epochs.values()), **form) as bar:
        for batch_size, last in epochs.items():
            model = network(x.shape[1], len(data.genres), seed=seed)
            history = model.fit(
                x[data.train],
                data.y[data.train],
                validation_data=(x[data.test], data.y[data.test]),
                epochs=last,
                batch_size=batch_size,
                callbacks=[LambdaCallback(on_epoch_end=lambda epoch, logs: bar.update())],
                verbose=0,
            ).history
            trained.append(
                pd.DataFrame(
                    {
                        "batch_size": batch_size,
                        "epoch": range(1, last + 1),
                        "test": history["val_accuracy"],
                        "training": history["accuracy"],
                    }
                )
            )
    return pd.concat(trained, ignore_index=True).assign(
        test=lambda curve: 100 * curve["test"], training=lambda curve: 100 * curve["training"]
    )


def identity(source: Source, *, epochs: Mapping[int, int], seed: int) -> dict:
    """Return what determines :func:`curves`, for :func:`music_genre.models.runs.kept`."""
    return {
        "source": source,
        "units": UNITS,
        "dropout": DROPOUT,
        "test_size": TEST_SIZE,
        "epochs": sorted(epochs.items()),
        "seed": seed,
    }
