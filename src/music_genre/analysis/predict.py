"""The genres of sound files by a trained model, and where it had better not be believed."""

import hashlib
import io
import os
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from music_genre import names
from music_genre.data import extraction, find
from music_genre.data.columns import FEATURES, MORE, SAMPLE_RATE, SEGMENT_LENGTH
from music_genre.data.features import load_segments
from music_genre.exceptions import InputError, meant
from music_genre.models import portable
from music_genre.models.portable import Portable
from music_genre.paths import REPORTS, display_path
from music_genre.provenance import read_json, write_csv, write_json

UNSURE, NOT_READ = "unsure", "not read"  # verdicts that are no genre
SECONDS = 3  # of a segment
# dB of full scale, a track's median RMS: GTZAN's quietest clip, classical.00080, has -49.
QUIET = -55.0
EXCERPT = 20  # segments to listen to
PICTURED = 5  # files of which the notebook shows more than a line
FOLDER = REPORTS / "predict"
HALF = 0.5  # a probability that has to do where no threshold was measured

Audio = str | Path | Sequence[str | Path]


@dataclass(frozen=True)
class Track:
    """A sound file and what the model says of it."""

    path: Path
    name: str  # as readers know it: in a folder, the path from there
    problem: str = ""  # why it could not be read, in a sentence; what follows is then empty
    note: str = ""  # what is odd about the file
    # columns.INPUTS, and MORE where the model takes them, a line for each
    segments: pd.DataFrame = field(default_factory=pd.DataFrame)
    each: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))  # [n_segments, n_genres]
    whole: np.ndarray = field(default_factory=lambda: np.zeros(0))  # calibrated [n_genres]
    loudness: float = 0.0  # dB of full scale, the median of the segments' RMS
    distance: float = 0.0  # from the training data, the median of the segments'
    doubts: tuple[str, ...] = ()  # why the verdict is unsure, in words

    @property
    def first(self) -> int:
        """The code of the likeliest genre."""
        return int(self.whole.argmax())

    @property
    def typical(self) -> tuple[int, int]:
        """The segments in which the likeliest genre is most and least probable."""
        of_first = self.each[:, self.first]
        return int(of_first.argmax()), int(of_first.argmin())

    def verdict(self, genres: list[str]) -> str:
        """Return the genre, or that the model is unsure of it, or that there is none."""
        if self.problem:
            return NOT_READ
        return UNSURE if self.doubts else genres[self.first]


def predict(path: Audio, model: str | Path | Portable | None = None, top: int = 3) -> pd.DataFrame:
    """Predict the genres of sound files.

    Features are kept in ``data/extracted/``: files that were described before, by content, are not
    described again. Folders are described on all cores. The numbers of a second features table are
    computed if the model takes them.

    Parameters
    ----------
    path
        A file, a folder of sound at any depth, or a list of these.
    model
        Folder of a finished run or of a model for use, or what
        :func:`music_genre.models.portable.load` returned; by default that of
        :func:`music_genre.models.portable.default`.
    top
        The number of genres to list, likeliest first.

    Returns
    -------
    DataFrame [shape=(n_files, 5 + 2 * n_listed)]
        ``file``; ``seconds`` that were judged, in whole segments of 3 s; ``verdict``: the likeliest
        genre, ``"unsure"`` or ``"not read"``; ``reason`` for the latter two, else empty; ``note``,
        what is odd about the file; ``genre 1``, ``probability 1`` and so on, calibrated where the
        model is, missing of a file that was not read.

    Raises
    ------
    InputError
        The one file that is named cannot be read; no file can; there is no file, or no model; an
        argument is not of its kind.
    """
    if not isinstance(top, int) or top < 1:
        raise InputError(f"top is {top!r}: name how many genres to list, 1 or more.")
    alone = isinstance(path, str | bytes) or not isinstance(path, Collection)
    for each in [path] if alone else path:
        if not isinstance(each, str | os.PathLike):
            raise InputError(
                f"{each!r} is no path: name a sound file, a folder, or a list of these."
            )
    if not isinstance(model, Portable):
        model = portable.load(model or portable.default()[0])
    return table(judge(path, model), model, top=top)


