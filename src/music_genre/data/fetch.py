"""Download what the full report needs into ``data/``: GTZAN's audio and the published lists.

Nothing is downloaded twice. An interrupted download continues where it stopped. A file is checked
against its checksum before it is used, and gets its name only when it is complete. Only one run at
a time works in a folder: a second one waits, and then finds everything there.
"""

import fcntl
import gzip
import os
import shutil
import sys
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pooch
import requests
from pooch.hashes import hash_matches
from tqdm import tqdm
from urllib3.exceptions import HTTPError

from music_genre.data import find
from music_genre.data.annotations import LISTS, find_list
from music_genre.data.gtzan import find_clips, is_gtzan
from music_genre.exceptions import InputError
from music_genre.paths import DATA, atomic, display_path

# The sources of the audio, in the order in which they are tried, each with its archive's checksum.
# According to torchaudio's documentation, the original host has not answered since 2022; its
# checksum is the one in torchaudio and mirdata. Hugging Face's archive was repacked, so it has
# another checksum: the same in two public projects that download it.
ORIGINAL = "http://opihi.cs.uvic.ca/sound/genres.tar.gz"
ORIGINAL_HASH = "md5:5b3d6dddb579ab49814ab86dba69e7c7"
ARCHIVES = [
    (
        "https://huggingface.co/datasets/marsyas/gtzan/resolve/"
        "d2146561ecc7df707d9e6b8318885fe6a39668a2/data/genres.tar.gz",
        "sha256:b28cc067ff6199bd826f5d1a6931458586d64acae7f44b2e882b7a97af057531",
    ),
    (ORIGINAL, ORIGINAL_HASH),
    (f"https://web.archive.org/web/20220328223413/{ORIGINAL}", ORIGINAL_HASH),
]
KAGGLE = "andradaolteanu/gtzan-dataset-music-genre-classification"

TIMEOUT = 15, 60  # seconds to connect, and to wait for a byte
CHUNK = 65_536  # bytes
CUTS = 100  # broken connections resumed in one download, if each delivered something
WORK = ".fetch"  # folder for incomplete files; hidden, so that no clips are looked for there


def fetch(folder: str | Path = DATA, *, copy: str | Path | None = None) -> None:
    """Download what is missing: the audio into ``folder``, the lists into ``folder/splits``.

    Parameters
    ----------
    folder
        Where the downloads go.
    copy
        A copy of GTZAN, or of one's own music, to use instead of downloading the audio; ``folder``
        itself if not given. Lists that are in its folder ``splits`` are copied from there. No list
        is needed if the music is not GTZAN's.

    Raises
    ------
    InputError
        No source delivered a file (the message says why for each, and how to get the file by
        hand), the copy holds no music, or ``folder`` cannot be written.
    """
    folder = Path(folder)
    music = folder if copy is None else find.given(copy)
    if copy is not None and not _has_music(music):
        raise InputError(
            f"{display_path(music)} holds neither genre folders with audio nor features_3_sec.csv: "
            "name a folder that does, or none to download GTZAN."
        )
    if not _missing(folder, music):
        return
    failures = []
    try:
        with _alone(folder):
            for name in _missing(folder, music):
                try:
                    if name == "genres":
                        _fetch_audio(folder)
                    else:
                        _fetch_list(name, folder, music)
                except InputError as error:
                    failures.append(str(error))
            if not failures:
                shutil.rmtree(folder / WORK, ignore_errors=True)
    except OSError as error:
        raise InputError(
            f"{display_path(folder)} cannot be written ({error.strerror or error}): free some "
            "space or allow writing to it, then run this again; what was downloaded is kept."
        ) from error
    if failures:
        raise InputError("\n\n".join(failures))


