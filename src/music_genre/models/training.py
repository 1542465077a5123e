"""Train a model, with a progress bar and states to go on from; predict with it."""

import time
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from music_genre import terminal
from music_genre.exceptions import InputError
from music_genre.metrics.predictions import by_genre
from music_genre.models import checkpoints
from music_genre.models.inputs import Prepared
from music_genre.models.progress import Bar

BATCH = 512  # segments predicted at once
TELL = 2  # seconds between lines in the terminal that papermill was started in


def fit(
    model: keras.Model,
    data: Prepared,
    *,
    epochs: int,
    batch_size: int,
    seed: int,
    resume: bool = True,
    keep: Collection[int] = (),
    stops: Collection[int] = (),
    at_stop: Callable[[int], None] | None = None,
    history: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Train up to an epoch, with a progress bar; stop at the first loss that is not finite.

    With ``resume`` the training goes on from the longest state that an earlier one of the same
    recipe left (:mod:`music_genre.models.checkpoints`). The numbers are those of a training in one
    go, because the order of the segments in an epoch follows from ``seed`` and the epoch alone.
    (This needs the JAX back end; with another one the training starts at the first epoch.)

    Parameters
    ----------
    data
        The parts ``train`` and ``test`` are used: the model learns from the first and is measured
        on the second after every epoch, which does not influence it.
    epochs
        The last epoch to train, counted from 1.
    keep
        Epochs whose states stay for shorter trainings of the same recipe; those of the stops and
        of the last epoch stay anyway.
    stops, at_stop
        Epochs before the last one after which ``at_stop`` is called with the epoch, while the model
        is as it was then. (After a loss that is not finite, it is called with the broken model.)
    history
        The epochs that this model was trained already, on another split, as this function returned
        them. They count, and come first in the result.

    Returns
    -------
    DataFrame [shape=(n_epochs_run, 7)]
        ``epoch``, from 1; ``loss`` and ``accuracy`` on the training segments, while the epoch ran;
        ``test_loss`` and ``test_accuracy``, after it; ``seconds``, how long it took; ``kept``,
        whether the epoch was taken from a state. Accuracies are shares, 0 to 1.
    """
    lines = [] if history is None else history.to_dict("records")
    train, test = (data.x[data.train], data.y[data.train]), (data.x[data.test], data.y[data.test])
    model.optimizer.build(model.trainable_variables)
    states = checkpoints.folder(model, *train, *test, batch_size=batch_size, seed=seed)
    # Other back ends shuffle by generators of their own, which a state does not hold.
    resume = resume and keras.backend.backend() == "jax"
    with Bar(total=epochs, initial=len(lines), unit="epoch") as bar:
        follow = _follow(lines, bar, states, {*keep, *stops, epochs})
        for stop in [*sorted(stops), epochs]:
            done = len(lines)
            kept = checkpoints.restore(model, states, epochs=stop, done=done) if resume else None
            if kept is not None:
                lines += kept[done:].assign(kept=True).to_dict("records")
                bar.update(len(lines) - done)
            diverged = lines and not np.isfinite(lines[-1]["loss"])
            if len(lines) < stop and not diverged:
                model.fit(
                    *train,
                    validation_data=test,
                    initial_epoch=len(lines),
                    epochs=stop,
                    batch_size=batch_size,
                    callbacks=[
                        keras.callbacks.LambdaCallback(
                            # Keras shuffles by NumPy's global generator.
                            on_epoch_begin=lambda epoch, _: np.random.seed([seed, epoch])  # noqa: NPY002
                        ),
                        follow,
                        keras.callbacks.TerminateOnNaN(),
                    ],
                    verbose=0,
                )
            if stop < epochs:
                at_stop(stop)
    return pd.DataFrame(lines)


def _follow(
    lines: list[dict], bar: Bar, states: Path, keep: Collection[int]
) -> keras.callbacks.Callback:
    """Return a callback that records each epoch, moves the bar and keeps states.

    Where a state cannot be kept, this is said once and the training goes on.
    """
    last = {
        "epoch": time.perf_counter(), "state": time.perf_counter(), "told": 0.0,
        "path": None, "refused": False,
    }  # fmt: skip

    def after_epoch(epoch: int, logs: dict) -> None:
        now = time.perf_counter()
        lines.append(
            {
                "epoch": epoch + 1,
                "loss": logs["loss"],
                "accuracy": logs["accuracy"],
                "test_loss": logs["val_loss"],
                "test_accuracy": logs["val_accuracy"],
                "seconds": now - last["epoch"],
                "kept": False,
            }
        )
        last["epoch"] = now
        bar.set_postfix_str(
            f"loss {logs['loss']:.3f}, test {logs['val_accuracy']:.1%}", refresh=False
        )
        bar.update()
        if now - last["told"] >= TELL or epoch + 1 == bar.total:
            last["told"] = now
            terminal.tell(
                f"epoch {epoch + 1} of {bar.total}: loss {logs['loss']:.3f}, "
                f"test accuracy {logs['val_accuracy']:.1%}"
            )
        stays = epoch + 1 in keep
        if np.isfinite(logs["loss"]) and (stays or now - last["state"] >= checkpoints.EVERY):
            path = states / f"{epoch + 1}.npz"
            history = pd.DataFrame(lines).drop(columns="kept")
            try:
                checkpoints.save(path, callback.model, history)
            except InputError as error:
                if not last["refused"]:
                    print(f"The training goes on, but not from its states: {error}")
                last.update(state=now, refused=True)
                return
            if last["path"]:  # of a training under way, the newest will do
                with suppress(OSError):
                    last["path"].unlink()
            last.update(state=now, path=None if stays else path)

    callback = keras.callbacks.LambdaCallback(
        on_train_begin=lambda _: last.update(epoch=time.perf_counter()), on_epoch_end=after_epoch
    )
    return callback


def predict(model: keras.Model, data: Prepared, segments: pd.DataFrame) -> pd.DataFrame:
    """Predict every segment of the features table that the split uses.

    Returns
    -------
    DataFrame [shape=(n_segments_used, 4 + n_genres)]
        filename, part (``train``, ``validation`` or ``test``), label, predicted, and each genre's
        probability.
    """
    used = data.parts != "unused"
    probabilities = model.predict(data.x[used], batch_size=BATCH, verbose=0)
    genres = np.array(data.genres)
    return pd.DataFrame(
        {
            "filename": segments["filename"].to_numpy()[used],
            "part": data.parts[used],
            "label": segments["label"].to_numpy()[used],
            "predicted": genres[probabilities.argmax(axis=1)],
            **by_genre(data.genres, probabilities),
        }
    )


def seconds_per_segment(model: keras.Model, data: Prepared) -> float:
    """Return the time to predict one segment among many, without compilation."""
    x = data.x[data.parts != "unused"][: 4 * BATCH]
    model.predict(x, batch_size=BATCH, verbose=0)  # compiles
    start = time.perf_counter()
    model.predict(x, batch_size=BATCH, verbose=0)
    return (time.perf_counter() - start) / len(x)
