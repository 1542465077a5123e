"""Turn executed notebooks into sections of the page: folds, numbered figures, each with its trail.

Under a figure or a table stand links to the notebook and the cell that made it and to its data,
which lie beside the page.
"""

import base64
import copy
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup, Tag
from markupsafe import Markup, escape
from nbconvert import HTMLExporter
from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from music_genre.report.display import KIND
from music_genre.report.figures.style import DARK

TEMPLATE = Path(__file__).parent / "template"
FILES = "files"  # the folder beside the page with the data of figures and tables
_HEADINGS = re.compile("^h[1-6]$")
_WORDS = {"fig": "Figure", "tab": "Table"}
_PICTURE = re.compile(r'src="data:image/svg\+xml;base64,([^"]*)"')
_COLOURS = re.compile("|".join(DARK))
_TAG = re.compile(r"<[^>]+>")


@dataclass(frozen=True)
class Origin:
    """Where cells come from, and where they go."""

    section: str  # id of the section or row on the page
    notebook: str  # its path beside the page
    level: int = 1  # by how many levels its headings are lowered
    row: str = ""
    is_section: bool = True  # the notebook is the section, and its first heading the title


@dataclass
class Article:
    """The page's content as it grows: sections share numbers, links and files."""

    without: str = ""  # the tag of cells that are not shown
    labels: dict[str, str] = field(default_factory=dict)  # "Figure 3" by id
    files: dict[str, bytes] = field(default_factory=dict)  # beside the page, by name
    inside: bool = False  # the page holds the files itself, and none lies beside it
    _numbers: dict[str, int] = field(default_factory=dict)
    _counts: Counter = field(default_factory=Counter)
    _pictures: dict[str, str] = field(default_factory=dict)

    def section(
        self, notebook: nbformat.NotebookNode, origin: Origin, wanted: Callable[[set[str]], bool]
    ) -> Markup:
        """Convert the cells of a notebook whose tags are wanted; nothing if they show nothing."""
        cells = [
            (number, cell)
            for number, cell in enumerate(notebook.cells, start=1)
            if wanted(_tags(cell)) and self.without not in _tags(cell)
        ]
        parts = [_Subsection(origin)]
        for (number, cell), shown in zip(cells, _converted(cells), strict=True):
            if cell.cell_type == "code":
                parts[-1].show(self._outputs(number, cell, shown, origin))
                parts[-1].code.append((number, cell.source))
            elif heading := shown.find(_HEADINGS):
                level = int(heading.name[1])
                if level <= 2:
                    parts.append(_Subsection(origin, level))
                parts[-1].open(shown, heading, level, fold="fold" in _tags(cell))
            else:
                parts[-1].parts.append(shown.decode_contents())
        if any(cell.cell_type == "code" for _, cell in cells) and not any(
            part.shows for part in parts
        ):
            return Markup()
        for part, following in pairwise(parts):
            if not part.shows and not part.is_void:  # what it prepares belongs to what comes next
                following.code[:0] = part.code
                part.code = []
        return Markup().join(part.html() for part in parts)

    def finish(self, html: Markup, ids: set[str], rows: dict[str, str]) -> Markup:
        """Put in the pictures, and the numbers in references; references to nothing are text.

        ``rows`` are the names of Table I's rows, with the ids of their places on the page.
        """
        soup = BeautifulSoup(html, "html.parser")
        for cell in soup.select("#tab-table1 tbody th"):
            if place := rows.get(cell.get_text()):
                cell.string.wrap(soup.new_tag("a", href=f"#{place}"))
        for link in soup.find_all("a", href=re.compile(r"^(\w+\.ipynb)?#")):
            target = link["href"].partition("#")[2]
            if target in self.labels and link.get_text().lower() in ("figure", "table"):
                link.string = self.labels[target]
            link["href"] = f"#{target}"
            if target not in ids:
                link.unwrap()
        text = str(soup)
        for name, picture in self._pictures.items():
            text = text.replace(f'<i data-picture="{name}"></i>', picture)
        return Markup(text)

    def _outputs(
        self, number: int, cell: nbformat.NotebookNode, shown: Tag, origin: Origin
    ) -> Markup:
        """Return what a cell shows, its figures and tables with number, caption and trail."""
        text, summary = shown.decode_contents().strip(), ""
        for i, output in enumerate(cell.outputs):
            if about := output.get("metadata", {}).get(KIND):
                label, one = self._figure(output, about, number, origin)
                text = text.replace(f'<i data-output="{i}"></i>', one)
                title = re.split(r"[.:;](?:\s|$)", about["caption"])[0]
                summary = summary or f"{label}: {title}"
        if text and "fold" in _tags(cell):
            return _fold(escape(summary or "Details"), Markup(text))
        return Markup(text)

    def _figure(
        self, output: nbformat.NotebookNode, about: dict, number: int, origin: Origin
    ) -> tuple[str, Markup]:
        """Return a figure's or table's label, and all of it."""
        again = ""
        while _id(about, origin) + again in self.labels:  # shown in a loop, or by two notebooks
            again += "-again"
        name, kind = _id(about, origin) + again, about["id"][:3]
        if (shared := about["id"] + again) not in self._numbers:  # the rows share theirs
            self._counts[kind] += 1
            self._numbers[shared] = self._counts[kind]
        label = f"{_WORDS[kind]} {self._numbers[shared]}"
        self.labels[name] = label
        links = [
            Markup('<a href="{0}" download>{0}</a>, <a href="#{1}">cell {2}</a>').format(
                origin.notebook, _cell_id(origin, number), number
            )
        ]
        html = output["data"]["text/html"]
        picture = None
        if kind == "fig":
            picture = base64.b64decode(_PICTURE.search(html)[1]).decode("utf-8")
        for suffix, word, content in (
            ("csv", "data (CSV)", output["data"].get("text/csv")),
            ("svg", "SVG", picture),
        ):
            if content:
                links.append(
                    Markup('<a href="{}" download="{}.{}">{}</a>').format(
                        self._file(f"{name}.{suffix}", content), name, suffix, word
                    )
                )
        of_row = f" (row {origin.row})" if origin.row else ""
        region = Markup('<div class="scroll" role="region" tabindex="0" aria-label="{}">{}</div>')
        if kind == "fig":
            self._pictures[name] = _inline(picture, name, about["alt"])
            shown = region.format(label + of_row, Markup('<i data-picture="{}"></i>').format(name))
            shown += _ENLARGE
            shown += Markup("<figcaption><b>{}{}.</b> {}</figcaption>").format(
                label, of_row, about["caption"]
            )
        else:
            table = re.sub(r'^<table id="[^"]*"', "<table", html)
            # The span stays in view while the table is scrolled sideways under it.
            numbered = table.replace(
                "<caption>", f"<caption><span><b>{label}{escape(of_row)}.</b> ", 1
            ).replace("</caption>", "</span></caption>", 1)
            shown = region.format(label + of_row, Markup(numbered))
        return label, Markup('<figure id="{}">{}<p class="trail">{}</p></figure>\n').format(
            name, shown, Markup(" · ").join(links)
        )

    def _file(self, name: str, content: str) -> str:
        """Keep a file for the reader, and return the link to it."""
        if self.inside:
            kind = "image/svg+xml" if name.endswith(".svg") else "text/csv"
            return f"data:{kind};base64,{base64.b64encode(content.encode()).decode()}"
        self.files[name] = content.encode("utf-8")
        return f"{FILES}/{name}"


