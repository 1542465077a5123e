"""Find the music and the features table, for make and for the notebooks alike.

Standard library only: `make report` asks this module before anything else.
"""

import csv
import json
import os
import re
import shutil
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from music_genre import names
from music_genre.exceptions import InputError
from music_genre.paths import DATA, SAMPLE, display_path

# Sound that libsndfile reads, preferred first; and sound, of films too, that only ffmpeg reads.
AUDIO = [".wav", ".au", ".aiff", ".aif", ".flac", ".ogg", ".opus", ".mp3",
         ".aifc", ".caf", ".mp2", ".oga", ".rf64", ".snd", ".w64", ".wave"]  # fmt: skip
BY_FFMPEG = [".m4a", ".aac", ".wma", ".mp4", ".m4b", ".m4v", ".mov", ".3gp", ".ac3", ".alac",
             ".amr", ".ape", ".asf", ".avi", ".dff", ".dsf", ".dts", ".eac3", ".flv", ".mka",
             ".mkv", ".mpc", ".mpeg", ".mpg", ".mts", ".ra", ".rm", ".spx", ".tta", ".vob",
             ".webm", ".wmv", ".wv"]  # fmt: skip
LOCKED = [".m4p", ".aa", ".aax", ".aaxc"]  # sound that only its seller's programs decode

ROOTS = ["genres", "genres_original"]  # the original archive's name, Kaggle's name
GENRES = ["blues", "classical", "country", "disco", "hiphop",
          "jazz", "metal", "pop", "reggae", "rock"]  # fmt: skip
TABLE = "features_3_sec.csv"
EXTRACTED = DATA / "extracted.csv"
WITH_MORE = "-more"  # ends the names of what a second features table was used for too
SAMPLE_TABLE = SAMPLE / "features.csv"
_CLIP = re.compile(rf"({'|'.join(GENRES)})\.000\d\d(\.|$)")  # how the name of a clip begins
_EXTRACTED = [EXTRACTED.with_suffix(it) for it in (".csv", ".problems.json", ".more.csv", "")]

# Why a file is no clip, and the way out. Of those in LEFT_OUT, the music lacks something.
NEEDS_FFMPEG, IS_LOCKED = "needs ffmpeg", "locked"
REASONS = {
    NEEDS_FFMPEG: "install ffmpeg, or convert it to flac",
    IS_LOCKED: "by its name it is a file that only its seller's programs can decode (DRM): use a "
    "copy without this lock",
    "broken link": "what it links to does not exist: replace it or leave it out",
    "unreadable folder": "its files cannot be listed: allow reading it",
    "no regular file": "a pipe, a socket or a device: replace it or leave it out",
    "in no genre": "it lies in no folder whose name could be its genre: move it into one",
    "outside the genres": "it lies beside the folder of the genres: move it into a genre's folder",
    "second format": "not used: the clip is there in a preferred format too",
    "second copy": "not used: another clip of its name has the same bytes",
    "repeated folder": "not followed: a link to a folder that is listed already",
    "empty folder": "no file is in it",
    "resource fork": "ignored",
    "hidden": "ignored: its name begins with a dot",
    "not audio": "ignored: its name does not end as that of a sound file does, such as .wav or "
    ".mp3",
}
LEFT_OUT = [NEEDS_FFMPEG, IS_LOCKED, "broken link", "unreadable folder", "no regular file"]


@dataclass(frozen=True)
class File:
    """A file below a folder of music."""

    path: Path
    genre: str  # the first folder below the genres' root; empty for a file in none
    fault: str  # why it is no clip: a key of REASONS; empty if it is one


