"""Turn executed notebooks into one page that needs no network."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import nbformat
import pandas as pd
from bs4 import BeautifulSoup
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from nbconvert import HTMLExporter
from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from pygments.formatters import HtmlFormatter

from music_genre import provenance
from music_genre.exceptions import InputError
from music_genre.models.runs import with_seeds
from music_genre.paths import atomic, display_path
from music_genre.report.sections import SECTIONS

TEMPLATE = Path(__file__).parent / "template"
_DRAWS = re.compile(r"^display\.figure\(", re.MULTILINE)  # indented, it may have a condition
_HEADINGS = re.compile("^h[1-6]$")


@dataclass
class Part:
    """A part of the page under a heading of the second level."""

    id: str
    title: str
    html: Markup = Markup()
    headings: list[dict[str, str]] = field(default_factory=list)  # of the third level
    failed: str = ""  # why there is nothing to show
    folder: str = ""  # where a row failed


def build(folder: Path, *, sections: Sequence[str], rows: Sequence[str]) -> Path:
    """Collect a folder's executed notebooks into ``report.html``.

    A section is ``<section>.ipynb`` (or ``<section>.failed.json``, which says why there is none),
    or the notebooks in ``rows/<row>/`` of each row (or ``failed.json``, which is shown instead). A
    cell tagged ``banner`` or ``headline`` is shown at
    the top of the page instead of its place, one tagged ``once`` in the first row only.

    Parameters
    ----------
    sections
        Names of :data:`music_genre.report.sections.SECTIONS`, in the order of the page.
    rows
        Names of the rows, in their order.

    Raises
    ------
    InputError
        A notebook is missing, was not executed to its end, or lacks a figure that it draws.
    """
    runs = [folder / "rows" / row for row in rows]
    per_row = {section.name: section.per_row for section in SECTIONS}
    left_out = {name: _why_left_out(folder / f"{name}.failed.json") for name in sections}
    single = {
        name: read(folder / f"{name}.ipynb")
        for name in sections
        if not per_row[name] and not left_out[name]
    }
    parts = []
    for name in sections:
        if name in single:
            parts.append(_section(name, [single[name]]))
        elif left_out[name]:
            parts.append(Part(name, name.capitalize(), failed=left_out[name]))
        else:
            for run in runs:
                drop = set() if run == runs[0] else {"once"}
                parts.append(_row(run, notebooks=per_row[name], drop=drop))
    *others, conclusion = single.values()
    environment = Environment(
        loader=FileSystemLoader(TEMPLATE), undefined=StrictUndefined, autoescape=True
    )
    html = environment.get_template("page.html.j2").render(
        sections=parts,
        banner=_tagged(conclusion, "banner"),
        headline=Markup().join(_tagged(one, "headline") for one in (conclusion, *others)),
        made=_provenance(runs),
        css=Markup((TEMPLATE / "style.css").read_text(encoding="utf-8")),
        highlight_css=Markup(HtmlFormatter(style="friendly").get_style_defs(".highlight")),
    )
    with atomic(folder / "report.html") as temporary:
        temporary.write_text(html, encoding="utf-8")
    return folder / "report.html"


def _why_left_out(path: Path) -> str:
    return provenance.read_json(path)["error"] if path.exists() else ""


def read(path: Path) -> nbformat.NotebookNode:
    """Read an executed notebook and check that nothing is missing from it."""
    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{display_path(path)} cannot be read ({error}): run `make report`."
        ) from error
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        outputs = cell.outputs
        drawn = any("image/png" in output.get("data", {}) for output in outputs)
        if (
            cell.execution_count is None
            or any(output.output_type == "error" for output in outputs)
            or (_DRAWS.search(cell.source) and not drawn)
        ):
            raise InputError(
                f"cell {number} of {display_path(path)} did not run to its end or lacks its "
                "figure: remove the file and run `make report` again."
            )
    return notebook


def _row(run: Path, *, notebooks: Sequence[str], drop: set[str]) -> Part:
    name = f"row-{run.name}"
    if (run / "failed.json").exists():
        reason = provenance.read_json(run / "failed.json")["error"]
        return Part(name, f"Row {run.name}: failed", failed=reason, folder=display_path(run))
    given = provenance.read_json(run / "metrics.json")["parameters"]
    title = f"Row {run.name}: {given['epochs']} epochs, batch size {given['batch_size']}"
    executed = [read(run / f"{notebook}.ipynb") for notebook in notebooks]
    return _section(name, executed, title=title, drop=drop)


def _section(name: str, notebooks: list, *, title: str = "", drop: set[str] = frozenset()) -> Part:
    """Convert notebooks; with a title of its own their headings go one level further down."""
    drop = drop | {"banner", "headline"}
    fragments = [
        _fragment(
            [cell for cell in notebook.cells if not drop & set(cell.metadata.get("tags", []))]
        )
        for notebook in notebooks
    ]
    html = (Markup("<h1>{}</h1>").format(title) if title else "") + Markup().join(fragments)
    soup = BeautifulSoup(html, "html.parser")
    section = Part(id=re.sub(r"\W+", "-", name), title=title or soup.h1.get_text())
    for tag in soup.find_all(id=True):  # of cells and headings: not unique on a page of many
        del tag["id"]
    seen: set[str] = set()
    for number, heading in enumerate(soup.find_all(_HEADINGS)):
        own_title = bool(title) and number == 0
        level = int(heading.name[1]) + (1 if own_title or not title else 2)
        heading.name = f"h{min(level, 6)}"
        text = heading.get_text().strip()
        slug = f"{section.id}-{re.sub(r'[^a-z0-9]+', '-', text.lower()).strip('-')}"
        while slug in seen:
            slug += "-again"
        seen.add(slug)
        heading["id"] = slug
        if heading.name == "h3" and not title:
            section.headings.append({"id": slug, "title": text})
    section.html = Markup(soup)
    return section


def _fragment(cells: list) -> Markup:
    html, _ = _exporter().from_notebook_node(nbformat.v4.new_notebook(cells=cells))
    return Markup(html)


@cache
def _exporter() -> HTMLExporter:
    return HTMLExporter(
        template_name=TEMPLATE.name,
        extra_template_basedirs=[str(TEMPLATE.parent)],
        preprocessors=[CoalesceStreamsPreprocessor],
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )


def _tagged(notebook: nbformat.NotebookNode, tag: str) -> Markup:
    """Return what the cells with a tag show, without their code."""
    cells = [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]
    soup = BeautifulSoup(_fragment(cells), "html.parser")
    for code in soup.select("details.code"):
        code.decompose()
    return Markup(soup)


def _provenance(runs: list[Path]) -> dict[str, object]:
    """Return what the rows, with all their seeds, came from: what differs is listed.

    Empty if no row was trained.
    """
    rows = [run for run in runs if not (run / "failed.json").exists()]
    finished = [path / "metrics.json" for run in rows for path in with_seeds(run)]
    if not finished:
        return {}
    made = [provenance.read_json(path) for path in finished]
    records = [content["provenance"] for content in made]
    return {
        "commits": _each(record["commit"] for record in records),
        "software": _each(
            f"Python {record['python']}, "
            + ", ".join(f"{name} {version}" for name, version in record["packages"].items())
            + f"; Keras on {record['keras_backend']}"
            for record in records
        ),
        "machines": _each(record["machine"] for record in records),
        # Runs made before it was recorded computed with a thread for each core.
        "threads": _each(record.get("threads", "one for each core") for record in records),
        "seeds": _each(content["parameters"]["seed"] for content in made),
        "finished": max(record["created"] for record in records),
        **_time(finished),
    }


def _each(values: Iterable[object]) -> list[str]:
    return list(dict.fromkeys(map(str, values)))


def _time(finished: list[Path]) -> dict[str, float]:
    """Return how long the rows trained, counting once the epochs that rows of one recipe share.

    ``seconds`` for ``epochs``, and ``seconds_here``: the part that these runs took, and did not go
    on from.
    """
    longest: dict[str, tuple[int, float]] = {}
    here = 0.0
    for path in finished:
        content = provenance.read_json(path)
        history = pd.read_csv(path.with_name("history.csv"))
        recipe = str({**content["parameters"], "epochs": None})
        longest[recipe] = max(
            longest.get(recipe, (0, 0.0)), (len(history), float(history["seconds"].sum()))
        )
        here += content["seconds"]
    epochs, seconds = map(sum, zip(*longest.values(), strict=True))
    return {"epochs": epochs, "seconds": seconds, "seconds_here": here}
