"""List and check the clips of GTZAN, or of your own music, whatever their folders and formats.

`python -m music_genre.data.gtzan [FOLDER]` prints what it finds (`make data CHECK=1`).
"""

import hashlib
import os
import re
import sys
import warnings
from pathlib import Path

import pandas as pd
import soundfile
from joblib import Parallel, delayed
from tqdm import tqdm

from music_genre import names
from music_genre.data import find
from music_genre.data.columns import SAMPLE_RATE, SEGMENT_LENGTH
from music_genre.data.find import AUDIO, TABLE
from music_genre.exceptions import InputError
from music_genre.paths import DATA, display_path

GENRES = ["blues", "classical", "country", "disco", "hiphop",
          "jazz", "metal", "pop", "reggae", "rock"]  # fmt: skip
CLIPS = [f"{genre}.{i:05d}" for genre in GENRES for i in range(100)]

# GTZAN's clips have 660,000 to 675,808 samples: 29.93 to 30.65 s. The upper limit leaves 0.1 s
# for the padding that lossy encoders add.
SHORTEST, LONGEST = 29.9, 30.75  # seconds
BLOCK = 65_536  # samples decoded at a time: bounds the memory that a long recording takes
NAMED = 10  # names printed per fault

# What check() looks for, in the order of its report, and what it means.
FAULTS = {
    "missing": "of GTZAN's 1,000 clips",
    "unreadable": "replace the file or leave it out",
    "empty": "replace the file or leave it out",
    "wrong length": f"GTZAN's clips last {SHORTEST} to {LONGEST} s, and no clip may be shorter "
    "than a segment of 3 s",
    "wrong sample rate": f"resampled to {SAMPLE_RATE:,} Hz when read",
    "wrong channel count": "mixed to mono when read",
    "duplicate": "the same audio under two names",
    "second format": "not used: the clip is there in a preferred format too",
    "resource fork": "ignored",
    "not audio": f"ignored: its name ends in none of {' '.join(AUDIO)}",
}


def find_clips(folder: str | Path) -> pd.DataFrame:
    """List the clips of a copy of GTZAN, or of a folder of one's own music.

    Parameters
    ----------
    folder
        Whatever :func:`music_genre.data.find.genres` accepts.

    Returns
    -------
    DataFrame [shape=(n_clips, 3)]
        ``path``; ``clip``, a unique name: the file's name without suffix, with ``<genre>.`` in
        front if it does not start so already; ``genre``, the name of the file's folder.
        ``hip-hop`` becomes ``hiphop`` in both, and both are as
        :func:`music_genre.names.normal` writes them; a warning names folders that become one genre
        so. Sorted by genre and clip. A clip that is there in several formats is used once, in the
        format that comes first in ``AUDIO``; a warning names the other files.

    Raises
    ------
    InputError
        There is no such folder, or no genre folder with audio in it.
    """
    files = _files(folder)
    second = files[files["fault"] == "second format"]
    if len(second):
        listed = ", ".join(names.readable(path.name) for path in second["path"])
        warnings.warn(f"Not used: the clip is there in another format: {listed}", stacklevel=2)
    for line in _merged(files):
        warnings.warn(line, stacklevel=2)
    return _used(files)


def is_gtzan(clips: pd.DataFrame) -> bool:
    """Tell whether the music is GTZAN, or a part, by its genres and the names of its clips."""
    return set(clips["genre"]) <= set(GENRES) and bool(clips["clip"].isin(CLIPS).any())


def check(folder: str | Path) -> pd.DataFrame:
    """Decode every clip and list what is wrong with the copy.

    Duplicates are clips whose decoded samples are all equal, in whatever lossless format.

    Returns
    -------
    DataFrame [shape=(n_faults, 4)]
        ``fault``, a key of ``FAULTS``, in their order; ``genre``; ``clip``, or the file's name
        if it is no clip; ``detail``, what was found. Empty if nothing is wrong.

    Raises
    ------
    InputError
        As :func:`find_clips`.
    """
    files = _files(folder)
    clips = _used(files)
    gtzan = is_gtzan(clips)
    decoded = Parallel(n_jobs=-1, prefer="threads", return_as="generator")(
        delayed(_decode)(path) for path in clips["path"]
    )  # threads: libsndfile and hashlib release Python's global lock
    decoded = list(tqdm(decoded, total=len(clips), unit="clip", disable=None))
    lost = sorted(set(CLIPS) - set(clips["clip"])) if gtzan else []
    rows = [("missing", clip.split(".")[0], clip, "") for clip in lost]
    first = {}
    for clip, genre, found in zip(clips["clip"], clips["genre"], decoded, strict=True):
        rows += [(fault, genre, clip, detail) for fault, detail in _faults(found, gtzan=gtzan)]
        same = first.setdefault(found["audio"], clip)
        if found["samples"] and same != clip:
            rows.append(("duplicate", genre, clip, f"= {same}"))
    for path, _, genre, fault in files[files["fault"] != ""].itertuples(index=False):
        rows.append((fault, genre, names.readable(path.name), ""))
    faults = pd.DataFrame(rows, columns=["fault", "genre", "clip", "detail"])
    order = faults["fault"].map(list(FAULTS).index)
    return faults.iloc[order.argsort(kind="stable")].reset_index(drop=True)


