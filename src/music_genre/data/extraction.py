"""Extract the features of many clips into one table: on all cores, in runs that can be resumed."""

import fcntl
import hashlib
import json
import os
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

import librosa
import numpy as np
import pandas as pd
import scipy
import soundfile
import soxr
from joblib import Parallel, delayed
from tqdm import tqdm

from music_genre import names
from music_genre.data import find
from music_genre.data.artists import of_files as artists_of
from music_genre.data.columns import COLUMNS, FEATURES, MORE, MORE_COLUMNS, SEGMENT_LENGTH
from music_genre.data.features import extract_clip, segment_features
from music_genre.data.gtzan import clips_of, list_files
from music_genre.exceptions import InputError
from music_genre.paths import atomic, display_path

VERSION = 2  # raise it when a change in `features` changes values: those kept before are not reused
MORE_VERSION = 1  # the same for `more`
PROBLEMS = ["clip", "path", "reason", "used"]
NAMED = 10  # files named of each reason for which files are not used


class Described(NamedTuple):
    """What is known of a clip."""

    values: np.ndarray  # [shape=(n_segments, 57)]
    note: str  # what is odd about it; empty if nothing is
    more: np.ndarray | None = None  # [shape=(n_segments, 282)], if it was asked for


def describe_folder(
    folder: str | Path, path: str | Path, *, strict: bool = False, more: bool = False
) -> None:
    """Write the table of a folder of music, as :func:`write` does, with its cache beside it.

    Raises
    ------
    InputError
        As :func:`music_genre.data.gtzan.list_files` and :func:`write`.
    """
    files = list_files(folder)
    write(
        clips_of(files),
        path,
        cache=Path(path).with_suffix(""),
        strict=strict,
        more=more,
        others=files[files["fault"] != ""],
        merged=names.merged(files["folder"].unique()),
        collection=find.collection_of_clips(folder),
        artists=artists_of(files),
    )


