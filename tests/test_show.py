"""What one sees while models are trained and a report is made."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel

from music_genre import terminal
from music_genre.build import done, estimate, plan, show
from music_genre.models.progress import Bar
from music_genre.paths import ROOT
from music_genre.provenance import write_json


def test_bar_in_a_notebook_moves_while_models_are_trained_and_is_empty_at_the_end():
    manager, client = start_new_kernel(env={"PYTHONPATH": str(ROOT / "src")})
    said = []
    code = (
        "import time\nfrom music_genre.models.progress import Bar\nprint('before')\n"
        "with Bar(total=4, unit='epoch') as bar:\n"
        "    for _ in range(4):\n"
        "        time.sleep(0.4)\n"
        "        bar.set_postfix_str('loss 1.5', refresh=False)\n"
        "        bar.update()"
    )
    try:
        client.execute_interactive(code, timeout=60, output_hook=said.append)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    outputs = [it["content"] for it in said if it["msg_type"] == "display_data"]
    updates = [it["content"] for it in said if it["msg_type"] == "update_display_data"]
    assert len(outputs) == 1
    assert {it["transient"]["display_id"] for it in [*outputs, *updates]} == {
        outputs[0]["transient"]["display_id"]
    }
    moved = " ".join(it["data"].get("text/plain", "") for it in updates)
    assert re.search(r"training: +50%\|█+ +\| 2/4 \[.*, loss 1\.5\]", moved)
    assert updates[-1]["data"] == {"text/html": ""}
    streams = [it["content"] for it in said if it["msg_type"] == "stream"]
    assert streams == [{"name": "stdout", "text": "before\n"}]  # what else the cell says stays


def test_bar_writes_nothing_where_nobody_watches(capsys):
    with Bar(total=2, unit="epoch") as bar:
        bar.update()
    assert capsys.readouterr() == ("", "")


SIDE_BY_SIDE = """
import os, sys
from music_genre import terminal
os.environ[terminal.STEP] = step = f"reports/t/{sys.argv[1]}.ipynb"
for number in range(200):
    line = f"{step} {number} " + 500 * sys.argv[1] + " end"
    terminal.event(event="ended", line=line, error=f"error: {line}")