@dataclass
class _Subsection:
    """What stands under one heading of the second level, and the code behind it."""

    origin: Origin
    level: int = 0  # of its heading; 0 before the first
    parts: list[str] = field(default_factory=list)
    code: list[tuple[int, str]] = field(default_factory=list)
    folds: list[int] = field(default_factory=list)  # levels of the headings whose folds are open
    shows: bool = False

    def open(self, shown: Tag, heading: Tag, level: int, *, fold: bool) -> None:
        """Begin with a heading what belongs to it; that ends what lay under such a heading."""
        while self.folds and level <= self.folds[-1]:
            self.folds.pop()
            self.parts.append("</details>\n")
        if level == 1 and not self.origin.is_section:
            heading.decompose()
        else:
            heading["id"] = f"{self.origin.section}-{_slug(heading.get_text())}"
            heading.name = f"h{min(level + self.origin.level, 6)}"
            if fold:
                self.parts.append(_FOLD.format(Markup(heading.extract())))
                self.folds.append(level)
        self.parts.append(shown.decode_contents())

    def show(self, html: Markup) -> None:
        """Add what a code cell shows."""
        self.parts.append(html)
        self.shows |= bool(html)

    @property
    def is_void(self) -> bool:
        """Whether its cells were to show something, and had nothing to."""
        meant = any("display." in source for _, source in self.code)
        return self.level == 2 and meant and not self.shows

    def html(self) -> Markup:
        """Return all of it; nothing if it is void."""
        if self.is_void:
            return Markup()
        inside = Markup("".join(self.parts)) + code([(self.origin, *cell) for cell in self.code])
        return inside + Markup("</details>\n" * len(self.folds))


