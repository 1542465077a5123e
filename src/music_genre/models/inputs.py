"""The features table as the network takes it: labels encoded, columns scaled and ordered."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.preprocessing import LabelEncoder, StandardScaler

from music_genre.data.columns import INPUTS


@dataclass(frozen=True)
class Prepared:
    """A features table as the network takes it."""

    x: np.ndarray  # [shape=(n_segments, 58, 1), dtype=float32], scaled
    y: np.ndarray  # [shape=(n_segments,), dtype=int], genre codes
    parts: np.ndarray  # [shape=(n_segments,), dtype=str], as music_genre.data.splits.split returns
    genres: list[str]  # the genre of each code
    columns: list[str]  # the 58 inputs in the order of x
    scaler: StandardScaler

    @property
    def train(self) -> np.ndarray:
        """True for training segments [shape=(n_segments,), dtype=bool]."""
        return self.parts == "train"

    @property
    def test(self) -> np.ndarray:
        """True for test segments [shape=(n_segments,), dtype=bool]."""
        return self.parts == "test"


def shuffled_columns(seed: int = 0) -> list[str]:
    """Return the 58 inputs in an order drawn by a seed.

    The network reads them as 58 steps in time, which they are not. A training with another order
    shows how much the order matters.
    """
    return np.random.default_rng(seed).permutation(INPUTS).tolist()


def prepare(
    segments: pd.DataFrame, *, parts: np.ndarray, scale_on: str, shuffle_columns: bool = False
) -> Prepared:
    """Encode the labels and standardise the 58 inputs of a features table.

    Parameters
    ----------
    parts
        Each segment's part, as :func:`music_genre.data.splits.split` returns it.
    scale_on
        Which segments mean and variance are fitted on: ``"all"`` that the split uses, as the paper
        does (the test segments then influence the scaling), or ``"train"``.
    shuffle_columns
        Whether to take the inputs in the order of :func:`shuffled_columns`, the same for every
        training, instead of the table's.
    """
    encoder = LabelEncoder()
    y = encoder.fit_transform(segments["label"])
    columns = shuffled_columns() if shuffle_columns else INPUTS
    inputs = segments[columns].to_numpy()
    scaler = StandardScaler().fit(
        inputs[parts != "unused" if scale_on == "all" else parts == "train"]
    )
    x = scaler.transform(inputs).astype("float32")[:, :, np.newaxis]
    return Prepared(x, y, parts, list(encoder.classes_), columns, scaler)
