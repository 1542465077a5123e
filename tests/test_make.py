"""The graph: what is built, what is built again, and what a failure leaves."""

import fcntl
import itertools
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml
from browser import needs_browser, opened
from bs4 import BeautifulSoup

from music_genre.build import done as noted
from music_genre.data.columns import INPUTS
from music_genre.data.find import SAMPLE_TABLE
from music_genre.data.table import load as load_table
from music_genre.models import portable
from music_genre.paths import ROOT

# Variables of the make that runs these tests, and what a user may have set for their own reports.
OF_THE_USER = ["MAKEFLAGS", "MAKELEVEL", "MFLAGS", "TABLE", "FEATURES", "MUSIC", "GTZAN", "MORE",
               "STRICT", "CHECK", "SEEDS", "RECIPES", "SPLITS", "CLIPS", "KERAS_BACKEND", "NPROC",
               "TAKE", "LAB", "TYPED", "VARIABLES", "PYTHON", "AUDIO", "MODEL"]  # fmt: skip
ROW = {"epochs": 1, "batch_size": 256, "learning_rate": 0.001, "activation": "tanh"}
HOSTILE = "100% A&B {x} 'q' \"d\" $(touch pwned) `touch pwned` #;touch pwned"  # a folder's name
PAPER = {"precision": 55.47, "recall": 33.16, "f1": 29.98, "accuracy": 33.45}


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """Copy the checkout's files and give it a table of two tiny rows."""
    folder = tmp_path_factory.mktemp("clone") / HOSTILE
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    write_row(folder, "tiny", "2", **ROW, paper={**PAPER, "loss_figure": 10})
    write_row(folder, "tiny", "10", **{**ROW, "batch_size": 300})
    return folder


def write_row(folder, table, name, **content):
    path = folder / "params" / table / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(content))


def own_sources(folder):
    """Return the variables by which a copy's own sources are used, but no cache of its own."""
    return {
        "PYTHONPATH": str(folder / "src"),
        "JAX_COMPILATION_CACHE_DIR": str(ROOT / ".cache" / "jax"),
    }


