"""One step: what it notes, and what is left where it fails or where what started it ends."""

import os
import pty
import shutil
import subprocess
import sys
import time
from contextlib import suppress

import nbformat
import pytest

from music_genre.build import done, execute
from music_genre.exceptions import InputError
from music_genre.paths import ROOT, remove_leftovers
from music_genre.provenance import read_json, write_json


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.setattr(execute, "ROOT", tmp_path)
    monkeypatch.setattr(done, "ROOT", tmp_path)
    (tmp_path / "notebooks").mkdir()
    return tmp_path


def step(here, code, **more):
    """Return a step that runs some code as a training, with a file of parameters."""
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("epochs, output = 1, ''", metadata={"tags": ["parameters"]}),
            nbformat.v4.new_code_cell(code),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "", "language": "python"}},
    )
    nbformat.write(notebook, here / "notebooks" / "train.ipynb")
    (here / "1.yaml").write_text("epochs: 5\n")
    return {
        "notebook": "train", "target": "reports/t/rows/1/train.ipynb", "file": "1.yaml",
        "given": {"output": "reports/t/rows/1"}, "content": {}, "shows": [],
        "results": ["reports/t/rows/1/metrics.json"], "threads": None, **more,
    }  # fmt: skip


def folder(here):
    (here / "reports/t/rows/1").mkdir(parents=True, exist_ok=True)
    return here / "reports/t/rows/1"


FAILS = "from music_genre.exceptions import InputError\nraise InputError('it cannot be shown')"


def test_result_of_which_only_the_showing_fails_is_kept_and_taken_back(here, monkeypatch):
    monkeypatch.chdir(here)
    write_json(folder(here) / "metrics.json", {"accuracy": 73})
    fails = step(here, FAILS)
    execute.do(fails)
    assert read_json(folder(here) / "failed.json") == {
        "parameters": {"epochs": 5, "output": "reports/t/rows/1"}, "error": "it cannot be shown",
    }  # fmt: skip
    assert not (folder(here) / "metrics.json").exists()  # no section counts it meanwhile
    assert not done.up_to_date(fails)
    execute.do(fails)  # a second failure loses nothing either

    mended = step(here, "assert epochs == 5\nprint(open(f'{output}/metrics.json').read())")
    execute.do(mended)
    assert read_json(folder(here) / "metrics.json") == {"accuracy": 73}
    assert not (folder(here) / "failed.json").exists()
    assert done.up_to_date(mended)


def test_result_of_an_earlier_run_is_not_taken_back_over_a_newer_one(here, monkeypatch):
    monkeypatch.chdir(here)
    write_json(folder(here) / "metrics.json", {"accuracy": 1})
    execute.do(step(here, FAILS))
    trains = "import os\nos.unlink(f'{output}/metrics.json')  # as runs.save begins\n"
    execute.do(step(here, trains + FAILS))
    assert not list(folder(here).glob("metrics*"))
    execute.do(step(here, "open(f'{output}/metrics.json', 'w').write('{}')"))
    assert read_json(folder(here) / "metrics.json") == {}


@pytest.mark.parametrize("content", ["epochs: [", "seed: 2020-01-01", "dropout: .nan", ""])
def test_failure_is_recorded_whatever_the_row_holds(here, content):
    (here / "1.yaml").write_text(content)
    given = {"output": "run"}
    execute.record_failure({"file": "1.yaml", "given": given, "target": "run/t.ipynb"}, "why")
    assert read_json(here / "run" / "failed.json") == {"parameters": given, "error": "why"}


def test_section_of_which_all_trainings_failed_is_left_out(here):
    rows = [f"reports/t/rows/{name}/train.ipynb" for name in "12"]
    seeds = ["reports/t/seeds/1/1/train.ipynb"]
    write_json(here / "reports/t/rows/1/failed.json", {"error": "the first"})
    assert execute.left_out({"shows": [*rows, *seeds]}) == ""
    write_json(here / "reports/t/rows/2/failed.json", {"error": "the second"})
    assert execute.left_out({"shows": [*rows, *seeds]}) == "the first"
    assert execute.left_out({"shows": seeds}) == ""
    assert execute.left_out({"shows": []}) == ""


def test_step_is_up_to_date_until_something_that_determines_it_is_another(here, monkeypatch):
    monkeypatch.chdir(here)
    training = step(here, "open(f'{output}/metrics.json', 'w').write('{}')", content={"a": "1"})
    execute.do(training)
    assert done.up_to_date(training)
    assert not done.up_to_date({**training, "content": {"a": "2"}})
    assert not done.up_to_date({**training, "given": {}})
    assert done.up_to_date(training)
    showing = {**step(here, "1"), "target": "reports/t/table1.ipynb", "results": [],
               "shows": [training["target"]]}  # fmt: skip
    execute.do(showing)
    assert done.up_to_date(showing)
    (folder(here) / "metrics.json").write_text("{ }")
    assert not done.up_to_date(training)
    execute.do(training)
    assert not done.up_to_date(showing)  # what it shows was made anew


