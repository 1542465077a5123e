"""The pinned environment, for pip and for conda."""

import re
import tomllib

import yaml

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
