"""The embedded sample: numbers computed from 100 clips of GTZAN, without any audio."""

import numpy as np
import pandas as pd

from music_genre.paths import SAMPLE

CLIPS = SAMPLE / "clips.npz"
SECONDS = 15  # of each pictured clip
MEASURE_HOP = 0.1  # seconds from one value of a pictured measure to the next
ENVELOPE_HOP = 0.025  # seconds from one value of the envelope to the next

Measures = dict[str, np.ndarray]


def measures() -> dict[str, Measures]:
    """Return what the sample holds of one clip per genre, by the clip's name (see `measure`)."""
    with np.load(CLIPS, allow_pickle=False) as arrays:
        clips: dict[str, Measures] = {}
        for key in arrays.files:
            clip, name = key.split("/")
            clips.setdefault(clip, {})[name] = arrays[key].astype(float)
    return clips


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