def given(path: str | Path) -> Path:
    """Return the path that a user typed: ``~`` is their home, a slash at its end says nothing."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 (Path's refuses the name of no user)


def genres(folder: str | Path) -> Path | None:
    """Find the folder that holds one folder of music per genre, in which songs lie at any depth.

    That is a folder named ``genres`` or ``genres_original`` one or two levels down; else
    ``folder`` itself; but where all music lies in folders of only one folder in it, that one, at
    most two levels down. Hidden folders are passed over.

    Raises
    ------
    InputError
        Several folders in it hold folders of the same genres of GTZAN.
    """
    return _root(given(folder), list(_walk(given(folder))))


def files(folder: str | Path) -> list[File]:
    """List every file below the genres' root, and the sound that lies beside it, sorted by path.

    A folder stands for itself if it is hidden, empty, unreadable, or a link to one that is listed
    already. Features tables that are used are not listed. Empty if there is no music.

    Raises
    ------
    InputError
        As :func:`genres`.
    """
    folder = given(folder)
    found = list(_walk(folder))
    root = _root(folder, found)
    listed = []
    for path, fault in found if root else []:
        sound = fault in ("", NEEDS_FFMPEG)
        if not path.is_relative_to(root):
            listed += [File(path, "", "outside the genres")] if sound else []
            continue
        inside = path.relative_to(root).parts
        genre = inside[0] if len(inside) > 1 and inside[0].strip() else ""
        listed.append(File(path, genre, "in no genre" if sound and not genre else fault))
    return sorted(listed, key=lambda file: file.path)


def sound(path: str | Path) -> list[File]:
    """List the sound at a path: a file itself; of a folder all at any depth, sorted by path.

    What cannot be read has a fault in ``LEFT_OUT``. Other files of a folder are passed over; a file
    that is named is listed whatever its name. Genres play no part.
    """
    path = given(path)
    if os.path.isdir(path):  # noqa: PTH112 (Path's raises where the name is too long)
        below = sorted(_walk(path))
        return [File(it, "", fault) for it, fault in below if fault in ("", *LEFT_OUT)]
    if os.path.exists(path) and not os.path.isfile(path):  # noqa: PTH110, PTH113
        return [File(path, "", "no regular file")]  # to read it might never end
    fault = _faults().get(path.suffix.lower(), "")
    return [File(path, "", fault)]


def state(folder: str | Path) -> dict:
    """Return all of a folder of music that the features of its clips depend on, in JSON's values.

    That is each file with its size and times, whether it is a clip, and whether there is an ffmpeg
    to read it. The last of the times, of the last change to the file, no program can set. Where the
    state is another than before, the clips' content decides what is described again.
    """
    at = {file: _status(file.path) for file in files(folder)}
    return {
        "files": [
            [
                os.fsencode(file.path).hex(),
                file.fault,
                now.st_size,
                now.st_mtime_ns,
                now.st_ctime_ns,
            ]
            for file, now in at.items()
        ],
        "ffmpeg": bool(shutil.which("ffmpeg")),
    }


def _status(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except OSError:  # a link that leads nowhere
        return path.lstat()


def _walk(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield all files below a folder, each with what is wrong with it at first sight.

    Links to folders are followed after all else, and no folder is entered twice: a link to a
    parent ends there, and a linked genre goes by its own name if it is there too.
    """
    fault_of = _faults()
    above = folder.resolve().parents
    seen = {_identity(place) for place in above}
    folders, links = [folder], []
    while folders or links:
        place = folders.pop() if folders else links.pop(0)
        try:
            identity = _identity(place)
            inside = sorted(os.scandir(place), key=lambda entry: entry.name)
        except OSError:
            yield place, "unreadable folder"
            continue
        if identity in seen:
            yield place, "repeated folder"
            continue
        seen.add(identity)
        if not inside:
            yield place, "empty folder"
        for entry in inside:
            path = Path(entry.path)
            if entry.name == TABLE or _is_extracted(path):
                continue
            if entry.name.startswith("._"):  # macOS's attributes, on other file systems
                yield path, "resource fork"
            elif entry.name.startswith("."):
                yield path, "hidden"
            elif (kind := _kind(entry)) == "folder":
                (links if entry.is_symlink() else folders).append(path)
            elif kind == "file":
                yield path, fault_of.get(path.suffix.lower(), "not audio")
            else:
                yield path, kind


