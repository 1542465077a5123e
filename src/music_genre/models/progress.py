"""A progress bar while models are trained: seen as long as that takes, and not kept."""

import os
import signal
import sys
import threading
from types import FrameType

from IPython import get_ipython
from IPython.display import display
from tqdm import tqdm

from music_genre import terminal


class Bar(tqdm):
    """tqdm's bar: in a notebook an output that is empty at the end; elsewhere in a terminal only.

    In a step of a report, the report shows the progress and the notebook nothing.

    An interruption ends what is done under the bar at its next update at the latest: Keras waits
    for its back end in a `try` that drops whatever is raised there.
    """

    def __init__(self, *, total: int, unit: str, initial: int = 0):
        notebook = hasattr(get_ipython(), "kernel")
        self._output = None
        if notebook and terminal.STEP not in os.environ:
            self._output = display({"text/plain": ""}, raw=True, display_id=True)
        super().__init__(
            desc="training", total=total, unit=unit, initial=initial, ncols=80, file=sys.stdout,
            mininterval=0.3, miniters=1, gui=notebook, disable=False if notebook else None,
        )  # fmt: skip
        if notebook:
            self.refresh()

    def __enter__(self) -> "Bar":
        self._interrupted, self._before = False, signal.getsignal(signal.SIGINT)
        self._listens = (
            callable(self._before) and threading.current_thread() is threading.main_thread()
        )
        if self._listens:
            signal.signal(signal.SIGINT, self._interrupt)
        return super().__enter__()

    def __exit__(self, *error: object) -> None:
        if self._listens:
            signal.signal(signal.SIGINT, self._before)
        super().__exit__(*error)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self._interrupted = True
        self._before(number, frame)

    def update(self, n: float = 1) -> bool | None:
        """Go on by so much, or raise the interruption that was dropped."""
        if self._interrupted:
            raise KeyboardInterrupt
        return super().update(n)

    def display(self, msg: str | None = None, pos: int | None = None) -> None:
        """Show the bar as it is now; tqdm calls this."""
        if not self.gui:
            super().display(msg, pos)
            return
        note = self.postfix or ""
        terminal.event(event="progress", done=self.n, total=self.total, unit=self.unit, note=note)
        if self._output:
            self._output.update({"text/plain": str(self)}, raw=True)

    def close(self) -> None:
        """End the bar."""
        shown = not self.disable and self._output
        super().close()
        if shown:
            self._output.update({"text/html": ""}, raw=True)
