"""What is said of anybody's sound: a right answer, or a sentence with file, cause and way out."""

import io
import json
import os
import re
import subprocess
import sys
import tracemalloc
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from bs4 import BeautifulSoup
from conftest import SHARED, needs_shared
from hostile import NAMES
from test_browser import executed

import music_genre
from music_genre.analysis import predict
from music_genre.data import extraction, features, find, sound
from music_genre.data.columns import FEATURES, INPUTS, MORE, SEGMENT_LENGTH
from music_genre.data.features import extract_clip
from music_genre.exceptions import InputError
from music_genre.models import portable
from music_genre.report import page

RATE = 22_050
GENRES = ["blues", "<b>jazz</b>", "rock"]
OUTSIDE = 5.0  # of the model below


@dataclass(frozen=True)
class Model(portable.Portable):
    """A model without a network: the brighter a segment, the more it is the last genre."""

    def probabilities(self, segments):
        bright = (segments["spectral_centroid_mean"] / 11_025).to_numpy()
        odds = np.exp(6 * np.outer(bright, np.arange(len(self.genres))))
        return odds / odds.sum(axis=1, keepdims=True)


def model(**given) -> Model:
    """Return a model to which music between 100 and 4,000 Hz is usual."""
    usual = trained_on()
    scale = usual.std().to_numpy()
    return Model(
        **{
            "name": "a model", "genres": GENRES, "columns": INPUTS, "network": None,
            "mean": usual.mean().to_numpy(), "scale": np.where(scale > 0, scale, 1),
            "limit": OUTSIDE, "threshold": 0.4, **given,
        }
    )  # fmt: skip


@cache
def trained_on() -> pd.DataFrame:
    return pd.concat([described(tone(9, pitch=pitch)) for pitch in (100, 300, 1000, 4000)])


def tone(seconds: float = 7, *, pitch: float = 300, rate: int = RATE, level=0.3) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(0).standard_normal(len(time))
    return (level * (np.sin(2 * np.pi * pitch * time) + 0.1 * noise)).astype(np.float32)


def described(y: np.ndarray) -> pd.DataFrame:
    rows = [features.segment_features(y[66_150 * i :][:SEGMENT_LENGTH]) for i in range(3)]
    return pd.DataFrame(rows).assign(length=SEGMENT_LENGTH)[INPUTS]


@pytest.fixture(scope="module")
def usual() -> Model:
    return model()


@pytest.fixture(autouse=True)
def kept_here(monkeypatch, tmp_path):
    """Keep features in the test's own folder, and compute them in this process."""
    monkeypatch.setattr(find, "EXTRACTED", tmp_path / "kept" / "extracted.csv")
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")


@pytest.fixture
def spied(monkeypatch) -> list[str]:
    """Record the names of the files that are described."""
    seen = []

    def spy(path, **how):
        seen.append(path.name)
        return extract_clip(path, **how)

    monkeypatch.setattr(extraction, "extract_clip", spy)
    return seen


# ---- What cannot be read.


def silence(path):
    soundfile.write(path, np.zeros(7 * RATE), RATE)


def two_seconds(path):
    soundfile.write(path, tone(2), RATE)


def cut_off(path):
    soundfile.write(path, tone(), RATE)
    path.write_bytes(path.read_bytes()[:44])


def not_finite(path):
    soundfile.write(path, np.where(np.arange(7 * RATE) == 70_000, np.nan, tone()), RATE, "FLOAT")


BAD = {
    "text.mp3": (lambda path: path.write_text("no sound " * 99), "cannot be read as audio"),
    "page.html": (lambda path: path.write_text("<html>" * 99), "cannot be read as audio"),
    "noise.flac": (lambda path: path.write_bytes(bytes(range(256)) * 99), "Format not recognised"),
    "empty.wav": (lambda path: path.touch(), "it holds 0 bytes"),
    "header.wav": (cut_off, "less than one segment of 3 s"),
    "short.wav": (two_seconds, "lasts 2.00 s, less than one segment of 3 s"),
    "silent.wav": (silence, "is silent"),
    "nan.wav": (not_finite, "holds NaN or infinite samples"),
    "film.mp4": (lambda path: path.write_bytes(b"\0\0\0 ftypmp42" * 99), "install ffmpeg"),
    "song.m4a": (lambda path: path.write_bytes(b"\0\0\0 ftypM4A " * 99), "install ffmpeg"),
    "song.m4p": (lambda path: path.write_bytes(b"\0\0\0 ftypM4P " * 99), "seller's programs"),
    "pipe.wav": (lambda path: os.mkfifo(path), "a pipe"),
    "link.wav": (lambda path: path.symlink_to("gone.wav"), "link.wav"),
    "gone.wav": (lambda path: None, "does not exist"),
    "x" * 300 + ".wav": (lambda path: None, "does not exist"),
}


