"""Build `.venv` from the lock, unless it was built from the same. Any Python 3.11 runs this file.

The file `.venv/.ready` holds what the environment was built from, and is written last: without it,
an environment may lack anything, and is made from nothing.
"""

import fcntl
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def build(folder: Path = ROOT / ".venv", *, root: Path = ROOT, run=subprocess.check_call) -> None:
    """Build the environment; wait for another process that does."""
    lock = root / "requirements.lock"
    ready, python = folder / ".ready", folder / "bin" / "python"
    with lock.open() as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another make, which builds .venv", flush=True)
            fcntl.flock(held, fcntl.LOCK_EX)
        wanted = lock.read_bytes() + (root / "pyproject.toml").read_bytes()
        if ready.exists() and ready.read_bytes() == wanted:
            return
        print("building .venv: some minutes, once", flush=True)
        if not ready.exists():
            run([sys.executable, "-m", "venv", "--clear", folder])
        ready.unlink(missing_ok=True)
        pip = [python, "-m", "pip", "install", "--quiet"]
        run([*pip, "--require-hashes", "-r", lock])
        run([*pip, "--no-deps", "--no-build-isolation", "-e", root])
        ready.write_bytes(wanted)


if __name__ == "__main__":
    try:
        build()
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: .venv is not complete ({error}): the next make builds it again.")
