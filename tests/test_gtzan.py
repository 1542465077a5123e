"""A copy of GTZAN, or of one's own music, in every form it may have."""

import json
import os
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


def others(folder):
    """Return the files that are no clips, each with the reason."""
    files = gtzan.list_files(folder)
    return {row.name: row.fault for row in files.itertuples() if row.fault}


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
    assert found(tmp_path) == {"blues.00000": ("blues", "blues.00000.wav")}
    assert others(tmp_path) == {
        "blues/blues.00000.au": "second format",
        "blues/blues.00000.mp3": "second format",
    }


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
    (genres / "jazz" / "jazz.00057.txt").write_bytes(b"?")
    (genres / "jazz" / ".DS_Store").touch()
    write(genres / "blues" / "blues.00000.mp3")
    faults = gtzan.check(tmp_path)
    missing = faults[faults["fault"] == "missing"]
    assert len(missing) == 1000 - 9
    assert "jazz.00054" not in set(missing["clip"])
    rows = faults[faults["fault"] != "missing"].drop(columns="genre")
    assert list(rows.itertuples(index=False, name=None)) == [
        ("unreadable", "jazz.00054", "Format not recognised"),
        ("unreadable", "jazz.00055", "it holds 0 bytes"),
        ("empty", "jazz.00056", "no samples"),
        ("wrong length", "pop.00001", "15.00 s, 330,750 samples"),
        ("wrong sample rate", "pop.00002", "44,100 Hz"),
        ("wrong channel count", "pop.00003", "2"),
        ("duplicate", "rock.00016", "= metal.00058"),
        ("second format", "blues.00000.mp3", ""),
        ("resource fork", "._jazz.00055.wav", ""),
        ("hidden", ".DS_Store", ""),
        ("not audio", "jazz.00057.txt", ""),
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
    faults = faults[~faults["fault"].isin(["missing", "outside the genres"])]
    assert list(zip(faults["fault"], faults["clip"], strict=True)) == [("unreadable", "jazz.00054")]


@needs_shared
def test_command_prints_the_report():
    command = [sys.executable, "-m", "music_genre.data.gtzan", str(SHARED)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "unreadable: 1" in run.stdout
    assert "Features table: features_3_sec.csv" in run.stdout
    assert run.stderr == ""  # no progress bar where nobody watches


def put(folder, *names):
    for name in names:
        write(folder / name, pitch=200 + 10 * len(name))


def test_songs_are_found_at_any_depth(tmp_path):
    put(tmp_path, "rock/Artist/Album/x.mp3", "rock/y.wav", "jazz/Miles/y.wav", "pop/a/b/c/d/z.wav")
    assert found(tmp_path) == {
        "rock.Artist/Album/x": ("rock", "x.mp3"),
        "rock.y": ("rock", "y.wav"),
        "jazz.Miles/y": ("jazz", "y.wav"),
        "pop.a/b/c/d/z": ("pop", "z.wav"),
    }


def test_songs_of_one_name_in_two_albums_are_two_clips(tmp_path):
    put(tmp_path, "rock/A/01.wav", "rock/B/01.wav", "rock/01.wav", "jazz/01.wav")
    assert set(found(tmp_path)) == {"rock.A/01", "rock.B/01", "rock.01", "jazz.01"}


def test_clips_that_would_have_one_name_are_told_apart_by_their_sound(tmp_path):
    write(tmp_path / "hip-hop" / "a.wav", pitch=100)
    write(tmp_path / "hiphop" / "a.wav", pitch=200)
    write(tmp_path / "rock" / "a.wav", pitch=300)
    write(tmp_path / "rock" / "a.WAV", pitch=400)
    write(tmp_path / "rock" / "rock.a.wav", pitch=500)
    clips = found(tmp_path)
    assert len(clips) == 5
    assert {genre for genre, _ in clips.values()} == {"hiphop", "rock"}
    assert others(tmp_path) == {}
    write(tmp_path / "hiphop" / "a.wav", pitch=100)  # the same file twice is one clip
    assert len(found(tmp_path)) == 4
    assert others(tmp_path) == {"hiphop/a.wav": "second copy"}


def test_every_file_is_a_clip_or_named_with_its_reason(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")  # no ffmpeg
    root = tmp_path / "genres"
    put(root, "rock/a.wav", "jazz/Miles/b.wav", "loose.wav")
    put(tmp_path, "elsewhere/c.wav")
    for name in ("rock/cover.jpg", "rock/.DS_Store", "rock/._a.wav", "pop/x.m4a", "pop/deep/y.WMA",
                 "readme.txt", "notes/n.txt", ".trash/t.wav"):  # fmt: skip
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    (root / "rock" / "lost.wav").symlink_to("gone.wav")
    (root / "rock" / "up").symlink_to("..")
    (root / "rock" / "home").symlink_to(tmp_path.parent)
    (root / "blue").symlink_to("jazz")
    (root / "empty").mkdir()
    os.mkfifo(root / "rock" / "pipe.wav")
    assert set(found(tmp_path)) == {"rock.a", "jazz.Miles/b"}
    assert others(tmp_path) == {
        "rock/cover.jpg": "not audio",
        "rock/.DS_Store": "hidden",
        "rock/._a.wav": "resource fork",
        "pop/x.m4a": "needs ffmpeg",
        "pop/deep/y.WMA": "needs ffmpeg",
        "readme.txt": "not audio",
        "notes/n.txt": "not audio",
        ".trash": "hidden",
        "loose.wav": "in no genre",
        "elsewhere/c.wav": "outside the genres",
        "rock/lost.wav": "broken link",
        "rock/up": "repeated folder",
        "rock/home": "repeated folder",
        "blue": "repeated folder",
        "empty": "empty folder",
        "rock/pipe.wav": "no regular file",
    }
    text = gtzan.report(tmp_path)
    assert "Clips: 2 (own music)" in text
    assert "Files that are no clips: 16" in text
    assert all(name.rpartition("/")[2] in text for name in others(tmp_path))
    assert "pop              0" in text
    assert "install ffmpeg, or convert" in text
    assert "No fault found" not in text


def test_a_folder_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    put(tmp_path, "rock/a.wav", "jazz/b.wav", "rock/locked/c.wav")
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert others(tmp_path) == {"rock/locked": "unreadable folder"}


def test_a_linked_genre_is_followed_once(tmp_path):
    put(tmp_path, "elsewhere/polka/a.wav", "music/jazz/b.wav")
    (tmp_path / "music" / "polka").symlink_to(tmp_path / "elsewhere" / "polka")
    (tmp_path / "music" / "polka" / "again").symlink_to(tmp_path / "music" / "polka")
    assert set(found(tmp_path / "music")) == {"polka.a", "jazz.b"}
    assert others(tmp_path / "music") == {"polka/again": "repeated folder"}


@pytest.mark.parametrize(
    "name", ["caf\udce9.wav", "a\nb.wav", "\x1b[31mred.wav", " x .wav", "-i.wav"]
)
def test_a_name_of_any_bytes_is_a_clip_and_can_be_written(tmp_path, name):
    write(tmp_path / "jazz" / "a.wav", seconds=4)
    write(tmp_path / "rock" / "a.wav", seconds=4, pitch=200)
    (tmp_path / "rock" / "a.wav").rename(tmp_path / "rock" / name)
    clip, _ = found(tmp_path)
    text = clip + gtzan.report(tmp_path)
    assert text.encode().decode() == text
    assert "\x1b" not in text
    assert gtzan.report(tmp_path).endswith("No fault found")


@pytest.mark.parametrize("typed", ["{}/copy/genres", "{}/copy/genres/", "~/copy/genres/"])
def test_a_path_is_understood_alike_by_all(tmp_path, monkeypatch, typed):
    monkeypatch.setenv("HOME", str(tmp_path))
    put(tmp_path / "copy", "genres/rock/a.wav", "genres/jazz/b.wav")
    published = tmp_path / "copy" / "features_3_sec.csv"
    published.touch()
    typed = typed.format(tmp_path)
    assert find.published_table(typed) == published
    assert find.features_and_music("", typed)[0] == published
    assert find.genres(typed) == tmp_path / "copy" / "genres"
    assert len(gtzan.find_clips(typed)) == 2
    assert "Features table: features_3_sec.csv\nClips: 2" in gtzan.report(typed)


def test_the_state_of_a_folder_changes_with_all_that_matters(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")  # no ffmpeg
    put(tmp_path, "rock/a.wav", "jazz/c.wav")
    (tmp_path / "rock" / "b.m4a").touch()
    (tmp_path / "rock" / "up").symlink_to("..")
    clip, states = tmp_path / "rock" / "a.wav", []

    def changed():
        states.append(json.dumps(find.state(tmp_path)))
        assert states[-1] == json.dumps(find.state(tmp_path))  # and stays so
        return states[-1] not in states[:-1]

    assert changed()
    before = clip.stat()
    write(clip, pitch=999)  # in place, of the same size
    os.utime(clip, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert changed()
    os.utime(clip, (2**32, 2**32))  # a clock that is ahead
    assert changed()
    (tmp_path / "rock" / "lost.wav").symlink_to("gone.wav")
    assert changed()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "ffmpeg").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert changed()


def test_what_extraction_writes_is_none_of_the_music(tmp_path, monkeypatch):
    written = [tmp_path / name for name in ("extracted.csv", "extracted.problems.json")]
    monkeypatch.setattr(find, "_EXTRACTED", written)
    put(tmp_path, "rock/a.wav", "jazz/c.wav")
    before = find.state(tmp_path)
    for path in [*written, tmp_path / "features_3_sec.csv"]:
        path.touch()
    assert find.state(tmp_path) == before
