"""What a bar shows, and that a training under it can be interrupted."""

import contextlib
import signal

import pytest

from music_genre.models.progress import Bar


def test_interruption_that_is_dropped_below_ends_the_work_at_the_next_update():
    before = signal.getsignal(signal.SIGINT)
    done = []
    with pytest.raises(KeyboardInterrupt), Bar(total=3, unit="epoch") as bar:
        for epoch in range(3):
            done.append(epoch)
            if epoch == 1:
                with contextlib.suppress(BaseException):  # as Keras does
                    signal.raise_signal(signal.SIGINT)
            bar.update()
    assert done == [0, 1]
    assert signal.getsignal(signal.SIGINT) is before


def test_interruption_that_is_not_dropped_ends_it_at_once():
    with pytest.raises(KeyboardInterrupt), Bar(total=3, unit="epoch"):
        signal.raise_signal(signal.SIGINT)
