"""The two sides of a notebook: an edit reaches the other side, and none is lost."""

import functools
import json
import os
import shutil
import subprocess
import sys

import jupytext
import nbformat
import pytest

from music_genre import pairs
from music_genre.paths import ROOT
from music_genre.strip import strip_file, unstripped

NAMES = sorted(path.stem for path in (ROOT / "notebooks").glob("*.py"))


class Pair:
    """A copy of one pair, in agreement and known to be."""

    def __init__(self, folder):
        self.folder = folder / "notebooks"
        self.folder.mkdir()
        self.state = folder / "pairs.json"
        for name in ("table1.py", "table1.ipynb", "jupytext.toml"):
            shutil.copy(ROOT / "notebooks" / name, self.folder)
        self.py, self.ipynb = self.folder / "table1.py", self.folder / "table1.ipynb"
        assert self.check() == ([], [])

    def check(self, keep=None):
        return pairs.check(self.folder, state=self.state, keep=keep)

    def read(self):
        return nbformat.read(self.ipynb, as_version=4)

    def write(self, notebook):
        """Write the notebook as a Jupyter without jupytext does after a run."""
        notebook.metadata["language_info"] = {"name": "python", "version": "3.11.4"}
        notebook.cells[1].execution_count = 1
        notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="kept")]
        nbformat.write(notebook, self.ipynb)

    def edit_py(self):
        self.py.write_text(self.py.read_text() + "\n# %%\nadded = 'in the .py'\n")

    def edit_ipynb(self):
        notebook = self.read()
        notebook.cells.append(nbformat.v4.new_code_cell("added = 'in the .ipynb'"))
        self.write(notebook)

    def commit(self):
        git = ["git", "-C", self.folder, "-c", "user.name=x", "-c", "user.email=x"]
        for command in (["init"], ["add", "."], ["commit", "-m", "as it is"]):
            subprocess.run([*git, *command], check=True, capture_output=True)

    def content(self):
        return self.py.read_bytes(), self.ipynb.read_bytes()