def judge(audio: Audio, model: Portable) -> list[Track]:
    """Return what a model says of sound files, in their order.

    Raises
    ------
    InputError
        As :func:`predict`.
    """
    found = describe(audio, more=model.more)
    read = [track for track in found if not track.problem]
    # All in one go, as a network is compiled anew for each number of segments.
    each = model.probabilities(pd.concat([track.segments for track in read], ignore_index=True))
    ends = np.cumsum([len(track.segments) for track in read])[:-1]
    of = iter(np.split(each, ends))
    return [track if track.problem else _judged(track, next(of), model) for track in found]


def describe(audio: Audio, *, more: bool = False) -> list[Track]:
    """Return the sound files at some paths with their features, or why they cannot be read.

    With ``more``, those of a second features table too.

    Raises
    ------
    InputError
        None can be read, or there is none.
    """
    found = tracks(audio)
    cache = find.EXTRACTED.with_suffix("")
    readable = [it.path for it in found if not it.problem]
    known = extraction.describe(readable, cache=cache, more=more)
    described = [
        track if track.problem else _described(track, known[track.path]) for track in found
    ]
    problems = [track.problem for track in described if track.problem]
    if len(problems) == len(found) == 1:
        raise InputError(problems[0])
    if len(problems) == len(found):
        raise InputError(f"none of {len(found):,} files can be read; the first: {problems[0]}")
    return described


def _described(track: Track, of: extraction.Described | InputError) -> Track:
    if isinstance(of, InputError):
        return replace(track, problem=str(of))
    segments = pd.DataFrame(of.values, columns=FEATURES).assign(length=SEGMENT_LENGTH)
    if of.more is not None:
        segments = segments.join(pd.DataFrame(of.more, columns=MORE))
    return replace(track, segments=segments, note=of.note)


def tracks(audio: Audio) -> list[Track]:
    """List the sound files at a path, in a folder at any depth, or at several paths.

    Nothing is read yet, but a problem that shows already is told.

    Raises
    ------
    InputError
        There is none.
    """
    paths = [audio] if isinstance(audio, (str, os.PathLike)) else list(audio)
    listed = []
    for path in map(find.given, paths):
        for file in find.sound(path):
            inside = file.path.relative_to(path) if file.path != path else Path(path.name)
            name = names.readable(inside.as_posix()).replace("\n", "\\n")
            listed.append(Track(file.path, name, problem=_problem(file, name)))
    if not listed:
        places = ", ".join(map(display_path, paths)) or "the list"
        raise InputError(
            f"{places} holds no sound: name a sound file, or a folder with some at any depth."
        )
    return listed


def _problem(file: find.File, name: str) -> str:
    if file.fault:
        return f"{name} cannot be read ({file.fault}): {find.REASONS[file.fault]}."
    if not os.path.exists(file.path):  # noqa: PTH110 (Path's raises where the name is too long)
        beside = []
        if os.path.isdir(file.path.parent):  # noqa: PTH112
            beside = os.listdir(file.path.parent)  # noqa: PTH208
        return (
            f"{name} does not exist{meant(file.path.name, beside)}: name a sound file or a folder."
        )
    return ""


def _judged(track: Track, each: np.ndarray, model: Portable) -> Track:
    whole = model.of_track(each)
    loudness = float(20 * np.log10(max(track.segments["rms_mean"].median(), 1e-10)))
    distance = float(np.median(model.distances(track.segments)))
    doubts = []
    if loudness < QUIET:
        doubts.append(f"it is too quiet, {loudness:.0f} dB of full scale in the median segment")
    if model.outside(track.segments):
        doubts.append(
            f"it is unlike the training data: its distance is {distance:.1f}, and 99 % of held-out "
            f"tracks lie within {model.limit:.1f}"
        )
    if model.threshold is not None and whole.max() < model.threshold:
        doubts.append(f"no genre reaches the threshold of {100 * model.threshold:.0f} %")
    if model.threshold is None and whole.max() < HALF:
        doubts.append(
            "no genre is likelier than all others together (this model's own threshold was not "
            "measured)"
        )
    return replace(
        track, each=each, whole=whole, loudness=loudness, distance=distance, doubts=tuple(doubts)
    )


