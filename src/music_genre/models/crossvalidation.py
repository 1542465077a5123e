"""Quick models on folds: how much a result depends on one draw, and predictions of all segments."""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.feature_selection import VarianceThreshold
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import PowerTransformer, StandardScaler
from threadpoolctl import threadpool_limits

from music_genre.data import splits
from music_genre.data.columns import INPUTS
from music_genre.data.table import Source, check_features
from music_genre.exceptions import InputError
from music_genre.metrics.predictions import by_genre
from music_genre.models import runs
from music_genre.models.baselines import BASELINES, checksum, described, probabilities_of
from music_genre.models.progress import Bar

DIGITS = 6  # of probabilities that are kept


def draw_folds(
    segments: pd.DataFrame, *, n: int = 10, seed: int = 0
) -> tuple[dict[str, list[np.ndarray]], dict[str, str]]:
    """Cut the segments into folds, by each split that has some.

    Returns
    -------
    folds : dict of list of ndarray
        As :func:`music_genre.data.splits.folds` returns them, by the split's name.
    left_out : dict of str
        Why this table has no such folds, by the split's name.
    """
    folds, left_out = {}, {}
    for name in [name for name, split in splits.SPLITS.items() if split.folds]:
        try:
            folds[name] = splits.folds(segments, name, n=n, seed=seed)
        except InputError as error:
            left_out[name] = str(error)
    return folds, left_out


def cross_validate(
    folder: Path,
    segments: pd.DataFrame,
    folds: dict[str, list[np.ndarray]],
    *,
    source: Source,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure the quick ones of the simpler models on every fold.

    Results are kept in ``folder`` (:func:`music_genre.models.runs.kept`).

    Returns
    -------
    DataFrame [shape=(n_splits * n_models * n_folds, 4)]
        split, model, fold, accuracy in per cent.
    """
    pipelines = {
        one.quick_name: one.pipeline(seed, **one.quick_settings)
        for one in BASELINES.values()
        if one.quick_name
    }

    def compute() -> pd.DataFrame:
        check_features(segments)
        x, y = segments[INPUTS].to_numpy(), segments["label"].to_numpy(dtype=str)
        lines = []
        for split, tests in folds.items():
            for name, pipeline in pipelines.items():
                for fold, test in enumerate(tests):
                    with threadpool_limits(1):
                        accuracy = pipeline.fit(x[~test], y[~test]).score(x[test], y[test])
                    lines.append((split, name, fold, 100 * accuracy))
        return pd.DataFrame(lines, columns=["split", "model", "fold", "accuracy"])

    cut = {split: np.array(tests).tolist() for split, tests in folds.items()}
    names = segments["filename"].tolist()
    fits = checksum(models=described(pipelines), folds=cut, segments=names)
    return runs.kept(folder / "folds.csv", {"source": source, "fits": fits}, compute)


def over_folds(accuracies: pd.DataFrame) -> pd.DataFrame:
    """Return mean and standard deviation over the folds: split, model, mean, SD, folds."""
    grouped = accuracies.groupby(["split", "model"], sort=False)["accuracy"]
    return grouped.agg(mean="mean", SD="std", folds="size").reset_index()


def pipelines(seed: int) -> dict[str, Pipeline]:
    """Return the models that a collection is measured with, by their display names."""
    regression = LogisticRegression(C=0.1, max_iter=2000)
    # A column without variance has no power that makes it normal.
    scaled = [("varies", VarianceThreshold()), ("scale", StandardScaler())]
    return {
        "logistic regression": Pipeline(
            [*scaled, ("power", PowerTransformer()), ("model", regression)]
        ),
        **{name: BASELINES[name].pipeline(seed) for name in ("extra trees", "RBF-SVM")},
    }


def held_out(
    path: Path, segments: pd.DataFrame, tests: list[np.ndarray], *, source: Source, seed: int = 0
) -> pd.DataFrame:
    """Predict every segment that tests in a fold by each of :func:`pipelines`, trained without it.

    Results are kept in ``path`` (:func:`music_genre.models.runs.kept`).

    Parameters
    ----------
    tests : list of ndarray [shape=(n_segments,), dtype=bool]
        For each fold, which segments test; those that test in other folds train.

    Returns
    -------
    DataFrame [shape=(n_models * n_segments_tested, 4 + n_genres)]
        model, filename, label, predicted, and each genre's probability.
    """
    models, guess = pipelines(seed), BASELINES["majority class"].pipeline(seed)

    def compute() -> pd.DataFrame:
        used = np.any(tests, axis=0)
        x, y = segments[INPUTS].to_numpy(), segments["label"].to_numpy(dtype=str)
        genres, parts = np.unique(y[used]), []
        with Bar(total=len(models) * len(tests), unit="fit") as bar, threadpool_limits(1):
            for name, model in models.items():
                for test in tests:
                    train = used & ~test
                    several = len(np.unique(y[train])) > 1  # of one genre there is no more to learn
                    fitted = (model if several else guess).fit(x[train], y[train])
                    found = np.zeros((test.sum(), len(genres)))
                    found[:, np.searchsorted(genres, fitted.classes_)] = probabilities_of(
                        fitted, x[test]
                    )
                    parts.append(
                        pd.DataFrame(
                            {
                                "model": name,
                                "filename": segments["filename"].to_numpy()[test],
                                "label": y[test],
                                "predicted": genres[found.argmax(axis=1)],
                                **by_genre(genres, found.round(DIGITS)),
                            }
                        )
                    )
                    bar.update()
        return pd.concat(parts, ignore_index=True)

    fits = checksum(
        models={name: str(model) for name, model in models.items()},
        folds=np.array(tests).tolist(),
        segments=segments["filename"].tolist(),
    )
    return runs.kept(path, {"source": source, "fits": fits}, compute)
