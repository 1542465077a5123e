"""Find the music and the features table, for make and for the notebooks alike.

Standard library only: `make report` asks this module before anything else.
"""

import re
from pathlib import Path

from music_genre.exceptions import InputError
from music_genre.paths import DATA, SAMPLE, display_path

AUDIO = [".wav", ".au", ".aiff", ".aif", ".flac", ".ogg", ".opus", ".mp3"]  # preferred first
ROOTS = ["genres", "genres_original"]  # the original archive's name, Kaggle's name
TABLE = "features_3_sec.csv"
EXTRACTED = DATA / "extracted.csv"
SAMPLE_TABLE = SAMPLE / "features.csv"


def genres(folder: str | Path) -> Path | None:
    """Find the folder that directly holds one folder of audio per genre.

    Tried in this order: a folder named ``genres`` or ``genres_original`` one or two levels down;
    ``folder`` itself; the only such folder one level down; the only one two levels down. Hidden
    folders are skipped.

    Raises
    ------
    InputError
        Several folders on the same level qualify.
    """
    inner = _folders(Path(folder))
    innermost = [below for child in inner for below in _folders(child)]
    named = [path for path in [*inner, *innermost] if path.name in ROOTS]
    for level in [*([path] for path in named), [Path(folder)], inner, innermost]:
        found = [path for path in level if genre_folders(path)]
        if len(found) > 1:
            raise InputError(
                f"{display_path(folder)} holds several folders that hold genre folders "
                f"({', '.join(path.name for path in found)}): name the one to use."
            )
        if found:
            return found[0]
    return None


def published_table(folder: str | Path) -> Path | None:
    """Find ``features_3_sec.csv`` in ``folder``, one or two levels down, or beside its genres."""
    folder = Path(folder)
    inner = _folders(folder)
    places = [folder, *inner, *(below for child in inner for below in _folders(child))]
    if folder.name in ROOTS:
        places.append(folder.parent)
    return next((place / TABLE for place in places if (place / TABLE).is_file()), None)


def _inside(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:  # missing, no folder, or not readable, such as lost+found
        return []


def _folders(folder: Path) -> list[Path]:
    return [path for path in _inside(folder) if path.name[0] != "." and path.is_dir()]


def genre_folders(folder: Path) -> list[Path]:
    """Return the folders directly in a folder that hold audio."""
    return [below for below in _folders(folder) if any(not fault(path) for path in files_in(below))]


def files_in(folder: Path) -> list[Path]:
    """Return a folder's files, sorted, without hidden ones (but with ``._*``: :func:`fault`)."""
    named = [path for path in _inside(folder) if not re.match(r"\.(?!_)", path.name)]
    return [path for path in named if path.is_file()]


def fault(path: Path) -> str:
    """Say why a file is no clip, judged by its name; empty if it is one."""
    # macOS writes ._<name> beside <name> on foreign file systems: attributes, no audio.
    if path.name.startswith("._"):
        return "resource fork"
    return "" if path.suffix.lower() in AUDIO else "not audio"


def features_and_music(features: str = "", music: str = "") -> tuple[Path, Path | None]:
    """Find the features table to use, and the clips to extract features from, if there are any.

    The table is the one named; else the published one in ``music`` (``data/`` if not given); else
    the one extracted from the clips there; else the sample. Clips beside a published table are
    extracted too, for comparison. What was extracted from other music before is not used.

    Raises
    ------
    InputError
        ``music`` is named and holds neither a published table nor clips.
    """
    if features:
        return Path(features), None
    folder = Path(music) if music else DATA
    published, clips = published_table(folder), genres(folder)
    if published or clips:
        return published or EXTRACTED, clips and folder
    if music:
        raise InputError(
            f"{music} holds neither clips in a folder per genre nor {TABLE}: name a folder that "
            "does with GTZAN=, or none."
        )
    return SAMPLE_TABLE, None


def features_table(features: str = "") -> Path:
    """Return the features table to use in a notebook: the one named, else that under ``data/``.

    As :func:`features_and_music`, but nothing is extracted: clips alone do not make a table.
    """
    if features:
        return Path(features)
    return published_table(DATA) or (
        EXTRACTED if EXTRACTED.exists() and genres(DATA) else SAMPLE_TABLE
    )
