"""What a result came from, and the files that carry results between notebooks."""

import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import packages_distributions, version
from pathlib import Path

import joblib
import pandas as pd
import yaml

from music_genre.exceptions import InputError
from music_genre.paths import PUBLISHED, ROOT, atomic, display_path

_PACKAGES = ["jax", "keras", "librosa", "numpy", "pandas", "scikit-learn", "scipy"]


class Damaged(InputError):
    """Results that are not as they were written; ``reason`` says what of them."""

    def __init__(self, folder: Path, reason: str) -> None:
        way_out = "delete this folder, then make it again with `make report` or the notebook that "
        way_out += "wrote it."
        if folder.resolve().is_relative_to(PUBLISHED):
            way_out = f"take it from git again (`git checkout {display_path(PUBLISHED)}`)."
        super().__init__(f"{display_path(folder)} is damaged ({reason}): {way_out}")
        self.reason = reason


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
        "machine": ", ".join(
            [
                f"{platform.system()} {platform.machine()}",
                f"{(n := joblib.cpu_count())} core{'s' * (n != 1)}",
            ]
            + accelerators()
        ),
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


def accelerators() -> list[str]:
    """Name the accelerator that JAX has computed on in this process; empty for a processor."""
    if "jax" not in sys.modules:
        return []
    device = sys.modules["jax"].devices()[0]
    return [] if device.platform == "cpu" else [device.device_kind]


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
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("it holds no names with values")
        return content
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"{display_path(path)} cannot be read ({error}): delete it, then run what writes it "
            "again."
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


def checksums(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file in a folder, by name."""
    return {path.name: sha256(path) for path in sorted(folder.iterdir()) if path.is_file()}


def sha256(path: Path) -> str:
    """Return the checksum of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check(folder: Path, content: dict, names: Collection[str] | None = None) -> None:
    """Check files of a folder, all or those named, against the ``checksums`` in a JSON file of it.

    What an earlier version wrote has no checksums, and nothing is checked.

    Raises
    ------
    Damaged
        A file is missing, or not as it was written, or was not written with the others.
    """
    known = content.get("checksums")
    if known is None:
        return
    for name in known if names is None else names:
        path = folder / name
        if name not in known:
            raise Damaged(folder, f"{name} was not written with the rest")
        if not path.is_file():
            raise Damaged(folder, f"{name} is missing")
        if sha256(path) != known[name]:
            raise Damaged(folder, f"{name} is not as it was written")


@contextmanager
def together(folder: Path, last: str, *, replacing: Collection[str] = ()) -> Iterator[Path]:
    """Yield a new folder, whose files take their places in ``folder`` when the block succeeds.

    A block that fails, or a process that is killed in it, leaves ``folder`` as it was. The file
    ``last`` is gone while the others are moved, and comes last: its existence means success. A
    second process that writes there waits for the first, so their files do not mix.

    Parameters
    ----------
    replacing
        Names of files, plain or packed, that are removed if the block does not write them.

    Raises
    ------
    InputError
        The file system refuses.
    """
    aside = folder / f".{os.getpid()}-new"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder) as alone:
            if alone:  # what is left there is of a process that was killed
                for left in folder.glob(".*-new"):
                    shutil.rmtree(left, ignore_errors=True)
            aside.mkdir()
            yield aside
            (folder / last).unlink(missing_ok=True)
            for name in replacing:
                (folder / name).unlink(missing_ok=True)
                (folder / f"{name}.gz").unlink(missing_ok=True)
            files = [path for path in aside.iterdir() if path.name != last]
            for path in sorted(files, key=lambda path: path.suffix == ".json"):
                path.replace(folder / path.name)
            (aside / last).replace(folder / last)
    except OSError as error:
        raise InputError(
            f"{display_path(folder)} cannot be written ({error.strerror or error}): "
            "free some space, or name another place to write to."
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Wait until no other process is in this block with the folder; False if that is not known."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:  # a file system without locks
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
