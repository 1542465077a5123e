"""Models of whole tracks: classical ones, on what the segments of a track have in common.

The columns are made even by a power transform, as for the networks of ``params/beyond``.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.special import softmax
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from music_genre.data.splits import tracks
from music_genre.metrics.predictions import by_genre
from music_genre.models import inputs

FLOOR = 0.05  # added to deviations before their logarithm; equal segments have a deviation of 0


def means(x: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Return each track's mean over its segments [shape=(n_tracks, n_inputs)].

    ``x`` [shape=(n_segments, n_inputs)] are inputs, ``of`` [shape=(n_segments,)] their tracks, as
    numbers from 0.
    """
    return pd.DataFrame(x).groupby(of).mean().to_numpy()


def means_and_deviations(x: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Return means and the logarithms of standard deviations [shape=(n_tracks, 2 * n_inputs)]."""
    deviations = pd.DataFrame(x).groupby(of).std(ddof=0).to_numpy()
    return np.hstack([means(x, of), np.log(deviations + FLOOR)])


# By display name: what of a track is described, None for each segment by itself; the model. The
# settings were chosen with the training and validation tracks of the split by artist.
CLASSICAL: dict[str, tuple[Callable | None, Callable]] = {
    "logistic regression": (None, lambda seed: LogisticRegression(C=0.1, max_iter=2000)),
    "RBF-SVM": (None, lambda seed: SVC(C=3)),
    "gradient boosting": (
        None,
        lambda seed: HistGradientBoostingClassifier(early_stopping=False, random_state=seed),
    ),
    "LDA of tracks": (
        means,
        lambda seed: LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1),
    ),
    "SVM of tracks": (means_and_deviations, lambda seed: SVC(C=10, gamma=0.002)),
}


def predictions(
    segments: pd.DataFrame, parts: np.ndarray, *, seed: int, more: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Fit each of :data:`CLASSICAL` on the training part and predict the test part.

    Parameters
    ----------
    parts
        As :func:`music_genre.data.splits.split` returns them. Where segments of one track are on
        both sides, the models of tracks are left out.
    more
        Further inputs, as :func:`music_genre.data.table.load_more` returns them.

    Returns
    -------
    DataFrame [shape=(n_models * n_test_segments, 3 + n_genres)]
        model, filename, label, and each genre's probability: that of a segment, or its track's.
    """
    data = inputs.prepare(segments, parts=parts, scale_on="train", scaling="power", more=more)
    x, test = data.x[:, 1:, 0].astype(float), data.test  # without length, which never varies
    known = tracks(segments)
    of = pd.factorize(known)[0]
    whole = known.notna().all() and (pd.Series(parts).groupby(of).nunique() == 1).all()
    first = np.unique(of, return_index=True)[1]
    found = []
    for name, (describe, build) in CLASSICAL.items():
        if describe is None:
            model = make_pipeline(StandardScaler(), build(seed)).fit(
                x[data.train], data.y[data.train]
            )
            probabilities = _probabilities(model, x[test])
        elif whole:
            described, train = describe(x, of), data.train[first]
            model = make_pipeline(StandardScaler(), build(seed))
            model.fit(described[train], data.y[first][train])
            probabilities = _probabilities(model, described)[of[test]]
        else:
            continue
        found.append(
            segments.loc[test, ["filename", "label"]].assign(
                model=name, **by_genre(data.genres, probabilities)
            )
        )
    return pd.concat(found, ignore_index=True)


def _probabilities(model: object, x: np.ndarray) -> np.ndarray:
    """Return a model's probabilities; the softmax of its decision values where it has none."""
    if hasattr(model, "predict_proba"):
        return model.predict_proba(x)
    values = model.decision_function(x)
    return softmax(np.column_stack([-values, values]) if values.ndim == 1 else values, axis=1)
