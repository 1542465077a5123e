"""What a result came from, and the files that carry results between notebooks."""

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import packages_distributions, version
from pathlib import Path

import joblib
import pandas as pd
import yaml

from music_genre.exceptions import InputError
from music_genre.paths import ROOT, atomic, display_path

_PACKAGES = ["jax", "keras", "librosa", "numpy", "pandas", "scikit-learn", "scipy"]


def record() -> dict:
    """Return what determines a result beside its inputs: code, versions, machine, and the time."""
    backend = os.environ["KERAS_BACKEND"]
    # TensorFlow's module comes in packages of several names.
    packages = [*_PACKAGES, *packages_distributions().get(backend, [])]
    return {
        "commit": commit(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in packages},
        "keras_backend": backend,
        "threads": threads(),
        "machine": f"{platform.system()} {platform.machine()}, {joblib.cpu_count()} cores",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def threads() -> int:
    """Return how many threads XLA computes with: NPROC if set, else the cores it may use.

    Sums of a training round by this number, whatever else the machine does, so it is part of what
    determines a result.
    """
    return int(os.environ.get("NPROC") or joblib.cpu_count())


def commit() -> str:
    """Return the checkout's short commit, with ``+changes`` if tracked files differ from it."""
    try:
        return _git("rev-parse", "--short=10", "HEAD") + (
            "+changes" if _git("status", "--porcelain", "--untracked-files=no") else ""
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown (not a git checkout)"


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def write_json(path: str | Path, content: dict) -> None:
    """Write strict JSON (no NaN) atomically."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    with atomic(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: str | Path) -> dict:
    """Read a JSON file that an earlier notebook wrote."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{display_path(path)} cannot be read ({error}): run the notebook that writes it again."
        ) from error


def read_yaml(path: str | Path) -> dict:
    """Read a YAML file of parameters.

    Raises
    ------
    InputError
        It cannot be read, or is no mapping of names to values, or is empty.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InputError(
            f"{display_path(path)} cannot be read as YAML ({' '.join(str(error).split())}): "
            "write one `name: value` a line."
        ) from error
    if not isinstance(content, dict) or not content:
        raise InputError(
            f"{display_path(path)} holds no parameters: write one `name: value` a line."
        )
    return content


def write_csv(path: str | Path, table: pd.DataFrame, *, digits: int | None = None) -> None:
    """Write a table atomically, floats with so many significant digits or in full."""
    with atomic(path) as temporary:
        table.to_csv(temporary, index=False, float_format=digits and f"%.{digits}g")
