"""What a result came from, and the files that carry results between notebooks."""

import json
import os
import platform
import re
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
    asked = os.environ.get("NPROC") or str(joblib.cpu_count())
    if not asked.isdecimal() or int(asked) < 1:
        raise InputError(f'NPROC is "{asked}": write a number of threads, 1 or more.')
    return int(asked)


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
        It cannot be read, or is no mapping of names to values, or is empty; a name stands twice;
        it holds more than parameters need: references (a few lines of them stand for more than
        any memory holds), levels within levels, a text of more than a hundred thousand bytes.
    """
    try:
        text = _text_of_parameters(Path(path))
        content = yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InputError(
            f"{display_path(path)} cannot be read as YAML ({' '.join(str(error).split())}): "
            "write one `name: value` a line."
        ) from error
    if not isinstance(content, dict) or not content:
        raise InputError(
            f"{display_path(path)} holds no parameters: write one `name: value` a line."
        )
    odd = [name for name in content if not isinstance(name, str)]
    if odd:
        raise InputError(
            f"{display_path(path)} gives a value to {odd[0]!r}, which is no name of a parameter: "
            "write one `name: value` a line."
        )
    return content


_MOST_BYTES, _MOST_LEVELS = 100_000, 10  # of a file of parameters


def _text_of_parameters(path: Path) -> str:
    """Read a file's text and raise a ValueError that says what of it is beyond parameters."""
    if not path.is_file():
        raise ValueError("it is no file" if path.exists() else "it does not exist")
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError(f"it has more than {_MOST_BYTES:,} bytes")
    text = path.read_text(encoding="utf-8")
    level, names = 0, set()
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        where = f"in line {event.start_mark.line + 1}" if event.start_mark else ""
        level += isinstance(event, yaml.CollectionStartEvent)
        level -= isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            raise ValueError(f"*{event.anchor} {where} is a reference")
        if level > _MOST_LEVELS:
            raise ValueError(f"{where}, there are more than {_MOST_LEVELS} levels")
    for name in re.findall(r"^([\w-]+):", text, re.MULTILINE):
        if name in names:
            raise ValueError(f"{name} stands twice")
        names.add(name)
    return text


def write_csv(path: str | Path, table: pd.DataFrame, *, digits: int | None = None) -> None:
    """Write a table atomically, floats with so many significant digits or in full."""
    with atomic(path) as temporary:
        table.to_csv(temporary, index=False, float_format=digits and f"%.{digits}g")
