"""What running and saving a notebook leaves in it stays out of git."""

import json
import subprocess
import sys

import nbformat
import pytest

from music_genre import strip
from music_genre.paths import ROOT


@pytest.fixture
def run(tmp_path):
    """Return a notebook as an editor saves it after a run, and the same without what that left."""
    before = nbformat.read(ROOT / "notebooks" / "table1.ipynb", as_version=4)
    after = nbformat.from_dict(json.loads(json.dumps(before)))
    after.metadata["language_info"] = {"name": "python", "version": "3.11.4"}
    after.metadata["widgets"] = {}
    after.cells[1].metadata["execution"] = {"iopub.execute_input": "2026-01-01"}
    after.cells[1].execution_count = 3
    after.cells[1].outputs = [nbformat.v4.new_output("stream", text="ü\n")]
    return [(nbformat.writes(notebook) + "\n").encode() for notebook in (after, before)]


def test_only_what_the_py_holds_too_and_ids_stay(run):
    after, before = run
    assert after != before
    assert strip.strip_file(after) == before
    assert strip.strip_file(before) == before


@pytest.mark.parametrize(
    "content", [b"", b"<<<<<<< HEAD\n{}", b"{}", b"[]", b'{"cells": 1}', b"\xff"]
)
def test_what_is_no_notebook_is_left_as_it_is(content):
    assert strip.strip_file(content) == content


def test_it_is_a_filter_without_any_package_and_whatever_the_locale(run):
    after, before = run
    command = [sys.executable, "-I", "-S", ROOT / "src" / "music_genre" / "strip.py"]
    done = subprocess.run(command, input=after, capture_output=True, env={"LC_ALL": "C"})
    assert done.stdout == before


def test_outputs_in_git_are_found_where_the_filter_was_not_set(run, tmp_path):
    def git(*arguments):
        subprocess.run(["git", "-C", tmp_path, *arguments], check=True, capture_output=True)

    path = tmp_path / "notebooks" / "a name.ipynb"
    path.parent.mkdir()
    path.write_bytes(run[0])
    git("init")
    assert strip.unstripped(tmp_path) == []  # not for git yet
    git("add", ".")
    assert strip.unstripped(tmp_path) == ["notebooks/a name.ipynb"]
    path.write_bytes(run[1])
    git("add", ".")
    path.write_bytes(run[0])
    assert strip.unstripped(tmp_path) == []  # what is committed counts
