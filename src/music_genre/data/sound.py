"""Read one sound file to its end, whatever its header promises, and judge whether it is a clip.

Both the check of a folder and the extraction of features read and judge with this module.
libsndfile reads first. What it cannot read to the end, ffmpeg reads, if it is installed.
"""

import hashlib
import io
import math
import os
import re
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile

from music_genre.data import find
from music_genre.data.columns import SAMPLE_RATE, SEGMENT_HOP, SEGMENT_LENGTH

SILENCE = 2**-15  # the smallest step of 16-bit audio, GTZAN's format; full scale is 1
LOUDEST = 2**15  # full scale of 16-bit samples left as integers; beyond it, powers may overflow
RATES = 1_000, 1_000_000  # Hz: beyond, a header is damaged, and resampling may fill the memory
APART = 0.1  # seconds between promise and sound that encoders' padding explains
UNTOLD = 2**31 - 2**16  # bytes of sound, or more: what writers into a pipe put for "not known"
LARGEST_HEADER = 4096  # bytes, of a file without sound
_PROMISE = re.compile(  # in libsndfile's log: of WAV, AIFF, AU, W64, RF64
    r"^\s*(?:data|SSND|Data Size|riff|Riff size) *: (\d+) \(should be (\d+)\)", re.MULTILINE
)
PIECE = 8192  # samples: an error takes with it the piece in which it occurs
_COMPLAINT = re.compile(r"error|invalid|matches no|unknown|not ", re.IGNORECASE)  # by ffmpeg


@dataclass(frozen=True)
class Sound:
    """What a file holds, and what is wrong with it."""

    samples: int = 0  # of each channel
    rate: int = SAMPLE_RATE  # Hz
    channels: int = 1
    promised: float | None = None  # seconds, by the header; None where it does not tell
    error: str = ""  # why it could not be read, or not to its end
    remark: str = ""  # how else it was read
    finite: bool = True  # no sample is NaN or infinite
    peaks: list[float] = field(default_factory=list)  # of the mono mix, in each 3 s
    loudest: float = 0  # sample of any channel
    sha256: str = ""  # of the format and all samples
    reader: Callable[[Path], Iterator] | None = None  # what read it

    @property
    def seconds(self) -> float:
        return self.samples / self.rate

    @property
    def segments(self) -> int:
        """The number of whole 3-second segments, once resampled to 22,050 Hz."""
        length = math.ceil(self.samples * (SAMPLE_RATE / self.rate))  # as librosa.resample does
        return max(0, length - SEGMENT_LENGTH + SEGMENT_HOP) // SEGMENT_HOP

    @property
    def fault(self) -> str:
        """Why this is no clip, as the end of a sentence that begins with its name; empty if it is.

        A clip lasts a segment of 3 s or longer, and some of its segments can be heard.
        """
        leave = "replace the file or leave it out."
        peak = max(self.peaks[: self.segments], default=0)
        if self.error:
            return f"cannot be read as audio ({self.error}): {leave}"
        if not self.finite:
            return f"holds NaN or infinite samples: {leave}"
        if not self.segments:
            return (
                f"lasts {self.seconds:.2f} s, less than one segment of 3 s: leave it out or use a "
                "longer clip."
            )
        if peak < SILENCE <= self.loudest and self.channels > 1:
            return "is silent in mono, as its channels cancel each other: keep only one of them."
        if peak < SILENCE:
            return f"is silent: {leave}"
        if peak > LOUDEST:
            return f"holds samples of up to {peak:.1e}: scale them to 1."
        return ""

    @property
    def note(self) -> str:
        """What is odd about a clip that can be used all the same; empty if nothing is."""
        notes = [self.remark] if self.remark else []
        if self.promised is not None and abs(self.promised - self.seconds) > APART:
            notes.append(
                f"its header promises {self.promised:,.2f} s, it holds {self.seconds:,.2f} s"
            )
        return "; ".join(notes)


def read(path: str | Path) -> Sound:
    """Read a file to its end; the memory needed does not grow with the file.

    No exception is raised: whatever goes wrong with one file is told in ``error``.
    """
    path = Path(path)
    try:
        readers = _readers(path)
    except OSError as error:
        return Sound(error=_cause(error))
    best = first = None
    for reader in readers:
        sound = _attempt(reader, path)
        first = first or sound
        if not sound.error and sound.samples > (best.samples if best else -1):
            remark = "" if sound is first else _REMARKS[reader].format(first.error)
            return replace(sound, remark=remark)
        best = sound if best is None or sound.samples > best.samples else best
    return best


