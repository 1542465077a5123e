"""Cells become sections of the page: numbered, folded, traced to their notebook and their data."""

import io

import nbformat
import numpy as np
import pandas as pd
import pytest
from browser import needs_browser, opened
from bs4 import BeautifulSoup
from conftest import fake_run
from IPython.core.formatters import DisplayFormatter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from music_genre.exceptions import InputError
from music_genre.report import display, page
from music_genre.report.figures import evaluate, train

GENRES = ["blues", "classical", "jazz", "演歌"]
HISTORY = pd.DataFrame(
    {
        "epoch": range(1, 9),
        "loss": np.linspace(2, 1, 8),
        "test_loss": np.linspace(2.1, 1.4, 8),
        "accuracy": np.linspace(0.1, 0.5, 8),
        "test_accuracy": np.linspace(0.1, 0.4, 8),
    }
)
SCORES = pd.DataFrame(
    {
        "genre": GENRES,
        "f1": [0.5, np.nan, 1234.5, 100],
        "n": [1, 2, 3, 4000],
        **{f"score number {i}": np.linspace(0, i, 4) for i in range(12)},
        "remark": "a sentence that is long enough to need some room of its own in the table",
    }
)
ALT = "The loss falls from 2 to 1."


def prose(text, *tags):
    return new_markdown_cell(text, metadata={"tags": list(tags)})


def shown(call, *tags, source="display.say(x)"):
    """Return an executed cell with what a call displays."""
    with pytest.MonkeyPatch.context() as patch:
        objects = []
        patch.setattr(display, "display", objects.append)
        call()
    formatted = map(DisplayFormatter().format, objects)
    outputs = [new_output("display_data", data, metadata=about) for data, about in formatted]
    return new_code_cell(source, execution_count=1, outputs=outputs, metadata={"tags": list(tags)})


def curves(name, *tags):
    return shown(
        lambda: display.figure(
            train.curves(HISTORY), name, f"Title of {name}. n = 8.", alt=ALT, data=HISTORY
        ),
        *tags,
        source="display.figure(x)",
    )


def scores(name, *tags):
    return shown(lambda: display.table(SCORES, name, f"Title of {name}: n = 4."), *tags)


def say(text, *tags):
    return shown(lambda: display.say("{{ text }}", text=display.Markup(text)), *tags)


def write(path, *cells):
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=list(cells)), path)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    write(
        folder / "table1.ipynb",
        prose("# The rows\n\nDo they hold?"),
        say("Data: t.csv.", "banner"),
        say("**In short**: see [figure](#fig-hero) and [what is not there](#fig-no).", "headline"),
        curves("hero"),
        prose("## Scores\n\nSee [table](#tab-scores) and [figure](x.ipynb#fig-folded)."),
        scores("scores"),
        scores("more", "fold"),
        prose("## Details", "fold"),
        curves("folded"),
        prose("### Within them"),
        say("Deep."),
        prose("## After them"),
        say("Open again."),
        prose("## Nothing to compare\n\nWith an introduction."),
        say(""),
    )
    write(folder / "explore.ipynb", prose("# Empty"), say(""))
    half = pd.DataFrame({"filename": ["a", "b"] * 4, "part": ["train", "test"] * 4})
    half["label"] = half["predicted"] = np.repeat(GENRES, 2)
    for row in ("2", "10"):
        run = folder / "rows" / row
        fake_run(run, half, paper={"accuracy": 33.45}, epochs=int(row), batch_size=128)
        write(
            run / "train.ipynb",
            prose("# Train"),
            prose("## What all rows share", "once"),
            curves("shared", "once"),
            prose("## Training"),
            curves("curves"),
        )
        counts = pd.DataFrame(np.eye(4, dtype=int), GENRES, GENRES)
        matrix = shown(
            lambda counts=counts: display.figure(
                evaluate.confusion(counts), "confusion", "Confused.", alt="All are right."
            ),
            source="display.figure(x)",
        )
        write(run / "evaluate.ipynb", prose("# Evaluate"), prose("## Matrix"), matrix)
    page.build(folder, sections=["table1", "rows", "explore", "model"], rows=["2", "10"])
    return folder


@pytest.fixture(scope="module")
def soup(report):
    return BeautifulSoup((report / "report.html").read_text("utf-8"), "html.parser")


