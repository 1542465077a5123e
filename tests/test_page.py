"""The page is not made from notebooks that are incomplete."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from music_genre.exceptions import InputError
from music_genre.provenance import write_json
from music_genre.report import display, page

PICTURE = new_output("display_data", data={"text/html": "<figure>"}, metadata={display.KIND: {}})
ERROR = new_output("error", ename="InputError", evalue="x", traceback=["x"])


def written(tmp_path, *cells):
    nbformat.write(new_notebook(cells=list(cells)), tmp_path / "explore.ipynb")
    return tmp_path / "explore.ipynb"


def test_complete_notebook_is_read(tmp_path):
    figure = new_code_cell("display.figure(x)", execution_count=2, outputs=[PICTURE])
    page.read(written(tmp_path, new_code_cell("1", execution_count=1), figure))


@pytest.mark.parametrize(
    "cell",
    [
        new_code_cell("1"),
        new_code_cell("1", execution_count=2, outputs=[ERROR]),
        new_code_cell("display.figure(x)", execution_count=2),
    ],
    ids=["not executed", "failed", "figure missing"],
)
def test_incomplete_notebook_is_named_with_its_cell(tmp_path, cell):
    path = written(tmp_path, new_code_cell("1", execution_count=1), cell)
    with pytest.raises(InputError, match=r"cell 2 of .*explore\.ipynb did not run to its end"):
        page.read(path)


def test_missing_and_damaged_notebooks_are_named(tmp_path):
    with pytest.raises(InputError, match=r"explore\.ipynb cannot be read"):
        page.read(tmp_path / "explore.ipynb")
    (tmp_path / "explore.ipynb").write_text("{")
    with pytest.raises(InputError, match=r"explore\.ipynb cannot be read"):
        page.read(tmp_path / "explore.ipynb")


def test_epochs_that_rows_share_are_counted_once(tmp_path):
    for name, batch_size, seconds, here in (
        ("1", 128, [10, 10], 20.0),
        ("2", 128, [10, 10, 5], 5.0),
        ("3", 220, [7], 0.0),
    ):
        given = {"epochs": len(seconds), "batch_size": batch_size}
        write_json(tmp_path / name / "metrics.json", {"parameters": given, "seconds": here})
        lines = "\n".join(["seconds", *map(str, seconds)])
        (tmp_path / name / "history.csv").write_text(lines + "\n")
    told = page._time(sorted(tmp_path.glob("*/metrics.json")))
    assert told == {"epochs": 4, "seconds": 32, "seconds_here": 25}