def mono(path: str | Path, found: Sound) -> Iterator[np.ndarray]:
    """Read a file once more: yield 3 s at a time of the mean of its channels, at its own rate.

    Parameters
    ----------
    found
        What :func:`read` returned of the file.

    Yields
    ------
    ndarray [shape=(n_samples,), dtype=float32]
    """
    with closing(found.reader(Path(path))) as blocks:
        next(blocks)  # what it tells of the file
        yield from map(_mix, blocks)


def _mix(block: np.ndarray) -> np.ndarray:
    return np.mean(block.T, axis=0)  # as librosa.to_mono


def _readers(path: Path) -> list[Callable[[Path], Iterator]]:
    """Return the ways to read a file, the first to try first."""
    with path.open("rb") as file:
        head = file.read(10)
        if not head:
            raise OSError(None, "it holds 0 bytes")
        if path.suffix.lower() in find.BY_FFMPEG:
            return [_by_ffmpeg]
        by_ffmpeg = [_by_ffmpeg] if shutil.which("ffmpeg") else []
        mpeg = head[:3] == b"ID3" or head[:1] == b"\xff" and head[1:2] >= b"\xe0"
        if (mpeg or path.suffix.lower() == ".mp3") and not _tells_length(file):
            return [_of_unknown_length, *by_ffmpeg, _by_libsndfile]
        return [_by_libsndfile, *by_ffmpeg]


def _tells_length(file: BinaryIO) -> bool:
    """Tell whether an MPEG stream begins with a frame that tells how many follow."""
    file.seek(0)
    head = file.read(10)
    tag = sum(byte << 7 * i for i, byte in enumerate(reversed(head[6:10])))  # the size of ID3
    file.seek(10 + tag if head[:3] == b"ID3" else 0)
    first = file.read(65_536)
    return any(marker in first for marker in (b"Xing", b"Info", b"VBRI"))


def _attempt(reader: Callable[[Path], Iterator], path: Path) -> Sound:
    sound, samples, finite, peaks, loudest = {}, 0, True, [], 0.0
    digest = hashlib.sha256()
    try:
        with closing(reader(path)) as blocks, np.errstate(all="ignore"):
            sound = next(blocks)
            digest.update(f"{sound['rate']} {sound['channels']}".encode())
            for block in blocks:
                samples += len(block)
                finite &= bool(np.isfinite(block).all())
                peaks.append(float(np.abs(_mix(block)).max()))
                loudest = max(loudest, float(np.abs(block).max()))
                digest.update(block.tobytes())
    except Exception as error:  # of whatever kind: it is this file's, and the others are read
        after = f", after {samples / sound['rate']:.2f} s" if samples else ""
        sound["error"] = _cause(error) + after
    return Sound(
        **sound,
        samples=samples,
        finite=finite,
        peaks=peaks,
        loudest=loudest,
        sha256=digest.hexdigest(),
        reader=reader,
    )


def _cause(error: Exception) -> str:
    if isinstance(error, soundfile.LibsndfileError):
        if "regular file" in error.error_string:  # said of one that is no MP3, but is called so
            return "Format not recognised"
        return error.error_string.rstrip(".").removeprefix("Error : ")
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) if type(error) is ValueError else f"{type(error).__name__}: {error}"


def _about(rate: int, channels: int, promised: float | None) -> dict:
    """Return what a reader yields first; then it yields blocks [shape=(samples, channels)] of 3 s.

    Raises
    ------
    ValueError
        The rate is one that only a damaged header tells.
    """
    if not RATES[0] <= rate <= RATES[1]:
        raise ValueError(f"its header tells a sample rate of {rate:,} Hz")
    return {"rate": rate, "channels": channels, "promised": promised}


class _ToTheEnd(soundfile.SoundFile):
    """soundfile's, but that it reads past the length that the header tells."""

    def seekable(self) -> bool:
        return False


def _by_libsndfile(path: Path) -> Iterator:
    with _ToTheEnd(os.fsencode(path)) as file:  # by name, as libsndfile judges by the suffix too
        yield _about(file.samplerate, file.channels, _promised(file))
        yield from _blocks(file)
        if not file.frames and path.stat().st_size > LARGEST_HEADER:
            raise ValueError(
                f"its header says 0 bytes of sound, while the file has {path.stat().st_size:,}; "
                "the recorder was probably cut off"
            )


