"""The page is not made from notebooks that are incomplete."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from music_genre import report
from music_genre.errors import InputError

PICTURE = new_output("display_data", data={"image/png": "iVBORw0KGgo="})
ERROR = new_output("error", ename="InputError", evalue="x", traceback=["x"])


def written(tmp_path, *cells):
    nbformat.write(new_notebook(cells=list(cells)), tmp_path / "explore.ipynb")
    return tmp_path / "explore.ipynb"


def test_complete_notebook_is_read(tmp_path):
    figure = new_code_cell("display.figure(x)", execution_count=2, outputs=[PICTURE])
    report.read(written(tmp_path, new_code_cell("1", execution_count=1), figure))


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
        report.read(path)


def test_missing_and_damaged_notebooks_are_named(tmp_path):
    with pytest.raises(InputError, match=r"explore\.ipynb cannot be read"):
        report.read(tmp_path / "explore.ipynb")
    (tmp_path / "explore.ipynb").write_text("{")
    with pytest.raises(InputError, match=r"explore\.ipynb cannot be read"):
        report.read(tmp_path / "explore.ipynb")