def make(folder, *arguments):
    """Run make in a copy."""
    environment = {**os.environ, **own_sources(folder)}
    for name in OF_THE_USER:
        environment.pop(name, None)
    return subprocess.run(
        ["make", f"PYTHON={sys.executable}", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True,
    )  # fmt: skip


def would_run(folder, *arguments):
    """Return the notebooks that make would execute, and the page that it would build."""
    done = make(folder, "-n", "report", *arguments)
    assert done.returncode == 0, done.stderr
    specs = re.findall(r"-m music_genre\.build\.execute (\S+\.json)$", done.stdout, re.MULTILINE)
    return [spec.replace("/.", "/").replace(".json", "") for spec in specs]


def in_a_terminal(folder, *arguments):
    """Run make in a copy, in a terminal of 80 columns; return its status and all it was sent."""
    environment = {**os.environ, **own_sources(folder), "TERM": "xterm"}
    for name in [*OF_THE_USER, "NO_COLOR", "COLUMNS", "LINES"]:
        environment.pop(name, None)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["make", f"PYTHON={sys.executable}", *arguments],
        cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    sent = b""
    with suppress(OSError):  # the end
        while new := os.read(ours, 10_000):
            sent += new
    os.close(ours)
    return process.wait(), sent.decode()


@pytest.fixture(scope="module")
def first_report(copy):
    """Build the report of the tiny table, on all cores; return what make wrote."""
    done = make(copy, "report", "TABLE=tiny")
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def built(copy, first_report):
    """Return the copy with the report of the tiny table."""
    return copy


@pytest.fixture(scope="module")
def page(built):
    return BeautifulSoup((built / "reports/tiny/report.html").read_text(), "html.parser")


SONG = "my $(touch pwned) `touch pwned` 'q' \"d\" {x} & <b>\u6f14\u6b4c<b>\nsecond line.wav"


def predicted(copy, audio):
    """Run `make predict` by a model that was never trained."""
    folder = copy / "a model"
    if not folder.exists():
        genres = ["blues", "rock"]
        network = portable.network([{"units": 2, "activation": "softmax"}], len(INPUTS))
        model = portable.Portable("an untrained model", genres, INPUTS, network,
                                  np.zeros(len(INPUTS)), np.full(len(INPUTS), 1e4))  # fmt: skip
        portable.save(folder, model)
    return make(copy, "predict", f"AUDIO={audio}", "MODEL=a model")


def test_predict_makes_a_page_a_table_and_json_of_a_file_of_any_name(copy):
    time = np.arange(7 * 22_050) / 22_050
    soundfile.write(copy / SONG, 0.3 * np.sin(2 * np.pi * 300 * time), 22_050)
    done = predicted(copy, SONG)
    assert done.returncode == 0, done.stdout + done.stderr
    made = sorted((copy / "reports/predict").iterdir())
    assert {path.suffix for path in made} == {".html", ".csv", ".json", ".ipynb", ".log"}
    assert len({path.stem for path in made}) == 1
    soup = BeautifulSoup(made[1].read_text("utf-8"), "html.parser")
    assert soup.title.get_text() == "The genre of " + SONG.replace("\n", "\\n")
    assert soup.find("audio")
    (file,) = json.loads(made[3].read_text("utf-8"))["files"]
    assert file["verdict"] in ("blues", "rock")
    assert f": {file['verdict']} (" in done.stdout
    assert not list(copy.parent.rglob("pwned"))


def test_predict_ends_with_one_sentence_for_one_bad_file(copy):
    (copy / "bad.mp3").write_text("no sound")
    done = predicted(copy, "bad.mp3")
    assert done.returncode
    assert "error: bad.mp3 cannot be read as audio (Format not recognised)" in done.stderr
    assert "Traceback" not in done.stderr


def test_predict_does_the_rest_of_a_folder(copy):
    (copy / "music/a/b").mkdir(parents=True)
    for name in ("one", "a/b/two"):
        sound = np.random.default_rng(0).uniform(-0.1, 0.1, 7 * 22_050)
        soundfile.write(copy / f"music/{name}.wav", sound, 22_050)
    (copy / "music/a/bad.mp3").write_text("no sound")
    done = predicted(copy, "music")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = pd.read_csv(copy / "reports/predict/music.csv")
    assert lines["file"].to_list() == ["a/b/two.wav", "a/bad.mp3", "one.wav"]
    assert "not read: a/bad.mp3: music/a/bad.mp3 cannot be read" in done.stdout


def test_help_lists_the_targets(copy):
    done = make(copy)
    for target in ("report", "test", "lab", "sample", "clean"):
        assert f"make {target}" in done.stdout


def test_report_tells_plan_steps_page_table_and_time_in_plain_lines(first_report):
    written = first_report.stdout + first_report.stderr
    assert "\r" not in written
    assert "\x1b" not in written
    data, planned, *ended, report, head, two, ten, total = first_report.stdout.splitlines()
    assert data.startswith("reports/tiny: on the embedded sample")
    assert planned == "10 steps: 0 kept, 10 new."  # no earlier run tells how long they take
    lines = [re.fullmatch(r"\[(\d+)/10\] reports/tiny/(\S+): \d+ s", line) for line in ended]
    assert [int(line[1]) for line in lines] == list(range(1, 11))
    assert {line[2] for line in lines} == {
        *(f"rows/{row}/{name}.ipynb" for row in (2, 10) for name in ("train", "evaluate")),
        *(
            f"{name}.ipynb"
            for name in ("explore", "features", "explanations", "contradictions", "table1")
        ),
        "report.html",
    }
    assert report == "report: reports/tiny/report.html"
    assert head.split() == ["row", "paper", "ours", "seeds"]
    assert re.fullmatch(r"2 +33\.45 +\d+\.\d\d +1", two)
    assert re.fullmatch(r"10 +– +\d+\.\d\d +1", ten)
    assert re.fullmatch(r"total: \d+ (s|min)", total)


def test_no_progress_bar_is_left_in_a_notebook_or_on_the_page(built):
    for path in [*built.glob("reports/tiny/**/*.ipynb"), built / "reports/tiny/report.html"]:
        assert not re.search(r"\d%\||█", path.read_text())


def test_page_needs_no_network(page):
    for tag in page.find_all(True):
        for name in ("src", "href", "data", "poster", "srcset"):
            assert not re.match(r"(https?:)?//", str(tag.get(name, ""))), tag
    styles = "".join(style.get_text() for style in page("style"))
    assert not re.search(r"url\((?!#)|@import", styles)
    assert not page("img")  # pictures are in the page


def test_page_leads_with_results_and_has_rows_by_number(page):
    sections = [section["id"] for section in page("section")]
    assert sections == [
        "table1", "rows", "explanations", "explore", "features", "model", "contradictions",
        "provenance",
    ]  # fmt: skip
    rows = page.find_all(class_="row")
    assert [row["id"] for row in rows] == ["row-2", "row-10"]
    for row in rows:
        assert row.h3.get_text().startswith(f"Row {row['id'][4:]}: 1 epoch,")
        assert len(row("svg")) >= 3  # curves, confusion matrix, scores by genre


def test_anchors_are_unique_and_all_links_lead_to_something(built, page):
    ids = [tag["id"] for tag in page.find_all(id=True)]
    assert len(ids) == len(set(ids))
    contents = [link["href"][1:] for link in page.nav("a")]
    assert len(contents) > 12
    for link in page.find_all("a"):
        target = link["href"]
        assert target[1:] in ids if target[0] == "#" else (built / "reports/tiny" / target).exists()


def test_code_is_folded_away_and_every_picture_has_a_text(page):
    assert all(block.find_parent("details") for block in page.select(".highlight"))
    assert len(page("svg")) > 12
    assert all(len(picture["aria-label"]) > 20 for picture in page("svg"))


def test_terminals_progress_does_not_get_onto_the_page(page):
    assert not re.search(r"\d%\||epoch/s|it/s", page.get_text())


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_real_page_is_accessible(built, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    with opened(built / "reports/tiny/report.html", width=width, scheme=scheme) as shown:
        shown.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert shown.evaluate("document.documentElement.scrollWidth") == width
        found = Axe().run(shown).response["violations"]
        assert not found, [(one["id"], one["nodes"][0]["html"]) for one in found]


def test_page_says_that_the_sample_is_not_gtzan_and_what_it_is(page):
    banner = page.find(class_="banner").get_text()
    assert "These figures are not GTZAN" in banner
    assert "FEATURES=" in banner
    assert "embedded sample: 100 clips, 500 segments" in page.header.get_text()
    checksum = noted.sha256(SAMPLE_TABLE)
    assert page.get_text().count(checksum) == 1  # in full, with what else it comes from
    assert page.get_text().count(checksum[:12]) <= 3


def test_page_has_the_papers_row_beside_ours(built, page):
    metrics = yaml.safe_load((built / "reports/tiny/rows/2/metrics.json").read_text())
    ours = metrics["parts"]["test"]["accuracy"]
    rows = page.find(id="tab-table1").tbody("tr")
    cells = [[cell.get_text() for cell in row(["th", "td"])] for row in rows]
    low, high = map(float, cells[0][5].split(" to "))
    assert low < ours < high
    assert cells[0][:5] == ["2", "1", "256", "33.45", f"{ours:.2f}"]
    assert cells[1][:4] == ["10", "1", "300", "–"]
    assert [row.th.a["href"] for row in rows] == ["#row-2", "#row-10"]


def test_page_names_no_path_of_this_machine(built):
    html = (built / "reports/tiny/report.html").read_text()
    assert str(built) not in html
    assert str(ROOT) not in html


def test_second_report_does_nothing_at_once(built):
    started = time.perf_counter()
    done = make(built, "report", "TABLE=tiny")
    assert time.perf_counter() - started < 2  # 0.6 s on a quiet machine
    data, planned, report, *table, total = done.stdout.splitlines()
    assert data == "reports/tiny: on the embedded sample, as data/ holds no music and no table."
    assert planned == "10 steps: 10 kept, 0 new."
    assert report == "report: reports/tiny/report.html"
    assert [line.split()[0] for line in table] == ["row", "2", "10"]
    assert total in ("total: 0 s", "total: 1 s", "total: 2 s")


@contextmanager
def edited(path):
    """Add a comment to a file, and give it an old date: its content counts."""
    before, content = path.stat(), path.read_bytes()
    path.write_bytes(content + b"\n# edited\n")
    os.utime(path, (0, 0))
    try:
        yield
    finally:
        path.write_bytes(content)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_edited_row_is_built_again_with_what_shows_it(built):
    with edited(built / "params/tiny/10.yaml"):
        assert set(would_run(built, "TABLE=tiny")) == {
            "reports/tiny/rows/10/train",
            "reports/tiny/rows/10/evaluate",
            "reports/tiny/explanations",
            "reports/tiny/contradictions",
            "reports/tiny/table1",
            "reports/tiny/report",
        }


def test_chart_concerns_the_notebooks_that_draw_it_only(built):
    figures = built / "src/music_genre/report/figures"
    with edited(figures / "explore.py"):
        assert would_run(built, "TABLE=tiny") == ["reports/tiny/explore", "reports/tiny/report"]
    with edited(figures / "evaluate.py"):
        assert set(would_run(built, "TABLE=tiny")) == {
            "reports/tiny/rows/2/evaluate",
            "reports/tiny/rows/10/evaluate",
            "reports/tiny/report",
        }


def test_clocks_decide_nothing(built):
    for path in [*built.glob("notebooks/*"), *(built / "src").rglob("*.py")]:
        os.utime(path)  # newer than all results
    assert would_run(built, "TABLE=tiny") == []
    for path in (built / "reports/tiny").rglob("*"):
        os.utime(path, (2**32, 2**32))  # results of the year 2106
    assert would_run(built, "TABLE=tiny") == []
    with edited(built / "src/music_genre/report/figures/explore.py"):
        assert would_run(built, "TABLE=tiny") == ["reports/tiny/explore", "reports/tiny/report"]


def test_options_tried_and_taken_back_leave_nothing_to_do(built):
    assert "reports/tiny/seeds/1/2/train" in would_run(built, "TABLE=tiny", "SEEDS=1")
    assert "reports/tiny/leakage" in would_run(built, "TABLE=tiny", "SPLITS=segment track")
    assert would_run(built, "TABLE=tiny") == []
    write_row(built, "tiny", "11", **ROW)
    assert set(would_run(built, "TABLE=tiny")) == {
        "reports/tiny/rows/11/train", "reports/tiny/rows/11/evaluate",
        "reports/tiny/explanations", "reports/tiny/contradictions", "reports/tiny/table1",
        "reports/tiny/report",
    }  # fmt: skip
    (built / "params/tiny/11.yaml").unlink()
    assert would_run(built, "TABLE=tiny") == []


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"step": 5}', "[" * 5000])
def test_damaged_note_means_that_the_step_is_done_again(built, damage):
    note = built / "reports/tiny/.explore.done.json"
    content = note.read_bytes()
    note.write_text(damage)
    assert would_run(built, "TABLE=tiny") == ["reports/tiny/explore", "reports/tiny/report"]
    note.write_bytes(content)


def test_result_that_was_changed_is_made_again(built):
    metrics = built / "reports/tiny/rows/2/metrics.json"
    content = metrics.read_bytes()
    metrics.write_bytes(content[:100])
    assert "reports/tiny/rows/2/train" in would_run(built, "TABLE=tiny")
    metrics.write_bytes(content)
    assert would_run(built, "TABLE=tiny") == []


def test_training_shown_again_is_not_done_again(built):
    before = (built / "reports/tiny/rows/10/metrics.json").read_bytes()
    with edited(built / "src/music_genre/report/figures/train.py"):
        assert make(built, "report", "TABLE=tiny").returncode == 0
    assert (built / "reports/tiny/rows/10/metrics.json").read_bytes() == before


def test_report_of_one_step_at_a_time_in_a_terminal_is_the_same_and_shows_a_bar(built):
    kept = (built / "reports/tiny/rows/2/predictions.csv").read_bytes()
    shutil.rmtree(built / "reports/tiny/rows/2")
    status, sent = in_a_terminal(built, "-j1", "report", "TABLE=tiny")
    assert status == 0, sent
    assert (built / "reports/tiny/rows/2/predictions.csv").read_bytes() == kept

    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", sent)
    # Row 2 has no earlier run any more, but row 10 tells how long it takes.
    plan = r"\n10 steps: (\d) kept, (\d) new, about \d+ (s|min) by earlier runs\.\r"
    kept, new = map(int, re.search(plan, shown).groups()[:2])
    assert kept + new == 10
    assert new >= 6  # row 2's two, what shows all rows, and the page
    assert re.search(r"\rrows/2/train 0:\d\d:\d\d ━+ +epoch [01]/1 ", shown)
    # What is written at a time, until the line is ended, erased or left for the one above.
    pieces = re.split(r"[\r\n]+|\x1b\[[0-9]*[AK]", sent)
    plain = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", piece) for piece in pieces]
    assert [line for line in plain if "━" in line and len(line) > 80] == []
    # The bar is gone when a line is written, and at the end the cursor is there again.
    line = rf"\r\x1b\[2K\[\d/{new}\] reports/tiny/rows/2/train\.ipynb: \d+ s\r\n"
    assert re.search(line, sent)
    assert sent.count("\x1b[?25l") == sent.count("\x1b[?25h") == 1
    end = re.split(r"\r\n", shown.strip())[-5:]
    assert end[0].endswith("report: reports/tiny/report.html")
    assert [line.split()[0] for line in end[1:]] == ["row", "2", "10", "total:"]


def test_report_is_built_around_a_row_that_fails(built):
    write_row(built, "tiny", "30", **ROW, test_size=0.001, paper=PAPER)
    done = make(built, "report", "TABLE=tiny")
    assert done.returncode != 0
    assert "error: not trained, see reports/tiny/rows/30/failed.json" in done.stderr
    partial = "reports/tiny/rows/30/train.partial.ipynb"
    sentence = r"test_size 0\.001 of 500 segments .* How far it came: " + re.escape(partial)
    told = re.search(rf"train\.ipynb failed in cell \[(\d+)\]: {sentence}\n", done.stderr)
    cells = json.loads((built / partial).read_text())["cells"]
    failed = [cell for cell in cells if cell.get("execution_count") == int(told[1])]
    assert [output["ename"] for output in failed[0]["outputs"]] == ["InputError"]
    assert re.search(
        r"^\[1/\d\] reports/tiny/rows/30/train.ipynb: failed", done.stdout, re.MULTILINE
    )
    assert re.search(r"^30 +33\.45 +failed +0$", done.stdout, re.MULTILINE)
    html = BeautifulSoup((built / "reports/tiny/report.html").read_text(), "html.parser")
    reason = "test_size 0.001 of 500 segments cannot be split"
    assert reason in html.find(id="row-30").get_text()
    assert f"failed: {reason}" in html.find(id="table1").table.get_text()
    assert html.find(id="row-2").svg

    (built / "params/tiny/30.yaml").unlink()
    assert make(built, "report", "TABLE=tiny").returncode == 0


def test_report_in_which_every_row_fails_gives_the_reasons(copy):
    write_row(copy, "bad", "1", **ROW, test_size=0.001)
    done = make(copy, "report", "TABLE=bad")
    assert done.returncode != 0
    assert "error: not trained, see reports/bad/rows/1/failed.json" in done.stderr
    folder = copy / "reports/bad/rows/1"
    assert not (folder / "train.ipynb").exists()
    assert "InputError" in (folder / "train.partial.ipynb").read_text()
    html = BeautifulSoup((copy / "reports/bad/report.html").read_text(), "html.parser")
    for section in ("row-1", "table1"):
        assert "test_size 0.001 of 500 segments cannot be split" in html.find(id=section).get_text()
    assert html.find(id="explore").svg


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("epoch: 1", "10.yaml: unknown parameter epoch (did you mean epochs?)"),
        ("epochs: -1", "10.yaml: parameter epochs is -1 but must be a whole number"),
        ("learning_rate: .nan", "10.yaml: parameter learning_rate is nan but must be a number"),
        ("learning_rate: 2020-01-01", "10.yaml: parameter learning_rate is datetime.date(2020"),
        ("1: 5", "10.yaml gives a value to 1, which is no name"),
        ("epochs: [", "10.yaml cannot be read as YAML"),
        ("epochs: 5\nepochs: 7", "10.yaml cannot be read as YAML (epochs stands twice)"),
        ("dropout: \xe9".encode("latin-1"), "10.yaml cannot be read as YAML ('utf-8' codec"),
    ],
)  # fmt: skip
def test_typo_in_the_last_row_is_found_before_any_work(copy, row, sentence):
    write_row(copy, "typo", "2", **ROW)
    path = copy / "params" / "typo" / "10.yaml"
    path.write_bytes(row if isinstance(row, bytes) else row.encode())
    done = make(copy, "report", "TABLE=typo")
    assert done.returncode != 0
    assert f"error: params/typo/{sentence}" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (copy / "reports/typo").exists()