def unpack(archive: str | Path, genres: str | Path) -> None:
    """Unpack an archive, and move the folder in it that holds the genre folders to ``genres``.

    ``genres`` appears only when it is complete. Absolute names, names and links that lead out of
    the folder, and devices are refused, and nothing is kept.

    Raises
    ------
    InputError
        The archive is damaged or unsafe, or holds no genre folders.
    """
    archive, genres = Path(archive), Path(genres)
    unpacked = genres.with_name(f".unpacked-{genres.name}")
    shutil.rmtree(unpacked, ignore_errors=True)  # left by a run that was killed
    try:
        with tarfile.open(archive) as tar:
            members = tqdm(tar, unit="file", desc="unpacking", disable=None)
            tar.extractall(unpacked, members=members, filter=_inside)
        found = find.genres(unpacked)
        if found is None:
            raise InputError(f"{archive.name} holds no genre folders with audio: get another one.")
        found.rename(genres)
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(
            f"{archive.name} is damaged or not safe to unpack ({error}): get another one."
        ) from error
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)


def _inside(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo:
    if member.name.startswith("/"):  # data_filter would only drop the slash
        raise tarfile.AbsolutePathError(member)
    return tarfile.data_filter(member, folder)


def _has_music(folder: Path) -> bool:
    return find.genres(folder) is not None or find.published_table(folder) is not None


def _missing(folder: Path, music: Path) -> list[str]:
    """List what has to be fetched: the names of lists, then ``genres`` for the audio."""
    if find.genres(music) and not is_gtzan(find_clips(music)):
        return []
    lists = [name for name in LISTS if not _is(folder / "splits" / name, LISTS[name][0])]
    return lists if _has_music(music) else [*lists, "genres"]


def _is(path: Path, known_hash: str) -> bool:
    return path.is_file() and hash_matches(path, known_hash)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let only one run at a time work in the folder; a run that is killed releases its lock."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(
                f"Another run is downloading into {display_path(folder)}: waiting for it.",
                flush=True,
            )
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch_list(name: str, folder: Path, music: Path) -> None:
    known_hash, places = LISTS[name]
    target = folder / "splits" / name
    beside = find_list(known_hash, music / "splits")
    if beside:
        with atomic(target) as temporary:
            shutil.copyfile(beside, temporary)
        return
    sources = [(f"{place}/{name}", known_hash) for place in places]
    try:
        _download(target, sources, folder / WORK)
    except InputError as error:
        raise InputError(
            f"{name} could not be downloaded:\n{error}\n"
            f"Get it by hand, save it as {display_path(target)}, and run this again."
        ) from error


def _fetch_audio(folder: Path) -> None:
    reasons = []
    for source in (_fetch_archive, _fetch_kaggle):
        try:
            source(folder)
            return
        except InputError as error:
            reasons.append(str(error))
    place = display_path(folder)
    raise InputError(
        "\n".join(["GTZAN's audio could not be downloaded:", *reasons]) + "\n"
        "Get genres.tar.gz from one of these addresses, or the archive of "
        f"https://www.kaggle.com/datasets/{KAGGLE}, unpack it in {place} so that "
        f"{place}/genres/blues/blues.00000.wav or "
        f"{place}/Data/genres_original/blues/blues.00000.wav is there, and run this again; "
        "or name a copy that you have: make data GTZAN=/path/to/it."
    )


def _fetch_archive(folder: Path) -> None:
    if (folder / "genres").exists():
        raise InputError(
            f"  {display_path(folder / 'genres')} is in the way, without audio: move it."
        )
    archive = folder / WORK / "genres.tar.gz"
    _download(archive, ARCHIVES, archive.parent)
    unpack(archive, folder / "genres")
    archive.unlink()


def _fetch_kaggle(folder: Path) -> None:
    """Fetch Kaggle's copy. No checksum of it is published: kagglehub uses the one Kaggle sends."""
    try:
        import kagglehub
    except ImportError as error:
        raise InputError("  Kaggle: kagglehub is missing (pip install kagglehub)") from error
    os.environ["KAGGLEHUB_CACHE"] = str((folder / WORK).resolve())  # the same disk, to rename
    try:
        data = Path(kagglehub.dataset_download(KAGGLE)) / "Data"
    except Exception as error:  # whatever kagglehub raises is a reason to report
        raise InputError(f"  Kaggle: {_reason(error)}") from error
    if find.genres(data) is None:
        raise InputError("  Kaggle: no genre folders in the download")
    data.rename(folder / "Data")