def code(cells: Sequence[tuple[Origin, int, str]]) -> Markup:
    """Return the code of cells in one fold, each under an id that a trail can link to."""
    cells = [cell for cell in cells if cell[2].strip()]
    if not cells:
        return Markup()
    shown = Markup().join(
        Markup('<div id="{}"><p class="trail">{}, cell {}</p>{}</div>').format(
            _cell_id(origin, number), origin.notebook, number, _highlighted(source)
        )
        for origin, number, source in cells
    )
    return Markup('<details class="code"><summary>Code</summary>{}</details>\n').format(shown)


# Without a script: the box's state is what the style sheet goes by. Shown on narrow screens only.
_ENLARGE = Markup('<label class="enlarge"><input type="checkbox"> Enlarge</label>')
_FOLD = Markup('<details class="fold"><summary>{}</summary>\n')


def _fold(summary: str, html: Markup) -> Markup:
    return _FOLD.format(summary) + html + Markup("</details>\n")


def _tags(cell: nbformat.NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", []))


def _id(about: dict[str, str], origin: Origin) -> str:
    kind, _, name = about["id"].partition("-")
    return f"{kind}-{origin.section}-{name}" if origin.row else about["id"]


def _cell_id(origin: Origin, number: int) -> str:
    return f"{origin.section}-{Path(origin.notebook).stem}-cell-{number}"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _highlighted(source: str) -> Markup:
    return Markup(highlight(source, PythonLexer(), HtmlFormatter()))


def _converted(cells: list[tuple[int, nbformat.NotebookNode]]) -> list[Tag]:
    """Let nbconvert make HTML of cells; where a figure or table goes, there is a mark for it."""
    notebook = nbformat.v4.new_notebook(cells=[copy.deepcopy(cell) for _, cell in cells])
    for cell in notebook.cells:
        for i, output in enumerate(cell.get("outputs", [])):
            if KIND in output.get("metadata", {}):
                output["data"] = {"text/html": f'<i data-output="{i}"></i>'}
    html, _ = _exporter().from_notebook_node(notebook)
    found = BeautifulSoup(html, "html.parser").find_all("div", attrs={"data-cell": True})
    for tag in [tag for cell in found for tag in cell.find_all(id=True)]:
        del tag["id"]  # of cells and headings: not unique on a page of many
    return found


@cache
def _exporter() -> HTMLExporter:
    return HTMLExporter(
        template_name=TEMPLATE.name,
        extra_template_basedirs=[str(TEMPLATE.parent)],
        preprocessors=[CoalesceStreamsPreprocessor],
        exclude_anchor_links=True,
    )


def _inline(svg: str, name: str, alt: str) -> str:
    """Return SVG to stand in the page: with names of parts of its own, and colours that can turn.

    The names that matplotlib gives to parts are the same in all figures. Only tags are changed: the
    text between them may be anybody's.
    """
    svg = re.sub(r"^.*?(?=<svg)", "", svg, flags=re.DOTALL)  # the declarations of a file
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    used = {
        one for tag in _TAG.findall(svg) for one in re.findall(r'(?:url\(|href=")#([^)"]+)', tag)
    }

    def own(found: re.Match) -> str:
        tag = re.sub(
            r' id="([^"]*)"',
            lambda at: f' id="{name}-{at[1]}"' if at[1] in used else "",
            found[0],
        )
        tag = re.sub(r'(url\(|href=")#', rf"\1#{name}-", tag)
        return _COLOURS.sub(lambda at: f"var(--c{at[0][1:]}, {at[0]})", tag)

    svg = _TAG.sub(own, svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(alt)}" ', 1)
