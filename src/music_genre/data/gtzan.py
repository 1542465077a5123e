"""List and check the clips of GTZAN, or of your own music, whatever their folders and formats.

`python -m music_genre.data.gtzan [FOLDER]` prints what it finds (`make data CHECK=1`).
"""

import filecmp
import itertools
import re
import sys
from pathlib import Path

import pandas as pd
from joblib import Parallel, delayed
from tqdm import tqdm

from music_genre import names
from music_genre.data import find, sound
from music_genre.data.columns import SAMPLE_RATE
from music_genre.data.find import AUDIO, GENRES, TABLE
from music_genre.exceptions import InputError
from music_genre.paths import DATA, display_path

CLIPS = [f"{genre}.{i:05d}" for genre in GENRES for i in range(100)]

# GTZAN's clips have 660,000 to 675,808 samples: 29.93 to 30.65 s. The upper limit leaves 0.1 s
# for the padding that lossy encoders add.
SHORTEST, LONGEST = 29.9, 30.75  # seconds
NAMED = 10  # names printed per fault

# What check() looks for, in the order of its report, and what it means.
FAULTS = {
    "missing": "of GTZAN's 1,000 clips",
    "unreadable": "left out: replace it",
    "empty": "left out: replace it",
    "cannot be used": "left out, for the reason given",
    **{fault: f"left out: {find.REASONS[fault]}" for fault in find.LEFT_OUT},
    "wrong length": f"GTZAN's clips last {SHORTEST} to {LONGEST} s, and no clip may be shorter "
    "than a segment of 3 s",
    "differs from its header": "used as far as it can be read",
    "wrong sample rate": f"resampled to {SAMPLE_RATE:,} Hz when read",
    "wrong channel count": "mixed to mono when read",
    "duplicate": "the same audio under two names",
    **{fault: why for fault, why in find.REASONS.items() if fault not in find.LEFT_OUT},
}


def list_files(folder: str | Path) -> pd.DataFrame:
    """List the files of a copy of GTZAN, or of a folder of one's own music: clips and all others.

    Parameters
    ----------
    folder
        Whatever :func:`music_genre.data.find.genres` accepts.

    Returns
    -------
    DataFrame [shape=(n_files, 6)]
        ``path``; ``name``, the path from the folder of genres on, as text; ``folder``, the first
        folder in that, empty for a file in none; ``genre``, its name as
        :func:`music_genre.names.normal` writes it; ``fault``, why the file is no clip (a key of
        :data:`music_genre.data.find.REASONS`), empty if it is one; ``clip``, a unique name: the
        file's name without suffix, after the folders between it and its genre's, with ``<genre>.``
        in front if it does not start so already. ``hip-hop`` becomes ``hiphop`` in genre and clip.
        Sorted by genre and clip.

        A clip that is there in several formats, side by side, is used once, in the format that
        comes first in ``AUDIO``. Other files that would have one name are told apart by the whole
        path, unless they have the same bytes.

    Raises
    ------
    InputError
        There is no such folder, or no genre folder with audio in it.
    """
    if not find.given(folder).is_dir():
        raise InputError(
            f"{display_path(folder)} is not a folder: name the one that holds the music."
        )
    root = find.genres(folder)
    if root is None:
        raise InputError(
            f"{display_path(folder)} holds no genre folders with audio in them: "
            "name a folder with one folder per genre."
        )
    files = pd.DataFrame(
        [(file.path, file.genre, file.fault) for file in find.files(folder)],
        columns=["path", "folder", "fault"],
    )
    inside = [
        path.relative_to(root if path.is_relative_to(root) else find.given(folder))
        for path in files["path"]
    ]
    files["name"] = [names.normal(path.as_posix()) for path in inside]
    files["genre"] = files["folder"].map(_plain)
    files["clip"] = [_clip(path, genre) for path, genre in zip(inside, files["genre"], strict=True)]
    ranks = {suffix: rank for rank, suffix in enumerate(AUDIO)}
    files["rank"] = [ranks.get(path.suffix.lower(), len(ranks)) for path in files["path"]]
    files = files.sort_values(["genre", "clip", "rank", "path"], ignore_index=True)
    return _told_apart(files)[["path", "name", "folder", "genre", "fault", "clip"]]


def find_clips(folder: str | Path) -> pd.DataFrame:
    """Return the clips of :func:`list_files` alone [columns: path, clip, genre]."""
    return clips_of(list_files(folder))


def clips_of(files: pd.DataFrame) -> pd.DataFrame:
    """Return the files without a fault [columns: path, clip, genre]."""
    return files.loc[files["fault"] == "", ["path", "clip", "genre"]].reset_index(drop=True)


def is_gtzan(clips: pd.DataFrame) -> bool:
    """Tell whether the music is GTZAN, or a part, by its genres and the names of its clips."""
    return find.is_gtzan(clips["genre"], clips["clip"])


def check(folder: str | Path) -> pd.DataFrame:
    """Read every clip to its end and list what is wrong with the copy, and all other files.

    Duplicates are clips whose decoded samples are all equal, in whatever lossless format.

    Returns
    -------
    DataFrame [shape=(n_faults, 4)]
        ``fault``, a key of ``FAULTS``, in their order; ``genre``; ``clip``, or the file's name
        if it is no clip; ``detail``, what was found. Empty if nothing is wrong and every file is
        a clip.

    Raises
    ------
    InputError
        As :func:`list_files`.
    """
    return _check(list_files(folder))


