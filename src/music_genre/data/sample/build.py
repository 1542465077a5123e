"""Compute the embedded sample again from clips."""

from pathlib import Path
from tempfile import TemporaryDirectory

import librosa
import numpy as np

from music_genre import provenance
from music_genre.data.columns import SAMPLE_RATE
from music_genre.data.extraction import extract
from music_genre.data.features import HOP, load_clip
from music_genre.data.gtzan import find_clips
from music_genre.data.sample import ENVELOPE_HOP, MEASURE_HOP, SECONDS, Measures
from music_genre.data.table import clips as table_clips
from music_genre.paths import SAMPLE, atomic

SEGMENTS = 5  # of each clip, its first ones


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
    samples = round(ENVELOPE_HOP * SAMPLE_RATE)
    pieces = y[: len(y) // samples * samples].reshape(-1, samples)
    result = {
        "envelope": np.stack([pieces.min(axis=1), pieces.max(axis=1)]),
        "tempo": librosa.feature.tempo(y=y, sr=SAMPLE_RATE)[:, np.newaxis],
        **{name: _coarse(values) for name, values in over_time.items()},
    }
    return {name: values.astype(np.float16) for name, values in result.items()}


def _coarse(frames: np.ndarray) -> np.ndarray:
    """Average frames [shape=(d, n_frames)] over steps [shape=(d, n_steps)]."""
    steps = int(frames.shape[1] * HOP / SAMPLE_RATE / MEASURE_HOP)
    edges = (np.arange(steps) * MEASURE_HOP * SAMPLE_RATE / HOP).astype(int)
    return np.add.reduceat(frames, edges, axis=1) / np.diff([*edges, frames.shape[1]])


def build(folder: str | Path, out: str | Path = SAMPLE) -> None:
    """Compute the sample from a folder with one folder of clips per genre.

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
    """Return what the values' last bits depend on: versions, machine and its instruction set."""
    made = provenance.record()
    simd = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    return {**{key: made[key] for key in ("python", "packages", "machine")}, "simd": simd}
