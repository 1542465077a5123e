"""A real JupyterLab in a real browser: what a user of `make lab` does and sees."""

import json
import time
from contextlib import suppress

import nbformat
import pytest
from browser import CHROMIUM, needs_browser
from labserver import TOKEN, serving
from playwright.sync_api import TimeoutError, expect, sync_playwright

from music_genre import pairs

pytestmark = [pytest.mark.slow, needs_browser]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("check out"), tmp_path_factory.mktemp("home")) as lab:
        yield lab


@pytest.fixture
def page():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(60_000)
        yield page
        browser.close()


def open_notebook(lab, page, name):
    page.goto(f"{lab.url}lab/tree/notebooks/{name}?token={TOKEN}&reset")
    expect(page.locator(".jp-Notebook .jp-Cell").first).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=60_000)


def menu(page, *names):
    page.locator(".lm-MenuBar-item", has_text=names[0]).click()
    page.locator(".lm-Menu-itemLabel", has_text=names[1]).first.click()


def run_all(lab, page):
    """Run all cells and wait until the kernel has had nothing to do for a second."""
    menu(page, "Run", "Run All Cells")
    idle, deadline = 0, time.monotonic() + 120
    while idle < 3:
        assert time.monotonic() < deadline
        time.sleep(0.4)
        states = [one["execution_state"] for one in lab.request("GET", "api/kernels").json()]
        idle = idle + 1 if set(states) == {"idle"} else 0


def reload(page):
    menu(page, "File", "Reload Notebook from Disk")
    answer(page, "accept")


def answer(page, button):
    """Press a button of the dialog that Lab shows of a notebook that is not saved, if it does."""
    with suppress(TimeoutError):
        page.locator(f".jp-Dialog .jp-mod-{button}").click(timeout=2000)


def save(lab, page, name):
    """Save, and return the file once both sides are written."""
    sides = [lab.path(f"{name}.{side}") for side in pairs.SIDES]
    before, deadline = [path.stat().st_mtime_ns for path in sides], time.monotonic() + 30
    menu(page, "File", "Save Notebook")
    while any(path.stat().st_mtime_ns == was for path, was in zip(sides, before, strict=True)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return nbformat.read(lab.path(f"{name}.ipynb"), as_version=4)


def outputs(notebook):
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def sees(lab, *changed):
    """Wait until git sees what is changed, and nothing else: Lab tells it after it has saved."""
    deadline = time.monotonic() + 10
    while (seen := lab.git("status", "--porcelain").split("\n")[:-1]) != [*changed]:
        assert time.monotonic() < deadline, seen
        time.sleep(0.3)


def test_edit_on_disk_is_seen_and_run_and_git_sees_no_outputs(lab, page):
    original = lab.path("train.py").read_text()
    open_notebook(lab, page, "train.ipynb")
    lab.path("train.py").write_text(original.replace("epochs: int = 20 ", "epochs: int = 2 "))
    reload(page)
    parameters = page.locator(".jp-Cell", has_text="batch_size: int")
    expect(parameters.first).to_contain_text("epochs: int = 2 ")

    run_all(lab, page)
    curves = page.locator("#fig-curves img")
    curves.scroll_into_view_if_needed()
    assert curves.evaluate("image => image.complete && image.naturalWidth") > 500
    expect(page.locator("#fig-curves figcaption")).to_contain_text("over 2 epochs")

    notebook = save(lab, page, "train")
    sees(lab, " M notebooks/train.ipynb", " M notebooks/train.py")
    assert all(
        cell.execution_count
        for cell in notebook.cells
        if cell.get("source") and "execution_count" in cell
    )
    assert not [one for one in outputs(notebook) if one.output_type in ("error", "stream")]
    text = json.dumps(outputs(notebook))
    assert "epoch/s" not in text  # the bar is gone
    assert not any(control in text for control in ("\\u001b", "\\r", "\\b", "widget-view"))

    lab.path("train.py").write_text(original)
    reload(page)
    expect(parameters.first).to_contain_text("epochs: int = 20 ")
    save(lab, page, "train")
    sees(lab)


def test_py_opens_as_its_notebook_and_leaves_nothing_behind(lab, page):
    open_notebook(lab, page, "evaluate.ipynb")
    page.locator(".jp-DirListing-item", has_text="errors.py").dblclick()
    shown = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook")
    expect(shown.locator("h1")).to_contain_text("Errors")
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()
    menu(page, "File", "Close Tab")
    answer(page, "warn")  # discard what Lab noted of the kernel
    expect(page.locator(".jp-NotebookPanel")).to_have_count(1)
    sees(lab)


def test_menus_choose_a_clip_and_what_is_saved_is_a_picture(lab, page):
    open_notebook(lab, page, "explore.ipynb")
    run_all(lab, page)
    genre = page.locator(".widget-dropdown select").first
    genre.scroll_into_view_if_needed()
    genre.select_option("metal")
    caption = page.locator("#fig-explore-closeup figcaption")
    expect(caption).to_contain_text("metal.00000")

    last = outputs(save(lab, page, "explore"))[-1]
    assert set(last.data) == {"text/html", "text/plain"}
    assert "fig-explore-closeup" in last.data["text/html"]
    sees(lab)
    page.reload()
    expect(caption).to_contain_text("blues.00000")
    expect(page.get_by_text("model not found")).to_have_count(0)
