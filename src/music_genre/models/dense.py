"""A dense network on the same 58 inputs: no sequence, one number per input."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from music_genre.data import splits
from music_genre.data.table import Source
from music_genre.models import inputs
from music_genre.models.progress import Bar

if TYPE_CHECKING:
    import keras

UNITS = 512, 256, 128, 64  # of a network that public programs train on this table
DROPOUT = 0.2
TEST_SIZE = 0.33


def network(n_inputs: int, n_genres: int, *, seed: int) -> "keras.Model":
    """Build and compile the network: dense layers with ReLU and dropout, softmax, Adam at 1e-3.

    ``seed`` seeds Python, NumPy and the back end: weights, dropout and the order of batches.
    """
    import keras  # takes seconds, and is not needed where the results are kept

    keras.utils.set_random_seed(seed)
    layers = [keras.Input((n_inputs,))]
    for units in UNITS:
        layers += [keras.layers.Dense(units, "relu"), keras.layers.Dropout(DROPOUT)]
    model = keras.Sequential([*layers, keras.layers.Dense(n_genres, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def predictions(
    segments: pd.DataFrame, *, epochs: Mapping[int, Sequence[int]], seed: int
) -> dict[tuple[int, int], pd.DataFrame]:
    """Train one network for each batch size, and predict all segments after the epochs named.

    A third of the segments is held out; the scaling is fitted on all of them, as in the paper.

    Parameters
    ----------
    epochs
        By batch size, the epochs after which to predict; the last is where training ends.

    Returns
    -------
    dict of DataFrame [shape=(n_segments, 3)]
        part, label and predicted, by batch size and epoch.
    """
    from keras.callbacks import LambdaCallback

    parts = splits.split(segments, "segment", test_size=TEST_SIZE, seed=seed)
    data = inputs.prepare(segments, parts=parts, scale_on="all")
    x, genres = data.x[:, :, 0], np.array(data.genres)
    predicted = {}
    with Bar(total=sum(map(max, epochs.values())), unit="epoch") as bar:
        for batch_size, after in epochs.items():
            model = network(x.shape[1], len(genres), seed=seed)

            def at_end(epoch: int, _: dict, size=batch_size, after=after, model=model) -> None:
                bar.update()
                if epoch + 1 in after:
                    codes = model.predict(x, batch_size=1024, verbose=0).argmax(axis=1)
                    predicted[size, epoch + 1] = pd.DataFrame(
                        {"part": parts, "label": segments["label"], "predicted": genres[codes]}
                    )

            model.fit(
                x[data.train],
                data.y[data.train],
                epochs=max(after),
                batch_size=batch_size,
                callbacks=[LambdaCallback(on_epoch_end=at_end)],
                verbose=0,
            )
    return predicted


def identity(source: Source, *, epochs: Mapping[int, Sequence[int]], seeds: Sequence[int]) -> dict:
    """Return what determines :func:`predictions`, for :func:`music_genre.models.runs.kept`."""
    return {
        "source": source,
        "units": UNITS,
        "dropout": DROPOUT,
        "test_size": TEST_SIZE,
        "epochs": sorted((int(size), [*map(int, after)]) for size, after in epochs.items()),
        "seeds": list(seeds),
    }
