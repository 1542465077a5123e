"""Notebooks that show results: with none of one's own, they show the published ones and say so."""

import subprocess

import pytest

from music_genre import params
from music_genre.data import find
from music_genre.exceptions import InputError
from music_genre.paths import PUBLISHED, ROOT

# Of the published report; `similar` has something to show without results, too.
SHOWING = [name for name, known in params.KNOWN.items() if "results" in known]
SHOWING = [name for name in SHOWING if name not in ("collection", "similar")]
NEED_THE_TABLE = {  # of what no published file tells, by the notebook that leaves it out
    "explanations": "the nearest neighbour",
    "leakage": "how many equal",
    "errors": "duplicates are not",
}

pytestmark = pytest.mark.skipif(not PUBLISHED.is_dir(), reason="reports/gtzan is not in this copy")


@pytest.mark.slow
@pytest.mark.parametrize("name", SHOWING)
def test_without_results_and_table_the_published_ones_are_shown(
    name, run_here, monkeypatch, tmp_path
):
    monkeypatch.setattr(params, "REPORTS", tmp_path)
    monkeypatch.setattr(params, "MANUAL", tmp_path)
    monkeypatch.setattr(find, "DATA", tmp_path)
    text = run_here(name)
    assert "Shown are the published results in <code>reports/gtzan" in text
    assert ("is not at hand" in text) == (name in NEED_THE_TABLE)
    assert NEED_THE_TABLE.get(name, "") in text
    assert "not GTZAN" not in text  # as the sample's banner says
    status = ["git", "-C", ROOT, "status", "--porcelain", "reports/gtzan"]
    assert subprocess.run(status, capture_output=True, text=True).stdout == ""


@pytest.mark.parametrize("name", SHOWING)
def test_folder_that_is_named_but_missing_is_an_error(name, run_here, tmp_path):
    with pytest.raises(InputError, match="gone, which is no folder: name one that holds"):
        run_here(name, results=str(tmp_path / "gone"))
