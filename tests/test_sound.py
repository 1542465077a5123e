"""A file is read to its end, whatever its header promises, and its fault is named by its cause."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from music_genre.data import gtzan, sound
from music_genre.data.features import extract_clip, load_clip
from music_genre.exceptions import InputError

RATE = 22_050
needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")


def tone(seconds: float = 7, *, quiet_after: float = np.inf) -> np.ndarray:
    """Return a noisy tone, nearly silent after a while."""
    time = np.arange(round(seconds * RATE)) / RATE
    y = 0.3 * np.sin(2 * np.pi * 300 * time)
    y += 0.1 * np.random.default_rng(0).standard_normal(len(time))
    return np.where(time < quiet_after, y, y * 1e-3).astype(np.float32)


def write(path: Path, y: np.ndarray | None = None, **how: object) -> Path:
    soundfile.write(path, tone() if y is None else y, RATE, **how)
    return path


def mono(path: Path, found: sound.Sound) -> np.ndarray:
    return np.concatenate(list(sound.mono(path, found)))


def damage(path: Path, change) -> Path:
    content = bytearray(path.read_bytes())
    path.write_bytes(bytes(change(content) or content))
    return path


def of_unknown_length(flac: bytearray) -> None:
    """Write 0, for not known, where the header has the number of samples (RFC 9639, 8.2)."""
    flac[21] &= 0xF0
    flac[22:26] = bytes(4)


def without_length(mp3: bytearray) -> None:
    at = max(mp3.find(b"Xing"), mp3.find(b"Info"))
    mp3[at : at + 4] = bytes(4)


def without_data_size(wav: bytearray) -> None:
    at = wav.index(b"data") + 4
    wav[at : at + 4] = bytes(4)


def of_one_hertz(wav: bytearray) -> None:
    wav[24:28] = (1).to_bytes(4, "little")


def first_part(content: bytearray) -> bytearray:
    return content[: len(content) * 6 // 10]


@pytest.fixture
def no_ffmpeg(monkeypatch):
    monkeypatch.setenv("PATH", "")


@pytest.fixture
def stub(tmp_path, monkeypatch):
    """Put an ffmpeg on the PATH that decodes whatever it is given to 7 s, unless told to fail."""
    program = tmp_path / "bin" / "ffmpeg"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\n"
        "import sys, numpy as np, soundfile\n"
        "name = sys.argv[sys.argv.index('-i') + 1].removeprefix('file:')\n"
        "if open(name, 'rb').read() == b'bad':\n"
        "    sys.exit('[in#0 @ 0x1] Error opening input: Invalid data found')\n"
        "print('  Duration: 00:00:07.00, start: 0.000000', file=sys.stderr)\n"
        "y = np.sin(np.arange(7 * 22050) / 9).astype('float32')\n"
        "soundfile.write(sys.stdout.buffer.fileno(), np.column_stack([y, y]), 22050, 'FLOAT',\n"
        "                'BIG', 'AU', closefd=False)\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    return program


def test_a_flac_of_unknown_length_is_read_to_its_end(tmp_path):
    whole = load_clip(write(tmp_path / "a.flac"))
    damage(tmp_path / "a.flac", of_unknown_length)
    assert soundfile.info(tmp_path / "a.flac").frames > 2**62
    np.testing.assert_array_equal(load_clip(tmp_path / "a.flac"), whole)
    assert len(extract_clip(tmp_path / "a.flac")) == 2


@pytest.mark.parametrize("name", ["a.mp3", "a.wav"])
def test_an_mp3_of_variable_rate_that_tells_no_length_is_read_to_its_end(tmp_path, name):
    loud_first = tone(28, quiet_after=3)
    write(tmp_path / name, loud_first, format="MP3", bitrate_mode="VARIABLE", compression_level=0.3)
    damage(tmp_path / name, without_length)
    assert soundfile.info(tmp_path / name).duration < 25  # what libsndfile guesses
    found = sound.read(tmp_path / name)
    assert found.seconds == pytest.approx(28, abs=0.1)
    assert (found.segments, found.fault) == (9, "")


def test_such_an_mp3_is_read_as_far_as_it_goes_if_it_is_cut_off(tmp_path):
    how = {"bitrate_mode": "VARIABLE", "compression_level": 0.3}
    write(tmp_path / "a.mp3", tone(28), **how)
    damage(tmp_path / "a.mp3", without_length)
    damage(tmp_path / "a.mp3", first_part)
    found = sound.read(tmp_path / "a.mp3")
    assert found.seconds == pytest.approx(0.6 * 28, abs=1)
    assert found.fault == ""


def test_an_mp3_with_other_bytes_before_it_is_read_by_check_and_by_extraction(tmp_path):
    (tmp_path / "rock").mkdir()
    write(tmp_path / "rock" / "a.mp3")
    damage(tmp_path / "rock" / "a.mp3", lambda content: b"\x01junk" * 400 + content)
    assert len(extract_clip(tmp_path / "rock" / "a.mp3")) == 2
    assert gtzan.check(tmp_path).empty


@pytest.mark.parametrize("suffix", ["wav", "aiff", "au", "mp3", "w64", "rf64"])
def test_less_sound_than_promised_is_used_and_told(tmp_path, suffix):
    write(tmp_path / f"a.{suffix}")
    damage(tmp_path / f"a.{suffix}", first_part)
    found = sound.read(tmp_path / f"a.{suffix}")
    assert found.seconds == pytest.approx(4.2, abs=0.2)
    assert found.note.startswith("its header promises 7.00 s, it holds 4.")
    table = extract_clip(tmp_path / f"a.{suffix}")
    assert len(table) == 1
    assert table.attrs["note"] == found.note


@pytest.mark.parametrize(
    "suffix", ["wav", "aiff", "au", "flac", "ogg", "mp3", "caf", "w64", "rf64"]
)
def test_a_whole_file_has_neither_fault_nor_note(tmp_path, suffix):
    found = sound.read(write(tmp_path / f"a.{suffix}"))
    assert (found.samples, found.fault, found.note) == (7 * RATE, "", "")


def test_a_wav_written_into_a_pipe_promises_nothing(tmp_path):
    def endless(wav):
        at = wav.index(b"data") + 4
        wav[at : at + 4] = b"\xff\xff\xff\xff"

    found = sound.read(damage(write(tmp_path / "a.wav"), endless))
    assert (found.samples, found.fault, found.note) == (7 * RATE, "", "")


FAULTY = {
    "header says 0 bytes of sound, while": lambda path: damage(write(path), without_data_size),
    "it holds 0 bytes": lambda path: path.touch(),
    "Format not recognised": lambda path: path.write_text("no audio"),
    "decoder lost sync, after": lambda path: damage(write(path, format="FLAC"), first_part),
    "channels cancel each other": lambda path: write(path, np.column_stack([tone(), -tone()])),
    "is silent: replace": lambda path: write(path, tone() * 1e-6, subtype="FLOAT"),
    "lasts 2.00 s, less than one segment": lambda path: write(path, tone(2)),
    "its header tells a sample rate of 1 Hz": lambda path: damage(write(path), of_one_hertz),
}


@pytest.mark.parametrize("sentence", FAULTY)
def test_the_cause_is_told_alike_by_check_and_by_extraction(tmp_path, no_ffmpeg, sentence):
    (tmp_path / "rock").mkdir()
    path = tmp_path / "rock" / "a.wav"
    FAULTY[sentence](path)
    with pytest.raises(InputError, match=rf"^a\.wav .*{sentence}") as told:
        extract_clip(path)
    fault = next(gtzan.check(tmp_path).itertuples())
    assert fault.detail in str(told.value) or fault.fault == "wrong length"


def test_whatever_a_reader_raises_is_the_fault_of_that_file(tmp_path, no_ffmpeg, monkeypatch):
    def raises(*_, **how):
        raise MemoryError("too much")

    monkeypatch.setattr(soundfile.SoundFile, "read", raises)
    found = sound.read(write(tmp_path / "a.wav"))
    assert found.error == "MemoryError: too much"


@pytest.mark.parametrize("suffix", ["m4a", "AAC", "wma", "mp4", "mkv"])
def test_other_formats_are_read_through_ffmpeg(tmp_path, stub, suffix):
    path = tmp_path / "rock" / f"-a.{suffix}"
    path.parent.mkdir()
    path.write_bytes(b"?")
    assert [clip.name for clip in gtzan.find_clips(tmp_path)["path"]] == [path.name]
    found = sound.read(path)
    assert (found.rate, found.channels, found.promised) == (RATE, 2, 7)
    assert (found.segments, found.fault, found.note) == (2, "", "")
    np.testing.assert_allclose(mono(path, found), np.sin(np.arange(7 * RATE) / 9), atol=1e-6)


def test_what_ffmpeg_cannot_read_is_told_in_its_words(tmp_path, stub):
    (tmp_path / "a.m4a").write_bytes(b"bad")
    with pytest.raises(InputError, match=r"\(ffmpeg: Error opening input: Invalid data found\)"):
        load_clip(tmp_path / "a.m4a")
    (tmp_path / "a.wav").write_bytes(b"bad")
    with pytest.raises(InputError, match=r"\(Format not recognised\)"):
        load_clip(tmp_path / "a.wav")


def test_what_libsndfile_cannot_read_to_its_end_ffmpeg_reads_and_it_is_told(tmp_path, stub):
    damage(write(tmp_path / "a.wav"), without_data_size)
    found = sound.read(tmp_path / "a.wav")
    assert found.fault == ""
    assert found.note.startswith("read through ffmpeg, as libsndfile cannot (its header says 0 byt")


def test_without_ffmpeg_the_way_out_is_told(tmp_path, no_ffmpeg):
    (tmp_path / "a.m4a").write_bytes(b"?")
    with pytest.raises(InputError, match="needs ffmpeg: install ffmpeg, or convert it to flac"):
        load_clip(tmp_path / "a.m4a")


@needs_ffmpeg
@pytest.mark.parametrize("suffix", ["m4a", "wma", "mp4", "mkv"])
def test_the_installed_ffmpeg_gives_the_sound(tmp_path, suffix):
    write(tmp_path / "a.wav")
    path = tmp_path / f"b.{suffix}"
    subprocess.run(["ffmpeg", "-v", "error", "-i", tmp_path / "a.wav", path], check=True)
    found = sound.read(path)
    assert found.seconds == pytest.approx(7, abs=0.1)
    second = slice(RATE, 2 * RATE)
    assert np.corrcoef(mono(path, found)[second], tone()[second])[0, 1] > 0.5
    (tmp_path / "text.m4a").write_text("no sound")
    with pytest.raises(InputError, match=r"\(ffmpeg: \w"):
        load_clip(tmp_path / "text.m4a")


def test_a_file_is_read_the_same_whole_or_in_parts(tmp_path):
    y = np.random.default_rng(0).standard_normal((70_001, 3)).astype(np.float32)
    write(tmp_path / "a.wav", y, subtype="FLOAT")
    found = sound.read(tmp_path / "a.wav")
    np.testing.assert_array_equal(mono(tmp_path / "a.wav", found), y.mean(axis=1))
    other = sound.read(tmp_path / "a.wav")
    assert (other.samples, other.peaks) == (found.samples, found.peaks)
    assert other.sha256 != sound.read(write(tmp_path / "b.wav")).sha256
