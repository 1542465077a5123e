"""The embedded sample: rebuilt byte for byte, and nothing in it that plays."""

import json

import numpy as np
import pandas as pd
import pytest
from conftest import SHARED, needs_shared

from music_genre.data import sample
from music_genre.data.columns import FEATURES
from music_genre.data.sample import build
from music_genre.exceptions import InputError
from music_genre.paths import SAMPLE


@needs_shared
def test_sample_is_rebuilt_from_its_clips(tmp_path):
    made_with = json.loads((SAMPLE / "made_with.json").read_text())
    build.build(SHARED / "mini", tmp_path)
    ours, again = (pd.read_csv(folder / "features.csv") for folder in (SAMPLE, tmp_path))
    # Other machines and versions round otherwise: a thousandth of a column's spread at most.
    assert list(again["filename"]) == list(ours["filename"])
    assert ((again[FEATURES] - ours[FEATURES]).abs() <= 1e-3 * ours[FEATURES].std()).all().all()
    if build.made_with() == made_with:
        for name in ("features.csv", "clips.npz", "made_with.json"):
            assert (tmp_path / name).read_bytes() == (SAMPLE / name).read_bytes(), name


def test_pictured_clips_are_one_per_genre_and_too_coarse_to_play():
    clips = sample.measures()
    assert len({clip.split(".")[0] for clip in clips}) == len(clips) == 10
    for measures in clips.values():
        assert measures["mel"].shape == (64, 150)
        assert measures["chroma_cens"].shape == (12, 150)
        assert measures["envelope"].shape[0] == 2
        values_per_second = max(array.size for array in measures.values()) / sample.SECONDS
        assert values_per_second < 1000  # audio has 22,050, and phases that a spectrum lacks
        assert np.isfinite(np.concatenate([array.ravel() for array in measures.values()])).all()


def test_sample_holds_numbers_only():
    assert {path.suffix for path in SAMPLE.glob("*.*")} == {".csv", ".npz", ".json", ".md", ".py"}
    assert sum(path.stat().st_size for path in SAMPLE.glob("*.*")) < 1_000_000


def test_folder_without_clips(tmp_path):
    with pytest.raises(InputError, match="holds no genre folders with audio"):
        build.build(tmp_path, tmp_path / "out")