@pytest.mark.parametrize("name", BAD)
def test_one_bad_file_ends_in_a_sentence_that_names_it(tmp_path, monkeypatch, usual, name):
    monkeypatch.setattr(find.shutil, "which", lambda program: None)
    make, cause = BAD[name]
    make(tmp_path / name)
    with pytest.raises(InputError) as refused:
        predict.predict(tmp_path / name, usual)
    said = str(refused.value)
    assert said.startswith(name)
    assert cause in said
    assert "\n" not in said
    assert said.endswith(".")


def test_in_a_folder_bad_files_are_named_and_the_rest_is_done(tmp_path, monkeypatch, usual):
    monkeypatch.setattr(find.shutil, "which", lambda program: None)
    music = tmp_path / "music"
    (music / "a" / "b" / "c").mkdir(parents=True)
    for name, (make, _) in BAD.items():
        make(music / "a" / name)
    soundfile.write(music / "first.wav", tone(), RATE)
    soundfile.write(music / "a" / "b" / "c" / "deep.flac", tone(), RATE)
    (music / "notes.txt").write_text("no sound")
    lines = predict.predict(music, usual).set_index("file")
    read = lines[lines["verdict"] != predict.NOT_READ]
    assert sorted(read.index) == ["a/b/c/deep.flac", "first.wav"]
    assert read["genre 1"].notna().all()
    bad = lines[lines["verdict"] == predict.NOT_READ]
    assert {Path(name).name for name in bad.index} == {
        name for name in BAD if os.path.lexists(music / "a" / name)
    } - {"page.html"}
    assert all(Path(name).name in line.reason for name, line in bad.iterrows())
    assert bad[["genre 1", "probability 1"]].isna().all(axis=None)


@pytest.mark.parametrize("file", [None, "notes.txt", ".hidden.wav"])
def test_a_folder_without_sound_is_named(tmp_path, usual, file):
    (tmp_path / "my music" / "in").mkdir(parents=True)
    if file:
        (tmp_path / "my music" / "in" / file).touch()
    with pytest.raises(InputError, match="^my music holds no sound: name a sound file"):
        predict.predict(tmp_path / "my music", usual)


def test_a_folder_of_bad_files_alone_is_an_error(tmp_path, usual):
    for name in ("a.wav", "b.wav"):
        two_seconds(tmp_path / name)
    with pytest.raises(InputError, match=r"none of 2 files can be read; the first: a\.wav lasts 2"):
        predict.predict(tmp_path, usual)


def test_a_typing_error_is_told_with_what_was_meant(tmp_path, usual):
    soundfile.write(tmp_path / "song.wav", tone(), RATE)
    with pytest.raises(InputError, match=r"sogn\.wav does not exist \(did you mean song\.wav\?\)"):
        predict.predict(tmp_path / "sogn.wav", usual)


def test_a_model_of_other_columns_is_refused(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(), RATE)
    other = model(columns=[*INPUTS[:-1], "danceability"])
    with pytest.raises(InputError, match="lack the column danceability"):
        predict.predict(tmp_path / "a.wav", other)


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(InputError, match="holds no model"):
        predict.predict(tmp_path / "a.wav", tmp_path)


# ---- What can.


