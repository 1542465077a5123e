"""One clip, to look at: whichever clips are at hand."""

import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import soundfile
from conftest import SHARED, needs_shared

from music_genre.data import closeup, find, table
from music_genre.data.columns import FEATURES, SAMPLE_RATE
from music_genre.exceptions import InputError


@pytest.fixture
def music(tmp_path, monkeypatch):
    monkeypatch.setattr(find, "DATA", tmp_path)
    for genre, hertz in (("low <b>", 110.0), ("high", 1760.0)):
        (tmp_path / genre).mkdir()
        y = 0.5 * np.sin(2 * np.pi * hertz * np.arange(7 * SAMPLE_RATE) / SAMPLE_RATE)
        soundfile.write(tmp_path / genre / "a.wav", y, SAMPLE_RATE)
    return tmp_path


def test_without_music_the_clips_are_the_samples_and_have_no_sound(tmp_path, monkeypatch):
    monkeypatch.setattr(find, "DATA", tmp_path)
    segments, _ = table.load(str(find.SAMPLE_TABLE))
    at_hand = closeup.at_hand()
    assert list(at_hand) == find.GENRES
    assert at_hand["jazz"] == {"jazz.00000": None}
    one = closeup.load("jazz.00000", None, segments)
    assert one.sound is None
    assert len(one.segments) == 5
    assert one.measures["mel"].shape[0] == 64


def test_librosa_is_loaded_for_music_only(tmp_path):
    program = (
        "import sys\n"
        "from music_genre.data import closeup, find, table\n"
        "find.DATA = find.Path(sys.argv[1])\n"
        "closeup.load('jazz.00000', None, table.load(str(find.SAMPLE_TABLE))[0])\n"
        "sys.exit('librosa' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", program, tmp_path]).returncode == 0


def test_music_is_found_under_data_and_where_it_is_named(music, tmp_path_factory):
    assert closeup.at_hand() == closeup.at_hand(str(music))
    assert closeup.at_hand()["low <b>"] == {"low <b>.a": music / "low <b>" / "a.wav"}
    with pytest.raises(InputError, match="holds no genre folders"):
        closeup.at_hand(str(tmp_path_factory.mktemp("none")))


def test_what_is_seen_is_of_the_sound(music):
    low, high = (
        closeup.load("a", music / genre / "a.wav", pd.DataFrame()) for genre in ("low <b>", "high")
    )
    assert len(low.sound) == 7 * SAMPLE_RATE
    assert low.seconds == 7
    assert len(low.segments) == 2
    assert low.measures["mel"].mean(axis=1).argmax() < high.measures["mel"].mean(axis=1).argmax()
    for one in (low, high):  # both are an A
        assert one.measures["chroma_cens"].mean(axis=1).argmax() == 9
    apart = closeup.apart(high.segments, pd.concat([low.segments, high.segments]))
    centroid = apart.set_index("feature").loc["spectral_centroid_mean"]
    assert centroid["clip"] > centroid["table"]
    assert (apart["difference"].abs().dropna().diff().dropna() <= 1e-9).all()  # the largest first


@needs_shared
def test_features_are_those_of_the_table(tmp_path):
    clip = tmp_path / "blues" / "blues.00000.wav"
    clip.parent.mkdir()
    shutil.copy(SHARED / "genres_original" / "blues" / "blues.00000.wav", clip)
    segments, _ = table.load(str(SHARED / "whole" / "features_3_sec.csv"))
    one = closeup.load("blues.00000", clip, segments)
    of_table = segments[segments["filename"].str.startswith("blues.00000.")]
    apart = (one.segments[FEATURES].to_numpy() - of_table[FEATURES]) / segments[FEATURES].std()
    assert apart.abs().to_numpy().max() < 1e-3


def test_name_of_a_clip_is_checked():
    assert closeup.named("", ["a", "b"]) == "a"
    assert closeup.named("b", ["a", "b"]) == "b"
    with pytest.raises(InputError, match=r"no clip 'jaz' \(did you mean jazz\?\)"):
        closeup.named("jaz", ["jazz"])
