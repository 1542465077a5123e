"""Where things are, and how a file is written completely or not at all."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from music_genre.exceptions import InputError

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data"
REPORTS = ROOT / "reports"
MANUAL = REPORTS / "manual"
PUBLISHED = REPORTS / "gtzan"
NOTEBOOKS = ROOT / "notebooks"
SAMPLE = Path(__file__).resolve().parent / "data" / "sample"


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that takes its place when the block succeeds.

    A block that fails, or a process that is killed in it, leaves ``path`` as it was.

    Raises
    ------
    InputError
        The file system refuses: no space, no permission, a file where a folder must be.
    """
    path = Path(path)
    temporary = path.with_name(f".{os.getpid()}-{path.name}")  # keeps the suffix, as Keras needs
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise InputError(
            f"{display_path(path)} cannot be written ({error.strerror or error}): "
            "free some space, or name another place to write to."
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def display_path(path: str | Path) -> str:
    """Return a path as a page may show it: inside the project from its root, else as given."""
    path = Path(path)
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 (resolve follows links)
    for inside in (absolute, absolute.resolve()):  # a link in the project may lead out of it
        if inside.is_relative_to(ROOT):
            return inside.relative_to(ROOT).as_posix()
    return path.name if path.is_absolute() else path.as_posix()


def natural_key(name: str) -> list[tuple]:
    """Return a key to sort names by in which numbers count as numbers: row 10 after row 9."""
    return [(0, int(t), "") if t.isdigit() else (1, 0, t) for t in re.split(r"(\d+)", name) if t]


def remove_leftovers(paths: Iterable[Path]) -> None:
    """Remove, of some files, the temporary ones that :func:`atomic` left when it was killed."""
    for path in paths:
        process = re.match(r"\.(\d+)-", path.name)
        if process and path.is_file() and not _runs(int(process[1])):
            with suppress(OSError):
                path.unlink()


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):  # another user's; no number of a process
        return True
    return True
