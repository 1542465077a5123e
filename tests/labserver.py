"""A real JupyterLab server on a copy of this checkout, as `make lab` starts it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import requests

from music_genre.paths import ROOT

# Variables of the make that runs these tests, and what a user may have set.
OF_THE_USER = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "LAB", "JUPYTER_CONFIG_PATH", "JUPYTER_TOKEN")


TOKEN = "secret"


class Lab:
    """A checkout, and the server on it."""

    def __init__(self, folder: Path, url: str):
        self.folder, self.url = folder, url

    def git(self, *arguments):
        done = subprocess.run(
            ["git", "-C", self.folder, "-c", "user.name=x", "-c", "user.email=x", *arguments],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout

    def request(self, method, path, **more):
        return requests.request(
            method, self.url + path, headers={"Authorization": f"token {TOKEN}"}, timeout=30, **more
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


@contextmanager
def serving(folder: Path, home: Path) -> Iterator[Lab]:
    """Copy the checkout, without the published results, and serve it as long as the block runs."""
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
    python_path = os.pathsep.join(filter(None, [f"{folder}/src", os.environ.get("PYTHONPATH")]))
    log = home / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            ["make", f"PYTHON={sys.executable}", "lab",
             f"LAB=--no-browser --port {port} --IdentityProvider.token={TOKEN}"],
            cwd=folder, env={**environment, "HOME": str(home), "PYTHONPATH": python_path},
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
