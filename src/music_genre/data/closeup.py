"""The clips at hand, one by one: what is to be seen and heard of each."""

import warnings
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from music_genre.data import find, gtzan, sample
from music_genre.data.columns import FEATURES, SAMPLE_RATE, SEGMENT_HOP, SEGMENT_LENGTH
from music_genre.data.table import clips, has_features
from music_genre.exceptions import InputError, meant

SECONDS = 30  # of a clip, its first ones: the length of GTZAN's


@dataclass(frozen=True)
class Clip:
    """The beginning of a clip, or what the sample holds of it."""

    sound: np.ndarray | None  # mono, at 22,050 Hz [shape=(n_samples,)]; None where none is at hand
    measures: sample.Measures
    segments: pd.DataFrame  # the features of each; none where they are not known
    seconds: float  # how much of it that is


def at_hand(music: str = "") -> dict[str, dict[str, Path | None]]:
    """Find the clips in a folder of music, else under ``data/``, else those that the sample holds.

    Returns
    -------
    dict of dict
        Each clip's file by genre and name; of the sample's there is no file.

    Raises
    ------
    InputError
        A folder is named in which there is no music.
    """
    if not music and find.genres(find.DATA) is None:
        return {clip.split(".")[0]: {clip: None} for clip in sample.measures()}
    found = gtzan.find_clips(music or find.DATA)
    return {
        genre: dict(zip(of["clip"], of["path"], strict=True))
        for genre, of in found.groupby("genre")
    }


def named(clip: str, clips: Collection[str]) -> str:
    """Return the name of a clip that is among others; the first of them if it is empty.

    Raises
    ------
    InputError
        It is not among them.
    """
    if clip and clip not in clips:
        raise InputError(
            f"there is no clip {clip!r}{meant(clip, clips)}: name one of the {len(clips):,} that "
            f"are at hand, such as {next(iter(clips))}, or none."
        )
    return clip or next(iter(clips))


def load(clip: str, path: Path | None, table: pd.DataFrame) -> Clip:
    """Load a clip: its file or, without one, what the sample holds and what a table tells of it.

    Raises
    ------
    InputError
        The file cannot be used as a clip.
    """
    if path is None:
        of_clip = table[clips(table) == clip] if has_features(table) else table[:0]
        return Clip(None, sample.measures()[clip], of_clip, sample.SECONDS)
    from music_genre.data.features import load_clip, segment_features  # slow to import
    from music_genre.data.sample.build import measure

    y = load_clip(path)[: SECONDS * SAMPLE_RATE]
    starts = range(0, len(y) - SEGMENT_LENGTH + 1, SEGMENT_HOP)
    segments = [segment_features(y[start : start + SEGMENT_LENGTH]) for start in starts]
    with warnings.catch_warnings():  # a passage without pitches has no tuning: librosa says so
        warnings.filterwarnings("ignore", message="Trying to estimate tuning from empty")
        measures = {name: values.astype(float) for name, values in measure(y).items()}
    return Clip(y, measures, pd.DataFrame(segments), len(y) / SAMPLE_RATE)


def apart(segments: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Tell in which features a clip's segments differ most from the segments of a table.

    Returns
    -------
    DataFrame [shape=(57, 4)]
        ``feature``; its mean over the clip's segments; that over the table's; the ``difference`` of
        the two in standard deviations of the table's segments. The largest comes first.
    """
    mean, usual, spread = segments[FEATURES].mean(), table[FEATURES].mean(), table[FEATURES].std()
    found = pd.DataFrame(
        {"feature": FEATURES, "clip": mean, "table": usual, "difference": (mean - usual) / spread}
    )
    return found.sort_values("difference", key=abs, ascending=False, ignore_index=True)