def test_sections_are_in_order_and_empty_ones_are_left_out(soup):
    sections = [section["id"] for section in soup("section")]
    assert sections == ["table1", "rows", "model", "provenance"]
    assert [heading.get_text() for heading in soup("h2")] == [
        "The rows", "Row by row", "Model and training", "Where this comes from"
    ]  # fmt: skip
    titles = [heading.get_text() for heading in soup("h3")]
    assert "Nothing to compare" not in titles
    assert "With an introduction" not in soup.get_text()
    levels = [int(heading.name[1]) for heading in soup.find_all(["h1", "h2", "h3", "h4", "h5"])]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))


def test_figures_and_tables_are_numbered_in_order_and_rows_share_theirs(soup):
    captions = {tag["id"]: tag.find(["figcaption", "caption"]).b.text for tag in soup("figure")}
    assert captions == {
        "fig-hero": "Figure 1.", "tab-scores": "Table 1.", "tab-more": "Table 2.",
        "fig-folded": "Figure 2.",
        "fig-row-2-curves": "Figure 3 (row 2).", "fig-row-2-confusion": "Figure 4 (row 2).",
        "fig-row-10-curves": "Figure 3 (row 10).", "fig-row-10-confusion": "Figure 4 (row 10).",
        "fig-shared": "Figure 5.",
    }  # fmt: skip


def test_references_have_the_numbers_and_lead_somewhere(soup):
    headline = soup.find(class_="headline")
    assert headline.get_text().strip() == "In short: see Figure 1 and what is not there."
    assert [link["href"] for link in headline("a")] == ["#fig-hero"]
    prose = soup.find(id="table1").get_text(" ", strip=True)
    assert "See Table 1 and Figure 2" in prose
    ids = [tag["id"] for tag in soup.find_all(id=True)]
    assert len(ids) == len(set(ids))
    anchors = {link["href"][1:] for link in soup.find_all("a", href=True) if link["href"][0] == "#"}
    assert anchors <= set(ids)


def test_everything_that_is_shown_leads_to_its_notebook_cell_and_data(report, soup):
    assert len(soup("figure")) == 9
    for tag in soup("figure"):
        notebook, cell, *files = tag.find(class_="trail")("a")
        assert (report / notebook["href"]).suffix == ".ipynb"
        number = int(cell.get_text().removeprefix("cell "))
        executed = nbformat.read(report / notebook["href"], as_version=4).cells[number - 1]
        assert executed.source.strip() == soup.find(id=cell["href"][1:]).pre.get_text().strip()
        assert files or tag["id"].endswith("confusion")  # its numbers are in it
        assert all((report / file["href"]).stat().st_size for file in files)
    written = pd.read_csv(report / "files/tab-scores.csv")
    pd.testing.assert_frame_equal(written, SCORES)
    assert (report / "files/fig-hero.svg").read_text().startswith("<?xml")


def test_headline_keeps_its_trail(soup):
    code = soup.header.find("details", class_="code")
    assert "table1.ipynb, cell 3" in code.get_text()
    assert "display.say(x)" in code.get_text()


def test_folds_hold_what_belongs_to_them(soup):
    details = soup.find(string="Details").find_parent("details")
    assert details.find(id="fig-folded") and "Deep." in details.get_text()
    assert "Open again." not in details.get_text()
    table = soup.find(id="tab-more").find_parent("details")
    assert table.summary.get_text() == "Table 2: Title of more"
    assert not soup.find(id="tab-scores").find_parent("details")
    assert all(block.find_parent("details") for block in soup.select(".highlight"))


def test_table_is_read_by_machines_and_people(soup):
    table = soup.find(id="tab-scores").table
    assert [cell["scope"] for cell in table.thead("th")] == ["col"] * 16
    first, second = table.tbody("tr")[:2]
    assert first.th["scope"] == "row" and first.th.get_text() == "blues"
    assert [cell.get_text() for cell in first("td")[:2]] == ["0.50", "1"]
    assert [cell.get_text() for cell in second("td")[:2]] == ["–", "2"]
    assert "F1" in table.thead.get_text()
    numbers = {th.get_text(): th.get("class") for th in table.thead("th")}
    assert numbers["n"] == ["number"] and numbers["genre"] is None and numbers["remark"] == ["long"]