def _kind(entry: os.DirEntry) -> str:
    """Return "folder" or "file", or what is wrong with what is neither."""
    try:
        if entry.is_dir():
            return "folder"
        if entry.is_file():
            return "file"
        os.stat(entry.path)  # noqa: PTH116 (of DirEntry's, the one that raises for a broken link)
    except OSError:  # as of a link that leads to itself
        return "broken link"
    return "no regular file"


def _faults() -> dict[str, str]:
    """Return what is wrong with sound of each suffix; empty if nothing is."""
    by_ffmpeg = "" if shutil.which("ffmpeg") else NEEDS_FFMPEG
    return {
        **dict.fromkeys(AUDIO, ""),
        **dict.fromkeys(BY_FFMPEG, by_ffmpeg),
        **dict.fromkeys(LOCKED, IS_LOCKED),
    }


def _is_extracted(path: Path) -> bool:
    return path.name.startswith(EXTRACTED.stem) and path.absolute() in _EXTRACTED


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _root(folder: Path, found: list[tuple[Path, str]]) -> Path | None:
    sound = [path.relative_to(folder).parts for path, fault in found if fault in ("", NEEDS_FFMPEG)]
    for level in (1, 2):
        if named := sorted(
            p[:level] for p in sound if len(p) > level + 1 and p[level - 1] in ROOTS
        ):
            return folder.joinpath(*named[0])
    root: tuple[str, ...] = ()
    for _ in range(3):
        below = [p[len(root) :] for p in sound if p[: len(root)] == root and len(p) > len(root) + 1]
        tops = {p[0] for p in below}
        if len(tops) != 1 or any(len(p) == 2 for p in below) or len(root) == 2:
            break
        root += (*tops,)
    if not tops:
        return None
    copies = defaultdict(set)
    for p in below:
        if len(p) > 2 and p[1].replace("-", "") in GENRES:
            copies[p[1]].add(p[0])
    if copies and len(several := max(copies.values(), key=len)) > 1:
        raise InputError(
            f"{display_path(folder)} holds several folders that hold genre folders "
            f"({', '.join(sorted(several))}): name the one to use."
        )
    return folder.joinpath(*root)


def published_table(folder: str | Path) -> Path | None:
    """Find ``features_3_sec.csv`` in ``folder``, one or two levels down, or beside its genres."""
    folder = given(folder)
    inner = _folders(folder)
    places = [folder, *inner, *(below for child in inner for below in _folders(child))]
    if folder.name in ROOTS:
        places.append(folder.parent)
    return next((place / TABLE for place in places if (place / TABLE).is_file()), None)


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.name[0] != "." and path.is_dir())
    except OSError:  # missing, no folder, or not readable, such as lost+found
        return []


def check_table(path: str | Path) -> Path:
    """Return the path of a features table that a user named, if there can be one.

    Raises
    ------
    InputError
        It does not exist, is no regular file, or is no text.
    """
    path = given(path)
    name, what = display_path(path), "name a features table (CSV), or name none"
    try:
        status = path.stat()
    except OSError as error:
        reason = "does not exist" if not path.exists() else f"cannot be read ({error.strerror})"
        raise InputError(f"{name} {reason}: {what}.") from error
    if stat.S_ISDIR(status.st_mode):
        raise InputError(f"{name} is a folder and no table: {what}.")
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{name} is a pipe or a device and no file: {what}.")
    try:
        with path.open("rb") as file:
            holes = _hole(file.fileno(), status.st_size)
            head = file.read(65_536)
    except OSError as error:
        raise InputError(f"{name} cannot be read ({error.strerror}): {what}.") from error
    if holes:
        raise InputError(
            f"{name} has {status.st_size:,} bytes, of which some were never written: copy it again."
        )
    if b"\0" in head:
        raise InputError(
            f"{name} cannot be read as a CSV table (it holds bytes of zero, as no text in UTF-8 "
            f"does): {what}, saved as CSV in UTF-8."
        )
    return path