def table(judged: list[Track], model: Portable, *, top: int) -> pd.DataFrame:
    """Return a line for each file, as :func:`predict` does."""
    top = min(top, len(model.genres))
    lines = []
    for track in judged:
        likeliest = np.argsort(-track.whole, kind="stable")[:top]
        line = {
            "file": track.name,
            "seconds": SECONDS * len(track.segments),
            "verdict": track.verdict(model.genres),
            "reason": track.problem or "; ".join(track.doubts),
            "note": track.note,
        }
        for i in range(top):
            known = i < len(likeliest)
            line[f"genre {i + 1}"] = model.genres[likeliest[i]] if known else None
            line[f"probability {i + 1}"] = float(track.whole[likeliest[i]]) if known else np.nan
        lines.append(line)
    return pd.DataFrame(lines)


def over_time(track: Track, genres: list[str]) -> pd.DataFrame:
    """Return the segments of a track.

    Returns
    -------
    DataFrame [shape=(n_segments, 3 + n_genres)]
        ``from`` and ``to`` [s], ``genre``, the likeliest, and each genre's probability, by the
        network itself, in a column ``probability of <genre>``.
    """
    start = SECONDS * np.arange(len(track.each))
    first = [genres[code] for code in track.each.argmax(axis=1)]
    lines = pd.DataFrame({"from": start, "to": start + SECONDS, "genre": first})
    of = {f"probability of {genre}": track.each[:, i] for i, genre in enumerate(genres)}
    return lines.assign(**of)


def by_genre(track: Track, genres: list[str]) -> pd.DataFrame:
    """Return a track's calibrated probabilities, likeliest first [columns: genre, probability]."""
    lines = pd.DataFrame({"genre": genres, "probability": track.whole})
    return lines.sort_values("probability", ascending=False, ignore_index=True)


def stretches(track: Track) -> pd.DataFrame:
    """Return where the likeliest genre stays the same [columns: from, to (s), code]."""
    codes = track.each.argmax(axis=1)
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    ends = np.append(starts[1:], len(codes))
    return pd.DataFrame({"from": SECONDS * starts, "to": SECONDS * ends, "code": codes[starts]})


def farthest(track: Track, model: Portable, *, most: int = 8) -> pd.DataFrame:
    """Return the inputs in which a track is farthest from the training data.

    Returns
    -------
    DataFrame [shape=(most, 3)]
        ``feature``; ``value``, its mean over the segments; ``deviation``, the mean of
        :meth:`Portable.deviations`; the largest first.
    """
    deviation = model.deviations(track.segments).mean()
    chosen = deviation.abs().sort_values(ascending=False, kind="stable").index[:most]
    return pd.DataFrame(
        {
            "feature": chosen,
            "value": track.segments[chosen].mean().to_numpy(),
            "deviation": deviation[chosen].to_numpy(),
        }
    )


