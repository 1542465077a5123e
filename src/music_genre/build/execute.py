"""Execute one step of a plan: a notebook, with what the step's file says it is given, or the page.

`python -m music_genre.build.execute FILE`. The executed notebook gets its name only if it ran to
its end; what a failed one left is beside it, as ``.partial.ipynb``. A training that fails also
leaves ``failed.json``; then the step counts as done, so that the report is made without it, and is
tried again next time.

What is told of a step goes to the report that started it (:mod:`music_genre.terminal`); to the
terminal if none did.
"""

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO, TypeVar

from nbclient.exceptions import DeadKernelError
from papermill import execute_notebook
from papermill.exceptions import PapermillExecutionError

from music_genre import terminal
from music_genre.build import done
from music_genre.exceptions import InputError
from music_genre.paths import ROOT
from music_genre.provenance import Damaged, read_json, read_yaml, write_json

T = TypeVar("T")
STARTS = 3  # of a kernel, before it is given up


class Failed(InputError):
    """A notebook failed: why, and in which cell."""

    def __init__(self, reason: str, where: str):
        super().__init__(reason)
        self.where = where


def execute(step: dict) -> dict[str, float]:
    """Execute a step's notebook.

    Parameters
    ----------
    step
        As :func:`music_genre.build.plan.write` writes it.

    Returns
    -------
    dict
        How many seconds it took: in ``all``, and in the cell that took ``longest``.

    Raises
    ------
    Failed
        The notebook failed.
    InputError
        The step's file of parameters cannot be read.
    """
    target = ROOT / step["target"]
    partial = target.with_suffix(".partial.ipynb")
    given = _parameters(step)
    if step.get("threads") and not os.environ.get("NPROC"):
        os.environ["NPROC"] = str(step["threads"])
    target.parent.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    with target.with_suffix(".log").open("w") as log, _output_to(log):
        try:
            executed = _started(
                lambda: execute_notebook(
                    _literally(ROOT / "notebooks" / f"{step['notebook']}.ipynb"),
                    _literally(partial),
                    parameters=given,
                    progress_bar=False,
                    stdout_file=log,
                    stderr_file=log,
                )
            )
        except PapermillExecutionError as error:
            known = error.ename in (InputError.__name__, Damaged.__name__)
            reason = error.evalue if known else f"{error.ename}: {error.evalue}"
            raise Failed(reason, f" in cell [{error.exec_count}]") from error
        except DeadKernelError as error:
            raise Failed("its kernel was killed, perhaps for want of memory.", "") from error
    partial.replace(target)
    cells = [cell.metadata.get("papermill", {}).get("duration") or 0.0 for cell in executed.cells]
    return {"all": time.monotonic() - start, "longest": max(cells)}


def _started(execute: Callable[[], T]) -> T:
    """Execute a notebook; again, if its kernel did not start.

    Kernels look for free ports before they take them: of two that start at the same moment, one
    may find its port taken, and ends.
    """
    for _ in range(STARTS - 1):
        try:
            return execute()
        except RuntimeError as error:
            if "Kernel died before replying" not in str(error):
                raise
    return execute()


def _literally(path: Path) -> str:
    """Return a path for papermill, which would fill in what it has in braces."""
    return str(path).replace("{", "{{").replace("}", "}}")


@contextmanager
def _output_to(log: TextIO) -> Iterator[None]:
    """Let what the kernel writes past papermill go to the log."""
    sys.stdout.flush()
    before = [os.dup(number) for number in (1, 2)]
    for number in (1, 2):
        os.dup2(log.fileno(), number)
    try:
        yield
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


def do(step: dict) -> bool:
    """Do a step, note that it is done, and tell what came of it.

    Returns
    -------
    bool
        Whether the report can be made with what it left.
    """
    target = ROOT / step["target"]
    failure = target.with_suffix(".failed.json")
    start = time.monotonic()
    terminal.event(event="begun")
    failure.unlink(missing_ok=True)
    if step.get("results"):
        take_back(step)
    elif reason := not {"page", "stands_alone"} & set(step) and left_out(step):
        target.unlink(missing_ok=True)
        write_json(failure, {"error": reason})
        _tell(step, "left out")
        return True
    try:
        _do(step, start)
    except Exception as error:
        _tell(
            step, f"failed after {terminal.duration(time.monotonic() - start)}", _why(step, error)
        )
        if not step["results"] or not isinstance(error, InputError):
            return False
        record_failure(step, str(error))
        return True
    _tell(step, terminal.duration(time.monotonic() - start))
    return True


def _do(step: dict, start: float) -> None:
    if "page" in step:
        from music_genre.report import page  # slow to import

        page.build((ROOT / step["target"]).parent, **step["page"])
        seconds = time.monotonic() - start
        done.note(step, {"made": seconds, "kept": seconds})
        return
    before = _written(step)
    took = execute(step)
    if step["results"] and _written(step) == before:  # it only showed them
        earlier = done.noted(ROOT / step["target"]).get("seconds") or {}
        done.note(step, {"made": took["all"], **earlier, "kept": took["all"]})
    else:
        done.note(step, {"made": took["all"], "kept": took["all"] - took["longest"]})


def _written(step: dict) -> list[int]:
    paths = [ROOT / path for path in step["results"]]
    return [path.stat().st_mtime_ns for path in paths if path.exists()]


def _why(step: dict, error: Exception) -> str:
    """Return why a step failed, and where to look."""
    if not isinstance(error, InputError):
        return "".join(traceback.format_exception(error)).strip()
    if not isinstance(error, Failed):
        return f"error: {error}"
    partial = step["target"].replace(".ipynb", ".partial.ipynb")
    return (
        f"error: notebooks/{step['notebook']}.ipynb failed{error.where}: {error} "
        f"How far it came: {partial}"
    )


def _tell(step: dict, what: str, error: str = "") -> None:
    """Tell what came of a step, each line in one go: others may write to the same terminal."""
    line = f"{step['target']}: {what}"
    if not terminal.event(event="ended", line=line, error=error):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
        sys.stderr.write(f"{error}\n" if error else "")


def _while_wanted(work: Callable[[], bool]) -> bool:
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
    return working.result()


if __name__ == "__main__":
    step = read_json(sys.argv[1])
    os.environ[terminal.STEP] = step["target"]
    if terminal.EVENTS not in os.environ and sys.stdout.isatty():
        with suppress(OSError):
            os.environ[terminal.TERMINAL] = os.ttyname(sys.stdout.fileno())
    sys.exit(not _while_wanted(lambda: do(step)))