def _hole(file: int, size: int) -> bool:
    """Tell whether a file has a part that was never written, as copies that broke off have."""
    try:
        return bool(size) and os.lseek(file, 0, os.SEEK_HOLE) < size
    except (AttributeError, OSError):  # not known on this system
        return False
    finally:
        os.lseek(file, 0, os.SEEK_SET)


def features_and_music(features: str = "", music: str = "") -> tuple[Path, Path | None]:
    """Find the features table to use, and the clips to extract features from, if there are any.

    The table is the one named; else the published one in ``music`` (``data/`` if not given); else
    the one extracted from the clips there; else the sample. Clips beside a published table are
    extracted too, for comparison. What was extracted from other music before is not used.

    Raises
    ------
    InputError
        ``music`` is named and holds neither a published table nor clips; or ``features`` is no
        file.
    """
    if features:
        return check_table(features), None
    folder = given(music) if music else DATA
    published, clips = published_table(folder), genres(folder)
    if published or clips:
        return published or EXTRACTED, clips and folder
    if music:
        raise InputError(
            f"{display_path(music)} holds neither clips in a folder per genre nor {TABLE}: name a "
            "folder that does with MUSIC=, or none."
        )
    return SAMPLE_TABLE, None


def more_table(features: Path) -> Path:
    """Return the path of the second features table, which lies beside the first where it is."""
    return features.with_suffix(".more.csv")


def is_gtzan(genres: Iterable[str], clips: Iterable[str]) -> bool:
    """Tell whether music is GTZAN, or a part, by its genres and the names of clips or segments."""
    return {genre.replace("-", "") for genre in genres} <= set(GENRES) and any(
        _CLIP.match(clip.replace("-", "")) for clip in clips
    )


def collection(features: Path, music: Path | None = None) -> str:
    """Return the name of the collection that a table is of; empty if that is GTZAN, or a part.

    Parameters
    ----------
    features
        The features table. What an extraction noted beside it counts; else what is in it, under the
        name of its file, or of its folder if it is called as the published table is.
    music
        The folder of clips that it will be extracted from, if it is not published: they count.
    """
    if music and features == EXTRACTED:
        return collection_of_clips(music)
    if features == SAMPLE_TABLE:
        return ""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return str(json.loads(features.with_suffix(".problems.json").read_bytes())["collection"])
    try:
        with features.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            lines = [(line["label"], line["filename"]) for line in csv.DictReader(file)]
        is_other = not is_gtzan(*zip(*lines, strict=True))
    except (OSError, csv.Error, KeyError, TypeError, AttributeError):
        return ""  # no features table: what reads it will say so
    of_folder = features.name == TABLE  # many tables have this name
    name = features.resolve().parent.name if of_folder else features.stem
    return names.normal(name) if is_other else ""


def collection_of_clips(folder: str | Path) -> str:
    """Return the name of a folder of clips; empty if they are GTZAN's.

    It is that of the folder given; under ``data/`` that of the folder that holds the genres.
    """
    folder = given(folder)
    clips = [file for file in files(folder) if not file.fault]
    if is_gtzan((clip.genre.strip() for clip in clips), (clip.path.stem for clip in clips)):
        return ""
    place = (genres(folder) if folder == DATA else folder).resolve()
    return names.normal((place.parent if place.name in ROOTS else place).name) or "music"


def features_table(features: str = "") -> Path:
    """Return the features table to use in a notebook: the one named, else that under ``data/``.

    As :func:`features_and_music`, but nothing is extracted: clips alone do not make a table.
    """
    if features:
        return given(features)
    return published_table(DATA) or (
        EXTRACTED if EXTRACTED.exists() and genres(DATA) else SAMPLE_TABLE
    )
