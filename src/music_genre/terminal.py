"""What is told outside a notebook that runs: to a terminal, and to `make report`. Standard library.

A notebook's own output goes into the notebook, of which nothing is seen while papermill runs it.
"""

import json
import os
import sys
from contextlib import suppress

# Set for the processes of a report's steps, and for the kernels that these start:
EVENTS = "MUSIC_GENRE_EVENTS"  # the file that the report follows
STEP = "MUSIC_GENRE_STEP"  # the target of the step
TERMINAL = "MUSIC_GENRE_TERMINAL"  # of a step by hand: what it writes to goes to a file


def tell(line: str) -> None:
    """Write a line to the terminal that this notebook's kernel was started from, if it was.

    Where a notebook is open in an editor, one sees its output there, and the terminal is that of
    the editor's server: nothing is written to it.
    """
    # ipykernel takes the standard output for the notebook, and keeps what it was before.
    before = getattr(sys.stdout, "_original_stdstream_copy", None)
    if before is None or in_editor():
        return
    with suppress(OSError):  # the terminal was closed
        if os.isatty(before):
            os.write(before, f"\r\033[K{line}\n".encode())  # over papermill's bar
        elif TERMINAL in os.environ:
            _append(os.environ[TERMINAL], f"{os.environ[STEP]}: {line}\n")


def in_editor() -> bool:
    """Tell whether the notebook is open in an editor such as JupyterLab, and no step of a report.

    Jupyter's server names the session to its kernels, which a report started from there inherits.
    """
    return "JPY_SESSION_NAME" in os.environ and STEP not in os.environ


def event(**content: object) -> bool:
    """Tell `make report` something of the step that this process works on, if it started it.

    Returns
    -------
    bool
        Whether a report follows the step.
    """
    if EVENTS not in os.environ:
        return False
    with suppress(OSError):  # the report is gone
        _append(os.environ[EVENTS], json.dumps({"step": os.environ[STEP], **content}) + "\n")
    return True


def _append(path: str, line: str) -> None:
    """Write a line in one go: steps side by side write to the same file."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)


def duration(seconds: float) -> str:
    """Return a time as one reads it: ``12 s``, ``3 min``, ``1.5 h``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