def _check(files: pd.DataFrame) -> pd.DataFrame:
    clips = clips_of(files)
    gtzan = is_gtzan(clips)
    read = Parallel(n_jobs=-1, prefer="threads", return_as="generator")(
        delayed(sound.read)(path) for path in clips["path"]
    )  # threads: libsndfile and hashlib release Python's global lock
    read = list(tqdm(read, total=len(clips), unit="clip", disable=None))
    lost = sorted(set(CLIPS) - set(clips["clip"])) if gtzan else []
    rows = [("missing", clip.split(".")[0], clip, "") for clip in lost]
    first = {}
    for clip, genre, found in zip(clips["clip"], clips["genre"], read, strict=True):
        rows += [(fault, genre, clip, detail) for fault, detail in _faults(found, gtzan=gtzan)]
        if found.samples and not found.error:
            same = first.setdefault(found.sha256, clip)
            rows += [("duplicate", genre, clip, f"= {same}")] if same != clip else []
    others = files[files["fault"] != ""]
    rows += [(file.fault, file.genre, _within(file), "") for file in others.itertuples()]
    faults = pd.DataFrame(rows, columns=["fault", "genre", "clip", "detail"])
    order = faults["fault"].map(list(FAULTS).index)
    return faults.iloc[order.argsort(kind="stable")].reset_index(drop=True)


def report(folder: str | Path) -> str:
    """Return what :func:`check` found as text: clips per genre, then each fault with names."""
    table = find.published_table(folder)
    lines = [f"Features table: {display_path(table)}" if table else f"No {TABLE}"]
    if table and find.genres(folder) is None:
        return "\n".join([*lines, "No audio"])
    files = list_files(folder)
    clips = clips_of(files)
    kind = "GTZAN" if is_gtzan(clips) else "own music"
    lines.append(f"Clips: {len(clips):,} ({kind}) in {display_path(find.genres(folder))}")
    lines += [f"  {genre:12} {n:>5,}" for genre, n in clips_per_genre(files).items()]
    if len(files) > len(clips):
        lines.append(f"Files that are no clips: {len(files) - len(clips):,}, each named below")
    lines += [
        f"Counted as one genre, {genre}: the folders {', '.join(map(ascii, ways))}"
        for genre, ways in names.merged(files["folder"].unique()).items()
    ]
    faults = _check(files)
    for fault, group in faults.groupby("fault", sort=False):
        lines.append(f"{fault}: {len(group):,} ({FAULTS[fault]})")
        rows = group.head(NAMED)
        lines += [f"  {row.clip} {row.detail}".rstrip() for row in rows.itertuples()]
        if len(group) > NAMED:
            lines.append(f"  and {len(group) - NAMED:,} more")
    return "\n".join([*lines, "" if len(faults) else "No fault found"]).rstrip()


def clips_per_genre(files: pd.DataFrame) -> pd.Series:
    """Count the clips of each genre, also of one that has sound but no clip [index: genre]."""
    sound = files[files["fault"].isin(["", *find.LEFT_OUT]) & (files["genre"] != "")]
    return (sound["fault"] == "").groupby(sound["genre"]).sum()


def _clip(path: Path, genre: str) -> str:
    """Name a clip by its path from the folder of genres on."""
    stem = _plain(path.stem)
    if len(path.parts) > 2:
        between = "/".join(map(names.normal, path.parts[1:-1]))
        return f"{genre}.{between}/{stem}"
    return stem if stem.startswith(f"{genre}.") else f"{genre}.{stem}"


def _told_apart(files: pd.DataFrame) -> pd.DataFrame:
    """Let each clip have a name of its own, and one format, the preferred one."""
    used: dict[str, Path] = {}
    for i, path, name, genre, clip in files.loc[
        files["fault"] == "", ["path", "name", "genre", "clip"]
    ].itertuples():
        other = used.get(clip)
        if other is None:
            used[clip] = path
        elif path.with_suffix("") == other.with_suffix("") and not _same_suffix(path, other):
            files.loc[i, "fault"] = "second format"
        elif _same_bytes(path, other):
            files.loc[i, "fault"] = "second copy"
        else:
            ways = (f"{genre}.{name}" + (f" ({n})" if n else "") for n in itertools.count())
            clip = next(way for way in ways if way not in used)
            files.loc[i, "clip"] = clip
            used[clip] = path
    return files


def _same_suffix(one: Path, other: Path) -> bool:
    return one.suffix.lower() == other.suffix.lower()


def _same_bytes(one: Path, other: Path) -> bool:
    try:
        return filecmp.cmp(one, other, shallow=False)
    except OSError:  # an unreadable one is told when it is read
        return False


def _plain(name: str) -> str:
    return re.sub(r"^hip-hop(?=\.|$)", "hiphop", names.normal(name))


def _within(file: tuple) -> str:
    """Name a file from its genre's folder on."""
    return file.name.partition("/")[2] if file.genre else file.name


def _faults(found: sound.Sound, *, gtzan: bool) -> list[tuple[str, str]]:
    length = f"{found.seconds:.2f} s, {found.samples:,} samples"
    if found.error:
        return [("unreadable", found.error)]
    if not found.samples:
        return [("empty", "no samples")]
    faults = []
    if not (SHORTEST <= found.seconds <= LONGEST if gtzan else found.segments):
        faults.append(("wrong length", length))
    elif found.fault:
        faults.append(("cannot be used", found.fault))
    if found.note:
        faults.append(("differs from its header", found.note))
    if found.rate != SAMPLE_RATE:
        faults.append(("wrong sample rate", f"{found.rate:,} Hz"))
    if found.channels != 1:
        faults.append(("wrong channel count", f"{found.channels}"))
    return faults


if __name__ == "__main__":
    try:
        print(report(sys.argv[1] if len(sys.argv) > 1 else DATA))
    except InputError as error:
        sys.exit(str(error))
