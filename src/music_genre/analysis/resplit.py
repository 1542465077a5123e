"""One model trained on over splits that are drawn again.

This is what happens in a notebook session where the cell that splits is run again and the one that
builds the model is not: the model is then tested on segments that it was trained on.
"""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from music_genre.data import splits
from music_genre.models import inputs, training
from music_genre.models.inputs import Prepared

APART = 1000  # between the seeds of two draws, so that no draw is one of another training's seed


def draw(
    segments: pd.DataFrame,
    split: str,
    *,
    draws: int,
    test_size: float,
    seed: int,
    table_folder: Path,
    **prepared: object,
) -> list[Prepared]:
    """Split and prepare the features table several times, the first time as ``train`` does.

    Draw *n*, from 0, has the seed ``seed + 1000 n``. ``prepared`` are the further arguments of
    :func:`music_genre.models.inputs.prepare`.
    """
    return [
        inputs.prepare(
            segments,
            parts=splits.split(
                segments,
                split,
                test_size=test_size,
                seed=seed + APART * number,
                table_folder=table_folder,
            ),
            **prepared,
        )
        for number in range(draws)
    ]


def fit(
    model: keras.Model,
    drawn: Sequence[Prepared],
    *,
    until: Sequence[int],
    batch_size: int,
    seed: int,
    resume: bool = True,
    stops: Collection[int] = (),
    at_stop: Callable[[int, Prepared], None] | None = None,
) -> pd.DataFrame:
    """Train a model on each draw up to the epoch of ``until`` that belongs to it.

    After each epoch of ``stops``, ``at_stop`` is called with the epoch and the draw that the model
    was trained on last, while the model is as it was then.

    Returns
    -------
    DataFrame [shape=(n_epochs_run, 7)]
        All epochs, as :func:`music_genre.models.training.fit` returns them.
    """
    history, first = None, 1
    for data, last in zip(drawn, until, strict=True):
        history = training.fit(
            model,
            data,
            epochs=last,
            batch_size=batch_size,
            seed=seed,
            resume=resume,
            stops=[epoch for epoch in stops if first <= epoch < last],
            at_stop=lambda epoch, data=data: at_stop(epoch, data),
            history=history,
        )
        if last in stops and last != until[-1]:
            at_stop(last, data)
        first = last + 1
    return history


def met_before(drawn: Sequence[Prepared]) -> float:
    """Return the share of the last draw's test segments that an earlier draw trained on, 0 to 1."""
    trained = np.any([data.train for data in drawn[:-1]], axis=0)
    return float(np.mean(trained & drawn[-1].test) / np.mean(drawn[-1].test))
