"""Plain lines in the terminal in which papermill runs a notebook, and shows only its cells."""

import os
import sys
from contextlib import suppress


def tell(line: str) -> None:
    """Write a line to the terminal that this notebook's kernel was started from, if it was.

    A notebook's output goes into the notebook. Where it is open in an editor, one sees it there,
    and the terminal is that of the editor's server: nothing is written to it.
    """
    # ipykernel takes the standard output for the notebook, and keeps what it was before.
    before = getattr(sys.stdout, "_original_stdstream_copy", None)
    if before is None or "JPY_SESSION_NAME" in os.environ:  # Jupyter's server sets that
        return
    with suppress(OSError):  # the terminal was closed
        if os.isatty(before):
            os.write(before, f"\r\033[K{line}\n".encode())  # over papermill's bar
