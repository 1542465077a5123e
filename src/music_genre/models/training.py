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
    patience: int = 0,
    mixup: float = 0.0,
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
    patience
        If above 0, the model ends with the weights of the epoch that had the smallest loss on the
        part ``validation``, and training stops after so many epochs without a smaller one.
    mixup
        If above 0, the model learns from mixed segments (:class:`_Mixed`), and the loss has to take
        shares of genres. The training accuracy then counts the genre with the larger share.

    Returns
    -------
    DataFrame [shape=(n_epochs_run, 7)]
        ``epoch``, from 1; ``loss`` and ``accuracy`` on the training segments, while the epoch ran;
        ``test_loss`` and ``test_accuracy``, after it; ``seconds``, how long it took; ``kept``,
        whether the epoch was taken from a state. Accuracies are shares, 0 to 1. With ``patience``
        there is a ``validation_loss`` too.
    """
    lines = [] if history is None else history.to_dict("records")
    y = targets(model, data)
    train, test = (data.x[data.train], y[data.train]), (data.x[data.test], y[data.test])
    validation = (data.x[data.validation], y[data.validation]) if patience else ()
    model.optimizer.build(model.trainable_variables)
    mixed = _Mixed(*train, batch_size, mixup) if mixup else None
    described = [*train, *test, *validation, *([np.array(mixup)] if mixup else [])]
    states = checkpoints.folder(model, *described, batch_size=batch_size, seed=seed)
    best = _Best(patience, *validation) if patience else None

    def shuffle(epoch: int, _: dict) -> None:
        np.random.seed([seed, epoch])  # noqa: NPY002  Keras shuffles by the global generator
        if mixed:
            mixed.draw([seed, epoch])

    # Other back ends shuffle by generators of their own, which a state does not hold.
    resume = resume and keras.backend.backend() == "jax"
    with Bar(total=epochs, initial=len(lines), unit="epoch") as bar:
        follow = _follow(lines, bar, states, set() if best else {*keep, *stops, epochs}, best)
        for stop in [*sorted(stops), epochs]:
            done = len(lines)
            kept = checkpoints.restore(model, states, epochs=stop, done=done) if resume else None
            if kept is not None:
                lines += kept[done:].assign(kept=True).to_dict("records")
                bar.update(len(lines) - done)
                if best:
                    best.take(model, lines)
            diverged = lines and not np.isfinite(lines[-1]["loss"])
            if len(lines) < stop and not diverged:
                model.fit(
                    *([mixed] if mixed else train),
                    validation_data=test,
                    initial_epoch=len(lines),
                    epochs=stop,
                    batch_size=None if mixed else batch_size,
                    validation_batch_size=batch_size,
                    shuffle=not mixed,
                    callbacks=[
                        keras.callbacks.LambdaCallback(on_epoch_begin=shuffle),
                        follow,
                        keras.callbacks.TerminateOnNaN(),
                    ],
                    verbose=0,
                )
            if stop < epochs:
                at_stop(stop)
        if best and best.weights:
            model.set_weights(best.weights)
    return pd.DataFrame(lines)


def targets(model: keras.Model, data: Prepared) -> np.ndarray:
    """Return the genres as a model's loss takes them: codes, or shares if it smooths labels."""
    if isinstance(model.loss, str):
        return data.y
    return keras.utils.to_categorical(data.y, len(data.genres))


class _Mixed(keras.utils.PyDataset):
    """Batches of training segments, each mixed with another one, its label too: mixup.

    H. Zhang, M. Cisse, Y. N. Dauphin & D. Lopez-Paz, *mixup: Beyond Empirical Risk Minimization*,
    ICLR 2018. The larger of the two shares, drawn from a beta distribution whose parameters are
    both ``alpha``, is that of the segment itself.
    """

    def __init__(self, x: np.ndarray, y: np.ndarray, batch_size: int, alpha: float):
        super().__init__()
        self.x, self.y, self.size, self.alpha = x, y, batch_size, alpha
        self.draw([0, 0])

    def draw(self, seeds: list[int]) -> None:
        """Draw the order of an epoch's segments, what each is mixed with, and its share."""
        rng, n = np.random.default_rng(seeds), len(self.x)
        self.order, self.others = rng.permutation(n), rng.permutation(n)
        shares = rng.beta(self.alpha, self.alpha, n).astype("float32")
        self.shares = np.maximum(shares, 1 - shares)

    def __len__(self) -> int:
        return -(-len(self.x) // self.size)

    def __getitem__(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        of = slice(i * self.size, (i + 1) * self.size)
        return tuple(
            share * values[self.order[of]] + (1 - share) * values[self.others[of]]
            for values in (self.x, self.y)
            for share in [self.shares[of].reshape(-1, *[1] * (values.ndim - 1))]
        )


class _Best:
    """The weights of the epoch with the smallest loss on validation segments, so far.

    Its state is the only one that such a training keeps: from there it goes on, with these weights.
    """

    def __init__(self, patience: int, x: np.ndarray, y: np.ndarray):
        self.patience, self.data = patience, (x, y)
        self.epoch, self.loss, self.weights = 0, np.inf, []

    def measure(self, model: keras.Model, line: dict) -> bool:
        """Note the loss of an epoch, stop the training if it is time; tell if it is the best."""
        line["validation_loss"] = model.evaluate(*self.data, batch_size=BATCH, verbose=0)[0]
        if line["validation_loss"] < self.loss:
            self.take(model, [line])
            return True
        if line["epoch"] - self.epoch >= self.patience:
            model.stop_training = True
        return False

    def take(self, model: keras.Model, lines: list[dict]) -> None:
        """Take a model as the best after the last of its epochs."""
        self.epoch, self.loss = lines[-1]["epoch"], lines[-1]["validation_loss"]
        self.weights = model.get_weights()


def _follow(
    lines: list[dict], bar: Bar, states: Path, keep: Collection[int], best: _Best | None
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
        better = best and best.measure(callback.model, lines[-1])
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
        due = better if best else stays or now - last["state"] >= checkpoints.EVERY
        if due and np.isfinite(logs["loss"]):
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
    """Predict every segment of the features table that the split uses, by itself or its track.

    Returns
    -------
    DataFrame [shape=(n_segments_used, 4 + n_genres)]
        filename, part (``train``, ``validation`` or ``test``), label, predicted, and each genre's
        probability.
    """
    of = np.arange(len(data.x)) if data.of is None else data.of
    used = data.parts[of] != "unused"
    inputs = np.unique(of[used])
    probabilities = model.predict(data.x[inputs], batch_size=BATCH, verbose=0)
    probabilities = probabilities[np.searchsorted(inputs, of[used])]
    genres = np.array(data.genres)
    return pd.DataFrame(
        {
            "filename": segments["filename"].to_numpy()[used],
            "part": data.parts[of][used],
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
    segments_per_input = 1 if data.of is None else len(data.of) / len(data.x)
    return (time.perf_counter() - start) / len(x) / segments_per_input
