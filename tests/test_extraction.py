"""Many clips to one table: whole, in order, the same however it came about."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import soundfile
from conftest import SHARED, needs_shared

from music_genre.data import extraction
from music_genre.data.columns import COLUMNS, SAMPLE_RATE
from music_genre.data.extraction import extract, write
from music_genre.data.features import extract_clip
from music_genre.exceptions import InputError

JAZZ = SHARED / "genres_original" / "jazz"
WRITE = """
import sys
import pandas as pd
from music_genre.data.extraction import write
clips, out, cache = sys.argv[1:]
write(pd.read_csv(clips), out, cache=cache)
"""


def make_clips(folder: Path, *, genres: int = 2, each: int = 2, seconds: float = 6) -> pd.DataFrame:
    rows = []
    for genre in "abcdef"[:genres]:
        for number in range(each):
            path = folder / genre / f"{genre}.{number:05d}.wav"
            path.parent.mkdir(exist_ok=True, parents=True)
            rng = np.random.default_rng([ord(genre), number])
            soundfile.write(path, 0.1 * rng.standard_normal(int(seconds * SAMPLE_RATE)), 22_050)
            rows.append((path, path.stem, genre))
    return pd.DataFrame(rows, columns=["path", "clip", "genre"])


@pytest.fixture
def clips(tmp_path) -> pd.DataFrame:
    return make_clips(tmp_path / "clips")


@pytest.fixture
def described(monkeypatch, one_core) -> list[str]:
    """Record the names of the clips that are described, in this process alone."""
    names = []

    def spy(path, **how):
        names.append(path.stem)
        return extract_clip(path, **how)

    monkeypatch.setattr(extraction, "extract_clip", spy)
    return names


@pytest.fixture
def one_core(monkeypatch):
    """Spare the seconds that a pool of processes takes to start."""
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")


def start_write(clips: pd.DataFrame, out: Path, cache: Path) -> subprocess.Popen:
    listed = out.with_suffix(".clips.csv")
    clips.to_csv(listed, index=False)
    command = [sys.executable, "-c", WRITE, listed, out, cache]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def test_the_table_is_every_clips_own_in_order(tmp_path, clips, described):
    table, problems = extract(clips.sample(frac=1, random_state=1), cache=tmp_path / "kept")
    expected = pd.concat([extract_clip(path) for path in clips["path"]], ignore_index=True)
    pd.testing.assert_frame_equal(table, expected, check_exact=True)
    assert table.columns.to_list() == COLUMNS
    assert problems.empty


def test_names_and_genres_are_those_given(tmp_path, clips, described):
    clips = clips[:1].assign(clip="blues.00042", genre="blues")
    table, _ = extract(clips, cache=tmp_path / "kept")
    assert table["filename"].to_list() == ["blues.00042.0.wav", "blues.00042.1.wav"]
    assert set(table["label"]) == {"blues"}


def test_processes_do_not_change_the_table(tmp_path, clips, monkeypatch):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "2")
    two, _ = extract(clips, cache=tmp_path / "two")
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    one, _ = extract(clips, cache=tmp_path / "one")
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_a_dask_cluster_gives_the_same_table(tmp_path, clips, monkeypatch):
    distributed = pytest.importorskip("distributed", reason="distributed is not installed")
    here, _ = extract(clips, cache=tmp_path / "here")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
        joblib.parallel_config(backend="dask"),
    ):
        there, _ = extract(clips, cache=tmp_path / "there")
        workers = client.run(lambda: "music_genre.data.features" in sys.modules)
    assert any(workers.values())  # the work was done on the cluster, not here
    pd.testing.assert_frame_equal(here, there, check_exact=True)


def test_only_a_changed_clip_is_described_again(tmp_path, clips, described):
    first, _ = extract(clips, cache=tmp_path / "kept")
    described.clear()
    again, _ = extract(clips, cache=tmp_path / "kept")
    assert described == []
    pd.testing.assert_frame_equal(first, again, check_exact=True)

    soundfile.write(clips["path"][2], np.sin(np.arange(70_000)), SAMPLE_RATE)
    os.utime(clips["path"][2], (0, 0))  # whatever the clock says: the content is new
    os.utime(clips["path"][1], (2**32, 2**32))
    changed, _ = extract(clips, cache=tmp_path / "kept")
    assert described == ["b.00000"]
    pd.testing.assert_frame_equal(changed[:4], first[:4], check_exact=True)
    assert len(changed) == len(first) - 1


def test_another_version_describes_every_clip_again(tmp_path, clips, described, monkeypatch):
    extract(clips, cache=tmp_path / "kept")
    monkeypatch.setattr("librosa.__version__", "99")
    extract(clips, cache=tmp_path / "kept")
    assert len(described) == 2 * len(clips)


@pytest.mark.parametrize(
    "damage",
    [
        lambda kept: kept[: len(kept) // 2],
        lambda kept: b"",
        lambda kept: kept.replace(b"1", b"2", 1),
        lambda kept: kept[:-3] + b"9]]",
        lambda kept: b"\xff\x00" * 99,
    ],
    ids=["cut", "emptied", "digest", "value", "not text"],
)
def test_a_damaged_entry_is_described_again(damage, tmp_path, clips, described):
    clips = clips[:1]
    whole, _ = extract(clips, cache=tmp_path / "kept")
    (entry,) = (tmp_path / "kept").rglob("*.json")
    kept = entry.read_bytes()
    entry.write_bytes(damage(kept))
    again, _ = extract(clips, cache=tmp_path / "kept")
    assert len(described) == 2
    assert entry.read_bytes() == kept
    pd.testing.assert_frame_equal(again, whole, check_exact=True)


def add_bad_clips(clips: pd.DataFrame) -> pd.DataFrame:
    folder = clips["path"][0].parent
    (folder / "text.wav").write_text("no audio")
    soundfile.write(folder / "silent.wav", np.zeros(100_000), SAMPLE_RATE)
    soundfile.write(folder / "short.wav", np.ones(1000), SAMPLE_RATE)
    soundfile.write(folder / "nan.wav", np.full(100_000, np.nan), SAMPLE_RATE, subtype="FLOAT")
    names = ["missing", "nan", "short", "silent", "text"]
    bad = [(folder / f"{name}.wav", name, "a") for name in names]
    return pd.concat([clips, pd.DataFrame(bad, columns=clips.columns)], ignore_index=True)


def test_bad_clips_are_named_and_counted_and_the_rest_is_described(
    tmp_path, clips, described, capsys
):
    good, _ = extract(clips, cache=tmp_path / "kept")
    write(add_bad_clips(clips), tmp_path / "table.csv", cache=tmp_path / "kept")
    assert (tmp_path / "table.csv").read_text() == good.to_csv(index=False)
    summary = json.loads((tmp_path / "table.problems.json").read_text())
    assert (summary["clips"], summary["segments"]) == (4, 8)
    reasons = {problem["clip"]: problem["reason"] for problem in summary["problems"]}
    assert {clip: reason.split(":")[0] for clip, reason in reasons.items()} == {
        "missing": "missing.wav cannot be read (No such file or directory)",
        "nan": "nan.wav holds NaN or infinite samples",
        "short": "short.wav lasts 0.05 s, less than one segment of 3 s",
        "silent": "silent.wav is silent",
        "text": "text.wav cannot be read as audio (Format not recognised)",
    }
    said = capsys.readouterr().err
    assert all(reason in said for reason in reasons.values())
    assert said.endswith("table.csv: 8 segments of 4 clips; clips left out: 5.\n")


def described_folder(music: Path, out: Path) -> tuple[dict, pd.DataFrame]:
    """Describe a folder as `make report` does; return what is noted and the table."""
    extraction.describe_folder(music, out)
    return json.loads(out.with_suffix(".problems.json").read_text()), pd.read_csv(out)


def test_what_is_not_used_is_told_in_the_terminal_and_kept_for_the_page(
    tmp_path, one_core, monkeypatch, capsys
):
    music = tmp_path / "clips"
    make_clips(music, each=1)
    (music / "pop" / "live").mkdir(parents=True)
    (music / "pop" / "live" / "x.m4a").write_bytes(b"?")
    (music / "a" / "lost.wav").symlink_to("gone.wav")
    (music / "a" / "cover.jpg").touch()
    (music / "loose.wav").touch()
    cut = (music / "b" / "b.00000.wav").read_bytes()
    (music / "b" / "Album").mkdir()
    (music / "b" / "Album" / "cut.wav").write_bytes(cut[: len(cut) * 6 // 10])
    monkeypatch.setenv("PATH", "")  # no ffmpeg
    for _ in range(2):  # the second run takes from the cache what the first one computed
        noted, table = described_folder(music, tmp_path / "t.csv")
        said = capsys.readouterr().err
        assert (noted["clips"], noted["segments"]) == (3, len(table)) == (3, 5)
        assert {problem["clip"]: problem["reason"] for problem in noted["problems"]} == {
            "pop.live/x": "pop/live/x.m4a: needs ffmpeg (install ffmpeg, or convert it to flac).",
            "a.lost": "a/lost.wav: broken link (what it links to does not exist: replace it or "
            "leave it out).",
        }
        (odd,) = noted["odd"]
        assert odd["reason"] == (
            "b.Album/cut: cut.wav: its header promises 6.00 s, it holds 3.60 s."
        )
        assert [(group["files"], group["names"]) for group in noted["unused"]] == [
            (1, ["loose.wav"]),
            (1, ["a/cover.jpg"]),
        ]
        assert noted["lost_genres"] == ["pop"]
        for told in ("pop/live/x.m4a", "a/lost.wav", "cut.wav: its header promises", "cover.jpg",
                     "loose.wav", "Genre left out: pop"):  # fmt: skip
            assert told in said
        last = "5 segments of 3 clips; clips left out: 2; other files: 2."
        assert said.splitlines()[-1].endswith(last)


@pytest.mark.parametrize("name", [b"caf\xe9.wav", b"a\nb.wav", b"\x1b[2J.wav"])
def test_a_clip_whose_name_is_no_text_is_described(tmp_path, one_core, capsys, name):
    clips = make_clips(tmp_path / "clips", each=1)
    folder = clips["path"][0].parent
    (folder / "a.00000.wav").rename(folder / os.fsdecode(name))
    (folder / os.fsdecode(b"bad" + name)).write_text("no audio")
    noted, table = described_folder(tmp_path / "clips", tmp_path / "t.csv")
    assert len(table) == 4
    assert len(noted["problems"]) == 1
    assert "\x1b" not in capsys.readouterr().err


def test_whatever_a_clip_raises_is_its_own_problem(tmp_path, clips, one_core, monkeypatch):
    def raises(path, **how):
        if path.stem == "a.00001":
            raise ZeroDivisionError("by zero")
        return extract_clip(path, **how)

    monkeypatch.setattr(extraction, "extract_clip", raises)
    table, problems = extract(clips, cache=tmp_path / "kept")
    assert len(table) == 6
    assert problems["reason"].to_list() == [
        "a.00001.wav cannot be described (ZeroDivisionError: by zero): replace the file or leave "
        "it out."
    ]


def test_strict_makes_a_bad_clip_an_error(tmp_path, clips, described):
    with pytest.raises(InputError, match="^5 of 9 clips cannot .* first: missing.wav cannot"):
        write(add_bad_clips(clips), tmp_path / "table.csv", cache=tmp_path / "kept", strict=True)
    assert not (tmp_path / "table.csv").exists()


def test_no_good_clip_at_all_is_an_error(tmp_path, clips, described):
    bad = add_bad_clips(clips)[len(clips) :]
    with pytest.raises(InputError, match="^5 of 5 clips cannot .* first: missing.wav cannot"):
        extract(bad, cache=tmp_path / "kept")
    with pytest.raises(InputError, match="no clips"):
        extract(bad[:0], cache=tmp_path / "kept")


@needs_shared
def test_gtzans_corrupt_clip_is_left_out(tmp_path, described):
    paths = [JAZZ / "jazz.00000.wav", JAZZ / "jazz.00054.wav"]
    clips = pd.DataFrame({"path": paths, "clip": [path.stem for path in paths], "genre": "jazz"})
    table, problems = extract(clips, cache=tmp_path / "kept")
    assert len(table) == 10
    assert problems["clip"].to_list() == ["jazz.00054"]


def test_two_clips_of_one_name_are_an_error(tmp_path, clips):
    with pytest.raises(InputError, match=r"a\.00000 occurs twice"):
        extract(pd.concat([clips, clips[:1]]), cache=tmp_path / "kept")


def test_a_full_disk_leaves_the_last_table_and_no_half_entry(
    tmp_path, clips, described, monkeypatch
):
    out, kept = tmp_path / "table.csv", tmp_path / "kept"
    write(clips[:1], out, cache=kept)
    before = out.read_bytes()

    def full(self, *args, **kwargs):
        self.touch()
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        with pytest.raises(InputError, match=r"cannot be written \(No space left on device\)"):
            write(clips, out, cache=kept)
    assert out.read_bytes() == before
    assert len([path for path in kept.rglob("*") if path.is_file()]) == 1


def test_a_cache_that_cannot_be_written_is_an_error(tmp_path, clips, described):
    (tmp_path / "kept").touch()
    with pytest.raises(InputError, match="cannot be written"):
        extract(clips, cache=tmp_path / "kept")


def test_a_killed_run_is_continued_to_the_same_bytes(tmp_path, one_core):
    clips = make_clips(tmp_path / "clips", genres=4, each=4, seconds=9)
    out, kept = tmp_path / "table.csv", tmp_path / "kept"
    run = start_write(clips, out, kept)
    while not (done := list(kept.rglob("[!.]*.json"))):
        assert run.poll() is None
        time.sleep(0.01)
    run.send_signal(signal.SIGKILL)
    run.wait()
    done = {path: path.stat().st_mtime_ns for path in kept.rglob("[!.]*.json")}
    assert 0 < len(done) < len(clips)
    assert not out.exists()

    write(clips, out, cache=kept)
    assert all(path.stat().st_mtime_ns == when for path, when in done.items())
    write(clips, tmp_path / "whole.csv", cache=tmp_path / "other")
    assert out.read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_two_runs_at_once_give_one_whole_table(tmp_path, clips, one_core):
    out, kept = tmp_path / "table.csv", tmp_path / "kept"
    runs = [start_write(clips, out, kept) for _ in range(2)]
    assert [run.wait() for run in runs] == [0, 0]
    table, _ = extract(clips, cache=tmp_path / "other")
    assert out.read_text() == table.to_csv(index=False)


def test_the_command_describes_a_folder(tmp_path, clips, one_core, monkeypatch):
    out = tmp_path / "table.csv"
    command = [sys.executable, "-m", "music_genre.data.extraction", tmp_path / "clips", out]
    subprocess.run(command, check=True)
    assert len(pd.read_csv(out)) == 8

    (tmp_path / "clips" / "a" / "text.wav").write_text("no audio")
    monkeypatch.setenv("STRICT", "1")
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1].startswith("1 of 5 clips cannot be described")
    assert "Traceback" not in run.stderr


def test_extraction_needs_no_place_for_the_lock_of_what_is_compiled(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("no folder")
    compiled = []
    monkeypatch.setattr(extraction, "segment_features", compiled.append)
    for folder in ("file", "new/numba"):
        monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / folder))
        extraction._compile()
    assert len(compiled) == 2
    assert (tmp_path / "new/numba/.lock").exists()