def excerpt(track: Track) -> tuple[int, np.ndarray]:
    """Return what to listen to, as the model hears it: in mono, at 22,050 Hz.

    That is a short track, or of a longer one the minute around its most typical segment.

    Returns
    -------
    start : int
        Where it begins [s].
    samples : ndarray [shape=(n_samples,)]
    """
    n = len(track.segments)
    start = max(0, min(track.typical[0] - EXCERPT // 2, n - EXCERPT))
    segments = islice(load_segments(track.path), start, start + EXCERPT)
    return SECONDS * start, np.concatenate(list(segments))


def as_mp3(samples: np.ndarray) -> bytes:
    """Return sound at 22,050 Hz as MP3, which all browsers play."""
    file = io.BytesIO()
    soundfile.write(file, np.clip(samples, -1, 1), SAMPLE_RATE, format="MP3")
    return file.getvalue()


def write(
    judged: list[Track], model: Portable, folder: str | Path, audio: Audio, *, top: int, of: str
) -> tuple[Path, Path]:
    """Write the results as ``<name>.csv``, :func:`table`, and ``<name>.json``, with all segments.

    Parameters
    ----------
    audio
        What was asked for; :func:`file_name` names the files after it.
    of
        The model in words.
    """
    name = file_name(audio, folder)
    csv, note = Path(folder) / f"{name}.csv", Path(folder) / f"{name}.json"
    lines = table(judged, model, top=top)
    write_csv(csv, lines)
    write_json(
        note,
        {
            "of": _digest(_places(audio)),
            "model": {"which": of, "name": model.name, "genres": model.genres,
                      "threshold": model.threshold, "temperature": model.temperature},
            "files": [_record(track, line, model) for track, line in
                      zip(judged, lines.to_dict("records"), strict=True)],
        },
    )  # fmt: skip
    return csv, note


def _record(track: Track, line: dict, model: Portable) -> dict:
    record = {key: line[key] for key in ("file", "seconds", "verdict", "reason", "note")}
    if track.problem:
        return record
    listed = [key.split()[1] for key in line if key.startswith("genre ")]
    return {
        **record,
        "top": [{"genre": line[f"genre {i}"], "probability": round(line[f"probability {i}"], 5)}
                for i in listed],
        "probabilities": _by_genre(track.whole, model),
        "segments": [
            {"from": SECONDS * i, "to": SECONDS * (i + 1), "genre": model.genres[of.argmax()],
             "probabilities": _by_genre(of, model)}
            for i, of in enumerate(track.each)
        ],
    }  # fmt: skip


def _by_genre(probabilities: np.ndarray, model: Portable) -> dict[str, float]:
    rounded = (round(float(of), 5) for of in probabilities)
    return dict(zip(model.genres, rounded, strict=True))


def file_name(audio: Audio, folder: str | Path) -> str:
    """Return a name for results on disk, of letters, digits, ``.``, ``_``, ``+`` and ``-`` alone.

    A name that has others ends with a checksum, so that two of them do not become one. So does one
    whose results in ``folder`` are of other sound.
    """
    places = _places(audio)
    first = Path(places[0])
    name = first.name if os.path.isdir(first) else first.stem  # noqa: PTH112
    safe = re.sub(r"[^A-Za-z0-9_.+-]+", "-", name).strip("-.")[:60]
    if (
        safe == name
        and len(places) == 1
        and _of(Path(folder) / f"{safe}.json") in ("", _digest(places))
    ):
        return safe
    whole = places if len(places) > 1 or safe == name else [name]
    return f"{safe}-{_digest(whole)}".lstrip("-")


def _places(audio: Audio) -> list[str]:
    paths = [audio] if isinstance(audio, (str, os.PathLike)) else list(audio)
    return [os.path.abspath(find.given(path)) for path in paths]  # noqa: PTH100 (resolve follows links)


def _digest(places: list[str]) -> str:
    return hashlib.sha256(os.fsencode("\0".join(places))).hexdigest()[:8]


def _of(note: Path) -> str:
    """Return what results on disk are of, as a checksum; nothing where none are."""
    try:
        return str(read_json(note).get("of", "?")) if note.exists() else ""
    except InputError:  # damaged
        return "?"


def made_up(folder: Path) -> Path:
    """Return a sound to try: the first clip under ``data/``, else chords that are made up here."""
    from music_genre.paths import DATA, atomic

    clips = [file.path for file in find.sound(DATA) if not file.fault] if DATA.is_dir() else []
    if clips:
        return clips[0]
    time = np.arange(15 * SAMPLE_RATE) / SAMPLE_RATE
    chords = [(220, 277, 330), (196, 247, 294), (175, 220, 262)]  # Hz: A, G, F, five seconds each
    sound = sum(
        np.where(time // 5 == i, np.sin(2 * np.pi * pitch * time), 0)
        for i, chord in enumerate(chords)
        for pitch in chord
    )
    path = folder / "made-up-chords.wav"
    with atomic(path) as temporary:
        soundfile.write(temporary, 0.2 * sound * np.exp(-2 * (time % 1)), SAMPLE_RATE)
    return path
