"""`make lab`: a real JupyterLab server, asked for notebooks and given them as Lab does."""

import os

import nbformat
import pytest
from labserver import serving

from music_genre import pairs

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("check out"), tmp_path_factory.mktemp("home")) as lab:
        yield lab


def test_notebooks_are_open_and_the_rest_is_in_view(lab):
    answer = lab.request("GET", "", allow_redirects=False)
    assert answer.headers["Location"].startswith("/lab/tree/notebooks")
    shown = {item["name"] for item in lab.request("GET", "api/contents/").json()["content"]}
    assert {"notebooks", "params", "reports", "src"} <= shown


def test_saved_without_a_change_nothing_has_changed_for_git(lab):
    for name in sorted(path.name for path in lab.path("").glob("*.ipynb")):
        before = lab.path(name).read_bytes()
        lab.save(f"notebooks/{name}", lab.open(f"notebooks/{name}"))
        assert lab.path(name).read_bytes() != before
    assert lab.git("status", "--porcelain") == ""


def test_saved_after_a_run_it_keeps_its_outputs_and_nothing_has_changed_for_git(lab):
    notebook = lab.open("notebooks/train.ipynb")
    code = [cell.cell_type for cell in notebook.cells].index("code")
    notebook.cells[code].execution_count = 1
    notebook.cells[code].outputs = [nbformat.v4.new_output("stream", text="by hand")]
    lab.save("notebooks/train.ipynb", notebook)
    assert lab.git("status", "--porcelain") == ""
    assert lab.open("notebooks/train.ipynb").cells[code].outputs[0].text == "by hand"


def test_edit_in_lab_reaches_the_py_and_is_committed_without_outputs(lab):
    notebook = lab.open("notebooks/recipes.ipynb")
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="by hand")]
    notebook.cells.append(nbformat.v4.new_code_cell("added = 'in Lab'"))
    lab.save("notebooks/recipes.ipynb", notebook)
    assert lab.path("recipes.py").read_text().endswith("\n# %%\nadded = 'in Lab'\n")
    changed = lab.git("status", "--porcelain").split("\n")[:-1]
    assert changed == [" M notebooks/recipes.ipynb", " M notebooks/recipes.py"]
    lab.git("commit", "-a", "-m", "edited")
    added = [line for line in lab.git("show", "HEAD").splitlines() if line.startswith("+")]
    assert any("in Lab" in line for line in added)
    assert not any("by hand" in line or "language_info" in line for line in added)


def test_edit_of_the_py_is_in_the_notebook_that_lab_opens(lab):
    path = lab.path("errors.py")
    path.write_text(path.read_text() + "\n# %%\nadded = 'in an editor'\n")
    notebook = lab.open("notebooks/errors.ipynb")
    assert notebook.cells[-1].source == "added = 'in an editor'"
    lab.save("notebooks/errors.ipynb", notebook)
    assert "added = 'in an editor'" in lab.path("errors.ipynb").read_text()


def test_py_opens_as_a_notebook_and_saves_both(lab):
    notebook = lab.open("notebooks/explore.py")
    notebook.cells.append(nbformat.v4.new_code_cell("added = 'in the .py'"))
    lab.save("notebooks/explore.py", notebook)
    for name in ("explore.py", "explore.ipynb"):
        assert "added = 'in the .py'" in lab.path(name).read_text()


def test_module_opened_as_a_notebook_is_not_paired(lab):
    lab.save("src/music_genre/paths.py", lab.open("src/music_genre/paths.py"))
    assert not (lab.folder / "src" / "music_genre" / "paths.ipynb").exists()


def test_edits_of_both_sides_are_reported_and_none_is_overwritten(lab, tmp_path):
    def check(keep=None):
        return pairs.check(lab.path(""), state=tmp_path / "pairs.json", keep=keep)

    check()
    py, ipynb = lab.path("leakage.py"), lab.path("leakage.ipynb")
    py.write_text(py.read_text() + "\n# %%\nadded = 'in an editor'\n")
    notebook = nbformat.read(ipynb, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell("added = 'in another Jupyter'"))
    nbformat.write(notebook, ipynb)
    later = py.stat().st_mtime + 60
    os.utime(ipynb, (later, later))
    before = py.read_bytes(), ipynb.read_bytes()
    answer = lab.request("GET", "api/contents/notebooks/leakage.ipynb?type=notebook&content=1")
    assert answer.status_code == 400  # jupytext refuses as well
    done, problems = check()
    assert (done, len(problems)) == ([], 1)
    assert "leakage.ipynb (" in problems[0]
    assert (py.read_bytes(), ipynb.read_bytes()) == before
    check("ipynb")
    assert lab.open("notebooks/leakage.ipynb").cells[-1].source == "added = 'in another Jupyter'"
    assert "in another Jupyter" in py.read_text()
