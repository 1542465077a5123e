"""Every notebook is a pair, `.py` and `.ipynb`: an edit of one side reaches the other.

Run as `python -m music_genre.pairs [py|ipynb]`; the argument is the side to keep where both were
edited. How the sides were when they last agreed is kept in `.cache/pairs.json`. To check unchanged
pairs takes milliseconds and the standard library; jupytext is imported only if a pair has changed.
"""

import hashlib
import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path

from music_genre.exceptions import InputError
from music_genre.paths import ROOT, atomic, display_path
from music_genre.strip import strip

NOTEBOOKS = ROOT / "notebooks"
STATE = ROOT / ".cache" / "pairs.json"
SIDES = ("py", "ipynb")
_PERCENT = "py:percent"
_KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def check(
    folder: Path = NOTEBOOKS, *, state: Path = STATE, keep: str | None = None
) -> tuple[list[str], list[str]]:
    """Bring the pairs in ``folder`` into agreement where no edit is lost by it.

    If only one side was edited since both agreed, or only one exists, the other is written from it.
    If both were edited, or it is not known which, the side ``keep`` overwrites the other; without
    ``keep`` both stay as they are. Outputs, execution counts, metadata and cell ids do not count.

    Returns
    -------
    done, problems
        What was written, and why other pairs still disagree: one sentence for each.
    """
    agreed = _read_state(state)
    done, problems, now = [], [], {}
    for name in sorted({path.stem for side in SIDES for path in folder.glob(f"[!.]*.{side}")}):
        paths = {side: folder / f"{name}.{side}" for side in SIDES}
        try:
            if source := _source(paths, agreed.get(name), keep):
                target = next(side for side in SIDES if side != source)
                _write(paths[source], paths[target])
                done.append(f"{display_path(paths[target])}: written from {paths[source].name}")
            now[name] = _fingerprints(_read(paths))
        except InputError as error:
            problems.append(str(error))
            if name in agreed:
                now[name] = agreed[name]
    if now != agreed:
        try:
            with atomic(state) as temporary:
                temporary.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
        except InputError as error:  # the next check compares the pairs themselves
            print(f"note: {error}", file=sys.stderr)
    return done, problems


def _read_state(path: Path) -> dict:
    try:
        agreed = json.loads(path.read_text(encoding="utf-8"))
        return {name: {side: str(of[side]) for side in SIDES} for name, of in agreed.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}  # none yet, or damaged: then each pair is compared


def _source(paths: dict, agreed: dict | None, keep: str | None) -> str | None:
    """Return the side from which the other must be written; None if they agree."""
    present = [side for side in SIDES if paths[side].exists()]
    if len(present) == 1:
        return present[0]
    contents = _read(paths)
    now = _fingerprints(contents)
    if now == agreed or _agree(contents):
        return None
    # After a change of branch, both sides differ from how they last agreed here.
    for known in (agreed, committed := _committed(paths)):
        edited = [side for side in SIDES if known and now[side] != known[side]]
        if len(edited) == 1:
            return edited[0]
    if not keep:
        raise InputError(_disagreement(paths, known=bool(agreed or committed)))
    return keep


def _read(paths: dict) -> dict[str, bytes]:
    contents = {side: paths[side].read_bytes() for side in SIDES}
    if not contents["py"].strip() or not _is_text(contents["py"]):  # all cells would be lost by it
        raise InputError(
            f"{display_path(paths['py'])} is empty or no text: take it from git again, or delete "
            "it to have it written from the .ipynb."
        )
    try:
        strip(json.loads(contents["ipynb"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{display_path(paths['ipynb'])} is no notebook ({error}): mend it, or delete it to "
            "have it written from the .py."
        ) from error
    return contents


def _is_text(content: bytes) -> bool:
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False


def _committed(paths: dict) -> dict | None:
    """Return the fingerprints of the pair in git's last commit, if it agrees there.

    A clone knows by it which side was edited, before any check has noted how the sides were.
    """
    contents = {}
    for side, path in paths.items():
        show = ["git", "-C", str(path.parent), "show", f"HEAD:./{path.name}"]
        try:
            contents[side] = subprocess.run(show, capture_output=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError):  # no git, no commit, not in it
            return None
    return _fingerprints(contents) if _agree(contents) else None


def _fingerprints(contents: dict[str, bytes]) -> dict[str, str]:
    notebook = strip(json.loads(contents["ipynb"]))
    for cell in notebook["cells"]:
        cell.pop("id", None)
    what_counts = {**contents, "ipynb": json.dumps(notebook, sort_keys=True).encode()}
    return {side: hashlib.sha256(what_counts[side]).hexdigest() for side in SIDES}


def _agree(contents: dict[str, bytes]) -> bool:
    """Compare the cells' types, texts and tags, as a `.py` holds them."""
    import jupytext

    def cells(text: str) -> list:
        read = jupytext.reads(text, _PERCENT).cells
        return [(cell.cell_type, cell.source, cell.metadata.get("tags")) for cell in read]

    notebook = jupytext.reads(contents["ipynb"].decode(), "ipynb")
    return cells(jupytext.writes(notebook, _PERCENT)) == cells(contents["py"].decode())


def _write(source: Path, target: Path) -> None:
    """Write one side from the other; an `.ipynb` keeps its ids, and outputs of unchanged cells."""
    import jupytext
    from jupytext.combine import combine_inputs_with_outputs
    from jupytext.config import load_jupytext_config

    config = load_jupytext_config(str(source))
    notebook = jupytext.read(source, config=config)
    notebook.metadata.setdefault("kernelspec", _KERNEL)  # papermill needs one
    if target.suffix == ".ipynb" and target.exists():
        before = jupytext.read(target)
        unchanged = {cell.source for cell in before.cells}
        notebook = combine_inputs_with_outputs(notebook, before, fmt=_PERCENT)
        for cell in notebook.cells:
            if cell.cell_type == "code" and cell.source not in unchanged:
                cell.update(outputs=[], execution_count=None)
    text = jupytext.writes(
        notebook, "ipynb" if target.suffix == ".ipynb" else _PERCENT, config=config
    )
    with atomic(target) as temporary:
        temporary.write_text(text.rstrip("\n") + "\n", encoding="utf-8")


def _disagreement(paths: dict, *, known: bool) -> str:
    edited = {side: paths[side].stat().st_mtime for side in SIDES}
    older, newer = sorted(SIDES, key=edited.__getitem__)
    time = {side: f"{datetime.fromtimestamp(edited[side]):%Y-%m-%d %H:%M:%S}" for side in SIDES}
    why = "both were edited" if known else "which one was edited is not known"
    return (
        f"{display_path(paths[newer])} ({time[newer]}, newer) and {paths[older].name} "
        f"({time[older]}) differ, and {why}: keep one with make pairs TAKE=py or TAKE=ipynb."
    )


def main() -> None:
    keep = sys.argv[1] if len(sys.argv) > 1 else None
    if keep not in (None, *SIDES):
        sys.exit(f"error: {keep} is no side of a pair: name py or ipynb")
    done, problems = check(keep=keep)
    for line in done:
        print(line)
    if problems:
        sys.exit("\n".join(f"error: {problem}" for problem in problems))


if __name__ == "__main__":
    main()
