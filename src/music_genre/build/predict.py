"""What `make predict` does: `python -m music_genre.build.predict`, with AUDIO in the environment.

The sound is described first, with a bar in the terminal; the notebook then finds what is kept of
it. A run that was interrupted goes on with what is not.
"""

import fcntl
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from music_genre import names
from music_genre.analysis import predict
from music_genre.build import execute, typed
from music_genre.exceptions import InputError
from music_genre.models import portable
from music_genre.paths import REPORTS, display_path
from music_genre.provenance import read_json

LISTED = 20  # files whose verdict the terminal is told


def main() -> None:
    """Make the page, the table and the JSON file of what AUDIO names."""
    typed.check(os.environ)
    asked = typed.prediction(os.environ)
    found = predict.tracks(asked.audio)
    print(f"{len(found):,} {'file' if len(found) == 1 else 'files'} in {asked.audio}", flush=True)
    predict.describe(asked.audio, more=portable.takes_more(asked.model or portable.default()[0]))
    with _alone():
        _predict(asked)


def _predict(asked: typed.Prediction) -> None:
    target = predict.FOLDER / f"{predict.file_name(asked.audio, predict.FOLDER)}.ipynb"
    given = {"audio": asked.audio, "model": asked.model, "output": str(target.parent)}
    try:
        execute.execute(
            {"target": display_path(target), "notebook": "predict", "file": "", "given": given}
        )
    except execute.Failed as error:
        raise InputError(str(error)) from error
    from music_genre.report import page  # slow to import

    what = names.normal(Path(asked.audio).name)
    made = page.alone(
        target,
        title=f"Genres in {what}" if Path(asked.audio).is_dir() else f"The genre of {what}",
        byline="A model’s guess from the sound alone, three seconds at a time.",
    )
    for line in told(read_json(target.with_suffix(".json"))["files"]):
        print(names.readable(line).replace("\n", "\\n"))
    for path in (made, target.with_suffix(".csv"), target.with_suffix(".json")):
        print(display_path(path))


@contextmanager
def _alone() -> Iterator[None]:
    """Wait for another prediction in this checkout: the two might have one name."""
    with (REPORTS / ".predict.lock").open("w") as file:
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def told(files: list[dict]) -> list[str]:
    """Return what the terminal is told: the first files' verdicts, and all that were not read."""
    read = [file for file in files if "top" in file]
    lines = []
    for file in read[:LISTED]:
        likeliest = ", ".join(
            f"{it['genre']} {100 * it['probability']:.0f} %" for it in file["top"]
        )
        why = f"; {file['reason']}" if file["reason"] else ""
        lines.append(f"{file['file']}: {file['verdict']} ({likeliest}){why}")
    if len(read) > LISTED:
        lines.append(f"and {len(read) - LISTED:,} more")
    return lines + [
        f"not read: {file['file']}: {file['reason']}" for file in files if "top" not in file
    ]


if __name__ == "__main__":
    warnings.filterwarnings("ignore", module="joblib")  # it remarks on a run that ends early
    sys.stdout.reconfigure(errors="backslashreplace")  # names may hold what it cannot write
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        sys.exit(
            f"error: {display_path(predict.FOLDER)} cannot be written "
            f"({error.strerror or error}): free some space, or take another checkout."
        )
    except KeyboardInterrupt:
        sys.exit(130)
