"""The pinned environment, for pip and for conda."""

import os
import re
import subprocess
import tomllib

import pytest
import yaml

from music_genre.build import environment
from music_genre.paths import ROOT

LOCK = (ROOT / "requirements.lock").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def pins():
    return re.findall(r"^(\S+==[^\\\n]*?) *\\$", LOCK, re.MULTILINE)


def test_every_pin_has_a_hash_and_there_is_no_address():
    blocks = re.split(r"^(?=\S+==)", LOCK, flags=re.MULTILINE)[1:]
    assert len(blocks) == len(pins()) > 100
    assert all("--hash=sha256:" in block for block in blocks)
    assert not re.search(r"https?:|file:|--(extra-)?index", LOCK)


def test_lock_holds_every_dependency():
    locked = {re.split("==", pin)[0] for pin in pins()}
    wanted = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]
    assert {re.split(r"[>=<~]", name)[0] for name in wanted} <= locked


def test_conda_environment_installs_exactly_the_lock_and_the_package():
    dependencies = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert dependencies[:2] == ["python=3.11", "pip"]
    assert dependencies[2]["pip"] == [*pins(), "-e ."]


def test_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    assert [work["title"] for work in citation["references"]] == [
        "Music Genre Classification With Deep Learning"
    ]


@pytest.fixture
def built(tmp_path):
    """Return a function that builds an environment with commands that are only noted."""
    (tmp_path / "requirements.lock").write_text("one==1\n")
    (tmp_path / "pyproject.toml").write_text("[project]\n")

    def build(fails_at=None):
        ran = []

        def run(command):
            ran.append(" ".join(str(word) for word in command[1:4]))
            (tmp_path / ".venv").mkdir(exist_ok=True)
            if len(ran) == fails_at:
                raise subprocess.CalledProcessError(1, command)

        try:
            environment.build(tmp_path / ".venv", root=tmp_path, run=run)
        finally:
            build.ran = ran
        return ran

    return build


CLEARED, INSTALLED = "-m venv --clear", "-m pip install"


def test_environment_is_built_once_and_again_for_another_lock_only(built, tmp_path):
    assert built() == [CLEARED, INSTALLED, INSTALLED]
    assert built() == []
    os.utime(tmp_path / "requirements.lock", (2**32, 2**32))
    assert built() == []
    (tmp_path / "requirements.lock").write_text("one==2\n")
    assert built() == [INSTALLED, INSTALLED]


@pytest.mark.parametrize("step", [1, 2, 3])
def test_environment_that_was_not_finished_is_made_from_nothing(built, step):
    with pytest.raises(subprocess.CalledProcessError):
        built(fails_at=step)
    assert built() == [CLEARED, INSTALLED, INSTALLED]


def test_environment_of_which_an_update_was_not_finished_is_made_from_nothing(built, tmp_path):
    built()
    (tmp_path / "requirements.lock").write_text("one==2\n")
    with pytest.raises(subprocess.CalledProcessError):
        built(fails_at=1)
    assert built() == [CLEARED, INSTALLED, INSTALLED]
