"""A copy of GTZAN, or of one's own music, in every form it may have."""

import subprocess
import sys

import numpy as np
import pytest
import soundfile
from conftest import SHARED, needs_shared

from music_genre.data import find, gtzan
from music_genre.exceptions import InputError


def write(path, *, seconds=0.1, rate=22_050, channels=1, pitch=440):
    """Write a sine; the same arguments give the same samples."""
    path.parent.mkdir(parents=True, exist_ok=True)
    y = 16_000 * np.sin(2 * np.pi * pitch * np.arange(round(seconds * rate)) / rate)
    soundfile.write(path, np.column_stack([y.astype(np.int16)] * channels), rate)


def found(folder):
    clips = gtzan.find_clips(folder)
    assert list(clips) == ["path", "clip", "genre"]
    return {row.clip: (row.genre, row.path.name) for row in clips.itertuples()}


@pytest.mark.parametrize("suffix", ["wav", "au", "mp3", "flac", "ogg"])
@pytest.mark.parametrize(
    "root", ["genres", "genres_original", ".", "Data/genres_original", "a/b", "mine"]
)
def test_every_layout_and_format_is_found(tmp_path, root, suffix):
    write(tmp_path / root / "blues" / f"blues.00000.{suffix}")
    write(tmp_path / root / "rock" / f"rock.00007.{suffix}")
    assert found(tmp_path) == {
        "blues.00000": ("blues", f"blues.00000.{suffix}"),
        "rock.00007": ("rock", f"rock.00007.{suffix}"),
    }
    assert gtzan.is_gtzan(gtzan.find_clips(tmp_path))


@pytest.mark.parametrize("folder", ["hiphop", "hip-hop"])
@pytest.mark.parametrize("name", ["hiphop", "hip-hop"])
def test_hip_hop_is_one_genre(tmp_path, folder, name):
    write(tmp_path / folder / f"{name}.00003.wav")
    assert found(tmp_path) == {"hiphop.00003": ("hiphop", f"{name}.00003.wav")}


def test_own_music_has_any_genre_and_any_name(tmp_path):
    write(tmp_path / "trip hop" / "01 Intro.WAV")
    write(tmp_path / "metal" / "01 Intro.flac")
    (tmp_path / "metal" / "cover.jpg").touch()
    write(tmp_path / "loose.wav")
    (tmp_path / "empty folder").mkdir()
    assert found(tmp_path) == {
        "metal.01 Intro": ("metal", "01 Intro.flac"),
        "trip hop.01 Intro": ("trip hop", "01 Intro.WAV"),
    }
    assert not gtzan.is_gtzan(gtzan.find_clips(tmp_path))


def test_clips_are_in_order_of_genre_and_clip(tmp_path):
    for clip in ["rock.00010", "rock.00002", "blues.00001", "pop.00000"]:
        write(tmp_path / clip.split(".")[0] / f"{clip}.wav")
    assert list(found(tmp_path)) == ["blues.00001", "pop.00000", "rock.00002", "rock.00010"]


def test_clip_in_two_formats_is_taken_once_and_the_other_named(tmp_path):
    for suffix in ["mp3", "au", "wav"]:
        write(tmp_path / "blues" / f"blues.00000.{suffix}")
    with pytest.warns(UserWarning, match=r"blues\.00000\.au, blues\.00000\.mp3"):
        assert found(tmp_path) == {"blues.00000": ("blues", "blues.00000.wav")}


def test_hidden_folders_are_passed_over(tmp_path):
    write(tmp_path / ".unpacked" / "genres" / "blues" / "blues.00000.wav")
    assert find.genres(tmp_path) is None


def test_two_possible_folders_are_not_guessed_between(tmp_path):
    for name in ["one", "two"]:
        write(tmp_path / name / "blues" / "blues.00000.wav")
    with pytest.raises(InputError, match=r"\(one, two\): name the one"):
        gtzan.find_clips(tmp_path)


def test_no_music_is_one_clear_error(tmp_path):
    with pytest.raises(InputError, match="no genre folders with audio"):
        gtzan.find_clips(tmp_path)
    with pytest.raises(InputError, match="is not a folder"):
        gtzan.find_clips(tmp_path / "absent")


@pytest.mark.parametrize("place", [".", "Data", "archive/Data"])
def test_table_alone_is_recognised(tmp_path, place):
    table = tmp_path / place / "features_3_sec.csv"
    table.parent.mkdir(parents=True, exist_ok=True)
    table.touch()
    assert find.published_table(tmp_path) == table
    assert "features_3_sec.csv\nNo audio" in gtzan.report(tmp_path)


