"""How much a result depends on one draw of the test segments: quick models on ten folds."""

from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from music_genre.data import splits
from music_genre.data.columns import INPUTS
from music_genre.data.table import Source, check_features
from music_genre.exceptions import InputError
from music_genre.models import runs
from music_genre.models.baselines import BASELINES, checksum, described


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
