"""No name runs anything on the page: a browser opens it and says what it made of it."""

import json
import shutil
import subprocess

import jupytext
import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from conftest import SOURCE, fake_run
from hostile import NAMES, RUN
from IPython.core.formatters import DisplayFormatter
from nbformat.v4 import new_markdown_cell, new_notebook, new_output

from music_genre import names
from music_genre.data.columns import COLUMNS
from music_genre.data.find import SAMPLE_TABLE
from music_genre.paths import ROOT
from music_genre.provenance import write_json
from music_genre.report import display, page

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium is installed to open a page with")
POLICY = "Content-Security-Policy"
SCRIPT = (page.TEMPLATE / "script.js").read_text(encoding="utf-8")
TITLE = "Music Genre Classification With Deep Learning, reproduced"
IMAGE = f"<img src=x onerror={RUN}>"


def opened(html, folder):
    """Return a page's document after Chromium has run what it takes for code."""
    path = folder / "opened.html"
    path.write_text(html, encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=3000"]
    profile = f"--user-data-dir={folder / 'profile'}"
    command = [CHROMIUM, *options, profile, "--dump-dom", path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return BeautifulSoup(done.stdout, "html.parser")


def executed(name, target, monkeypatch, **parameters):
    """Run a notebook in this process and write it with its outputs, as papermill would."""
    notebook = jupytext.read(ROOT / "notebooks" / f"{name}.py")
    namespace, formatter = {}, DisplayFormatter()
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            shown = []
            monkeypatch.setattr(display, "display", shown.append)
            exec(cell.source, namespace)
            formats = map(formatter.format, shown)
            cell.outputs = [new_output("display_data", data, metadata=m) for data, m in formats]
            cell.execution_count = number
        if "parameters" in cell.metadata.get("tags", []):
            namespace |= parameters
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, target)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Return the page of a report in which everything that has a name has a hostile one."""
    folder = tmp_path_factory.mktemp("hostile")
    path = folder / f"{IMAGE}&\"'[a](javascript:b)$x$_.csv"
    genres = sorted(map(names.normal, NAMES))
    segments = pd.read_csv(SAMPLE_TABLE).iloc[: 2 * len(NAMES)].copy()
    segments["label"] = [name for name in NAMES for _ in range(2)]
    segments["filename"] = [f"{name}.{i}.wav" for name in NAMES for i in range(2)]
    extra = pd.DataFrame({name: 0.0 for name in NAMES if name not in COLUMNS}, segments.index)
    segments.join(extra).to_csv(path, index=False)
    problems = [{"clip": name, "path": name, "reason": name} for name in NAMES]
    written = {"clips": 1, "segments": len(segments), "problems": problems}
    write_json(path.with_suffix(".problems.json"), written)

    predictions = segments[["filename"]].assign(part=["train", "test"] * len(NAMES))
    predictions["label"] = segments["label"].map(names.normal)
    predictions["predicted"] = [genres[i // 2 - 1] for i in range(len(segments))]
    source = {**SOURCE, "path": IMAGE, "sha256": IMAGE, "ignored_columns": NAMES,
              "left_out": problems, "merged": {name: NAMES for name in NAMES[:2]}}  # fmt: skip
    run = folder / "rows" / "1"
    fake_run(run, predictions, source=source, paper={"confusion_figure": IMAGE},
             activation=IMAGE, split=IMAGE, epochs=IMAGE, batch_size=IMAGE, seed=IMAGE)  # fmt: skip
    content = json.loads((run / "metrics.json").read_text())
    made = dict.fromkeys(["commit", "python", "keras_backend", "machine", "created"], IMAGE)
    content["provenance"] |= {**made, "packages": {IMAGE: IMAGE}, "threads": IMAGE}
    write_json(run / "metrics.json", content)
    write_json(folder / "rows" / "2" / "failed.json", {"parameters": {}, "error": " ".join(NAMES)})

    with pytest.MonkeyPatch.context() as patch:
        executed("features", folder / "features.ipynb", patch, features=str(path))
        executed("evaluate", run / "evaluate.ipynb", patch, results=str(run))
    nbformat.write(new_notebook(cells=[new_markdown_cell("# Train")]), run / "train.ipynb")
    return page.build(folder, sections=["features", "rows"], rows=["1", "2"]).read_text()


def without_policy(html):
    soup = BeautifulSoup(html, "html.parser")
    soup.find("meta", {"http-equiv": POLICY}).decompose()
    return str(soup)


@pytest.mark.parametrize("policy", [True, False], ids=["with its policy", "without"])
def test_names_are_text_to_a_browser(report, tmp_path, policy):
    shown = opened(report if policy else without_policy(report), tmp_path)
    assert shown.title.get_text() == TITLE
    for tag in shown.find_all(True):
        assert tag.name not in {"iframe", "object", "embed", "form", "base"}
        assert tag.name != "script" or tag.get_text() == SCRIPT
        assert not [name for name in tag.attrs if name.startswith("on")], tag
        href = tag.get("href", tag.get("xlink:href", "#"))
        assert href.startswith(("#", "data:")) or tag.has_attr("download"), tag
        assert tag.get("src", "data:").startswith("data:"), tag
        assert tag.get("http-equiv") in (None, POLICY)
    assert [tag["href"] for tag in shown.find_all("link")] == ["data:,"]


def test_every_name_is_shown_as_it_is_written(report, tmp_path):
    shown = opened(report, tmp_path)
    cells = {tag.get_text() for tag in shown.select("th, td")}
    assert set(map(names.normal, NAMES)) <= cells
    items = {tag.get_text().strip() for tag in shown.select("li")}
    listed = NAMES[: display._MOST]  # the others are counted
    assert {names.readable(name).replace("\n", " ") for name in listed} <= items


@pytest.mark.parametrize("place", ["<main", "</main>"])
def test_policy_stops_what_would_not_be_escaped(report, tmp_path, place):
    """The second line: nothing runs, whatever gets onto the page. Without it everything does."""
    attack = f"<script>{RUN}</script>{IMAGE}<a href='javascript:{RUN}' id=x>x</a>"
    broken = report.replace(place, attack + place, 1)
    assert opened(broken, tmp_path).title.get_text() == TITLE
    assert opened(without_policy(broken), tmp_path).title.get_text() == "1"
