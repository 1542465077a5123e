"""A clip in, one row of 60 columns per whole 3-second segment out."""

from pathlib import Path

import librosa
import numpy as np
import pandas as pd

from music_genre.errors import InputError

SAMPLE_RATE = 22_050  # Hz
HOP = 512  # samples, librosa's default
STEP = 3 * SAMPLE_RATE  # samples from one segment's start to the next one's
LENGTH = STEP - 1  # samples in a segment: 66,149, the value of the table's column `length`
N_MFCC = 20

_VARYING = ["chroma_stft", "rms", "spectral_centroid", "spectral_bandwidth", "rolloff",
            "zero_crossing_rate", "harmony", "perceptr"]  # fmt: skip
_MFCC = [f"mfcc{i}" for i in range(1, N_MFCC + 1)]
FEATURES = [
    *(f"{name}_{stat}" for name in _VARYING for stat in ("mean", "var")),
    "tempo",
    *(f"{name}_{stat}" for name in _MFCC for stat in ("mean", "var")),
]
INPUTS = ["length", *FEATURES]  # the 58 numbers that the paper feeds to the network, in order
COLUMNS = ["filename", *INPUTS, "label"]


def load_clip(path: str | Path) -> np.ndarray:
    """Read a clip as mono audio at 22,050 Hz [shape=(n_samples,), dtype=float32]."""
    try:
        y, _ = librosa.load(path, sr=SAMPLE_RATE, mono=True)
    except Exception as error:
        raise InputError(
            f"{path} cannot be read as audio ({error or type(error).__name__}): "
            "replace the file or leave it out."
        ) from error
    return y


def extract_clip(path: str | Path, *, label: str | None = None) -> pd.DataFrame:
    """Describe every whole 3-second segment of a clip by the table's 60 columns.

    Parameters
    ----------
    path
        Audio in any form that libsndfile reads, at any sample rate.
    label
        The genre; the name of the clip's folder if not given.

    Returns
    -------
    DataFrame [shape=(n_segments, 60)]
        Rows are named ``<clip>.<segment>.wav`` as in the published table.

    Raises
    ------
    InputError
        The clip cannot be read or is shorter than one segment.
    """
    path = Path(path)
    y = load_clip(path)
    starts = range(0, len(y) - LENGTH + 1, STEP)
    if not starts:
        raise InputError(
            f"{path} lasts {len(y) / SAMPLE_RATE:.2f} s, less than one segment of 3 s: "
            "leave it out or use a longer clip."
        )
    rows = [segment_features(y[start : start + LENGTH]) for start in starts]
    table = pd.DataFrame(rows, columns=FEATURES)
    table.insert(0, "filename", [f"{path.stem}.{i}.wav" for i in range(len(table))])
    table.insert(1, "length", LENGTH)
    table["label"] = path.parent.name if label is None else label
    return table


def segment_features(y: np.ndarray) -> dict[str, float]:
    """Compute the 57 features of one segment [shape=(66149,)] at 22,050 Hz.

    The recipe was found by comparison with the published ``features_3_sec.csv``. One STFT with
    librosa's defaults (``n_fft=2048``, ``hop_length=512``, Hann) but *reflect* padding, the
    default of librosa before 0.9, serves every spectral feature. All but tempo enter as mean and
    population variance over frames (``harmony``, ``perceptr``: over samples).

    ==================== =======================================================================
    chroma_stft          pitch-class energy over the loudest class, 0 to 1; ``chroma_stft``
    rms                  root mean square of the samples; ``rms``, reflect padding
    spectral_centroid    Hz; ``spectral_centroid``
    spectral_bandwidth   Hz; ``spectral_bandwidth``
    rolloff              Hz below which 85 % of the magnitude lies; ``spectral_rolloff``
    zero_crossing_rate   crossings per sample; ``zero_crossing_rate``
    harmony, perceptr    harmonic and percussive signal; ``decompose.hpss``, then ``istft``
    tempo                beats per minute; ``tempo`` of a median-aggregated onset envelope
    mfcc1 ... mfcc20     cepstrum of the mel spectrogram in dB; ``mfcc``
    ==================== =======================================================================
    """
    stft = librosa.stft(y, pad_mode="reflect")
    magnitude = np.abs(stft)
    power = magnitude**2
    mel_db = librosa.power_to_db(librosa.feature.melspectrogram(S=power, sr=SAMPLE_RATE))
    harmonic, percussive = (_signal(part) for part in librosa.decompose.hpss(stft))
    series = {
        "chroma_stft": librosa.feature.chroma_stft(S=power, sr=SAMPLE_RATE),
        "rms": librosa.feature.rms(y=y, pad_mode="reflect"),
        "spectral_centroid": librosa.feature.spectral_centroid(S=magnitude, sr=SAMPLE_RATE),
        "spectral_bandwidth": librosa.feature.spectral_bandwidth(S=magnitude, sr=SAMPLE_RATE),
        "rolloff": librosa.feature.spectral_rolloff(S=magnitude, sr=SAMPLE_RATE),
        "zero_crossing_rate": librosa.feature.zero_crossing_rate(y),
        "harmony": harmonic,
        "perceptr": percussive,
        **dict(zip(_MFCC, librosa.feature.mfcc(S=mel_db, n_mfcc=N_MFCC), strict=True)),
    }
    row = {}
    for name, values in series.items():
        row[f"{name}_mean"] = float(np.mean(values))
        row[f"{name}_var"] = float(np.var(values))
    row["tempo"] = _tempo(mel_db)
    return row


def _signal(stft: np.ndarray) -> np.ndarray:
    # No length: what effects.hpss did when the table was made. The end is zero-padded instead.
    return librosa.util.fix_length(librosa.istft(stft), size=LENGTH)


def _tempo(mel_db: np.ndarray) -> float:
    onsets = librosa.onset.onset_strength(S=mel_db, sr=SAMPLE_RATE, aggregate=np.median)
    return float(librosa.feature.tempo(onset_envelope=onsets, sr=SAMPLE_RATE)[0])
