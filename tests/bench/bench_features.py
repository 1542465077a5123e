"""How fast features are computed: one librosa call each, one STFT for all, and this package.

Run it as ``python tests/bench/bench_features.py FOLDER`` on a folder of clips such as GTZAN's
``genres_original``. All times are of one run on the same segments; the methods take turns.
"""

import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from statistics import median

import joblib
import librosa
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from music_genre.data.extraction import extract
from music_genre.data.features import (
    FEATURES,
    HOP,
    N_MFCC,
    SAMPLE_RATE,
    SEGMENT_HOP,
    SEGMENT_LENGTH,
    load_clip,
    segment_features,
)
from music_genre.exceptions import InputError

SEGMENTS = 20  # timed at least, each from a clip of its own
ISTFT_LENGTH = SEGMENT_LENGTH // HOP * HOP  # samples that istft returns where no length is given


def call_per_feature(y: np.ndarray) -> dict[str, float]:
    """Compute the 57 features as public GTZAN notebooks do: one librosa call on the audio each.

    What the calls allow is set so that the values are the table's: reflect padding, the median
    for the onset envelope, and silence where the table's ``istft`` ended.
    """
    audio = {"y": y, "sr": SAMPLE_RATE, "pad_mode": "reflect"}
    harmonic, percussive = librosa.effects.hpss(y, pad_mode="reflect")
    harmonic[ISTFT_LENGTH:] = percussive[ISTFT_LENGTH:] = 0
    onsets = librosa.onset.onset_strength(**audio, aggregate=np.median)
    series = {
        "chroma_stft": librosa.feature.chroma_stft(**audio),
        "rms": librosa.feature.rms(y=y, pad_mode="reflect"),
        "spectral_centroid": librosa.feature.spectral_centroid(**audio),
        "spectral_bandwidth": librosa.feature.spectral_bandwidth(**audio),
        "rolloff": librosa.feature.spectral_rolloff(**audio),
        "zero_crossing_rate": librosa.feature.zero_crossing_rate(y),
        "harmony": harmonic,
        "perceptr": percussive,
    }
    mfcc = librosa.feature.mfcc(**audio, n_mfcc=N_MFCC)
    return _row(series, mfcc, librosa.feature.tempo(onset_envelope=onsets, sr=SAMPLE_RATE)[0])


def shared_stft(y: np.ndarray) -> dict[str, float]:
    """Compute the 57 features from one STFT, each with librosa's own function."""
    stft = librosa.stft(y, pad_mode="reflect")
    magnitude = np.abs(stft)
    power = magnitude**2
    mel_db = librosa.power_to_db(librosa.feature.melspectrogram(S=power, sr=SAMPLE_RATE))
    harmonic, percussive = (
        librosa.util.fix_length(librosa.istft(part), size=SEGMENT_LENGTH)
        for part in librosa.decompose.hpss(stft)
    )
    onsets = librosa.onset.onset_strength(S=mel_db, sr=SAMPLE_RATE, aggregate=np.median)
    series = {
        "chroma_stft": librosa.feature.chroma_stft(S=power, sr=SAMPLE_RATE),
        "rms": librosa.feature.rms(y=y, pad_mode="reflect"),
        "spectral_centroid": librosa.feature.spectral_centroid(S=magnitude, sr=SAMPLE_RATE),
        "spectral_bandwidth": librosa.feature.spectral_bandwidth(S=magnitude, sr=SAMPLE_RATE),
        "rolloff": librosa.feature.spectral_rolloff(S=magnitude, sr=SAMPLE_RATE),
        "zero_crossing_rate": librosa.feature.zero_crossing_rate(y),
        "harmony": harmonic,
        "perceptr": percussive,
    }
    mfcc = librosa.feature.mfcc(S=mel_db, n_mfcc=N_MFCC)
    return _row(series, mfcc, librosa.feature.tempo(onset_envelope=onsets, sr=SAMPLE_RATE)[0])


def _row(series: dict[str, np.ndarray], mfcc: np.ndarray, tempo: float) -> dict[str, float]:
    series |= {f"mfcc{i}": values for i, values in enumerate(mfcc, start=1)}
    means = {f"{name}_mean": float(np.mean(values)) for name, values in series.items()}
    variances = {f"{name}_var": float(np.var(values)) for name, values in series.items()}
    return means | variances | {"tempo": float(tempo)}


METHODS = {
    "one librosa call per feature": call_per_feature,
    "one STFT for all": shared_stft,
    "music_genre": segment_features,
}


def time_methods(segments: list[np.ndarray]) -> None:
    """Print each method's first call, its median time per segment, and how far values differ."""
    times = {name: [] for name in METHODS}
    rows = {name: [] for name in METHODS}
    with threadpool_limits(1):
        for name, method in METHODS.items():
            start = time.perf_counter()
            method(segments[0])
            print(f"{name}: first call, not counted: {time.perf_counter() - start:.2f} s")
        for y in tqdm(segments, unit="segment"):
            for name, method in METHODS.items():
                start = time.process_time()  # not the clock's, which other programs share
                rows[name].append(method(y))
                times[name].append(time.process_time() - start)
    slowest = median(times["one librosa call per feature"])
    ours = pd.DataFrame(rows["music_genre"])[FEATURES]
    print(f"\nMedians over {len(segments)} segments, one thread:")
    for name, taken in times.items():
        difference = (pd.DataFrame(rows[name])[FEATURES] - ours).abs() / ours.std()
        print(
            f"{name:30} {median(taken):.4f} s per segment per core, {slowest / median(taken):4.1f} "
            f"times; values differ by at most {difference.max().max():.0e} standard deviations "
            f"({difference.max().idxmax()})"
        )


def time_extraction(paths: list[Path]) -> None:
    """Print the clips per minute of a table made on all cores, nothing kept from before."""
    clips = pd.DataFrame({"path": paths, "clip": [str(path) for path in paths], "genre": "any"})
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        extract(clips[:1], cache=folder)
        started = time.perf_counter()
        table, problems = extract(clips[1:], cache=folder)
    taken = time.perf_counter() - started
    rate = 60 * (len(paths) - 1 - len(problems)) / taken
    print(
        f"\nAll cores ({joblib.cpu_count()}): start-up with one clip {started - start:.1f} s, then "
        f"{rate:.0f} clips per minute ({len(table)} segments, {taken:.1f} s); "
        f"1,000 clips take {1000 / rate:.1f} minutes."
    )


if __name__ == "__main__":
    paths = sorted(path for path in Path(sys.argv[1]).rglob("*.*") if path.is_file())
    segments = []
    for path in paths[:: max(1, len(paths) // SEGMENTS)]:
        with suppress(InputError):  # GTZAN has an unreadable clip
            segments.append(load_clip(path)[SEGMENT_HOP : SEGMENT_HOP + SEGMENT_LENGTH])
    time_methods(segments)
    time_extraction(paths)