def test_figure_says_what_it_shows(soup):
    labels = [svg["aria-label"] for svg in soup("svg")]
    assert labels.count(ALT) == 5
    for alt in ("", "A caption."):
        with pytest.raises(ValueError, match="needs an alternative text"):
            display.figure(train.curves(HISTORY), "x", "A caption.", alt=alt)


def test_same_figure_is_the_same_bytes():
    assert display.svg(train.curves(HISTORY)) == display.svg(train.curves(HISTORY))


def test_page_that_is_built_again_keeps_no_file_of_the_one_before(report):
    (report / "files" / "fig-of-before.svg").write_text("x")
    before = (report / "report.html").read_bytes()
    page.build(report, sections=["table1", "rows", "explore", "model"], rows=["2", "10"])
    assert (report / "report.html").read_bytes() == before
    assert not (report / "files" / "fig-of-before.svg").exists()


def test_figures_of_one_name_and_rows_of_like_names_stay_apart(tmp_path):
    for i, row in enumerate(("a.b", "a-b", "a+b")):
        run = tmp_path / "rows" / row
        labels = pd.DataFrame({"filename": ["a", "b"], "part": ["train", "test"]})
        fake_run(run, labels.assign(label="x", predicted="x"))
        write(run / "train.ipynb", prose("# Train"), scores(f"loss-{i}"), curves("curves"))
        write(run / "evaluate.ipynb", prose("# Evaluate"), curves("curves"), curves("curves"))
    built = page.build(tmp_path, sections=["rows"], rows=["a.b", "a-b", "a+b"])
    ids = [tag["id"] for tag in BeautifulSoup(built.read_text("utf-8"), "html.parser")("figure")]
    assert len(ids) == len(set(ids)) == 12
    assert all((tmp_path / "files" / f"{name}.csv").exists() for name in ids)
    for name in ("a/b", "", "é", "../x"):
        with pytest.raises(ValueError, match="cannot be the name"):
            display.table(SCORES, name, "A caption.")


@pytest.mark.parametrize("name", ["#22272b", 'a id="b" href="#c"', "url(#d"])
def test_text_in_a_figure_stays_as_it_is_written(tmp_path, name):
    fig = evaluate.confusion(pd.DataFrame([[1]], [name], [name]))
    cell = shown(
        lambda: display.figure(fig, "x", "A caption.", alt="One."), source="display.figure(x)"
    )
    write(tmp_path / "table1.ipynb", prose("# Table"), cell)
    built = page.build(tmp_path, sections=["table1"], rows=[])
    texts = BeautifulSoup(built.read_text("utf-8"), "html.parser").select("svg text")
    assert [text.get_text() for text in texts].count(name) == 2


def test_what_others_put_among_the_files_is_left_alone(tmp_path):
    write(tmp_path / "table1.ipynb", prose("# Table"), curves("x"))
    (tmp_path / "files" / ".ipynb_checkpoints").mkdir(parents=True)
    page.build(tmp_path, sections=["table1"], rows=[])
    assert (tmp_path / "files" / ".ipynb_checkpoints").is_dir()
    write(tmp_path / "other" / "table1.ipynb", prose("# Table"), curves("x"))
    (tmp_path / "other" / "files").write_text("mine")
    with pytest.raises(InputError, match="is a file, where the data"):
        page.build(tmp_path / "other", sections=["table1"], rows=[])


def test_row_that_failed_is_told(report, tmp_path):
    run = tmp_path / "rows" / "1"
    run.mkdir(parents=True)
    (run / "failed.json").write_text('{"parameters": {}, "error": "the disk is <full>"}')
    built = page.build(tmp_path, sections=["rows", "model"], rows=["1"]).read_text("utf-8")
    text = BeautifulSoup(built, "html.parser").get_text()
    assert "No row could be trained" in text and "the disk is <full>" in text


def test_section_that_could_not_be_trained_is_told(tmp_path):
    (tmp_path / "use").mkdir()
    (tmp_path / "use" / "failed.json").write_text('{"parameters": {}, "error": "too few clips"}')
    built = page.build(tmp_path, sections=["use"], rows=[]).read_text("utf-8")
    assert "too few clips" in BeautifulSoup(built, "html.parser").find(id="use").get_text()


def test_missing_notebook_is_named(tmp_path):
    with pytest.raises(InputError, match=r"table1\.ipynb cannot be read"):
        page.build(tmp_path, sections=["table1"], rows=[])