@pytest.mark.parametrize(
    ("rate", "channels"), [(8_000, 1), (11_025, 2), (44_100, 2), (48_000, 8), (192_000, 1)]
)
def test_any_rate_and_number_of_channels_gives_the_same_segments(tmp_path, usual, rate, channels):
    """A tone of 300 Hz is one at any rate: features that do not depend on the noise agree."""
    y = np.sin(2 * np.pi * 300 * np.arange(round(7 * rate)) / rate).astype(np.float32) / 3
    soundfile.write(tmp_path / "a.wav", np.column_stack([y] * channels), rate, subtype="FLOAT")
    (track,) = predict.judge(tmp_path / "a.wav", usual)
    assert len(track.segments) == 2
    # The edges of a segment smear the tone over all bins, a little.
    assert track.segments["spectral_centroid_mean"].to_numpy() == pytest.approx(300, rel=0.05)
    assert track.loudness == pytest.approx(20 * np.log10(1 / 3 / np.sqrt(2)), abs=0.1)


@needs_shared
@pytest.mark.parametrize("clip", ["blues.00000", "metal.00000"])
def test_a_clip_of_gtzan_is_described_as_in_the_published_table(usual, clip):
    published = pd.read_csv(SHARED / "whole" / "features_3_sec.csv")
    rows = published[published["filename"].str.startswith(f"{clip}.")]
    path = SHARED / "genres_original" / clip.split(".")[0] / f"{clip}.wav"
    if not path.exists():
        pytest.skip(f"{clip}.wav is not there")
    (track,) = predict.judge(path, usual)
    apart = track.segments[FEATURES].to_numpy() - rows[FEATURES].to_numpy()
    assert np.abs(apart / published[FEATURES].std().to_numpy()).max() < 1e-3  # as in test_features


SAFE_ON_DISK = [name for name in NAMES if "/" not in name and len(name) < 200]


def test_files_of_any_name_are_read_and_named(tmp_path, usual):
    music = tmp_path / "music"
    music.mkdir()
    soundfile.write(tmp_path / "a.wav", tone(), RATE)
    content = (tmp_path / "a.wav").read_bytes()
    of_any_name = [*SAFE_ON_DISK, "with space 'q' \"d\"", "caf\udce9"]
    for name in of_any_name:
        (music / f"{name}.wav").write_bytes(content)
    judged = predict.judge(music, usual)
    assert len(judged) == sum(not name.startswith(".") for name in of_any_name)
    shown = {track.name for track in judged}
    assert {"caf\\xe9.wav", "two\\nlines.wav", "演歌.wav"} <= shown
    csv, note = predict.write(judged, usual, tmp_path / "out", music, top=2, of="a model")
    written = pd.read_csv(csv, keep_default_na=False, dtype=str)
    assert set(written["file"]) == shown
    assert {file["file"] for file in json.loads(note.read_text("utf-8"))["files"]} == shown


def test_results_on_disk_have_safe_names_that_differ(tmp_path):
    made = [predict.file_name(f"/music/{name}.wav", tmp_path) for name in SAFE_ON_DISK]
    assert len(set(made)) == len(made)
    for name in made:
        assert re.fullmatch(r"[\w+][\w.+-]{0,79}", name, re.ASCII)
    assert predict.file_name("/music/song.mp3", tmp_path) == "song"
    assert predict.file_name(["a.mp3", "b.mp3"], tmp_path) != predict.file_name(
        ["a.mp3", "c.mp3"], tmp_path
    )