def test_table_beside_the_genres_is_recognised(tmp_path):
    (tmp_path / "features_3_sec.csv").touch()
    write(tmp_path / "genres_original" / "blues" / "blues.00000.wav")
    assert find.published_table(tmp_path / "genres_original") == tmp_path / "features_3_sec.csv"
    assert "Clips: 1 " in gtzan.report(tmp_path / "genres_original")
    assert find.published_table(tmp_path / "genres_original" / "blues") is None


def test_check_names_every_fault(tmp_path):
    genres = tmp_path / "genres"
    good = {"seconds": 30.0}
    write(genres / "blues" / "blues.00000.wav", **good)
    write(genres / "rock" / "rock.00016.wav", pitch=220, **good)
    write(genres / "metal" / "metal.00058.flac", pitch=220, **good)  # the same samples
    write(genres / "pop" / "pop.00001.wav", seconds=15)
    write(genres / "pop" / "pop.00002.wav", rate=44_100, pitch=330, **good)
    write(genres / "pop" / "pop.00003.wav", channels=2, pitch=550, **good)
    (genres / "jazz").mkdir()
    headless = (genres / "blues" / "blues.00000.wav").read_bytes()[1000:]
    (genres / "jazz" / "jazz.00054.wav").write_bytes(headless)
    (genres / "jazz" / "jazz.00055.wav").touch()
    soundfile.write(genres / "jazz" / "jazz.00056.wav", np.zeros(0), 22_050)
    (genres / "jazz" / "._jazz.00055.wav").write_bytes(b"fork")
    (genres / "jazz" / "jazz.00057.m4a").write_bytes(b"?")
    write(genres / "blues" / "blues.00000.mp3")
    faults = gtzan.check(tmp_path)
    missing = faults[faults["fault"] == "missing"]
    assert len(missing) == 1000 - 9
    assert "jazz.00054" not in set(missing["clip"])
    rows = faults[faults["fault"] != "missing"].drop(columns="genre")
    assert list(rows.itertuples(index=False, name=None)) == [
        ("unreadable", "jazz.00054", "Format not recognised"),
        ("empty", "jazz.00055", "no samples"),
        ("empty", "jazz.00056", "no samples"),
        ("wrong length", "pop.00001", "15.00 s, 330,750 samples"),
        ("wrong sample rate", "pop.00002", "44,100 Hz"),
        ("wrong channel count", "pop.00003", "2"),
        ("duplicate", "rock.00016", "= metal.00058"),
        ("second format", "blues.00000.mp3", ""),
        ("resource fork", "._jazz.00055.wav", ""),
        ("not audio", "jazz.00057.m4a", ""),
    ]
    text = gtzan.report(tmp_path)
    assert "Clips: 9 (GTZAN)" in text
    assert "rock.00016 = metal.00058" in text
    assert "and 981 more" in text


@pytest.mark.parametrize(("samples", "wrong"), [(660_000, 0), (675_808, 0), (650_000, 1)])
def test_gtzans_own_lengths_are_right(tmp_path, samples, wrong):
    write(tmp_path / "blues" / "blues.00000.wav", seconds=samples / 22_050)
    assert (gtzan.check(tmp_path)["fault"] == "wrong length").sum() == wrong


def test_own_music_may_have_any_length_of_a_segment_or_more(tmp_path):
    write(tmp_path / "techno" / "long.wav", seconds=40)
    write(tmp_path / "techno" / "short.wav", seconds=2.9)
    faults = gtzan.check(tmp_path)
    assert list(faults["clip"]) == ["techno.short"]
    assert "Clips: 2 (own music)" in gtzan.report(tmp_path)


def test_copy_without_fault_says_so(tmp_path):
    write(tmp_path / "techno" / "long.wav", seconds=4)
    assert gtzan.check(tmp_path).empty
    assert gtzan.report(tmp_path).endswith("No fault found")


@needs_shared
def test_shared_copy_holds_one_unreadable_clip():
    clips = gtzan.find_clips(SHARED)
    assert len(clips) == len(list((SHARED / "genres_original").glob("*/*.*")))
    assert set(clips["genre"]) == set(gtzan.GENRES)
    assert {path.suffix for path in clips["path"]} == {".wav", ".au"}
    faults = gtzan.check(SHARED)
    faults = faults[faults["fault"] != "missing"]
    assert list(zip(faults["fault"], faults["clip"], strict=True)) == [("unreadable", "jazz.00054")]


@needs_shared
def test_command_prints_the_report():
    command = [sys.executable, "-m", "music_genre.data.gtzan", str(SHARED)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "unreadable: 1" in run.stdout
    assert "Features table: features_3_sec.csv" in run.stdout
    assert run.stderr == ""  # no progress bar where nobody watches