def extract(
    clips: pd.DataFrame,
    *,
    cache: str | Path,
    strict: bool = False,
    more: bool = False,
    lost: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Describe every segment of many clips, as :func:`music_genre.data.features.extract_clip` does.

    One process per core takes clip after clip. Their number does not change any value; the
    environment variable ``LOKY_MAX_CPU_COUNT`` limits it. joblib's other back ends spread the work
    over several machines, for instance a Dask cluster (``pip install distributed``) whose workers
    see the clips under the same paths::

        client = dask.distributed.Client("scheduler:8786")
        with joblib.parallel_config(backend="dask"):
            table, problems = extract(clips, cache="data/extracted")

    The values of each clip are kept under ``cache``, by the clip's SHA-256, ``VERSION`` and the
    versions of the libraries that compute them. A later run reuses them: it continues an
    interrupted one, and extracts only clips that changed. A damaged entry is computed again. Values
    that were kept without ``more`` stay, and are completed.

    Parameters
    ----------
    clips : DataFrame [shape=(n_clips, 3)]
        ``path``, ``clip`` (the name, unique) and ``genre``, as
        :func:`music_genre.data.gtzan.find_clips` lists them.
    cache
        Folder of the kept values. Several runs may share it.
    strict
        Whether a clip that cannot be described is an error.
    more
        Whether to compute the numbers of :mod:`music_genre.data.more` too.
    lost : DataFrame
        What is known to be lost already, in the columns of ``problems``.

    Returns
    -------
    table : DataFrame [shape=(n_segments, 60)]
        The columns are ``COLUMNS``; with ``more``, those of ``MORE`` follow. The order is genre,
        clip, segment. ``attrs["copies"]`` lists
        the clips whose files have the same bytes, a list for each such file.
    problems : DataFrame [shape=(n_odd_clips, 4)]
        ``clip``, ``path`` and ``reason`` of each clip left out: unreadable, shorter than a
        segment, silent, or with samples that are not finite. Also of each clip that is odd, but
        in the table: there ``used`` is True.

    Raises
    ------
    InputError
        A clip name occurs twice, no clip can be described, ``cache`` cannot be written, or, if
        ``strict``, any clip cannot be described; the values of all others are kept nevertheless.
    """
    twice = clips.loc[clips["clip"].duplicated(), "clip"]
    if len(twice):
        raise InputError(f"The clip name {twice.iloc[0]} occurs twice: rename one of the files.")
    clips = clips.sort_values(["genre", "clip"])
    described, checksums = _describe(clips["path"], Path(cache) / _versions(), more=more)
    tables, problems = [], [] if lost is None else lost.to_dict("records")
    for path, clip, genre in clips[["path", "clip", "genre"]].itertuples(index=False):
        found = described[path]
        problem = {"clip": clip, "path": path}
        if isinstance(found, InputError):
            problems.append({**problem, "reason": _of(clip, str(found)), "used": False})
            continue
        tables.append(_table(found, clip, genre))
        if found.note:
            reason = _of(clip, f"{display_path(path)}: {found.note}.")
            problems.append({**problem, "reason": reason, "used": True})
    bad = [problem["reason"] for problem in problems if not problem["used"]]
    if not tables and not bad:
        raise InputError("There are no clips to describe: name a folder that holds some.")
    if bad and (strict or not tables):
        raise InputError(
            f"{len(bad)} of {len(bad) + len(tables)} clips cannot be described; the first: {bad[0]}"
        )
    table = pd.concat(tables, ignore_index=True)
    same = clips["clip"].groupby(clips["path"].map(checksums)).apply(list)
    table.attrs["copies"] = [copies for copies in same if len(copies) > 1]
    return table, pd.DataFrame(problems, columns=PROBLEMS)


def write(
    clips: pd.DataFrame,
    path: str | Path,
    *,
    cache: str | Path,
    strict: bool = False,
    more: bool = False,
    others: pd.DataFrame | None = None,
    merged: dict[str, list[str]] | None = None,
    collection: str = "",
    artists: dict[str, dict[str, str]] | None = None,
) -> None:
    """Write the table of :func:`extract` as CSV, and a JSON file that says what it holds.

    ``<name>.problems.json`` beside ``<name>.csv`` holds the table's numbers of ``clips`` and
    ``segments``; ``problems``, the ``clip``, ``path`` and ``reason`` of each clip left out;
    ``odd``, the same of clips that were described although something is odd about them;
    ``unused``, each reason for which other files were not used, with the number of these ``files``
    and the ``names`` of the first; ``lost_genres``, those that no segment is of; ``copies``, clips
    with the same bytes; and ``merged``, ``collection`` and ``artists``. What was left out or is odd
    is printed to stderr. With ``more``, the second table is ``<name>.more.csv``.

    Parameters
    ----------
    others : DataFrame
        The files that are no clips, as :func:`music_genre.data.gtzan.list_files` lists them. Those
        with a fault in ``find.LEFT_OUT`` count as clips left out.
    merged
        Genres that several folders count as, as :func:`music_genre.names.merged` returns them.
    collection
        The name of the music, if it is not GTZAN.
    artists
        As :func:`music_genre.data.artists.of_files` returns them.

    Raises
    ------
    InputError
        As :func:`extract`, where ``others`` hold what counts as a clip left out too; or the files
        cannot be written.
    """
    path = Path(path)
    if others is None:
        others = pd.DataFrame(columns=["path", "name", "genre", "fault", "clip"])
    lost = others[others["fault"].isin(find.LEFT_OUT)]
    lost = lost.assign(
        reason=[
            f"{file.name}: {file.fault} ({find.REASONS[file.fault]})." for file in lost.itertuples()
        ],
        used=False,
    )
    table, problems = extract(
        clips, cache=cache, strict=strict, more=more, lost=lost[list(PROBLEMS)]
    )
    problems = problems.assign(path=[_shown(path) for path in problems["path"]])
    odd = problems["used"].astype(bool)
    genres = {*clips["genre"], *lost["genre"]} - {""}
    summary = {
        "clips": len(clips) + len(lost) - int((~odd).sum()),
        "segments": len(table),
        "problems": problems[~odd].drop(columns="used").to_dict("records"),
        "odd": problems[odd].drop(columns="used").to_dict("records"),
        "unused": _grouped(others.drop(lost.index)),
        "lost_genres": sorted(genres - set(table["label"])),
        "merged": merged or {},
        "copies": table.attrs["copies"],
        "collection": collection,
        "artists": artists or {},
    }
    with atomic(path.with_suffix(".problems.json")) as temporary:
        temporary.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    second = find.more_table(path)
    if _differs(path, text := table[COLUMNS].to_csv(index=False)):  # else nothing is stale
        second.unlink(missing_ok=True)
        with atomic(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    if more and _differs(second, text := table[MORE_COLUMNS].to_csv(index=False)):
        with atomic(second) as temporary:
            temporary.write_text(text, encoding="utf-8")
    print("\n".join(map(names.readable, _told(path, summary))), file=sys.stderr)


def _differs(path: Path, text: str) -> bool:
    return not path.exists() or path.read_text(encoding="utf-8") != text


def _told(path: Path, summary: dict) -> Iterator[str]:
    """Yield what the terminal is told of a table, a line each."""
    yield from (f"Left out: {problem['reason']}" for problem in summary["problems"])
    yield from (f"Used, but odd: {problem['reason']}" for problem in summary["odd"])
    for unused in summary["unused"]:
        listed = ", ".join([*unused["names"], *(["..."] if unused["files"] > NAMED else [])])
        yield f"Not used, {unused['reason']}: {unused['files']:,} ({listed})"
    for genre, ways in summary["merged"].items():
        yield f"Counted as one genre, {genre}: the folders {', '.join(map(ascii, ways))}"
    for genre in summary["lost_genres"]:
        yield f"Genre left out: {genre}, as none of its clips can be used."
    others = sum(unused["files"] for unused in summary["unused"])
    yield (
        f"{display_path(path)}: {summary['segments']:,} segments of {summary['clips']:,} clips; "
        f"clips left out: {len(summary['problems']):,}"
        + (f"; other files: {others:,}." if others else ".")
    )


def _grouped(others: pd.DataFrame) -> list[dict]:
    """Count files by the reason for which they are not used, and name the first of each."""
    return [
        {
            "reason": f"{fault} ({find.REASONS[fault]})",
            "files": len(group),
            "names": group["name"].head(NAMED).to_list(),
        }
        for fault, group in others.groupby("fault", sort=False)
    ]


def _of(clip: str, reason: str) -> str:
    """Return a reason such that it tells which of several files of one name it is about."""
    return f"{clip}: {reason}" if "/" in clip else reason


def _shown(path: Path) -> str:
    return names.readable(display_path(path))


def describe(
    paths: Iterable[Path], *, cache: str | Path, more: bool = False
) -> dict[Path, Described | InputError]:
    """Return what each clip holds, or why it cannot be described, as :func:`extract` does."""
    return _describe(paths, Path(cache) / _versions(), more=more)[0]


def _describe(
    paths: Iterable[Path], folder: Path, *, more: bool = False
) -> tuple[dict[Path, Described | InputError], dict[Path, str]]:
    """Return what each clip holds, or why it cannot be described; and its file's checksum."""
    described, todo, checksums = {}, {}, {}
    for path in paths:
        try:
            checksums[path] = _sha256(path)
        except OSError as error:
            described[path] = InputError(
                f"{display_path(path)} cannot be read ({error.strerror}): "
                "replace it or leave it out."
            )
            continue
        entry = folder / f"{checksums[path]}.json"
        kept = _kept(entry, more=more)
        if kept is None:
            todo[path] = entry
        else:
            described[path] = kept
    if todo:
        form = {"total": len(todo), "unit": "clip", "disable": None}  # off where nobody watches
        _compile()
        jobs = 1 if len(todo) == 1 else -1  # a process of its own takes seconds to start
        results = Parallel(n_jobs=jobs, return_as="generator_unordered")(
            delayed(_describe_clip)(path, more) for path in todo
        )
        for path, found in tqdm(results, desc="Describing", **form):
            if not isinstance(found, InputError):
                found = _keep(todo[path], found)
            described[path] = found
    return described, checksums


def _describe_clip(path: Path, more: bool) -> tuple[Path, Described | InputError]:
    try:
        table = extract_clip(path, more=more)
        further = table[MORE].to_numpy() if more else None
        return path, Described(table[FEATURES].to_numpy(), table.attrs["note"], further)
    except InputError as error:
        return path, error
    except Exception as error:  # of whatever kind: it is this clip's, and the others are described
        return path, InputError(
            f"{display_path(path)} cannot be described ({type(error).__name__}: {error}): replace "
            "the file or leave it out."
        )


def _compile() -> None:
    # On a machine's first run Numba compiles parts of librosa, for half a minute, and caches them.
    # Done here once, it spares every process the same and the progress bar a misjudged time left.
    # The lock is there because two runs that fill the cache at once can leave a mixture that
    # crashes every later run.
    print("Starting; on a machine's first run this takes a minute.", file=sys.stderr)
    with ExitStack() as stack:
        with suppress(OSError):  # no place for the lock, or a file system without
            cache = Path(os.environ["NUMBA_CACHE_DIR"])
            cache.mkdir(parents=True, exist_ok=True)
            fcntl.flock(stack.enter_context((cache / ".lock").open("w")), fcntl.LOCK_EX)
        segment_features(np.random.default_rng(0).standard_normal(SEGMENT_LENGTH, dtype=np.float32))


def _table(found: Described, clip: str, genre: str) -> pd.DataFrame:
    table = pd.DataFrame(found.values, columns=FEATURES)
    table["filename"] = [f"{clip}.{segment}.wav" for segment in range(len(table))]
    table = table.assign(length=SEGMENT_LENGTH, label=genre)[COLUMNS]
    if found.more is None:
        return table
    return table.join(pd.DataFrame(found.more, columns=MORE))


def _versions() -> str:
    libraries = [np, scipy, librosa, soxr, soundfile]
    return "-".join([str(VERSION), *(f"{it.__name__}{it.__version__}" for it in libraries)])


def _sha256(path: Path) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _keep(entry: Path, found: Described) -> Described:
    """Keep what was found of a clip; what is kept of it already stays, to the last bit."""
    before = _kept(entry, more=False)
    if before is None:
        _write(entry, {"values": found.values.tolist(), "note": found.note})
    else:
        found = before._replace(more=found.more)
    if found.more is not None:
        _write(_further(entry), {"values": found.more.tolist()})
    return found


def _kept(entry: Path, *, more: bool) -> Described | None:
    kept, further = _read(entry), _read(_further(entry)) if more else None
    if kept is None or (more and further is None):
        return None
    values = np.array(further["values"]) if further else None
    return Described(np.array(kept["values"]), kept["note"], values)


def _further(entry: Path) -> Path:
    return entry.with_suffix(f".more{MORE_VERSION}.json")


def _write(entry: Path, content: dict) -> None:
    body = json.dumps(content)  # Python writes floats such that they read back equal
    digest = hashlib.sha256(body.encode()).hexdigest()
    with atomic(entry) as temporary:
        temporary.write_text(f"{digest}\n{body}", encoding="utf-8")


def _read(entry: Path) -> dict | None:
    try:
        digest, body = entry.read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError):  # missing; not text; not two lines
        return None
    return json.loads(body) if digest == hashlib.sha256(body.encode()).hexdigest() else None


if __name__ == "__main__":
    warnings.filterwarnings("ignore", module="joblib")  # it remarks on a run that ends early
    try:
        strict, more = (os.environ.get(name) == "1" for name in ("STRICT", "MORE"))
        describe_folder(sys.argv[1], sys.argv[2], strict=strict, more=more)
    except InputError as error:
        sys.exit(str(error))