"""


def test_lines_of_steps_side_by_side_are_never_mixed_up(tmp_path, monkeypatch, capfd):
    events = tmp_path / "events"
    events.write_text("")
    monkeypatch.setenv(terminal.EVENTS, str(events))
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    steps = show.Steps(events, folder="reports/t", due=600)
    with steps.shown():
        running = [
            subprocess.Popen([sys.executable, "-c", SIDE_BY_SIDE, name]) for name in ("a", "b", "c")
        ]
        while any(process.poll() is None for process in running):
            steps.update()
    written = capfd.readouterr()
    for lines, start in (
        (written.out.splitlines(), r"\[\d+/600\]"),
        (written.err.splitlines(), "error:"),
    ):
        found = [
            re.fullmatch(rf"{start} reports/t/(.)\.ipynb (\d+) (\1{{500}}) end", it) for it in lines
        ]
        assert len(found) == 600
        for name in "abc":  # each step's in their order
            assert [int(it[2]) for it in found if it[1] == name] == list(range(200))


def test_event_that_is_half_written_is_shown_when_it_is_whole(tmp_path, capfd):
    events = tmp_path / "events"
    events.write_text('{"step": "reports/t/a.ipynb", "event": "ended", ')
    steps = show.Steps(events, folder="reports/t", due=1)
    steps.update()
    assert capfd.readouterr().out == ""
    with events.open("a") as file:
        file.write('"line": "a: 1 s", "error": ""}\n')
    steps.update()
    assert capfd.readouterr().out == "[1/1] a: 1 s\n"


@pytest.fixture
def report(tmp_path, monkeypatch):
    """Return a function that plans the training of some rows, and notes what was done of them."""
    for module in (done, estimate):
        monkeypatch.setattr(module, "ROOT", tmp_path)

    def planned(rows: dict[str, int], *, took: dict[str, float], table: str = "t", longest=""):
        steps, described = [], []
        for name, epochs in rows.items():
            file = tmp_path / f"{name}.yaml"
            file.write_text(f"epochs: {epochs}\n")
            target = f"reports/t/rows/{name}/train.ipynb"
            after = Path(longest) if longest and name != longest else None
            steps.append(plan.Step(tmp_path / target, "train", file=file, after=after))
            described.append({
                "notebook": "train", "target": target, "file": file.name, "given": {}, "shows": [],
                "content": {file.name: f"{epochs} epochs", "table": table}, "backend": "",
                "results": [f"reports/t/rows/{name}/metrics.json"],
            })  # fmt: skip
            if name in took:
                seconds = {"epochs_run": epochs, "epochs_kept": 0, "seconds": took[name] - 10}
                write_json(tmp_path / described[-1]["results"][0], seconds)
                (tmp_path / target).touch()
                done.note(described[-1], {"made": took[name], "kept": 10})
        page = {"target": "reports/t/report.html", "content": {"table": table}, "results": [],
                "page": {}, "shows": []}  # fmt: skip
        return steps, [*described, page]

    return planned


def rows_of(seconds):
    return {Path(target).parent.name: it for target, it in seconds.items() if "rows" in target}


def test_first_report_has_no_estimate(report):
    assert set(estimate.seconds(*report({"1": 5}, took={})).values()) == {None}


def test_step_takes_what_it_took_before(report, tmp_path):
    rows = report({"1": 5}, took={"1": 60})
    assert rows_of(estimate.seconds(*rows)) == {"1": 10}  # its result is there, and only shown
    (tmp_path / "reports/t/rows/1/metrics.json").unlink()
    assert rows_of(estimate.seconds(*rows)) == {"1": 60}


def test_new_and_edited_trainings_take_their_epochs_times_what_others_took_for_one(report):
    report({"1": 5}, took={"1": 60})  # 10 s for an epoch, and 10 s for the rest
    assert rows_of(estimate.seconds(*report({"1": 5, "2": 100}, took={}))) == {"1": 10, "2": 1010}
    assert rows_of(estimate.seconds(*report({"1": 7}, took={}))) == {"1": 80}
    read_off = report({"2": 20, "3": 100}, took={}, longest="3")
    assert rows_of(estimate.seconds(*read_off)) == {"2": None, "3": None}  # row 1 is no part of it
    read_off = report({"1": 5, "2": 20, "3": 100}, took={}, longest="3")
    assert rows_of(estimate.seconds(*read_off)) == {"1": 10, "2": 10, "3": 1010}


def test_other_features_table_tells_nothing(report):
    report({"1": 5}, took={"1": 60})
    assert rows_of(estimate.seconds(*report({"1": 5}, took={}, table="another"))) == {"1": None}


def test_plan_says_what_is_kept_and_how_long_the_rest_takes_side_by_side():
    seconds = {"a": 100.0, "b": 140.0, "c": None}
    assert show.plan([], 5, seconds, jobs=2) == "5 steps: 5 kept, 0 new."
    assert show.plan(["c"], 5, seconds, jobs=2) == "5 steps: 4 kept, 1 new."
    assert show.plan(["a", "b"], 5, seconds, jobs=2) == (
        "5 steps: 3 kept, 2 new, about 2 min by earlier runs."
    )
    assert show.plan(["a", "b", "c"], 3, seconds, jobs=1) == (
        "3 steps: 0 kept, 3 new, about 4 min by earlier runs (without 1 that no earlier run tells "
        "of)."
    )


def test_table_in_short_counts_the_same_training_with_other_seeds(tmp_path, capsys):
    def trained(folder, accuracy, seed, epochs=7):
        write_json(
            tmp_path / folder / "metrics.json",
            {
                "parameters": {"epochs": epochs, "seed": seed},
                "paper": {"accuracy": 33.45},
                "parts": {"test": {"accuracy": accuracy}},
                "source": {"segments": 500},
            },
        )

    trained("rows/1", 40, seed=0)
    trained("seeds/1/1", 43, seed=1)
    trained("seeds/2/1", 99, seed=2, epochs=6)  # left there before the row was edited
    failed = {"parameters": {"paper": {"accuracy": 91.78}}, "error": "why"}
    write_json(tmp_path / "rows/2/failed.json", failed)
    show.table({name: tmp_path / "rows" / name for name in "12"})
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["row", "paper", "ours", "seeds"],
        ["1", "33.45", "41.50", "2"],
        ["2", "91.78", "failed", "0"],
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (99, "99 s"), (100, "2 min"), (5400, "90 min"), (9000, "2.5 h")],
)
def test_times_are_told_as_one_reads_them(seconds, text):
    assert terminal.duration(seconds) == text
