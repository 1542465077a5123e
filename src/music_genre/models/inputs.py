"""The features table as a network takes it: labels encoded, columns scaled and ordered."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.preprocessing import LabelEncoder, PowerTransformer, StandardScaler

from music_genre.data.columns import INPUTS
from music_genre.exceptions import InputError

SCALINGS = ("standard", "power")


@dataclass(frozen=True)
class Prepared:
    """A features table as a network takes it: an input for each segment, or for each track."""

    # [shape=(n, n_inputs, 1), dtype=float32], scaled; of tracks (n, n_segments, n_inputs)
    x: np.ndarray
    y: np.ndarray  # [shape=(n,), dtype=int], genre codes
    parts: np.ndarray  # [shape=(n,), dtype=str], as music_genre.data.splits.split returns
    genres: list[str]  # the genre of each code
    columns: list[str]  # the inputs in the order of x: the 58, and more if there are
    scaler: StandardScaler  # the last step of the scaling
    lambdas: np.ndarray | None = None  # of the power transform before it, if any
    of: np.ndarray | None = None  # each segment's track, as a place in x, where inputs are tracks

    @property
    def train(self) -> np.ndarray:
        """True for inputs to train on [shape=(n,), dtype=bool]."""
        return self.parts == "train"

    @property
    def validation(self) -> np.ndarray:
        """True for inputs to choose an epoch by [shape=(n,), dtype=bool]."""
        return self.parts == "validation"

    @property
    def test(self) -> np.ndarray:
        """True for inputs to test on [shape=(n,), dtype=bool]."""
        return self.parts == "test"


def shuffled_columns(seed: int = 0, columns: Sequence[str] = INPUTS) -> list[str]:
    """Return the inputs, the 58 if no others are given, in an order drawn by a seed.

    The network reads them as 58 steps in time, which they are not. A training with another order
    shows how much the order matters.
    """
    return np.random.default_rng(seed).permutation(columns).tolist()


def prepare(
    segments: pd.DataFrame,
    *,
    parts: np.ndarray,
    scale_on: str,
    scaling: str = "standard",
    shuffle_columns: bool = False,
    more: pd.DataFrame | None = None,
) -> Prepared:
    """Encode the labels and standardise the 58 inputs of a features table, and more if given.

    Parameters
    ----------
    parts
        Each segment's part, as :func:`music_genre.data.splits.split` returns it.
    scale_on
        Which segments mean and variance are fitted on: ``"all"`` that the split uses, as the paper
        does (the test segments then influence the scaling), or ``"train"``.
    scaling
        ``"standard"``: to mean 0 and variance 1, as the paper does. ``"power"``: the same after a
        Yeo-Johnson transform of each column, which makes skewed columns more even.
    shuffle_columns
        Whether to take the inputs in the order of :func:`shuffled_columns`, the same for every
        training, instead of the table's.
    more
        Further inputs, as :func:`music_genre.data.table.load_more` returns them. They follow the
        58.
    """
    encoder = LabelEncoder()
    y = encoder.fit_transform(segments["label"])
    columns = INPUTS
    if more is not None:
        segments, columns = segments.join(more), [*INPUTS, *more]
    if shuffle_columns:
        columns = shuffled_columns(columns=columns)
    inputs = segments[columns].to_numpy()
    fitted_on = parts != "unused" if scale_on == "all" else parts == "train"
    lambdas = None
    if scaling == "power":
        power = PowerTransformer(standardize=False).fit(inputs[fitted_on])
        inputs, lambdas = power.transform(inputs), power.lambdas_
    scaler = StandardScaler().fit(inputs[fitted_on])
    x = scaler.transform(inputs).astype("float32")[:, :, np.newaxis]
    return Prepared(x, y, parts, list(encoder.classes_), columns, scaler, lambdas)


def by_track(data: Prepared, tracks: pd.Series) -> Prepared:
    """Put each track's segments in a sequence, in the table's order: one input, one genre.

    Shorter tracks are filled up with zeros, which a network masks.

    Parameters
    ----------
    tracks : Series [shape=(n_segments,)]
        As :func:`music_genre.data.table.tracks` returns them.

    Raises
    ------
    InputError
        Segments of one track are in different parts of the split, or a track is not known.
    """
    if tracks.isna().any():
        raise InputError(
            "the features table does not tell each segment's track: choose a model of segments."
        )
    codes, names = pd.factorize(tracks)
    parts = pd.Series(data.parts).groupby(codes)
    if (parts.nunique() > 1).any():
        raise InputError(
            "a model of tracks cannot be trained where segments of one track are trained and "
            "tested on: choose split track or artist."
        )
    steps = pd.Series(codes).groupby(codes).cumcount()
    x = np.zeros((len(names), steps.max() + 1, data.x.shape[1]), "float32")
    x[codes, steps] = data.x[:, :, 0]
    first = np.unique(codes, return_index=True)[1]
    return replace(data, x=x, y=data.y[first], parts=data.parts[first], of=codes)


def powered(values: np.ndarray, lambdas: np.ndarray) -> np.ndarray:
    """Return values [shape=(n, n_inputs)] after the Yeo-Johnson power transform of each column.

    I.-K. Yeo & R. A. Johnson, *A New Family of Power Transformations to Improve Normality or
    Symmetry*, Biometrika 87, 2000.
    """
    with np.errstate(over="ignore"):  # what is infinite then is far away all the same
        columns = [stats.yeojohnson(of, power) for of, power in zip(values.T, lambdas, strict=True)]
    return np.column_stack(columns)
