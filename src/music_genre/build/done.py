"""What a step was done with, so that it is done again if that is no longer the same.

Content decides, not clocks: beside each result lies ``.<name>.done.json``, with the step as it was
when it was done, and checksums of what it left and of what it showed, and how long that took.
Standard library only.
"""

import hashlib
import json
from functools import cache
from pathlib import Path

from music_genre.paths import ROOT, atomic


def up_to_date(step: dict) -> bool:
    """Tell whether a step (of :func:`music_genre.build.plan.specs`) was done like this."""
    made = _made(step)
    before = noted(ROOT / step["target"])
    now = {"step": step, "made": made, "shown": _shown(step)}
    as_noted = made is not None and {key: before.get(key) for key in now} == now
    return as_noted and all(_whole(ROOT / path) for path in step["results"])


def note(step: dict, seconds: dict[str, float] | None = None) -> None:
    """Note that a step was done; ``seconds`` are for :mod:`music_genre.build.estimate`."""
    content = {"step": step, "made": _made(step), "shown": _shown(step), "seconds": seconds}
    with atomic(_note(ROOT / step["target"])) as temporary:
        temporary.write_text(json.dumps(content, indent=1), encoding="utf-8")


def noted(target: Path) -> dict:
    """Return what is noted of a target; empty if that is nothing, or damaged."""
    try:
        content = json.loads(_note(target).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def content_of(target: Path) -> dict:
    """Return the checksums of what a target was made from; empty if that is not known."""
    step = noted(target).get("step")
    content = step.get("content") if isinstance(step, dict) else None
    return content if isinstance(content, dict) else {}


def sha256(path: Path) -> str:
    """Return the checksum of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


sha256_of_source = cache(sha256)  # many steps import the same module


def _note(target: Path) -> Path:
    return target.with_name(f".{target.stem}.done.json")


def _made(step: dict) -> list[str] | None:
    try:
        return [sha256(ROOT / path) for path in (step["target"], *step["results"])]
    except OSError:  # missing, or no file
        return None


def _whole(result: Path) -> bool:
    """Tell whether the files beside a result, whose checksums it holds, are as it says."""
    try:
        noted = json.loads(result.read_text(encoding="utf-8")).get("checksums", {})
        return all(sha256(result.with_name(name)) == digest for name, digest in noted.items())
    except (OSError, ValueError):
        return False


def _shown(step: dict) -> dict[str, object]:
    return {target: noted(ROOT / target).get("made") for target in step["shows"]}