def test_step_is_due_where_what_lies_beside_its_result_is_damaged(here, monkeypatch):
    monkeypatch.chdir(here)
    leaves = """
import hashlib, json, pathlib
pathlib.Path(output, "predictions.csv").write_text("a")
sums = {"predictions.csv": hashlib.sha256(b"a").hexdigest()}
pathlib.Path(output, "metrics.json").write_text(json.dumps({"checksums": sums}))"""
    training = step(here, leaves)
    execute.do(training)
    assert done.up_to_date(training)
    (folder(here) / "predictions.csv").write_text("b")
    assert not done.up_to_date(training)
    execute.do(training)
    (folder(here) / "predictions.csv").unlink()
    assert not done.up_to_date(training)


def test_step_ends_with_what_started_it_and_its_kernel_with_it(here, tmp_path):
    """Kill the process that stands for make: no kernel goes on."""
    package = here / "src"
    shutil.copytree(ROOT / "src", package, ignore=shutil.ignore_patterns("__pycache__"))
    write_json(here / "step.json", step(here, (
        "import os, pathlib, time\npathlib.Path('kernel').write_text(str(os.getpid()))\n"
        "time.sleep(600)"
    )))  # fmt: skip
    program = (
        "import subprocess, sys\n"
        "subprocess.run([sys.executable, '-m', 'music_genre.build.execute', 'step.json'])"
    )
    make = subprocess.Popen(
        [sys.executable, "-c", program], cwd=here, env={**os.environ, "PYTHONPATH": str(package)}
    )
    kernel = _until(lambda: (here / "kernel").exists() and (here / "kernel").read_text())
    make.kill()
    make.wait()
    _until(lambda: not _runs(int(kernel)))
    assert not (folder(here) / "failed.json").exists()  # that was no failure of the training


def _until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def _runs(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_temporary_files_of_killed_processes_are_removed(tmp_path):
    ended = subprocess.Popen(["true"])
    ended.wait()
    for folder in (tmp_path, tmp_path / "rows"):
        folder.mkdir(exist_ok=True)
        for name in (
            f".{ended.pid}-report.html",
            f".{os.getpid()}-report.html",
            ".7z-x",
            "report.html",
        ):
            (folder / name).touch()
    (tmp_path / f".{ended.pid}-folder").mkdir()
    remove_leftovers(tmp_path.rglob("*"))
    left = {f".{os.getpid()}-report.html", ".7z-x", "report.html"}
    assert {path.name for path in (tmp_path / "rows").iterdir()} == left
    assert {path.name for path in tmp_path.iterdir()} == left | {"rows", f".{ended.pid}-folder"}


def test_braces_in_the_path_of_the_checkout_are_no_parameters(here, monkeypatch):
    inner = here / "{epochs} {"
    (inner / "notebooks").mkdir(parents=True)
    monkeypatch.setattr(execute, "ROOT", inner)
    monkeypatch.setattr(done, "ROOT", inner)
    monkeypatch.chdir(inner)
    execute.execute(step(inner, "1"))
    assert (inner / "reports/t/rows/1/train.ipynb").exists()


def test_error_that_is_none_of_ours_is_named_with_its_type(here, monkeypatch):
    monkeypatch.chdir(here)
    with pytest.raises(InputError, match="^ZeroDivisionError: division by zero$"):
        execute.execute(step(here, "1 / 0"))


@pytest.mark.parametrize("in_an_editor", [False, True])
def test_papermill_in_a_terminal_shows_what_is_told(tmp_path, in_an_editor):
    code = "from music_genre.terminal import tell\ntell('epoch 1 of 2: loss 1.5')"
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(code)],
        metadata={"kernelspec": {"name": "python3", "display_name": "", "language": "python"}},
    )
    nbformat.write(notebook, tmp_path / "in.ipynb")
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    environment |= {"JPY_SESSION_NAME": "in.ipynb"} if in_an_editor else {}
    del environment["PYTEST_CURRENT_TEST"]  # in a test, ipykernel leaves the output alone
    subprocess.run(
        [sys.executable, "-m", "papermill", "--no-progress-bar", "in.ipynb", "out.ipynb"],
        cwd=tmp_path, env=environment, stdout=theirs, stderr=theirs, check=True,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # the end
        while new := os.read(ours, 10_000):
            shown += new
    assert (b"epoch 1 of 2: loss 1.5\r\n" in shown) != in_an_editor


def test_kernel_that_does_not_start_is_started_again_but_not_for_ever():
    deaths = [RuntimeError("Kernel died before replying to kernel_info")] * 2

    def start():
        if deaths:
            raise deaths.pop()
        return "executed"

    assert execute._started(start) == "executed"
    deaths[:] = [RuntimeError("Kernel died before replying to kernel_info")] * 3
    with pytest.raises(RuntimeError, match="died before replying"):
        execute._started(start)
    deaths[:] = [RuntimeError("something else")] * 2
    with pytest.raises(RuntimeError, match="something else"):
        execute._started(start)
    assert len(deaths) == 1