def test_a_long_file_does_not_fill_the_memory(tmp_path):
    """Two minutes at 192 kHz are 92 MB: they pass by, three seconds at a time."""
    piece = tone(10, rate=192_000)
    with soundfile.SoundFile(tmp_path / "a.wav", "w", 192_000, 1, "FLOAT") as file:
        for _ in range(12):
            file.write(piece)
    tracemalloc.start()
    segments = sum(1 for _ in features.load_segments(tmp_path / "a.wav"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert segments == 40
    assert peak < 30e6


def test_piece_by_piece_a_clip_is_resampled_as_in_one_go(tmp_path):
    import librosa

    y = tone(10.01, rate=44_100)
    soundfile.write(tmp_path / "a.wav", y, 44_100, subtype="FLOAT")
    whole = librosa.resample(y, orig_sr=44_100, target_sr=RATE)
    np.testing.assert_array_equal(features.load_clip(tmp_path / "a.wav"), whole)
    for i, segment in enumerate(features.load_segments(tmp_path / "a.wav")):
        np.testing.assert_array_equal(segment, whole[66_150 * i :][:SEGMENT_LENGTH])
    assert i + 1 == sound.read(tmp_path / "a.wav").segments == 3


# ---- Runs.


def test_an_interrupted_run_goes_on_with_what_is_not_described(tmp_path, usual, spied):
    music = tmp_path / "music"
    music.mkdir()
    for i in range(3):
        soundfile.write(music / f"{i}.wav", tone(pitch=200 + i), RATE)
    predict.predict(music / "1.wav", usual)
    first = predict.predict(music, usual)
    assert sorted(spied) == ["0.wav", "1.wav", "2.wav"]
    (music / "1.wav").rename(music / "another name.wav")  # content decides
    again = predict.predict(music, usual)
    assert len(spied) == 3
    assert sorted(first["probability 1"]) == sorted(again["probability 1"])


def test_a_second_tables_numbers_are_computed_only_where_a_model_takes_them(tmp_path, usual, spied):
    path = tmp_path / "one.wav"
    soundfile.write(path, tone(), RATE)
    (plain,) = predict.judge(path, usual)
    assert plain.segments.columns.to_list() == [*FEATURES, "length"]
    kept = {entry: entry.read_bytes() for entry in (tmp_path / "kept").rglob("*.json")}
    assert len(kept) == 1
    of_both = model(
        columns=[*INPUTS, *MORE],
        mean=np.append(usual.mean, np.zeros(len(MORE))),
        scale=np.append(usual.scale, np.ones(len(MORE))),
    )
    for _ in range(2):  # the second time from what is kept
        (both,) = predict.judge(path, of_both)
        expected = extract_clip(path, more=True)
        assert np.array_equal(both.segments[MORE], expected[MORE])
        assert both.segments[FEATURES].equals(plain.segments[FEATURES])
    assert spied == ["one.wav", "one.wav"]
    assert {entry: entry.read_bytes() for entry in kept} == kept
    assert predict.judge(path, usual)[0].segments.equals(plain.segments)


def test_a_list_of_files_and_folders_is_answered_in_order(tmp_path, usual):
    (tmp_path / "in").mkdir()
    for name in ("b.wav", "a.wav", "in/c.wav"):
        soundfile.write(tmp_path / name, tone(), RATE)
    lines = predict.predict([tmp_path / "b.wav", tmp_path / "in", str(tmp_path / "a.wav")], usual)
    assert lines["file"].to_list() == ["b.wav", "c.wav", "a.wav"]


def test_genres_are_listed_with_falling_probabilities(tmp_path, usual):
    soundfile.write(tmp_path / "a.wav", tone(9), RATE)
    for top in (1, 2, 99):
        (line,) = predict.predict(tmp_path / "a.wav", usual, top).to_dict("records")
        of = [line[f"probability {i + 1}"] for i in range(min(top, 3))]
        assert of == sorted(of, reverse=True)
        assert f"genre {min(top, 3) + 1}" not in line
    assert sum(of) == pytest.approx(1)
    assert line["seconds"] == 9


def test_importing_the_package_is_quick():
    code = "import sys, music_genre; music_genre.predict; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"keras", "librosa", "pandas", "numpy"} & set(done.stdout.split())


def test_the_package_predicts(tmp_path, usual):
    soundfile.write(tmp_path / "a.wav", tone(), RATE)
    line = music_genre.predict(tmp_path / "a.wav", usual, top=1)
    pd.testing.assert_frame_equal(line, predict.predict(tmp_path / "a.wav", usual, 1))


# ---- Doubts.


def verdict(path, y, by):
    soundfile.write(path, y, RATE, subtype="FLOAT")
    (line,) = predict.predict(path, by).to_dict("records")
    return line["verdict"], line["reason"]


def test_what_is_like_the_training_data_and_probable_gets_a_genre(tmp_path, usual):
    assert verdict(tmp_path / "a.wav", tone(9, pitch=1000), usual) == ("rock", "")


def test_what_is_too_quiet_is_unsure(tmp_path):
    anything = model(limit=None, threshold=None)
    said, why = verdict(tmp_path / "a.wav", tone(9, level=1e-3), anything)
    assert said == predict.UNSURE
    assert "too quiet, -63 dB" in why  # 20 log10(1e-3 / sqrt 2), and a little noise
    assert verdict(tmp_path / "b.wav", tone(9, level=1e-2), anything)[0] == "rock"


def test_what_is_unlike_the_training_data_is_unsure(tmp_path, usual):
    noise = np.random.default_rng(0).uniform(-1, 1, 9 * RATE)
    said, why = verdict(tmp_path / "a.wav", noise, usual)
    assert said == predict.UNSURE
    assert "unlike the training data" in why
    assert verdict(tmp_path / "a.wav", noise, model(limit=None))[0] != predict.UNSURE


def test_where_no_threshold_was_measured_less_than_half_is_unsure(tmp_path, monkeypatch):
    of_none = model(threshold=None)
    for share, unsure in ((0.49, True), (0.51, False)):
        whole = np.full(len(of_none.genres), (1 - share) / (len(of_none.genres) - 1))
        whole[0] = share
        monkeypatch.setattr(type(of_none), "of_track", lambda self, each, whole=whole: whole)
        said, why = verdict(tmp_path / "a.wav", tone(9), of_none)
        assert ("no genre is likelier than all others together" in why) == unsure
        assert (said == "unsure") == unsure


def test_a_probability_below_the_threshold_is_unsure(tmp_path):
    said, why = verdict(tmp_path / "a.wav", tone(9), model(threshold=0.99))
    assert said == predict.UNSURE
    assert "no genre reaches the threshold of 99 %" in why


# ---- What is written and shown.


def test_the_json_holds_every_segment(tmp_path, usual):
    y = np.concatenate([tone(6, pitch=200), tone(6, pitch=6000)])
    soundfile.write(tmp_path / "a.wav", y, RATE)
    judged = predict.judge(tmp_path / "a.wav", usual)
    csv, note = predict.write(judged, usual, tmp_path, "a.wav", top=2, of="a model")
    (file,) = json.loads(note.read_text("utf-8"))["files"]
    assert [segment["from"] for segment in file["segments"]] == [0, 3, 6, 9]
    for segment in file["segments"]:
        assert sum(segment["probabilities"].values()) == pytest.approx(1, abs=1e-4)
        assert segment["genre"] == max(segment["probabilities"], key=segment["probabilities"].get)
    line = pd.read_csv(csv).iloc[0]
    assert [it["genre"] for it in file["top"]] == [line["genre 1"], line["genre 2"]]
    # The brighter half is the more typical of the last genre.
    most, least = judged[0].typical
    assert (most >= 2, least < 2) == (True, True)


def test_stretches_cover_the_track_without_gaps(usual):
    each = np.eye(3)[[0, 0, 2, 1, 1, 1]]
    track = predict.Track(Path("a"), "a", each=each, whole=each.mean(axis=0))
    found = predict.stretches(track)
    assert found.to_dict("list") == {"from": [0, 6, 9], "to": [6, 9, 18], "code": [0, 2, 1]}


def test_a_minute_around_the_most_typical_part_is_heard(tmp_path, usual):
    y = np.concatenate([tone(150, pitch=200), tone(6, pitch=1000), tone(30, pitch=200)])
    soundfile.write(tmp_path / "a.wav", y, RATE, subtype="FLOAT")
    each = np.tile([0.8, 0.1, 0.1], (62, 1))
    each[50] = [0.1, 0.1, 0.8]
    segments = pd.DataFrame(np.zeros((62, len(INPUTS))), columns=INPUTS)
    whole = np.array([0.1, 0.1, 0.8])
    track = predict.Track(tmp_path / "a.wav", "a", segments=segments, each=each, whole=whole)
    start, samples = predict.excerpt(track)
    assert start == 120
    assert len(samples) == 20 * SEGMENT_LENGTH
    np.testing.assert_array_equal(samples[:SEGMENT_LENGTH], y[120 * RATE :][:SEGMENT_LENGTH])
    heard, rate = soundfile.read(io.BytesIO(predict.as_mp3(samples)))
    assert rate == RATE
    assert len(heard) == pytest.approx(60 * RATE, rel=0.01)


@pytest.fixture
def shown(tmp_path, monkeypatch, usual):
    """Return a function that executes the notebook on sound and returns its page."""
    monkeypatch.setattr(portable, "default", lambda: (tmp_path, "the model of a test"))
    monkeypatch.setattr(portable, "load", lambda place: usual)

    def run(audio, **given):
        target = tmp_path / "out" / "p.ipynb"
        given = {"audio": audio, "output": str(target.parent), **given}
        executed("predict", target, monkeypatch, **given)
        made = page.alone(target, title="The <b>title</b>", byline="By.")
        return BeautifulSoup(made.read_text("utf-8"), "html.parser")

    return run


def test_the_page_of_a_file_is_complete(tmp_path, shown):
    name = "<img src=x onerror=alert(1)>$x$ {{ 7 * 7 }}.wav"
    soundfile.write(tmp_path / name, tone(9), RATE)
    soup = shown(str(tmp_path / name))
    assert soup.title.get_text() == "The <b>title</b>"
    headings = [heading.get_text() for heading in soup.find_all("h2")]
    assert headings == ["The verdict", "Over time", "Listen", "Is it like the training data?",
                        "What to expect of the model"]  # fmt: skip
    assert len(soup.select("figure svg")) == 3
    assert name in soup.select_one(".headline").get_text()
    (player,) = soup.select("audio")
    assert player["src"].startswith("data:audio/mpeg;base64,")
    assert name in player["aria-label"]
    assert "media-src data:" in soup.find("meta", {"http-equiv": True})["content"]
    assert not soup.find_all("img")
    beside = {tag["href"] for tag in soup.select("a[download]") if tag["href"][:5] != "data:"}
    assert beside == {"p.ipynb"}
    csv = next(tag["href"] for tag in soup.select("a[download$=csv]"))
    assert csv.startswith("data:text/csv;base64,")
    assert sorted(path.suffix for path in (tmp_path / "out").iterdir()) == [
        ".csv", ".html", ".ipynb", ".json"
    ]  # fmt: skip
    assert len(soup.find_all("script")) == 1


def test_the_page_of_a_folder_is_a_table(tmp_path, shown):
    music = tmp_path / "music"
    music.mkdir()
    for i in range(7):
        soundfile.write(music / f"{i}.wav", tone(pitch=300 + i), RATE)
    two_seconds(music / "short.wav")
    soup = shown(str(music))
    rows = soup.select("tbody tr")
    assert [row.th.get_text() for row in rows] == [f"{i}.wav" for i in range(7)] + ["short.wav"]
    assert "lasts 2.00 s" in rows[-1].get_text()
    assert "nan" not in soup.get_text()
    assert "8 files" in soup.select_one(".headline").get_text()
    assert not soup.find_all("audio")


def test_without_a_sound_the_notebook_makes_one_up(tmp_path, monkeypatch, shown):
    monkeypatch.setattr("music_genre.paths.DATA", tmp_path / "none")
    soup = shown("")
    assert "made-up-chords.wav" in soup.get_text()


def test_results_of_one_name_from_two_folders_do_not_take_each_others_place(tmp_path, usual):
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        soundfile.write(tmp_path / folder / "song.wav", tone(), RATE)
    made = {}
    for folder in ("one", "other", "one"):
        audio = tmp_path / folder / "song.wav"
        judged = predict.judge(str(audio), usual)
        csv, _ = predict.write(judged, usual, tmp_path / "out", str(audio), top=1, of="a model")
        made.setdefault(folder, csv)
        assert made[folder] == csv  # a second time, in its own place
    assert made["one"].name == "song.csv"
    assert re.fullmatch(r"song-[0-9a-f]{8}\.csv", made["other"].name)


def test_a_link_to_itself_costs_the_folder_nothing_else(tmp_path, usual):
    soundfile.write(tmp_path / "good.wav", tone(), RATE)
    (tmp_path / "self.wav").symlink_to("self.wav")
    good, broken = sorted(predict.judge(tmp_path, usual), key=lambda track: track.name)
    assert not good.problem
    assert "self.wav cannot be read (broken link)" in broken.problem


@pytest.mark.parametrize(
    ("path", "given", "sentence"),
    [("a.wav", {"top": 0}, "top is 0: name how many"), ("a.wav", {"top": "3"}, "top is '3'"),
     (None, {}, "None is no path"), (["a.wav", 5], {}, "5 is no path")],
)  # fmt: skip
def test_arguments_of_another_kind_are_told(path, given, sentence):
    with pytest.raises(InputError, match=sentence):
        music_genre.predict(path, **given)