def report(folder: str | Path) -> str:
    """Return what :func:`check` found as text: clips per genre, then each fault with names."""
    table = find.published_table(folder)
    lines = [f"Features table: {display_path(table)}" if table else f"No {TABLE}"]
    if table and find.genres(folder) is None:
        return "\n".join([*lines, "No audio"])
    clips = _used(_files(folder))
    kind = "GTZAN" if is_gtzan(clips) else "own music"
    lines.append(f"Clips: {len(clips):,} ({kind}) in {display_path(find.genres(folder))}")
    lines += [
        f"  {genre:12} {n:>5,}" for genre, n in clips["genre"].value_counts(sort=False).items()
    ]
    lines += _merged(_files(folder))
    faults = check(folder)
    for fault, group in faults.groupby("fault", sort=False):
        lines.append(f"{fault}: {len(group):,} ({FAULTS[fault]})")
        rows = group.head(NAMED)
        lines += [f"  {row.clip} {row.detail}".rstrip() for row in rows.itertuples()]
        if len(group) > NAMED:
            lines.append(f"  and {len(group) - NAMED:,} more")
    return "\n".join([*lines, "" if len(faults) else "No fault found"]).rstrip()


def _files(folder: str | Path) -> pd.DataFrame:
    """List every file in the genre folders [columns: path, clip, genre, fault]."""
    if not Path(folder).is_dir():
        raise InputError(
            f"{display_path(folder)} is not a folder: name the one that holds the music."
        )
    root = find.genres(folder)
    if root is None:
        raise InputError(
            f"{display_path(folder)} holds no genre folders with audio in them: "
            "name a folder with one folder per genre."
        )
    rows = []
    for path in (path for below in find.genre_folders(root) for path in find.files_in(below)):
        genre, stem = _plain(path.parent.name), _plain(path.stem)
        if not genre:
            raise InputError(
                f"{display_path(root)} holds a folder whose name is {path.parent.name!r}, only "
                "spaces: name it after its genre."
            )
        clip = stem if stem.startswith(f"{genre}.") else f"{genre}.{stem}"
        rows.append((path, clip, genre, find.fault(path)))
    files = pd.DataFrame(rows, columns=["path", "clip", "genre", "fault"])
    suffix = files["path"].map(lambda path: path.suffix.lower())
    files["rank"] = suffix.map({suffix: i for i, suffix in enumerate(AUDIO)})
    files = files.sort_values(["genre", "clip", "rank", "path"], ignore_index=True)
    audio = files[files["fault"] == ""]
    files.loc[audio.index[audio.duplicated(["genre", "clip"])], "fault"] = "second format"
    return files.drop(columns="rank")


def _used(files: pd.DataFrame) -> pd.DataFrame:
    return files.loc[files["fault"] == "", ["path", "clip", "genre"]].reset_index(drop=True)


def _merged(files: pd.DataFrame) -> list[str]:
    """Name the folders whose names differ, but not the genre that they stand for."""
    folders = files["path"].map(lambda path: path.parent.name)
    return [
        f"Counted as one genre, {genre}: the folders {', '.join(map(ascii, ways))}"
        for genre, ways in names.merged(folders).items()
    ]


def _plain(name: str) -> str:
    return re.sub(r"^hip-hop(?=\.|$)", "hiphop", names.normal(name))


def _decode(path: Path) -> dict:
    """Decode a whole clip; return its format and a hash of its samples."""
    found = {"samples": 0, "rate": SAMPLE_RATE, "channels": 1, "audio": path, "error": ""}
    if path.stat().st_size == 0:
        return found
    try:
        with soundfile.SoundFile(os.fsencode(path)) as clip:  # not all names are UTF-8
            found |= {"rate": clip.samplerate, "channels": clip.channels}
            audio = hashlib.sha256(f"{clip.samplerate} {clip.channels}".encode())
            for block in clip.blocks(BLOCK, dtype="float32"):  # exact for up to 24 bits
                audio.update(block.tobytes())
                found["samples"] += len(block)
    except soundfile.LibsndfileError as error:
        return found | {"error": error.error_string.rstrip(".")}
    return found | {"audio": audio.hexdigest()}


def _faults(found: dict, *, gtzan: bool) -> list[tuple[str, str]]:
    if found["error"]:
        return [("unreadable", found["error"])]
    if not found["samples"]:
        return [("empty", "no samples")]
    faults = []
    seconds = found["samples"] / found["rate"]
    shortest, longest = (
        (SHORTEST, LONGEST) if gtzan else (SEGMENT_LENGTH / SAMPLE_RATE, float("inf"))
    )
    if not shortest <= seconds <= longest:
        faults.append(("wrong length", f"{seconds:.2f} s, {found['samples']:,} samples"))
    if found["rate"] != SAMPLE_RATE:
        faults.append(("wrong sample rate", f"{found['rate']:,} Hz"))
    if found["channels"] != 1:
        faults.append(("wrong channel count", f"{found['channels']}"))
    return faults


if __name__ == "__main__":
    try:
        print(names.readable(report(sys.argv[1] if len(sys.argv) > 1 else DATA)))
    except InputError as error:
        sys.exit(str(error))
