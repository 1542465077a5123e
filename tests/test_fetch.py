"""Downloads against a local server that breaks off, refuses, lies and stalls."""

import contextlib
import hashlib
import io
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from conftest import SHARED, needs_shared

from music_genre.data import fetch
from music_genre.data.gtzan import find_clips
from music_genre.exceptions import InputError

LIST = b"blues/blues.00000.wav\n"


class Handler(BaseHTTPRequestHandler):
    """Serves ``server.files``; ``server.plans`` says how each one misbehaves."""

    def do_GET(self):
        plan = self.server.plans.get(self.path, {})
        body = self.server.files.get(self.path)
        asked = self.headers.get("Range")
        self.server.seen.append((self.path, asked))
        if body is None or "status" in plan:
            return self.send_error(plan.get("status", 404))
        start = 0
        if asked and plan.get("ranges", True):
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(body):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(body)}")
                return self.end_headers()
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        most = plan["cuts"].pop(0) if plan.get("cuts") else len(body)
        with contextlib.suppress(OSError):  # the other side may be killed
            self.wfile.write(body[start : start + most])
            self.wfile.flush()
        if most < len(body) - start and "stall" in plan:
            plan["stall"].wait(20)
        return None

    def log_message(self, *_):
        pass


@pytest.fixture
def site(monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.files, server.plans, server.seen = {}, {}, []
    server.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    monkeypatch.setenv("NO_PROXY", "*")
    yield server
    for plan in server.plans.values():
        plan.get("stall", threading.Event()).set()
    server.shutdown()
    server.server_close()


def wav(seconds=0.2, *, seed=0):
    """Noise, so that the archive is about as large as the audio."""
    file = io.BytesIO()
    noise = np.random.default_rng(seed).normal(0, 0.1, int(22_050 * seconds))
    soundfile.write(file, noise, 22_050, format="WAV")
    return file.getvalue()


def tar(members):
    """Pack (name, bytes) and (name, tar type, link target)."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, *content in members:
            member = tarfile.TarInfo(name)
            if len(content) == 1:
                member.size = len(content[0])
                archive.addfile(member, io.BytesIO(content[0]))
            else:
                member.type, member.linkname = content
                archive.addfile(member)
    return file.getvalue()


AUDIO = {f"blues.{i:05d}": wav(4, seed=i) for i in range(2)}
ARCHIVE = tar((f"genres/blues/{clip}.wav", audio) for clip, audio in AUDIO.items())


def sha256(body):
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


@pytest.fixture
def sources(site, monkeypatch):
    """Three mirrors of the archive and one list, all on the local server, and no kagglehub."""
    mirrors = [f"/{mirror}/genres.tar.gz" for mirror in "abc"]
    site.files |= dict.fromkeys(mirrors, ARCHIVE) | {"/lists/test_filtered.txt": LIST}
    monkeypatch.setattr(fetch, "ARCHIVES", [(site.url + path, sha256(ARCHIVE)) for path in mirrors])
    lists = {"test_filtered.txt": (sha256(LIST), [f"{site.url}/lists"])}
    monkeypatch.setattr(fetch, "LISTS", lists)
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    return mirrors


def asked(site, path):
    return [sent for seen, sent in site.seen if seen == path]


def whole(folder):
    """Tell whether the fetched folder holds the archive's audio and the list, and nothing else."""
    visible = {path.name for path in folder.iterdir() if path.name != ".lock"}
    audio = {path.stem: path.read_bytes() for path in folder.glob("genres/blues/*.wav")}
    same_list = (folder / "splits" / "test_filtered.txt").read_bytes() == LIST
    return visible == {"genres", "splits"} and audio == AUDIO and same_list


def test_second_run_asks_for_nothing(tmp_path, site, sources):
    fetch.fetch(tmp_path)
    assert whole(tmp_path)
    assert site.seen == [("/lists/test_filtered.txt", None), (sources[0], None)]
    fetch.fetch(tmp_path)
    assert len(site.seen) == 2


def test_cut_connection_is_taken_up_where_it_broke(tmp_path, site, sources):
    site.plans[sources[0]] = {"cuts": [100_000, 100_000]}
    fetch.fetch(tmp_path)
    assert whole(tmp_path)
    assert asked(site, sources[0]) == [None, "bytes=100000-", "bytes=200000-"]
    assert asked(site, sources[1]) == []


def test_server_without_ranges_still_gives_the_right_file(tmp_path, site, sources):
    site.plans[sources[0]] = {"cuts": [100_000], "ranges": False}
    fetch.fetch(tmp_path)
    assert whole(tmp_path)
    assert asked(site, sources[0]) == [None, "bytes=100000-"]
    assert asked(site, sources[1]) == []


def test_stalled_connection_is_taken_up(tmp_path, site, sources, monkeypatch):
    monkeypatch.setattr(fetch, "TIMEOUT", (1, 0.3))
    site.plans[sources[0]] = {"cuts": [2 * fetch.CHUNK], "stall": threading.Event()}
    fetch.fetch(tmp_path)
    assert whole(tmp_path)
    assert asked(site, sources[0]) == [None, f"bytes={2 * fetch.CHUNK}-"]


def test_next_run_goes_on_even_from_another_mirror(tmp_path, site, sources):
    site.plans |= {path: {"status": 503} for path in sources[1:]}
    site.plans[sources[0]] = {"cuts": [100_000, 0]}  # the second try brings nothing: give up
    with pytest.raises(InputError, match="the connection broke|IncompleteRead"):
        fetch.fetch(tmp_path)
    assert not (tmp_path / "genres").exists()
    site.plans = {sources[0]: {"status": 404}}
    fetch.fetch(tmp_path)
    assert whole(tmp_path)
    assert asked(site, sources[1])[-1] == "bytes=100000-"


@pytest.mark.parametrize("size", [50_000, len(ARCHIVE), len(ARCHIVE) + 10])
def test_what_was_begun_with_other_content_does_no_harm(tmp_path, site, sources, size):
    part = tmp_path / ".fetch" / f"genres.tar.gz.{sha256(ARCHIVE)[-8:]}.part"
    part.parent.mkdir()
    part.write_bytes(b"x" * size)
    fetch.fetch(tmp_path)
    assert whole(tmp_path)
    assert asked(site, sources[1]) == []


def test_archive_that_came_whole_before_a_kill_is_not_fetched_again(tmp_path, site, sources):
    (tmp_path / ".fetch").mkdir()
    (tmp_path / ".fetch" / "genres.tar.gz").write_bytes(ARCHIVE)
    (tmp_path / ".unpacked-genres" / "genres" / "blues").mkdir(parents=True)
    (tmp_path / ".unpacked-genres" / "genres" / "blues" / "half.wav").write_bytes(wav())
    fetch.fetch(tmp_path)
    assert whole(tmp_path)
    assert [path for path, _ in site.seen] == ["/lists/test_filtered.txt"]


def test_sources_are_tried_in_order_and_a_wrong_file_is_refused(tmp_path, site, sources, capsys):
    site.plans[sources[0]] = {"status": 404}
    site.files[sources[1]] = ARCHIVE[:-1] + b"x"  # the right size
    fetch.fetch(tmp_path)
    assert whole(tmp_path)
    assert [path for path, _ in site.seen[1:]] == sources
    told = capsys.readouterr().out
    assert "failed: 404 Not Found" in told
    assert "failed: not the expected file" in told


def test_failure_says_why_for_each_source_and_how_to_go_on(tmp_path, site, sources):
    site.plans[sources[0]] = {"status": 404}
    site.plans[sources[1]] = {"status": 503}
    site.files[sources[2]] = bytes(len(ARCHIVE))
    site.plans["/lists/test_filtered.txt"] = {"status": 404}
    with pytest.raises(InputError) as caught:
        fetch.fetch(tmp_path)
    text = str(caught.value)
    for expected in [
        f"{sources[0]}: 404 Not Found",
        f"{sources[1]}: 503 Service Unavailable",
        f"{sources[2]}: not the expected file, {sha256(ARCHIVE)}",
        "pip install kagglehub",
        "/genres/blues/blues.00000.wav",
        "GTZAN=/path",
        "/lists/test_filtered.txt: 404",
        "save it as",
    ]:
        assert expected in text
    assert not (tmp_path / "genres").exists()


def test_dead_host_is_named(tmp_path, site, sources, monkeypatch):
    monkeypatch.setattr(fetch, "ARCHIVES", [("http://127.0.0.1:1/genres.tar.gz", "md5:0")])
    with pytest.raises(InputError, match="127.0.0.1:1/.*Connection refused"):
        fetch.fetch(tmp_path)
    assert (tmp_path / "splits" / "test_filtered.txt").exists()  # what can be had is


def test_kaggle_comes_last_and_is_recognised(tmp_path, site, sources, monkeypatch):
    site.plans |= {path: {"status": 404} for path in sources}

    def dataset_download(name):
        assert name == "andradaolteanu/gtzan-dataset-music-genre-classification"
        version = Path(os.environ["KAGGLEHUB_CACHE"]) / "versions" / "1"
        genre = version / "Data" / "genres_original" / "blues"
        genre.mkdir(parents=True)
        (genre / "blues.00000.wav").write_bytes(wav())
        return str(version)

    monkeypatch.setenv("KAGGLEHUB_CACHE", "")  # so that it is put back
    kaggle = SimpleNamespace(dataset_download=dataset_download)
    monkeypatch.setitem(sys.modules, "kagglehub", kaggle)
    fetch.fetch(tmp_path)
    assert list(find_clips(tmp_path)["clip"]) == ["blues.00000"]
    assert not (tmp_path / ".fetch").exists()


def test_existing_copy_is_used_and_own_music_needs_no_lists(tmp_path, site, sources):
    for name, clip in [("copy", "blues.00000"), ("own", "my song")]:
        genre = tmp_path / name / "blues"
        genre.mkdir(parents=True)
        (genre / f"{clip}.wav").write_bytes(wav())
    fetch.fetch(tmp_path / "a", copy=tmp_path / "own")
    assert site.seen == []
    fetch.fetch(tmp_path / "b", copy=tmp_path / "copy")
    assert [path for path, _ in site.seen] == ["/lists/test_filtered.txt"]
    with pytest.raises(InputError, match="neither genre folders"):
        fetch.fetch(tmp_path / "c", copy=tmp_path / "a")


@needs_shared
def test_lists_beside_a_copy_are_the_published_ones(tmp_path, monkeypatch):
    monkeypatch.setattr("requests.get", lambda *_, **__: pytest.fail("network"))
    fetch.fetch(tmp_path, copy=SHARED)
    lines = {path.name: len(path.read_text().split("\n")) - 1 for path in tmp_path.glob("*/*.txt")}
    counts = [lines[f"{part}_filtered.txt"] for part in ("train", "valid", "test")]
    assert counts == [443, 197, 290]
    assert (tmp_path / "splits" / "GTZANindex.txt").read_text().count(":::") > 900


BAD = {
    "parent": ("../outside.wav", wav()),
    "parent deeper": ("genres/../../outside.wav", wav()),
    "absolute name": ("/outside.wav", wav()),
    "absolute symlink": ("genres/blues/link.wav", tarfile.SYMTYPE, "/etc/hostname"),
    "symlink out": ("genres/blues/link.wav", tarfile.SYMTYPE, "../../../outside.wav"),
    "absolute hard link": ("genres/blues/link.wav", tarfile.LNKTYPE, "/etc/hostname"),
    "hard link out": ("genres/blues/link.wav", tarfile.LNKTYPE, "../outside.wav"),
    "device": ("genres/blues/null.wav", tarfile.CHRTYPE, ""),
}


@pytest.mark.parametrize("member", BAD.values(), ids=BAD)
def test_unsafe_archive_is_refused_and_nothing_is_kept(tmp_path, member):
    data = tmp_path / "data"
    data.mkdir()
    (data / "genres.tar.gz").write_bytes(tar([("genres/blues/blues.00000.wav", wav()), member]))
    (tmp_path / "outside.wav").write_bytes(b"mine")
    with pytest.raises(InputError, match=r"genres\.tar\.gz is damaged or not safe"):
        fetch.unpack(data / "genres.tar.gz", data / "genres")
    assert [path.name for path in data.iterdir()] == ["genres.tar.gz"]
    assert (tmp_path / "outside.wav").read_bytes() == b"mine"
    assert not Path("/outside.wav").exists()


@pytest.mark.parametrize("body", [ARCHIVE[:100_000], ARCHIVE[:100_000] * 2, b"no archive"])
def test_damaged_archive_leaves_nothing(tmp_path, body):
    (tmp_path / "genres.tar.gz").write_bytes(body)
    with pytest.raises(InputError, match="damaged"):
        fetch.unpack(tmp_path / "genres.tar.gz", tmp_path / "genres")
    assert [path.name for path in tmp_path.iterdir()] == ["genres.tar.gz"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full to stand for a full disk")
def test_full_disk_is_told_and_not_taken_for_a_broken_source(tmp_path, site, sources):
    (tmp_path / ".fetch").mkdir()
    part = tmp_path / ".fetch" / f"genres.tar.gz.{sha256(ARCHIVE)[-8:]}.part"
    part.symlink_to("/dev/full")
    with pytest.raises(InputError, match="No space left on device.*free some space"):
        fetch.fetch(tmp_path)
    assert asked(site, sources[1]) == []
    assert not (tmp_path / "genres").exists()


def test_folder_that_cannot_be_written_is_told(tmp_path, site, sources):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        fetch.fetch(tmp_path / "file" / "data")


def start(folder):
    """Start a run in a process of its own, with this test's sources."""
    code = (
        "import sys\nfrom music_genre.data import fetch\n"
        "sys.modules['kagglehub'] = None\n"
        f"fetch.ARCHIVES, fetch.LISTS = {fetch.ARCHIVES!r}, {fetch.LISTS!r}\n"
        f"fetch.fetch({str(folder)!r})"
    )
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def wait_for(condition):
    limit = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < limit, "did not happen in 20 s"
        time.sleep(0.01)


def test_killed_run_is_taken_up_where_it_stopped(tmp_path, site, sources):
    site.plans[sources[0]] = {"cuts": [100_000], "stall": threading.Event()}
    run = start(tmp_path)
    part = tmp_path / ".fetch" / f"genres.tar.gz.{sha256(ARCHIVE)[-8:]}.part"
    wait_for(lambda: part.exists() and part.stat().st_size >= fetch.CHUNK)
    run.send_signal(signal.SIGKILL)
    run.communicate()
    begun = part.stat().st_size
    assert not (tmp_path / "genres").exists()
    fetch.fetch(tmp_path)
    assert whole(tmp_path)
    assert asked(site, sources[0]) == [None, f"bytes={begun}-"]


def test_two_runs_at_once_download_once_and_right(tmp_path, site, sources):
    stall = threading.Event()
    site.plans[sources[0]] = {"cuts": [100_000], "stall": stall}
    first = start(tmp_path)
    wait_for(lambda: asked(site, sources[0]))
    second = start(tmp_path)
    assert "waiting" in second.stdout.readline()
    stall.set()
    assert [first.wait(20), second.wait(20)] == [0, 0]
    assert whole(tmp_path)
    assert asked(site, sources[0]) == [None, "bytes=100000-"]
    first.stdout.close()
    second.stdout.close()


def test_command_prints_one_sentence_and_fails(tmp_path):
    command = [sys.executable, "-m", "music_genre.data.fetch", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr.startswith(f"{tmp_path.name} holds neither")
    assert run.stderr.count("\n") == 1