# ---- In a browser.


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_page_is_accessible_and_never_wider_than_the_window(report, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    with opened(report / "report.html", width=width, scheme=scheme) as shown:
        for fold in ("closed", "open"):
            if fold == "open":
                shown.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            assert shown.evaluate("document.documentElement.scrollWidth") == width
            found = Axe().run(shown).response["violations"]
            assert not found, [(one["id"], one["nodes"][0]["html"]) for one in found]


@needs_browser
@pytest.mark.parametrize("scripts", [True, False])
def test_rows_are_picked_and_folds_opened_by_keyboard(report, scripts):
    with opened(report / "report.html", scripts=scripts) as shown:
        assert [row.get_attribute("open") is not None for row in shown.locator(".row").all()] == [
            False, True
        ]  # fmt: skip
        shown.locator("#row-2 > summary").focus()
        shown.keyboard.press("Enter")
        assert shown.locator("#fig-row-2-curves").is_visible()
        assert not shown.locator("#fig-row-10-curves").is_visible()  # one row at a time
        shown.locator("#side-by-side").focus()
        shown.keyboard.press("Space")
        assert shown.locator("#side-by-side").is_checked()
        boxes = [shown.locator(f"#fig-row-{row}-curves").bounding_box() for row in (2, 10)]
        assert boxes[0]["y"] == pytest.approx(boxes[1]["y"], abs=2)
        assert not shown.locator("#fig-folded").is_visible()
        shown.locator("details.fold > summary", has_text="Details").focus()
        shown.keyboard.press("Enter")
        assert shown.locator("#fig-folded").is_visible()


@needs_browser
@pytest.mark.parametrize("scripts", [True, False])
def test_link_into_a_fold_opens_it(report, scripts):
    with opened(report / "report.html", scripts=scripts) as shown:
        assert not shown.locator("#fig-folded").is_visible()
        shown.locator("#table1 a[href='#fig-folded']").click()
        assert shown.locator("#fig-folded").is_visible()
        shown.locator("#fig-hero .trail a", has_text="cell").click()
        assert shown.locator("#table1-table1-cell-4 pre").is_visible()


@needs_browser
def test_reference_shows_a_preview_on_focus_and_hover(report):
    with opened(report / "report.html") as shown:
        link = shown.locator(".headline a")
        link.focus()
        assert shown.locator("#preview figcaption").inner_text().startswith("Figure 1.")
        shown.keyboard.press("Escape")
        assert not shown.locator("#preview").is_visible()
        link.blur()
        link.hover()
        assert shown.locator("#preview svg").is_visible()


@needs_browser
def test_ink_turns_in_the_dark(report):
    colours = []
    for scheme in ("light", "dark"):
        with opened(report / "report.html", scheme=scheme) as shown:
            text = shown.locator("#fig-hero svg text").first
            colours.append(text.evaluate("tag => getComputedStyle(tag).fill"))
    assert colours == ["rgb(34, 39, 43)", "rgb(228, 232, 235)"]


@needs_browser
def test_print_holds_what_is_folded(report, tmp_path):
    with opened(report / "report.html", scripts=False) as shown:
        shown.emulate_media(media="print")
        assert shown.locator("#fig-folded").is_visible()
        assert shown.locator("#fig-row-2-curves").is_visible()
        assert shown.locator("nav").is_visible()
        assert not shown.locator("details.code").first.is_visible()
        pdf = shown.pdf(prefer_css_page_size=True)
    pages = len(io.BytesIO(pdf).read().split(b"/Type /Page\n")) - 1
    assert 4 <= pages <= 12


@needs_browser
def test_reader_can_open_a_table_by_the_tab_key_where_it_scrolls(report):
    with opened(report / "report.html", width=400) as shown:
        region = shown.locator("#tab-scores .scroll")
        assert region.get_attribute("tabindex") == "0"
        assert region.get_attribute("aria-label") == "Table 1"
        figure = shown.locator("#fig-hero .scroll")
        assert figure.get_attribute("tabindex") == "-1"  # seen whole
        shown.locator("#fig-hero .enlarge input").check()
        assert figure.get_attribute("tabindex") == "0"
        assert figure.evaluate("region => region.scrollWidth > region.clientWidth")
        shown.emulate_media(media="print")
        assert not figure.evaluate("region => region.scrollWidth > region.clientWidth")
