"""The embedded sample: numbers computed from 100 clips of GTZAN, and nothing that plays."""

import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory

import librosa
import numpy as np
import pandas as pd

from music_genre import provenance
from music_genre.extraction import extract
from music_genre.features import HOP, SAMPLE_RATE, load_clip
from music_genre.gtzan import find_clips
from music_genre.paths import SAMPLE, atomic
from music_genre.table import clips as table_clips

CLIPS = SAMPLE / "clips.npz"
SEGMENTS = 5  # of each clip, its first ones
SECONDS = 15  # of each pictured clip
STEP = 0.1  # seconds from one value of a pictured measure to the next
WAVE_STEP = 0.025  # seconds from one value of the envelope to the next

Measures = dict[str, np.ndarray]


def measures() -> dict[str, Measures]:
    """Return what the sample holds of one clip per genre, by the clip's name (see `measure`)."""
    with np.load(CLIPS, allow_pickle=False) as arrays:
        clips: dict[str, Measures] = {}
        for key in arrays.files:
            clip, name = key.split("/")
            clips.setdefault(clip, {})[name] = arrays[key].astype(float)
    return clips


def label(clips: dict[str, Measures]) -> str:
    """Return the line that stands under what is drawn of these clips."""
    digest = hashlib.sha256(CLIPS.read_bytes()).hexdigest()[:12]
    return (
        f"embedded sample: {len(clips)} clips of GTZAN, first {SECONDS} s of each, sha256 {digest}"
    )


def overview(clips: dict[str, Measures]) -> pd.DataFrame:
    """Return one line per clip: its tempo, and the mean of each other measure."""
    means = {
        "centroid [Hz]": "centroid",
        "rolloff [Hz]": "rolloff",
        "contrast [dB]": "contrast",
        "zero crossings": "zero_crossing_rate",
        "chroma CENS": "chroma_cens",
    }
    return pd.DataFrame(
        {
            "clip": clip,
            "tempo [bpm]": arrays["tempo"].item(),
            **{title: arrays[name].mean() for title, name in means.items()},
            **{f"MFCC {i + 1}": arrays["mfcc"][i].mean() for i in range(3)},
        }
        for clip, arrays in clips.items()
    )


def measure(y: np.ndarray) -> Measures:
    """Measure a clip at 22,050 Hz over time, averaged over steps of 0.1 s.

    Returns
    -------
    dict of ndarray [dtype=float16]
        ``envelope`` [shape=(2, n)], lowest and highest sample of every 0.025 s;
        ``mel`` [shape=(64, n)], dB below the loudest; ``chroma_cens`` [shape=(12, n)];
        ``mfcc`` [shape=(20, n)]; ``contrast`` [shape=(7, n)], dB; ``centroid`` and ``rolloff``
        [shape=(1, n)], Hz; ``zero_crossing_rate`` [shape=(1, n)], crossings per sample;
        ``tempo`` [shape=(1, 1)], beats per minute.
    """
    magnitude = np.abs(librosa.stft(y))
    mel = librosa.feature.melspectrogram(S=magnitude**2, sr=SAMPLE_RATE, n_mels=64)
    over_time = {
        "mel": librosa.power_to_db(mel, ref=np.max),
        "chroma_cens": librosa.feature.chroma_cens(y=y, sr=SAMPLE_RATE),
        "mfcc": librosa.feature.mfcc(y=y, sr=SAMPLE_RATE),
        "contrast": librosa.feature.spectral_contrast(S=magnitude, sr=SAMPLE_RATE),
        "centroid": librosa.feature.spectral_centroid(S=magnitude, sr=SAMPLE_RATE),
        "rolloff": librosa.feature.spectral_rolloff(S=magnitude, sr=SAMPLE_RATE),
        "zero_crossing_rate": librosa.feature.zero_crossing_rate(y),
    }
    samples = round(WAVE_STEP * SAMPLE_RATE)
    pieces = y[: len(y) // samples * samples].reshape(-1, samples)
    result = {
        "envelope": np.stack([pieces.min(axis=1), pieces.max(axis=1)]),
        "tempo": librosa.feature.tempo(y=y, sr=SAMPLE_RATE)[:, np.newaxis],
        **{name: _coarse(values) for name, values in over_time.items()},
    }
    return {name: values.astype(np.float16) for name, values in result.items()}


def _coarse(frames: np.ndarray) -> np.ndarray:
    """Average frames [shape=(d, n_frames)] over steps [shape=(d, n_steps)]."""
    steps = int(frames.shape[1] * HOP / SAMPLE_RATE / STEP)
    edges = (np.arange(steps) * STEP * SAMPLE_RATE / HOP).astype(int)
    return np.add.reduceat(frames, edges, axis=1) / np.diff([*edges, frames.shape[1]])


def build(folder: str | Path, out: str | Path = SAMPLE) -> None:
    """Compute the sample from a folder with one folder of clips per genre: same clips, same bytes.

    Raises
    ------
    InputError
        The folder holds no clips, or one cannot be described.
    """
    out = Path(out)
    clips = find_clips(folder)
    with TemporaryDirectory() as cache:
        table, _ = extract(clips, cache=cache, strict=True)
    segment = table.groupby(table_clips(table)).cumcount()
    provenance.write_csv(out / "features.csv", table[segment < SEGMENTS], digits=7)
    pictured = clips.groupby("genre").head(1)
    arrays = {
        f"{clip}/{name}": values
        for clip, path in zip(pictured["clip"], pictured["path"], strict=True)
        for name, values in measure(load_clip(path)[: SECONDS * SAMPLE_RATE]).items()
    }
    with atomic(out / "clips.npz") as temporary:
        np.savez_compressed(temporary, **arrays)
    provenance.write_json(out / "made_with.json", made_with())


def made_with() -> dict:
    """Return what the last bits of the values depend on: versions, machine, its instructions."""
    made = provenance.record()
    simd = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    return {**{key: made[key] for key in ("python", "packages", "machine")}, "simd": simd}
