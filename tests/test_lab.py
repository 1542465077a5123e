"""`make lab`: a real JupyterLab server, asked for notebooks and given them as Lab does."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import nbformat
import pytest
import requests

from music_genre import pairs
from music_genre.paths import ROOT

pytestmark = pytest.mark.slow
# Variables of the make that runs these tests, and what a user may have set.
OF_THE_USER = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "LAB", "JUPYTER_CONFIG_PATH", "JUPYTER_TOKEN")


class Lab:
    """A checkout, and the server on it."""

    def __init__(self, folder, url):
        self.folder, self.url = folder, url

    def git(self, *arguments):
        done = subprocess.run(
            ["git", "-C", self.folder, "-c", "user.name=x", "-c", "user.email=x", *arguments],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout

    def request(self, method, path, **more):
        return requests.request(
            method, self.url + path, headers={"Authorization": "token secret"}, timeout=30, **more
        )

    def open(self, path):
        """Return a notebook as Lab shows it."""
        answer = self.request("GET", f"api/contents/{path}?type=notebook&content=1")
        assert answer.status_code == 200, answer.text
        return nbformat.from_dict(answer.json()["content"])

    def save(self, path, notebook):
        """Save a notebook as Lab does, which adds what it learns from the kernel."""
        notebook.metadata["language_info"] = {
            "codemirror_mode": {"name": "ipython", "version": 3}, "file_extension": ".py",
            "mimetype": "text/x-python", "name": "python", "nbconvert_exporter": "python",
            "pygments_lexer": "ipython3", "version": "3.11.4",
        }  # fmt: skip
        model = {"type": "notebook", "format": "json", "content": notebook}
        answer = self.request("PUT", f"api/contents/{path}", json=model)
        assert answer.status_code == 200, answer.text

    def path(self, name):
        return self.folder / "notebooks" / name


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("check out")
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if not name.startswith("reports/gtzan/") and (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    lab = Lab(folder, f"http://127.0.0.1:{port}/")
    lab.git("init")
    lab.git("add", ".")
    lab.git("commit", "-m", "as it is")

    environment = {k: v for k, v in os.environ.items() if k not in OF_THE_USER}
    home = tmp_path_factory.mktemp("home")
    log = home / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            ["make", f"PYTHON={sys.executable}", "lab",
             f"LAB=--no-browser --port {port} --IdentityProvider.token=secret"],
            cwd=folder, env={**environment, "HOME": str(home), "PYTHONPATH": str(folder / "src")},
            stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while True:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            try:
                if lab.request("GET", "api/status").ok:
                    break
            except requests.ConnectionError:
                time.sleep(0.2)
        yield lab
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


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
    notebook.cells[1].execution_count = 1
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="by hand")]
    lab.save("notebooks/train.ipynb", notebook)
    assert lab.git("status", "--porcelain") == ""
    assert lab.open("notebooks/train.ipynb").cells[1].outputs[0].text == "by hand"


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