def _download(target: Path, sources: list[tuple[str, str]], work: Path) -> None:
    """Get ``target``, complete and checked, from the first source that serves it.

    Raises
    ------
    InputError
        No source does; the message says why, a line per source.
    """
    if any(_is(target, known_hash) for _, known_hash in sources):
        return
    work.mkdir(parents=True, exist_ok=True)
    reasons = []
    for url, known_hash in sources:
        print(f"Downloading {target.name} from {url}", flush=True)
        try:
            _retrieve(url, known_hash, target, work)
            return
        except (requests.RequestException, HTTPError) as error:
            reason = _reason(error)
        except ValueError:  # pooch found another checksum, and has deleted the file
            reason = f"not the expected file, {known_hash}"
        print(f"  failed: {reason}", flush=True)
        reasons.append(f"  {url}: {reason}")
    raise InputError("\n".join(reasons))


def _retrieve(url: str, known_hash: str, target: Path, work: Path) -> None:
    # Named after the content: one mirror can continue what another one began.
    part = work / f"{target.name}.{known_hash[-8:]}.part"
    begun = part.exists()
    get = {"fname": target.name, "path": target.parent, "downloader": _resuming(part)}
    try:
        pooch.retrieve(url, known_hash, **get)
    except ValueError:
        if not begun:
            raise
        pooch.retrieve(url, known_hash, **get)  # the part from before may have been damaged


def _resuming(part: Path) -> Callable:
    """Return a downloader for pooch that continues ``part``; pooch's own ones start again."""

    def download(url: str, output_file: str, _: object) -> None:
        for left in reversed(range(CUTS)):
            before = _size(part)
            try:
                _get(url, part)
                break
            except (requests.RequestException, HTTPError):
                if not left or _size(part) <= before:
                    raise
        part.replace(output_file)

    return download


def _get(url: str, part: Path) -> None:
    """Append what ``part`` lacks, or write all again if the server does not send ranges."""
    start = _size(part)
    headers = {"Accept-Encoding": "identity"}  # the file's own bytes
    if start:
        headers["Range"] = f"bytes={start}-"
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
        if start and response.status_code == requests.codes.requested_range_not_satisfiable:
            if response.headers.get("Content-Range") != f"bytes */{start}":  # else it is complete
                part.unlink()
                _get(url, part)
            return
        response.raise_for_status()
        if response.status_code != requests.codes.partial_content:
            start = 0
        length = response.headers.get("Content-Length")
        total = start + int(length) if length else None
        form = {"unit": "B", "unit_scale": True, "desc": part.name.split(".")[0], "disable": None}
        with (
            part.open("ab" if start else "wb") as file,
            tqdm(total=total, initial=start, **form) as bar,
        ):
            for chunk in response.raw.stream(CHUNK, decode_content=False):
                file.write(chunk)
                bar.update(len(chunk))
    if total is not None and _size(part) < total:
        raise requests.ConnectionError(f"the connection broke after {_size(part):,} bytes")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _reason(error: Exception) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"{response.status_code} {response.reason}"
    cause = getattr(error.args[0], "reason", error) if error.args else error
    return f"{type(cause).__name__}, {cause}"


if __name__ == "__main__":
    pooch.get_logger().setLevel("WARNING")  # at INFO it prints absolute paths
    given = sys.argv[1] if len(sys.argv) > 1 else None
    try:
        fetch(copy=given)
    except InputError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("\nStopped: the next run continues from here.")
    print(
        f"The music is in {display_path(given or DATA)}; make data CHECK=1 says whether it is "
        "complete."
    )
