"""What one sees of a report that is being made: a plan, lines, a bar in a terminal, Table I.

The steps say what they do in a file (:func:`music_genre.terminal.event`); this process alone
writes to the terminal, so that lines of steps side by side are never mixed up.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import mean

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from music_genre.build import estimate
from music_genre.terminal import duration


def plan(due: Sequence[str], steps: int, seconds: Mapping[str, float | None], *, jobs: int) -> str:
    """Say what a plan comes to: how many steps, kept and new, and how long they take."""
    line = f"{steps} steps: {steps - len(due)} kept, {len(due)} new"
    known = [it for target in due if (it := seconds[target]) is not None]
    if not known:
        return f"{line}."
    unknown = len(due) - len(known)
    line += f", about {duration(estimate.together(known, jobs=jobs))} by earlier runs"
    return f"{line} (without {unknown} that no earlier run tells of)." if unknown else f"{line}."


class Steps:
    """Shows the steps that are at work, and those that end.

    Parameters
    ----------
    events
        The file that the steps write to.
    folder
        The report's, from the project's root.
    due
        How many steps there are to do.
    """

    def __init__(self, events: Path, *, folder: str, due: int):
        self._file = events.open(encoding="utf-8")
        self._rest = ""  # of a line that is not complete yet
        self._folder, self._due, self._ended = folder, due, 0
        self._at_work: dict[str, TaskID] = {}
        self._bar = Progress(
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[note]}"),
            _TimeLeft(),
            console=console(),
            expand=True,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            speed_estimate_period=600,
            disable=not in_terminal(),
        )

    @contextmanager
    def shown(self) -> Iterator["Steps"]:
        """Show a bar meanwhile, in a terminal."""
        with self._file, self._bar:
            yield self
            self.update()

    def update(self) -> None:
        """Show what the steps have said since the last time."""
        *lines, self._rest = (self._rest + self._file.read()).split("\n")
        for line in lines:
            self._show(json.loads(line))

    def _show(self, event: dict) -> None:
        step = event["step"]
        if step not in self._at_work:
            name = step.removeprefix(f"{self._folder}/").rsplit(".", 1)[0]
            self._at_work[step] = self._bar.add_task(name, total=None, note="")
        if event["event"] == "progress":
            note = f"{event['unit']} {event['done']}/{event['total']} {event['note']}"
            self._bar.update(
                self._at_work[step], completed=event["done"], total=event["total"], note=note
            )
        elif event["event"] == "ended":
            self._bar.remove_task(self._at_work.pop(step))
            self._ended += 1
            self.line(f"[{self._ended}/{self._due}] {event['line']}")
            if event["error"]:
                self.error(event["error"])

    def line(self, text: str) -> None:
        """Write a line, above the bar."""
        self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def error(self, text: str) -> None:
        """Write to the standard error, above the bar if that is in the same terminal."""
        if in_terminal() and sys.stderr.isatty():
            self.line(text)
        else:
            sys.stderr.write(f"{text}\n")


class _TimeLeft(TimeRemainingColumn):
    def render(self, task: Task):  # noqa: ANN201
        return super().render(task) + " left" if task.time_remaining is not None else ""


def in_terminal() -> bool:
    """Tell whether the standard output is a terminal that can move its cursor."""
    return sys.stdout.isatty() and os.environ.get("TERM") not in (None, "", "dumb", "unknown")


def console() -> Console:
    """Return rich's standard output: in a terminal, or of plain lines."""
    if in_terminal():
        return Console(force_terminal=True)
    return Console(force_terminal=False, color_system=None, width=200)


def table(runs: Mapping[str, Path], *, of_paper: bool = True) -> None:
    """Print Table I in short: by row, the paper's accuracy and ours, the mean over the seeds.

    Of a collection that is not GTZAN, the paper has none.

    Parameters
    ----------
    runs
        The folder of each row's training with the first seed, by the name of the row. The same
        trainings with other seeds are ``<folder>/seeds/<seed>/<row>``.
    """
    shown = Table(box=None, pad_edge=False)
    columns = ["paper", "ours", "seeds"] if of_paper else ["accuracy", "seeds"]
    shown.add_column("row")
    for name in columns:
        shown.add_column(name, justify="right")
    for row, run in runs.items():
        shown.add_row(row, *_accuracies(run)[-len(columns) :])
    console().print(shown)


def _accuracies(run: Path) -> tuple[str, str, str]:
    if (run / "failed.json").exists():
        return _number(_read(run / "failed.json")["parameters"].get("paper", {})), "failed", "0"
    first = _read(run / "metrics.json")
    others = map(_read, run.parents[1].glob(f"seeds/*/{run.name}/metrics.json"))
    same = [first, *(it for it in others if _differ_by_seed(it, first))]
    ours = mean(it["parts"]["test"]["accuracy"] for it in same)
    return _number(first["paper"]), _number({"accuracy": ours}), str(len(same))


def _number(scores: dict) -> str:
    return f"{scores['accuracy']:.2f}" if "accuracy" in scores else "–"


def _read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def _differ_by_seed(one: dict, other: dict) -> bool:
    """Tell whether two trainings are the same but for the seed.

    A look at what both name will do, as :func:`music_genre.models.runs.with_seeds`, which takes a
    second to import, looks at all for the page.
    """
    given, others = one["parameters"], other["parameters"]
    same = all(given[key] == others[key] for key in given.keys() & others.keys() - {"seed"})
    return same and one["source"]["segments"] == other["source"]["segments"]