@pytest.fixture
def pair(tmp_path):
    return Pair(tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_pair_agrees_as_jupyterlab_saves_it(name):
    text = (ROOT / "notebooks" / f"{name}.py").read_text()
    notebook = jupytext.read(ROOT / "notebooks" / f"{name}.ipynb")
    source = jupytext.reads(text, fmt="py:percent")
    assert [(c.cell_type, c.source, c.metadata.get("tags")) for c in notebook.cells] == [
        (c.cell_type, c.source, c.metadata.get("tags")) for c in source.cells
    ]
    assert jupytext.writes(notebook, fmt="py:percent") == text
    assert notebook.metadata["kernelspec"]["name"] == "python3"


def test_no_outputs_are_in_git():
    assert unstripped(ROOT) == []


def test_edit_of_the_py_reaches_the_ipynb_which_keeps_ids_and_outputs_of_other_cells(pair):
    pair.write(pair.read())
    before = pair.read()
    changed = before.cells[3]
    assert changed.cell_type == "code"
    pair.py.write_text(pair.py.read_text().replace(changed.source, changed.source + "\nx = 1"))
    done, problems = pair.check()
    assert (len(done), problems) == (1, [])
    assert "table1.ipynb: written from table1.py" in done[0]
    after = pair.read()
    assert [cell.id for cell in after.cells] == [cell.id for cell in before.cells]
    assert after.cells[3].source == changed.source + "\nx = 1"
    assert after.cells[1].outputs == before.cells[1].outputs
    assert pair.ipynb.stat().st_mtime >= pair.py.stat().st_mtime
    assert pair.check() == ([], [])


def test_changed_cell_loses_its_output(pair):
    pair.write(pair.read())
    source = pair.read().cells[1].source
    pair.py.write_text(pair.py.read_text().replace(source, source + "\nx: int = 1  # new"))
    pair.check()
    cell = pair.read().cells[1]
    assert (cell.outputs, cell.execution_count) == ([], None)


def test_edit_in_a_jupyter_without_jupytext_reaches_the_py(pair):
    before = pair.py.read_text()
    pair.edit_ipynb()
    done, problems = pair.check()
    assert (len(done), problems) == (1, [])
    assert "table1.py: written from table1.ipynb" in done[0]
    assert pair.py.read_text() == before + "\n# %%\nadded = 'in the .ipynb'\n"
    assert pair.check() == ([], [])


def test_outputs_ids_and_a_newer_time_are_no_edit(pair):
    notebook = pair.read()
    for cell in notebook.cells:
        cell.id = cell.id[::-1]
    pair.write(notebook)
    os.utime(pair.py)
    before = pair.content()
    assert pair.check() == ([], [])
    assert pair.content() == before


def test_same_edit_of_both_sides_is_agreement(pair):
    pair.edit_py()
    notebook = pair.read()
    notebook.cells.append(nbformat.v4.new_code_cell("added = 'in the .py'"))
    pair.write(notebook)
    assert pair.check() == ([], [])


@pytest.mark.parametrize("known", [True, False], ids=["both edited", "unknown"])
@pytest.mark.parametrize("newer", pairs.SIDES)
def test_where_both_may_hold_an_edit_nothing_is_overwritten(pair, known, newer):
    pair.edit_py()
    if known:
        pair.edit_ipynb()
    else:
        pair.state.unlink()
    older = next(side for side in pairs.SIDES if side != newer)
    os.utime(pair.folder / f"table1.{older}", (1_000_000_000, 1_000_000_000))
    before = pair.content()
    done, problems = pair.check()
    assert (done, len(problems)) == ([], 1)
    assert f"table1.{newer} (20" in problems[0]
    assert ", newer) and" in problems[0]
    assert f"table1.{older} (2001-09-" in problems[0]
    assert "make pairs TAKE=py or TAKE=ipynb" in problems[0]
    assert pair.content() == before
    assert pair.check()[1] == problems  # it is not taken for known by now


@pytest.mark.parametrize("edited", [["py"], ["ipynb"], ["py", "ipynb"]])
def test_in_a_fresh_clone_the_last_commit_tells_which_side_was_edited(pair, edited):
    pair.commit()
    pair.state.unlink()
    for side in edited:
        getattr(pair, f"edit_{side}")()
    done, problems = pair.check()
    if len(edited) == 1:
        assert (len(done), problems) == (1, [])
        for content in pair.content():
            assert f"added = 'in the .{edited[0]}'" in content.decode()
    else:
        assert (done, len(problems)) == ([], 1)
        assert "both were edited" in problems[0]


def test_a_commit_in_which_the_sides_differ_tells_nothing(pair):
    pair.edit_py()
    pair.commit()
    pair.state.unlink()
    pair.edit_ipynb()
    done, problems = pair.check()
    assert (done, len(problems)) == ([], 1)
    assert "which one was edited is not known" in problems[0]


@pytest.mark.parametrize("edited", pairs.SIDES)
def test_after_a_change_of_branch_the_commit_tells_which_side_was_edited(pair, edited):
    pair.commit()
    pair.edit_py()
    pair.check()
    pair.commit()  # another branch, as far as the pair's state is concerned
    assert json.loads(pair.state.read_text())
    git = ["git", "-C", pair.folder]
    subprocess.run([*git, "checkout", "-q", "HEAD~1"], check=True, capture_output=True)
    notebook = pair.read()
    notebook.cells[0].source += "\nMore."
    if edited == "ipynb":
        pair.write(notebook)
    else:
        pair.py.write_text(pair.py.read_text() + "\n# %%\nmore = 1\n")
    done, problems = pair.check()
    assert (len(done), problems) == (1, [])
    assert f"written from table1.{edited}" in done[0]


@pytest.mark.parametrize("damage", ["[]", "5", '{"table1": 5}', '{"table1": {"py": "x"}}', "null"])
def test_damaged_state_is_as_none(pair, damage):
    pair.state.write_text(damage)
    assert pair.check() == ([], [])
    pair.state.write_text(damage)
    pair.edit_py()
    done, problems = pair.check()
    assert (done, len(problems)) == ([], 1)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\0\0\0", b"x = '\xe9'\n"])
def test_py_that_an_accident_emptied_overwrites_nothing(pair, content):
    pair.py.write_bytes(content)
    before = pair.content()
    for keep in (None, "py", "ipynb"):
        done, problems = pair.check(keep)
        assert (done, len(problems)) == ([], 1)
        assert "table1.py is empty or no text" in problems[0]
    assert pair.content() == before
    pair.py.unlink()
    assert len(pair.check()[0]) == 1


@pytest.mark.parametrize("keep", pairs.SIDES)
def test_one_side_is_chosen(pair, keep):
    pair.edit_py()
    pair.edit_ipynb()
    done, problems = pair.check(keep)
    assert (len(done), problems) == (1, [])
    wanted, gone = ("in the .py", "in the .ipynb")[:: 1 if keep == "py" else -1]
    for content in pair.content():
        assert wanted in content.decode()
        assert gone not in content.decode()
    assert pair.check() == ([], [])


def test_the_choice_concerns_only_pairs_edited_on_both_sides(pair):
    pair.edit_ipynb()
    pair.check("py")
    assert "in the .ipynb" in pair.py.read_text()


@pytest.mark.parametrize("missing", pairs.SIDES)
def test_missing_side_is_written(pair, missing):
    before = pair.content()
    (pair.folder / f"table1.{missing}").unlink()
    done, problems = pair.check()
    assert (len(done), problems) == (1, [])
    assert pair.py.read_bytes() == before[0]
    assert [cell.source for cell in pair.read().cells] == [
        cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
        for cell in json.loads(before[1])["cells"]
    ]


def test_new_py_without_a_header_becomes_a_notebook_that_papermill_can_run(pair):
    (pair.folder / "new.py").write_text("# %% [markdown]\n# # New\n\n# %%\n1 + 1\n")
    assert len(pair.check()[0]) == 1
    notebook = nbformat.read(pair.folder / "new.ipynb", as_version=4)
    assert [cell.source for cell in notebook.cells] == ["# New", "1 + 1"]
    assert notebook.metadata["kernelspec"]["name"] == "python3"
    assert pair.check() == ([], [])


def test_damaged_notebook_is_named_and_stays(pair):
    pair.ipynb.write_text("<<<<<<< HEAD\n" + pair.ipynb.read_text())
    before = pair.content()
    done, problems = pair.check("py")
    assert (done, len(problems)) == ([], 1)
    assert "table1.ipynb is no notebook (" in problems[0]
    assert pair.content() == before
    assert strip_file(before[1]) == before[1]  # as git's filter leaves it


def test_look_at_unchanged_pairs_takes_milliseconds_and_no_jupytext(pair):
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from music_genre import pairs\n"
        "folder, state = map(Path, sys.argv[1:])\n"
        "started = time.perf_counter()\n"
        "assert pairs.check(folder, state=state) == ([], [])\n"
        "print(time.perf_counter() - started, 'jupytext' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, pair.folder, pair.state],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    seconds, imported = done.stdout.split()
    assert float(seconds) < 0.1
    assert imported == "False"


def test_command_ends_with_an_error_where_a_pair_disagrees(pair, monkeypatch, capsys):
    monkeypatch.setattr(
        pairs, "check", functools.partial(pairs.check, pair.folder, state=pair.state)
    )
    pair.edit_py()
    pair.edit_ipynb()
    monkeypatch.setattr(sys, "argv", ["pairs"])
    with pytest.raises(SystemExit, match="error: table1"):
        pairs.main()
    monkeypatch.setattr(sys, "argv", ["pairs", "ipynb"])
    pairs.main()
    assert "table1.py: written from table1.ipynb" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["pairs", "both"])
    with pytest.raises(SystemExit, match="both is no side of a pair"):
        pairs.main()


def test_state_that_cannot_be_written_stops_nothing(tmp_path, capsys):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    (folder / "a.py").write_text("# %%\n1 + 1\n")
    (tmp_path / "file").write_text("no folder")
    done, problems = pairs.check(folder, state=tmp_path / "file" / "pairs.json")
    assert (len(done), problems) == (1, [])
    assert (folder / "a.ipynb").exists()
    assert capsys.readouterr().err.startswith("note: pairs.json cannot be written (")