@contextmanager
def training(copy):
    """Start a report with a training that takes long; yield its make once the training runs."""
    write_row(copy, "killed", "1", **{**ROW, "epochs": 500})
    shutil.rmtree(copy / "reports" / "killed", ignore_errors=True)
    process = subprocess.Popen(
        ["make", f"PYTHON={sys.executable}", "TABLE=killed", "report"],
        cwd=copy, env={**os.environ, **own_sources(copy)}, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    partial = copy / "reports/killed/rows/1/train.partial.ipynb"
    deadline = time.monotonic() + 60
    while not partial.exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert partial.exists()
    yield process
    assert not (partial.parent / "train.ipynb").exists()
    assert not (partial.parent / "metrics.json").exists()
    assert not (partial.parent / "failed.json").exists()


def is_free(lock):
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_killed_run_leaves_no_target(copy):
    with training(copy) as process:
        os.killpg(process.pid, 9)
        process.wait()


def test_second_report_is_told_to_wait_and_killing_only_make_ends_all(copy):
    with training(copy) as process:
        done = make(copy, "report", "TABLE=tiny")
        assert done.returncode != 0
        assert "error: `make report` is already at work in this checkout (process" in done.stderr
        assert "reports/killed" in done.stderr
        assert make(copy, "-n", "report", "TABLE=killed").returncode == 0  # to look is no harm
        process.kill()
        process.wait()
        deadline = time.monotonic() + 60
        while not is_free(copy / "reports" / ".lock"):
            assert time.monotonic() < deadline
            time.sleep(0.2)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["FEATURES=gone.csv"], "error: FEATURES is gone.csv, which does not exist"),
        (["TABLE=gtzan"], "error: TABLE is 'gtzan', but reports/gtzan holds the published report"),
        (["SPLITS=genre"], 'SPLITS is "genre": name some of segment, track, artist'),
        (["SEEDS=0,1"], 'SEEDS is "0,1" (did you mean 0 1?): write whole numbers'),
        (["TABLE=gone"], "params/gone holds no .yaml: name a folder under params/"),
        (["GTZAN=gone"], "error: GTZAN is gone, which does not exist"),
        (["GTZAN=src"], "src holds neither clips in a folder per genre nor features_3_sec.csv"),
        (["TABEL=quick"], "error: make knows no variable TABEL (did you mean TABLE?)"),
        (["nproc=2"], "error: make knows no variable nproc (did you mean NPROC?)"),
    ],
)
def test_what_is_typed_is_checked_before_the_environment_is_made(copy, arguments, sentence):
    environment = {**os.environ, **own_sources(copy), "PATH": f"{copy / 'bin'}:/usr/bin:/bin"}
    for name in [*OF_THE_USER, "VIRTUAL_ENV", "CONDA_DEFAULT_ENV"]:
        environment.pop(name, None)
    (copy / "bin").mkdir(exist_ok=True)
    with suppress(FileExistsError):
        (copy / "bin" / "python3").symlink_to(sys.executable)
    done = subprocess.run(
        ["make", "report", *arguments], cwd=copy, env=environment, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert sentence in done.stderr
    assert not (copy / ".venv").exists()


@pytest.fixture
def music(copy):
    """Return a folder of six clips of two genres, one of them no audio."""
    folder = copy / "my music"
    for genre, number in itertools.product(("polka", "waltz"), range(3)):
        path = folder / genre / f"{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng([len(genre), number])
        soundfile.write(path, 0.1 * rng.standard_normal(7 * 22_050), 22_050)
    (folder / "waltz" / "0.wav").write_text("no audio")
    yield folder
    shutil.rmtree(copy / "data", ignore_errors=True)


def extract(copy, name, *, strict=False):
    """Extract the features of some music as `make report` does, and make nothing of them."""
    program = (
        "import pathlib, sys, music_genre.build.__main__ as build\n"
        "build.extract(pathlib.Path(sys.argv[1]), strict=sys.argv[2] == '1', dry=False)"
    )
    return subprocess.run(
        [sys.executable, "-c", program, name, str(int(strict))],
        cwd=copy, env={**os.environ, **own_sources(copy)}, capture_output=True, text=True,
    )  # fmt: skip


def test_own_music_becomes_a_table_once_and_again_when_a_clip_changes(copy, music):
    done = extract(copy, music.name)
    assert done.returncode == 0, done.stderr
    assert "Left out: " in done.stderr
    assert "10 segments of 5 clips; clips left out: 1." in done.stderr
    rows, source = load_table(str(copy / "data/extracted.csv"))
    assert list(rows["filename"][:2]) == ["polka.0.0.wav", "polka.0.1.wav"]
    assert [problem["clip"] for problem in source.left_out] == ["waltz.0"]

    first = (copy / "data/extracted.csv").read_bytes()
    assert extract(copy, music.name).stderr == ""  # nothing to do
    os.utime(music / "polka" / "1.wav", (2**32, 2**32))  # looked at again, and found the same
    assert extract(copy, music.name).returncode == 0
    assert (copy / "data/extracted.csv").read_bytes() == first
    assert extract(copy, music.name).stderr == ""  # a date in the future is no reason

    clip = music / "polka" / "2.wav"
    before = clip.stat()
    shutil.copy(music / "polka" / "1.wav", clip)
    os.utime(clip, ns=(before.st_atime_ns, before.st_mtime_ns))  # as long, and no newer
    assert clip.stat().st_size == before.st_size
    assert extract(copy, music.name).returncode == 0
    assert (copy / "data/extracted.csv").read_bytes() != first

    shutil.copy(music / "polka" / "1.wav", music / "waltz" / "0.wav")
    assert "12 segments of 6 clips; clips left out: 0." in extract(copy, music.name).stderr


def test_music_described_once_is_not_used_for_ever(built, music):
    assert extract(built, music.name).returncode == 0
    done = make(built, "-n", "report", "TABLE=tiny")
    assert "reports/tiny: on the embedded sample" in done.stdout
    assert "FEATURES=data/extracted.csv takes the features extracted last" in done.stdout
    assert would_run(built, "TABLE=tiny") == []
    done = make(built, "-n", "report", "TABLE=tiny", "FEATURES=data/extracted.csv")
    assert "It replaces a report on another features table." in done.stdout


@pytest.mark.parametrize(
    "name",
    ["My Music", "R&B", "archive (1)", "a:b", "100%", "it's", 'a "quoted" one', "A$AP",
     "$(touch pwned)", '";touch pwned;"', "{x}", "a#b", "a\\b", "~", "-rf", "new\nline", " lead",
     "=", "演歌", "a,b", "*", "$(shell touch pwned)", "`touch pwned`"],
)  # fmt: skip
def test_folder_of_any_name_is_read(built, name):
    """The table in it is handed to the notebooks, with a slash at the end or without."""
    folder = built / "music of any name" / name
    folder.mkdir(parents=True)
    shutil.copy(SAMPLE_TABLE, folder / "features_3_sec.csv")
    relative = f"music of any name/{name}"
    for given in (f"GTZAN={relative}", f"GTZAN={folder}//"):
        assert "reports/tiny/explore" in would_run(built, "TABLE=tiny", given)
        spec = json.loads((built / "reports/tiny/.explore.json").read_text())
        assert spec["given"]["features"] == f"{relative}/features_3_sec.csv"
    assert not list(built.parent.rglob("pwned"))
    shutil.rmtree(folder)


def test_strict_refuses_a_clip_that_cannot_be_described(copy, music):
    done = extract(copy, music.name, strict=True)
    assert done.returncode != 0
    assert "1 of 6 clips cannot be described; the first: " in done.stderr
    assert not (copy / "data/extracted.csv").exists()
    assert extract(copy, music.name).returncode == 0
    assert extract(copy, music.name, strict=True).returncode != 0


def test_folder_of_music_is_checked(copy, music):
    for name in ("MUSIC", "GTZAN"):
        done = make(copy, "data", "CHECK=1", f"{name}={music.name}")
        assert done.returncode == 0, done.stderr
        assert "Clips: 6 (own music) in my music" in done.stdout
        assert "unreadable: 1 " in done.stdout


@pytest.fixture
def collection(copy):
    """Return a folder of two genres of six short clips, two of which are in the wrong one.

    The genres are a tone with some noise, and noise. One clip is there twice, once in each.
    """
    folder = copy / "Meine Platten & <b>mehr"
    for genre, number in itertools.product(("演歌", "R&B"), range(6)):
        path = folder / genre / f"Band {number // 2}" / "Album" / f"{number}.flac"
        path.parent.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng([len(genre), number])
        tone = np.sin(2 * np.pi * (300 + 5 * number) * np.arange(7 * 22_050) / 22_050)
        y = 0.02 * rng.standard_normal(7 * 22_050) + 0.3 * tone * (genre == "演歌")
        soundfile.write(path, y, 22_050)
    shutil.copy(folder / "R&B/Band 0/Album/0.flac", folder / "演歌/copy.flac")
    (folder / "演歌/Band 2/Album/5.flac").rename(folder / "R&B/wrong.flac")
    (folder / "R&B/broken.wav").write_text("no audio")
    yield folder
    shutil.rmtree(copy / "data", ignore_errors=True)


@pytest.mark.slow
def test_report_on_a_collection_is_about_it_and_nothing_else(copy, collection):
    write_row(copy, "collection", "lstm", **ROW, split="track", scale_on="train")
    done = make(copy, "report", f"MUSIC={collection.name}")
    assert done.returncode == 0, done.stdout + done.stderr
    first, *_, head, lstm, _ = done.stdout.splitlines()
    assert first.startswith("reports/collection: on data/extracted.csv and the clips in ")
    assert f"as MUSIC says; it is about {collection.name}, as that is not GTZAN." in first
    assert head.split() == ["row", "accuracy", "seeds"]
    assert re.fullmatch(r"lstm +\d+\.\d\d +1", lstm)
    assert not (copy / "reports/table1").exists()
    html = BeautifulSoup((copy / "reports/collection/report.html").read_text(), "html.parser")
    for tag in html.select("details.code, style, script"):
        tag.decompose()
    assert html.h1.get_text() == html.title.get_text() == f"The genres of {collection.name}"
    byline = html.select_one(".byline").extract().get_text()
    assert "paper" in byline
    assert "GTZAN" in byline
    text = " ".join(html.get_text(" ").split())
    told = [html.text for html in html.find_all("figcaption")]
    assert not re.search(r"\bpapers?\b|GTZAN|Table I\b|Fig\.|Sturm", " ".join([text, *told]))
    headline = " ".join(html.select_one(".headline").get_text().split())
    assert headline.startswith(
        f"{collection.name} has 2 genres (R&B and 演歌), 13 clips and 26 segments of three "
        "seconds. Left out was 1 more clip"
    )
    assert "broken.wav cannot be read as audio" in text
    assert [section["id"] for section in html.select("main > section")] == [
        "collection", "explore", "features", "rows", "model", "errors", "provenance",
    ]  # fmt: skip

    def column(table, number):
        rows = html.select(f"#{table} tbody tr")
        return [row.find_all(["th", "td"])[number].get_text() for row in rows]

    assert set(column("tab-collection-mislabelled", 0)) == {"R&B.wrong", "演歌.copy"}
    assert column("tab-collection-duplicates", 0) == ["R&B.Band 0/Album/0"]
    assert column("tab-collection-duplicates", 2) == ["演歌.copy"]
    assert set(column("tab-collection-all-scores", 0)) == {"track", "artist"}
    again = make(copy, "report", f"MUSIC={collection.name}")
    assert ": 7 kept, 0 new." in again.stdout
    for option in ("RECIPES=1", "SPLITS=track"):
        refused = make(copy, "report", f"MUSIC={collection.name}", option)
        assert refused.returncode != 0
        sentence = f"{collection.name} is not GTZAN: leave {option.split('=')[0]} out"
        assert sentence in refused.stderr


def test_environment_without_the_package_is_named(copy):
    python = copy / "bare python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')  # without its packages
    python.chmod(0o755)
    environment = {k: v for k, v in os.environ.items() if k not in [*OF_THE_USER, "PYTHONPATH"]}
    done = subprocess.run(
        ["make", "environment", f"PYTHON={python}"],
        cwd=copy, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode != 0
    assert "this Python environment lacks this checkout's package" in done.stderr


def test_rows_of_table_one_are_the_papers():
    # The paper, Table I.
    printed = pd.DataFrame(
        [
            (7, 128, 55.47, 33.16, 29.98, 33.45),
            (20, 128, 65.22, 46.36, 46.36, 45.92),
            (40, 128, 70.56, 57.76, 59.61, 57.51),
            (40, 220, 72.83, 72.50, 72.40, 72.37),
            (50, 220, 73.70, 73.41, 73.32, 73.37),
            (90, 220, 91.71, 91.47, 91.50, 91.51),
            (120, 220, 91.81, 91.78, 91.70, 91.78),
        ],
        columns=["epochs", "batch_size", "precision", "recall", "f1", "accuracy"],
    )
    rows = [yaml.safe_load((ROOT / f"params/table1/{i}.yaml").read_text()) for i in range(1, 8)]
    ours = pd.DataFrame([{**row, **row["paper"]} for row in rows])
    pd.testing.assert_frame_equal(ours[list(printed)], printed)


def test_rows_as_printed_have_the_papers_activation_and_rates():
    # The paper, Experiments B and C; it prints no rate for rows 3 and 6.
    rates = {1: 1e-2, 2: 1e-2, 4: 1e-1, 5: 1e-1, 7: 1e-1}
    for number in range(1, 8):
        name = f"{number}.yaml"
        row = yaml.safe_load((ROOT / "params/table1-as-printed" / name).read_text())
        ours = yaml.safe_load((ROOT / "params/table1" / name).read_text())
        assert row["activation"] == "relu"
        assert row["learning_rate"] == rates.get(number, 1e-2 if row["batch_size"] == 128 else 1e-1)
        for same in ("epochs", "batch_size", "paper"):
            assert row[same] == ours[same]


def test_other_features_table_concerns_all_that_read_it(built, few_rows):
    path = built / "my table.csv"
    few_rows.to_csv(path, index=False)
    os.utime(path, (0, 0))  # old, as files that one has had for long are: its content counts
    would = would_run(built, "TABLE=tiny", f"FEATURES={path.name}")
    assert {name.removeprefix("reports/tiny/") for name in would} >= {
        "explore", "features", "rows/2/train", "rows/10/train", "table1", "report",
    }  # fmt: skip
    assert not would_run(built, "TABLE=tiny")  # what was only listed makes nothing stale
