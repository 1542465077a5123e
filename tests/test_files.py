"""A file comes into being whole or not at all and says what it came from; no machine's paths."""

import subprocess
import sys

import pytest
import yaml

from music_genre import paths
from music_genre.exceptions import InputError
from music_genre.paths import ROOT, atomic, display_path
from music_genre.provenance import read_json, record, write_json


def test_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "result.json"
    write_json(path, {"a": 1})
    with pytest.raises(RuntimeError), atomic(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert read_json(path) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_nan_is_not_written_as_json(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "result.json", {"loss": float("nan")})
    assert not list(tmp_path.iterdir())


def test_full_disk_is_told_in_one_sentence_and_leaves_nothing(tmp_path):
    # A limit on the size of files fails a write as a full disk does, in a process of its own.
    program = (
        "import resource\n"
        "from music_genre.provenance import write_json\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))\n"
        f"write_json({str(tmp_path / 'big.json')!r}, {{'a': 'x' * 100_000}})\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert "big.json cannot be written (File too large): free some space" in last
    assert not list(tmp_path.iterdir())


def test_no_permission_and_a_file_in_the_way(tmp_path):
    (tmp_path / "in the way").touch()
    with pytest.raises(InputError, match="cannot be written"):
        write_json(tmp_path / "in the way" / "result.json", {})


def test_damaged_json_is_named(tmp_path):
    (tmp_path / "metrics.json").write_text('{"a": ')
    with pytest.raises(InputError, match=r"metrics\.json cannot be read"):
        read_json(tmp_path / "metrics.json")


def test_shown_path_is_relative_to_the_project_or_as_given(tmp_path):
    assert display_path(ROOT / "reports" / "table1") == "reports/table1"
    assert display_path("../shared/table.csv") == "../shared/table.csv"
    assert display_path(tmp_path / "table.csv") == "table.csv"


def test_input_error_shows_as_one_sentence_in_a_notebook():
    assert InputError("x.csv is empty.")._render_traceback_() == ["InputError: x.csv is empty."]


def test_back_end_is_recorded_with_its_version(monkeypatch):
    # Its package may have another name than its module, as PyYAML (here) and tensorflow-cpu do.
    monkeypatch.setenv("KERAS_BACKEND", "yaml")
    packages = {name.lower(): version for name, version in record()["packages"].items()}
    assert packages["pyyaml"] == yaml.__version__


def test_a_link_that_leads_out_of_the_project_is_named_from_the_projects_root(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(paths, "ROOT", tmp_path / "project")
    (tmp_path / "disk").mkdir()
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "data").symlink_to(tmp_path / "disk")
    assert paths.display_path(tmp_path / "project" / "data" / "t.csv") == "data/t.csv"