class _Endless(io.FileIO):
    """A file that tells no end to who asks."""

    _at_end = False

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at_end = whence == os.SEEK_END
        return super().seek(offset, whence)

    def tell(self) -> int:
        return super().tell() + (2**40 if self._at_end else 0)


def _of_unknown_length(path: Path) -> Iterator:
    """Read an MPEG stream that does not tell its length, as one of variable rate may.

    libsndfile guesses the length by the first frame and stops there. Here it takes the file for
    one that goes on for ever, and reads until nothing comes.
    """
    with _Endless(path) as endless, _ToTheEnd(endless) as file:
        if file.format != "MP3":
            raise ValueError("Format not recognised")
        yield _about(file.samplerate, file.channels, None)
        try:
            yield from _blocks(file)
        except soundfile.LibsndfileError:
            if endless.tell() < path.stat().st_size:
                raise  # else it is the last frame that is cut off


def _blocks(file: soundfile.SoundFile) -> Iterator[np.ndarray]:
    """Yield 3 s at a time; before an error ends it, what was read until then."""
    pieces, left, broken = [], 3 * file.samplerate, None
    try:
        while len(piece := file.read(min(PIECE, left), dtype="float32", always_2d=True)):
            pieces.append(piece)
            left -= len(piece)
            if not left:
                yield np.concatenate(pieces)
                pieces, left = [], 3 * file.samplerate
    except soundfile.LibsndfileError as error:
        broken = error
    if pieces:
        yield np.concatenate(pieces)
    if broken:
        raise broken


def _promised(file: soundfile.SoundFile) -> float | None:
    """Return the seconds that a header promises.

    Where a file is shorter than its header says, libsndfile tells the length that is there, and
    only its log has both.
    """
    log = _PROMISE.search(file.extra_info)
    told, there = map(int, log.groups()) if log else (1, 1)
    if told >= UNTOLD or not there or file.frames > 2**62:
        return None
    return file.frames * told / there / file.samplerate


def _by_ffmpeg(path: Path) -> Iterator:
    """Read the first sound in a file through ffmpeg, as a stream in the format AU."""
    if not shutil.which("ffmpeg"):
        raise ValueError(f"{find.NEEDS_FFMPEG}: {find.REASONS[find.NEEDS_FFMPEG]}")
    command = ["ffmpeg", "-nostdin", "-hide_banner", "-nostats", "-protocol_whitelist", "file,pipe",
               "-i", b"file:" + os.fsencode(path), "-map", "0:a:0", "-c:a", "pcm_f32be",
               "-f", "au", "pipe:1"]  # fmt: skip
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said
        ) as run,
    ):
        try:
            head = run.stdout.read(24)
            if len(head) < 24:
                run.wait()
                raise ValueError(_reason(said))
            _, start, _, _, rate, channels = struct.unpack(">4s5I", head)
            run.stdout.read(start - len(head))
            yield _about(rate, channels, _duration(said))
            while raw := run.stdout.read(3 * rate * channels * 4):
                whole = len(raw) - len(raw) % (channels * 4)
                yield np.frombuffer(raw[:whole], ">f4").astype(np.float32).reshape(-1, channels)
            if run.wait():
                raise ValueError(_reason(said))
        finally:
            run.kill()


def _said(file: BinaryIO) -> str:
    file.seek(0)  # ffmpeg has written to its end
    return file.read().decode(errors="replace")


def _reason(file: BinaryIO) -> str:
    lines = [line for line in _said(file).splitlines() if _COMPLAINT.search(line)]
    return "ffmpeg: " + re.sub(r"^\[.*?\] ", "", lines[0]).rstrip(".") if lines else "ffmpeg failed"


def _duration(file: BinaryIO) -> float | None:
    told = re.search(r"Duration: (\d+):(\d+):([\d.]+)", _said(file))
    if not told or "Estimating duration" in _said(file):
        return None
    hours, minutes, seconds = map(float, told.groups())
    return 3600 * hours + 60 * minutes + seconds


_REMARKS = {
    _by_libsndfile: "no header tells its length, which libsndfile guessed",
    _by_ffmpeg: "read through ffmpeg, as libsndfile cannot ({})",
}
