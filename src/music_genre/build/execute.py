"""Execute one step of a plan: a notebook, with what the step's file says it is given.

`python -m music_genre.build.execute FILE`. The executed notebook gets its name only if it ran to
its end; what a failed one left is beside it, as ``.partial.ipynb``. A training that fails also
leaves ``failed.json``; then the step counts as done, so that the report is made without it, and is
tried again next time.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from nbclient.exceptions import DeadKernelError
from papermill import execute_notebook
from papermill.exceptions import PapermillExecutionError

from music_genre.exceptions import InputError
from music_genre.paths import ROOT, display_path
from music_genre.provenance import read_json, read_yaml, write_json


def execute(step: dict) -> None:
    """Execute a step's notebook.

    Parameters
    ----------
    step
        As :func:`music_genre.build.plan.write` writes it.

    Raises
    ------
    InputError
        The step's file of parameters cannot be read, or the notebook failed.
    """
    target = ROOT / step["target"]
    partial = target.with_suffix(".partial.ipynb")
    given = _parameters(step)
    if step["threads"]:
        os.environ.setdefault("NPROC", str(step["threads"]))
    target.parent.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    with target.with_suffix(".log").open("w") as log, _stderr_to(log):
        try:
            execute_notebook(
                ROOT / "notebooks" / f"{step['notebook']}.ipynb",
                partial,
                parameters=given,
                progress_bar=False,
                stdout_file=sys.stdout if sys.stdout.isatty() else log,
                stderr_file=log,
            )
        except PapermillExecutionError as error:
            known = error.ename == "InputError"
            raise InputError(error.evalue if known else f"{error.ename}: {error.evalue}") from error
        except DeadKernelError as error:
            raise InputError("its kernel was killed, perhaps for want of memory.") from error
    partial.replace(target)
    print(f"{display_path(target)}: {time.monotonic() - start:.0f} s", flush=True)


@contextmanager
def _stderr_to(log: TextIO) -> Iterator[None]:
    """Let the kernel's own remarks, which it writes past papermill, go to the log."""
    terminal = os.dup(2)
    os.dup2(log.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)


def record_failure(step: dict, reason: str) -> None:
    """Write ``failed.json`` for a training: its parameters, and why it failed.

    What an earlier, finished run left in the folder no longer counts: its metrics.json is removed.
    """
    output = ROOT / step["given"]["output"]
    (output / "metrics.json").unlink(missing_ok=True)
    (ROOT / step["target"]).unlink(missing_ok=True)  # so that the step is tried again
    try:
        given = _parameters(step)
    except InputError:  # the file of parameters is what failed
        given = step["given"]
    write_json(output / "failed.json", {"parameters": given, "error": reason})


def _parameters(step: dict) -> dict:
    return (read_yaml(ROOT / step["file"]) if step["file"] else {}) | step["given"]


def _failed(run: str) -> bool:
    return (ROOT / run).with_name("failed.json").exists()


if __name__ == "__main__":
    step = read_json(sys.argv[1])
    trains = "output" in step["given"]
    if trains:
        (ROOT / step["given"]["output"] / "failed.json").unlink(missing_ok=True)
    if step["notebook"] == "evaluate" and any(map(_failed, step["shows"])):
        print(f"left out: {step['target']}")
        (ROOT / step["target"]).unlink(missing_ok=True)
        sys.exit()
    try:
        execute(step)
    except InputError as error:
        print(
            f"error: {step['notebook']} failed: {error} How far it came: "
            f"{step['target'].replace('.ipynb', '.partial.ipynb')}",
            file=sys.stderr,
        )
        if not trains:
            sys.exit(1)
        record_failure(step, str(error))
