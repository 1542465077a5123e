"""Extract the features of many clips into one table: on all cores, in runs that can be resumed."""

import fcntl
import hashlib
import json
import os
import sys
import warnings
from pathlib import Path

import librosa
import numpy as np
import pandas as pd
import scipy
import soundfile
import soxr
from joblib import Parallel, delayed
from tqdm import tqdm

from music_genre import names
from music_genre.data.columns import COLUMNS, FEATURES, SEGMENT_LENGTH
from music_genre.data.features import extract_clip, segment_features
from music_genre.exceptions import InputError
from music_genre.paths import ROOT, atomic, display_path

VERSION = 1  # raise it when a change in `features` changes values: those kept before are not reused


def extract(
    clips: pd.DataFrame, *, cache: str | Path, strict: bool = False
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
    interrupted one, and extracts only clips that changed. A damaged entry is computed again.

    Parameters
    ----------
    clips : DataFrame [shape=(n_clips, 3)]
        ``path``, ``clip`` (the name, unique) and ``genre``, as
        :func:`music_genre.data.gtzan.find_clips` lists them.
    cache
        Folder of the kept values. Several runs may share it.
    strict
        Whether a clip that cannot be described is an error.

    Returns
    -------
    table : DataFrame [shape=(n_segments, 60)]
        The columns are ``COLUMNS``, the order is genre, clip, segment.
    problems : DataFrame [shape=(n_bad_clips, 3)]
        ``clip``, ``path`` and ``reason`` of each clip left out: unreadable, shorter than a
        segment, silent, or with samples that are not finite.

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
    described = _describe(clips["path"], Path(cache) / _versions())
    tables, problems = [], []
    for path, clip, genre in clips[["path", "clip", "genre"]].itertuples(index=False):
        values = described[path]
        if isinstance(values, InputError):
            problems.append((clip, path, str(values)))
        else:
            tables.append(_table(values, clip, genre))
    if not len(clips):
        raise InputError("There are no clips to describe: name a folder that holds some.")
    if problems and (strict or not tables):
        raise InputError(
            f"{len(problems)} of {len(clips)} clips cannot be described; the first: "
            f"{problems[0][2]}"
        )
    table = pd.concat(tables, ignore_index=True)
    return table, pd.DataFrame(problems, columns=["clip", "path", "reason"])


def write(
    clips: pd.DataFrame, path: str | Path, *, cache: str | Path, strict: bool = False
) -> None:
    """Write the table of :func:`extract` as CSV, and a JSON file that says what it holds.

    ``<name>.problems.json`` beside ``<name>.csv`` holds the table's numbers of ``clips`` and
    ``segments``, and ``problems``: the ``clip``, ``path`` and ``reason`` of each clip left out.
    The same is printed to stderr.

    Raises
    ------
    InputError
        As :func:`extract`; or the files cannot be written.
    """
    path = Path(path)
    table, problems = extract(clips, cache=cache, strict=strict)
    summary = {
        "clips": len(clips) - len(problems),
        "segments": len(table),
        "problems": problems.assign(path=problems["path"].map(_shown)).to_dict("records"),
    }
    with atomic(path.with_suffix(".problems.json")) as temporary:
        temporary.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    text = table.to_csv(index=False)
    if not path.exists() or path.read_text(encoding="utf-8") != text:  # else nothing is stale
        with atomic(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    for reason in problems["reason"]:
        print(f"Left out: {reason}", file=sys.stderr)
    print(
        f"{display_path(path)}: {len(table):,} segments of {summary['clips']:,} clips; "
        f"clips left out: {len(problems):,}.",
        file=sys.stderr,
    )


def _shown(path: Path) -> str:
    return names.readable(display_path(path))


def _describe(paths: pd.Series, folder: Path) -> dict[Path, np.ndarray | InputError]:
    """Return each clip's values [shape=(n_segments, 57)], or why it has none."""
    described, todo = {}, {}
    for path in paths:
        try:
            entry = folder / f"{_sha256(path)}.json"
        except OSError as error:
            described[path] = InputError(
                f"{display_path(path)} cannot be read ({error.strerror}): "
                "replace it or leave it out."
            )
            continue
        values = _kept(entry)
        if values is None:
            todo[path] = entry
        else:
            described[path] = values
    if todo:
        _compile()
        results = Parallel(n_jobs=-1, return_as="generator_unordered")(
            delayed(_describe_clip)(path) for path in todo
        )
        for path, values in tqdm(results, desc="Describing", total=len(todo), unit="clip"):
            if not isinstance(values, InputError):
                _keep(todo[path], values)
            described[path] = values
    return described


def _describe_clip(path: Path) -> tuple[Path, np.ndarray | InputError]:
    try:
        return path, extract_clip(path)[FEATURES].to_numpy()
    except InputError as error:
        return path, error


def _compile() -> None:
    # On a machine's first run Numba compiles parts of librosa, for half a minute, and caches them.
    # Done here once, it spares every process the same and the progress bar a misjudged time left.
    # The lock is there because two runs that fill the cache at once can leave a mixture that
    # crashes every later run.
    print("Starting; on a machine's first run this takes a minute.", file=sys.stderr)
    lock = ROOT / ".cache" / "numba.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        segment_features(np.random.default_rng(0).standard_normal(SEGMENT_LENGTH, dtype=np.float32))


def _table(values: np.ndarray, clip: str, genre: str) -> pd.DataFrame:
    table = pd.DataFrame(values, columns=FEATURES)
    table["filename"] = [f"{clip}.{segment}.wav" for segment in range(len(table))]
    return table.assign(length=SEGMENT_LENGTH, label=genre)[COLUMNS]


def _versions() -> str:
    libraries = [np, scipy, librosa, soxr, soundfile]
    return "-".join([str(VERSION), *(f"{it.__name__}{it.__version__}" for it in libraries)])


def _sha256(path: Path) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _keep(entry: Path, values: np.ndarray) -> None:
    body = json.dumps(values.tolist())  # Python writes floats such that they read back equal
    digest = hashlib.sha256(body.encode()).hexdigest()
    with atomic(entry) as temporary:
        temporary.write_text(f"{digest}\n{body}", encoding="utf-8")


def _kept(entry: Path) -> np.ndarray | None:
    try:
        digest, body = entry.read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError):  # missing; not text; not two lines
        return None
    if digest != hashlib.sha256(body.encode()).hexdigest():
        return None
    return np.array(json.loads(body))


if __name__ == "__main__":
    from music_genre.data.gtzan import find_clips

    warnings.filterwarnings("ignore", module="joblib")  # it remarks on a run that ends early
    folder, out = sys.argv[1], Path(sys.argv[2])
    strict = os.environ.get("STRICT") == "1"
    try:
        write(find_clips(folder), out, cache=out.with_suffix(""), strict=strict)
    except InputError as error:
        sys.exit(str(error))
