"""Compute the 60 columns of each whole 3-second segment of a clip."""

import math
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import librosa
import numpy as np
import pandas as pd
import soxr
from scipy.ndimage import median_filter
from threadpoolctl import threadpool_limits

from music_genre import names
from music_genre.data import more as further
from music_genre.data import sound
from music_genre.data.columns import (
    FEATURES,
    MFCC,
    MORE,
    N_MFCC,
    SAMPLE_RATE,
    SEGMENT_HOP,
    SEGMENT_LENGTH,
)
from music_genre.exceptions import InputError
from music_genre.paths import display_path

N_FFT = 2048  # samples, librosa's default
HOP = 512  # samples, librosa's default
FREQUENCIES = np.arange(N_FFT // 2 + 1) * SAMPLE_RATE / N_FFT  # Hz, of the STFT's bins
MEDIAN = 31  # frames, and bins, of the harmonic-percussive separation; librosa's default


def load_clip(path: str | Path) -> np.ndarray:
    """Read a clip as mono audio at 22,050 Hz [shape=(n_samples,), dtype=float32].

    Channels are averaged; another sample rate is resampled with ``soxr_hq``, librosa's default.

    Raises
    ------
    InputError
        As :func:`extract_clip`.
    """
    return np.concatenate(list(_resampled(path, _checked(path))))


def load_segments(path: str | Path) -> Iterator[np.ndarray]:
    """Yield the whole 3-second segments of a clip, as :func:`load_clip` reads it, one by one.

    The memory needed does not grow with the clip.

    Yields
    ------
    ndarray [shape=(66149,), dtype=float32]

    Raises
    ------
    InputError
        As :func:`extract_clip`, before the first segment.
    """
    return _segments(path, _checked(path))


def _checked(path: str | Path) -> sound.Sound:
    found = sound.read(path)
    if found.fault:
        raise InputError(f"{display_path(path)} {found.fault}")
    return found


def _segments(path: str | Path, found: sound.Sound) -> Iterator[np.ndarray]:
    left, segments = np.zeros(0, np.float32), 0
    for piece in _resampled(path, found):
        left = np.concatenate([left, piece])
        while len(left) >= SEGMENT_LENGTH and segments < found.segments:
            yield left[:SEGMENT_LENGTH]
            left = left[SEGMENT_HOP:]
            segments += 1


def _resampled(path: str | Path, found: sound.Sound) -> Iterator[np.ndarray]:
    """Yield a clip piece by piece: in sum what ``librosa.resample`` returns for all of it."""
    stream = soxr.ResampleStream(found.rate, SAMPLE_RATE, 1, dtype="float32", quality="soxr_hq")
    missing = math.ceil(found.samples * (SAMPLE_RATE / found.rate))
    for piece in sound.mono(path, found):
        missing -= len(resampled := stream.resample_chunk(piece))
        yield resampled
    resampled = stream.resample_chunk(np.zeros(0, np.float32), last=True)
    yield librosa.util.fix_length(resampled, size=max(0, missing))


def extract_clip(path: str | Path, *, label: str | None = None, more: bool = False) -> pd.DataFrame:
    """Describe every whole 3-second segment of a clip by the table's 60 columns.

    Segment ``s`` is the samples ``[66150 * s, 66150 * s + 66149)`` at 22,050 Hz. One STFT of it
    with librosa's defaults (``n_fft=2048``, ``hop_length=512``, Hann) but *reflect* padding, the
    default of librosa before 0.9, serves every spectral column. All but ``tempo`` come as
    ``_mean`` and ``_var``, mean and population variance over the 130 frames (``harmony``,
    ``perceptr``: over the samples). The recipe was found by comparison with the published
    ``features_3_sec.csv``, which does not document it.

    ==================== ===================================== ===================================
    column               what it is, unit                      librosa
    ==================== ===================================== ===================================
    filename             ``<clip>.<segment>.wav``
    length               samples in the segment: always 66149
    chroma_stft          energy of the 12 pitch classes,       ``feature.chroma_stft``
                         over the frame's strongest, 0 to 1
    rms                  root mean square of the samples,      ``feature.rms``, reflect padding
                         over full scale
    spectral_centroid    mean frequency, Hz                    ``feature.spectral_centroid``
    spectral_bandwidth   spread around the centroid, Hz        ``feature.spectral_bandwidth``
    rolloff              frequency below which 85 % of the     ``feature.spectral_rolloff``
                         magnitude lies, Hz
    zero_crossing_rate   sign changes per sample               ``feature.zero_crossing_rate``
    harmony              samples of the harmonic part,         ``decompose.hpss``, ``istft``
                         over full scale
    perceptr             samples of the percussive part,       ``decompose.hpss``, ``istft``
                         over full scale
    tempo                beats per minute                      ``feature.tempo`` of an ``onset.``
                                                               ``onset_strength`` that aggregates
                                                               with the median
    mfcc1 ... mfcc20     mel-frequency cepstrum, dB            ``feature.mfcc`` of a
                                                               ``feature.melspectrogram`` in dB
    label                the genre
    ==================== ===================================== ===================================

    A silent segment within a clip is kept, so that the segments after it keep their numbers. Its
    features are defined: spectral columns are 0, mfcc1 is the floor of the dB scale, tempo the
    mode of librosa's prior.

    Parameters
    ----------
    path
        Audio in any format that :mod:`music_genre.data.sound` reads, at any sample rate, with any
        number of channels.
    label
        The genre; the name of the clip's folder if not given.
    more
        Whether to compute the numbers of :mod:`music_genre.data.more` too.

    Returns
    -------
    DataFrame [shape=(n_segments, 60)]
        The columns are ``COLUMNS``; with ``more``, those of ``MORE`` follow. What comes
        after the last whole segment is ignored.
        ``attrs["note"]`` says what is odd about the file, if anything: it holds less or more than
        its header promises, or could be read only through ffmpeg.

    Raises
    ------
    InputError
        The clip cannot be read to its end, is shorter than one segment, is silent (no sample of
        any segment reaches ``SILENCE``), or has samples that are not finite or exceed ``LOUDEST``.
    """
    path = Path(path)
    found = _checked(path)
    with threadpool_limits(1):  # the number of threads would change the last bits of products
        rows = [segment_features(segment, more=more) for segment in _segments(path, found)]
    table = pd.DataFrame(rows, columns=[*FEATURES, *(MORE if more else [])])
    stem = names.normal(path.stem)
    table.insert(0, "filename", [f"{stem}.{i}.wav" for i in range(len(table))])
    table.insert(1, "length", SEGMENT_LENGTH)
    genre = names.normal(path.parent.name) if label is None else label
    table.insert(len(FEATURES) + 2, "label", genre)
    table.attrs["note"] = found.note
    return table


def segment_features(y: np.ndarray, *, more: bool = False) -> dict[str, float]:
    """Compute the 57 features of one segment [shape=(66149,)] at 22,050 Hz.

    :func:`extract_clip` says what they are. The values are librosa's; its slowest functions are
    replaced by shorter ones that return the same. With ``more``, the numbers of
    :mod:`music_genre.data.more` follow.
    """
    stft = librosa.stft(y, n_fft=N_FFT, hop_length=HOP, pad_mode="reflect")
    magnitude = np.abs(stft)
    power = magnitude**2
    mel_db = librosa.power_to_db(_mel_filters() @ power)
    centroid, bandwidth = _centroid_and_bandwidth(magnitude)
    harmonic, percussive = _separate(y, stft, magnitude)
    chroma = librosa.feature.chroma_stft(S=power, sr=SAMPLE_RATE, tuning=_tuning(power))
    mfcc = librosa.feature.mfcc(S=mel_db, n_mfcc=N_MFCC)
    series = {
        "chroma_stft": chroma,
        "rms": librosa.feature.rms(y=y, pad_mode="reflect"),
        "spectral_centroid": centroid,
        "spectral_bandwidth": bandwidth,
        "rolloff": _rolloff(magnitude),
        "zero_crossing_rate": _zero_crossing_rate(y),
        "harmony": harmonic,
        "perceptr": percussive,
        **dict(zip(MFCC, mfcc, strict=True)),
    }
    row = {}
    for name, values in series.items():
        row[f"{name}_mean"] = float(np.mean(values))
        row[f"{name}_var"] = float(np.var(values))
    row["tempo"] = _tempo(mel_db)
    if more:
        values = further.numbers(
            magnitude=magnitude, power=power, mel_db=mel_db, mfcc=mfcc, chroma=chroma
        )
        row |= dict(zip(MORE, values.tolist(), strict=True))
    return row


@cache
def _mel_filters() -> np.ndarray:
    return librosa.filters.mel(sr=SAMPLE_RATE, n_fft=N_FFT)


def _centroid_and_bandwidth(magnitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what ``feature.spectral_centroid`` and ``feature.spectral_bandwidth`` do [Hz]."""
    weights = librosa.util.normalize(magnitude, norm=1)
    centroid = FREQUENCIES @ weights
    spread = weights * (FREQUENCIES[:, np.newaxis] - centroid) ** 2
    return centroid, np.sqrt(spread.sum(axis=0))


def _rolloff(magnitude: np.ndarray) -> np.ndarray:
    """Return what ``feature.spectral_rolloff`` does [Hz]: the first bin to reach 85 %."""
    total = np.cumsum(magnitude, axis=0)
    return FREQUENCIES[np.argmax(total >= 0.85 * total[-1], axis=0)]


def _zero_crossing_rate(y: np.ndarray) -> np.ndarray:
    """Return what ``feature.zero_crossing_rate`` does, with its threshold for zero, 1e-10."""
    negative = np.pad(y < -1e-10, N_FFT // 2, mode="edge")
    crossings = negative[1:] != negative[:-1]
    return librosa.util.frame(crossings, frame_length=N_FFT - 1, hop_length=HOP).sum(axis=0) / N_FFT


def _tuning(power: np.ndarray) -> float:
    """Return what ``librosa.estimate_tuning`` does, from only the bins that it searches."""
    bins = 375  # up to 4,016 Hz; it looks up to 4,000 Hz, and at neighbouring bins
    n_fft = 2 * (bins - 1)
    with warnings.catch_warnings():  # silence has no pitches: librosa warns and returns 0
        warnings.filterwarnings("ignore", message="Trying to estimate tuning from empty")
        return librosa.estimate_tuning(
            S=power[:bins],
            sr=SAMPLE_RATE * n_fft / N_FFT,  # keeps each bin at its frequency
            n_fft=n_fft,
            ref=0.1 * power.max(axis=0, keepdims=True),  # over all bins, as by default
        )


def _separate(
    y: np.ndarray, stft: np.ndarray, magnitude: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Split a segment into its harmonic and percussive signal, as ``librosa.effects.hpss`` does.

    The two soft masks add up to one, so the percussive signal is the rest of the segment.
    """
    harmonic = _running_median(magnitude) ** 2
    either = harmonic + _running_median(magnitude.T).T ** 2
    mask = np.divide(harmonic, either, out=np.full_like(either, 0.5), where=either > 0)
    # Without a length, as effects.hpss did when the table was made; the end is zero-padded instead.
    signal = librosa.istft(stft * mask, hop_length=HOP)
    rest = y[: len(signal)] - signal
    return tuple(librosa.util.fix_length(part, size=SEGMENT_LENGTH) for part in (signal, rest))


def _running_median(rows: np.ndarray) -> np.ndarray:
    """Filter each row with a median of 31, mirrored at its ends.

    The result is that of ``median_filter(rows, size=(1, 31), mode="reflect")``. SciPy's filter is
    many times faster in one dimension, so the padded rows are laid end to end.
    """
    half = MEDIAN // 2
    padded = np.pad(rows, ((0, 0), (half, half)), mode="symmetric")
    return median_filter(padded.ravel(), size=MEDIAN).reshape(padded.shape)[:, half:-half]


def _tempo(mel_db: np.ndarray) -> float:
    onsets = librosa.onset.onset_strength(S=mel_db, sr=SAMPLE_RATE, aggregate=np.median)
    return float(librosa.feature.tempo(onset_envelope=onsets, sr=SAMPLE_RATE)[0])
