"""Execute one step of a plan: a notebook, with what the step's file says it is given, or the page.

`python -m music_genre.build.execute FILE`. The executed notebook gets its name only if it ran to
its end; what a failed one left is beside it, as ``.partial.ipynb``. A training that fails also
leaves ``failed.json``; then the step counts as done, so that the report is made without it, and is
tried again next time.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from nbclient.exceptions import DeadKernelError
from papermill import execute_notebook
from papermill.exceptions import PapermillExecutionError

from music_genre.build import done
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
    if step.get("threads") and not os.environ.get("NPROC"):
        os.environ["NPROC"] = str(step["threads"])
    target.parent.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    with target.with_suffix(".log").open("w") as log, _output_to(log) as terminal:
        try:
            execute_notebook(
                _literally(ROOT / "notebooks" / f"{step['notebook']}.ipynb"),
                _literally(partial),
                parameters=given,
                progress_bar=False,
                stdout_file=terminal if terminal.isatty() else log,
                stderr_file=log,
            )
        except PapermillExecutionError as error:
            known = error.ename == "InputError"
            raise InputError(error.evalue if known else f"{error.ename}: {error.evalue}") from error
        except DeadKernelError as error:
            raise InputError("its kernel was killed, perhaps for want of memory.") from error
    partial.replace(target)
    print(f"{display_path(target)}: {time.monotonic() - start:.0f} s", flush=True)


def _literally(path: Path) -> str:
    """Return a path for papermill, which would fill in what it has in braces."""
    return str(path).replace("{", "{{").replace("}", "}}")


@contextmanager
def _output_to(log: TextIO) -> Iterator[TextIO]:
    """Let what the kernel writes past papermill go to the log; yield the terminal."""
    sys.stdout.flush()
    before = [os.dup(number) for number in (1, 2)]
    for number in (1, 2):
        os.dup2(log.fileno(), number)
    try:
        with os.fdopen(os.dup(before[0]), "w") as terminal:
            yield terminal
    finally:
        for number, copy in zip((1, 2), before, strict=True):
            os.dup2(copy, number)
            os.close(copy)


def record_failure(step: dict, reason: str) -> None:
    """Write ``failed.json`` for a training: its parameters, and why it failed.

    What an earlier, finished run left in the folder does not count meanwhile. It may be that only
    to show it has failed, so it is set aside (:func:`take_back`).
    """
    output = ROOT / step["given"]["output"]
    with suppress(FileNotFoundError):
        (output / "metrics.json").replace(output / _ASIDE)
    (ROOT / step["target"]).unlink(missing_ok=True)  # so that the step is tried again
    try:
        given = _parameters(step)
        json.dumps(given, allow_nan=False)
    except (InputError, TypeError, ValueError):  # the file of parameters is what failed
        given = step["given"]
    write_json(output / "failed.json", {"parameters": given, "error": reason})


_ASIDE = "metrics.before.json"


def take_back(step: dict) -> None:
    """Have a training begin as if it had not failed before.

    The notebook recognizes the run that :func:`record_failure` set aside, or trains anew.
    """
    output = ROOT / step["given"]["output"]
    (output / "failed.json").unlink(missing_ok=True)
    if not (output / "metrics.json").exists():
        with suppress(FileNotFoundError):
            (output / _ASIDE).replace(output / "metrics.json")


def _parameters(step: dict) -> dict:
    return (read_yaml(ROOT / step["file"]) if step["file"] else {}) | step["given"]


def left_out(step: dict) -> str:
    """Return why a notebook has nothing to show; empty if it has something.

    That is so where every training failed that it shows, or every row of the table.
    """
    rows = [run for run in step["shows"] if Path(run).parts[2] == "rows"]  # reports/<table>/rows
    failures = [(ROOT / run).with_name("failed.json") for run in rows or step["shows"]]
    reasons = [read_json(path)["error"] for path in failures if path.exists()]
    return reasons[0] if reasons and len(reasons) == len(failures) else ""


def do(step: dict) -> None:
    """Do a step and note that it is done."""
    target = ROOT / step["target"]
    failure = target.with_suffix(".failed.json")
    if "page" in step:
        from music_genre.report import page  # slow to import

        page.build(target.parent, **step["page"])
        done.note(step)
        return
    failure.unlink(missing_ok=True)
    if step["results"]:
        take_back(step)
    elif reason := left_out(step):
        print(f"left out: {step['target']}")
        target.unlink(missing_ok=True)
        write_json(failure, {"error": reason})
        return
    try:
        execute(step)
        done.note(step)
    except InputError as error:
        print(
            f"error: {step['notebook']} failed: {error} How far it came: "
            f"{step['target'].replace('.ipynb', '.partial.ipynb')}",
            file=sys.stderr,
        )
        if not step["results"]:
            raise
        record_failure(step, str(error))


def _while_wanted(work: Callable[[], None]) -> None:
    """Work as long as the make that started this process lives, and end with it.

    The kernel ends with this process. The work has a thread of its own, because there nbclient
    does not turn Ctrl-C into a dead kernel, which would be taken for a training that failed.
    """
    parent = os.getppid()
    working = ThreadPoolExecutor(max_workers=1).submit(work)
    try:
        while not wait([working], timeout=1).done:
            if os.getppid() != parent:
                os._exit(1)
    except KeyboardInterrupt:
        os._exit(130)
    working.result()


if __name__ == "__main__":
    step = read_json(sys.argv[1])
    try:
        _while_wanted(lambda: do(step))
    except InputError as error:
        sys.exit(f"error: {error}" if "page" in step else 1)
