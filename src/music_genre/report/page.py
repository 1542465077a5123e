"""Collect a report's executed notebooks into one page that needs no network."""

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pandas as pd
from bs4 import BeautifulSoup
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from pygments.formatters import HtmlFormatter

from music_genre import provenance
from music_genre.data.table import Source
from music_genre.exceptions import InputError
from music_genre.models.runs import with_seeds
from music_genre.paths import atomic, display_path
from music_genre.report import display
from music_genre.report.article import FILES, TEMPLATE, Article, Origin, code
from music_genre.report.figures.style import DARK
from music_genre.report.sections import COLLECTION, SECTIONS

TITLE = "Music Genre Classification With Deep Learning, reproduced"
BYLINE = (
    "A report on the paper by Aurnob, Islam and Habib: three stacked LSTMs name the genre of "
    "3-second segments of GTZAN’s clips. Every number measured comes from this project’s notebooks."
)
OF_COLLECTION = Markup(
    "How well they can be told apart by three-second segments: a report on a collection of one’s "
    "own, made with the notebooks of a project that reproduces the paper <cite>Music Genre "
    "Classification With Deep Learning</cite> on GTZAN."
)
TOP = ("banner", "headline")  # tags of cells that stand at the top of the page
OF_PAPER = "paper"  # the tag of a cell about the paper, which a collection's page does not show
ONCE = "once"  # the tag of a cell that says the same in every row
_DRAWS = re.compile(r"^display\.figure\(", re.MULTILINE)  # indented, it may have a condition


@dataclass
class Part:
    """A part of the page under a heading of the second level, or one row."""

    id: str
    title: str = ""
    html: Markup = Markup()
    headings: list[dict[str, str]] = field(default_factory=list)  # of the third level, not folded
    rows: list["Part"] = field(default_factory=list)
    scores: dict[str, float] = field(default_factory=dict)  # of a row
    seed: int = 0  # of a row
    failed: str = ""  # why there is nothing to show
    folder: str = ""  # where a row failed


def build(
    folder: Path, *, sections: Sequence[str], rows: Sequence[str], collection: str = ""
) -> Path:
    """Collect a folder's executed notebooks into ``report.html``, their data into ``files/``.

    A section is ``<section>.ipynb`` (or ``<section>.failed.json`` or ``<section>/failed.json``,
    which says why there is none), or the notebooks in ``rows/<row>/`` of each row (or
    ``failed.json``, which is shown instead), or what the notebooks of the rows share. A cell tagged
    ``banner`` or ``headline`` is shown at the top of the page instead of its place; one tagged
    ``once`` not with a row, but in the section of what all rows share; one tagged ``paper`` not
    where the page is about a collection; ``fold`` is for :mod:`music_genre.report.article`.

    Parameters
    ----------
    sections
        Names of :mod:`music_genre.report.sections`, in the order of the page.
    rows
        Names of the rows, in their order.
    collection
        The name of the music that it is about, if that is not GTZAN.

    Raises
    ------
    InputError
        A notebook is missing, was not executed to its end, or lacks a figure that it draws.
    """
    runs = [folder / "rows" / row for row in rows]
    known = {section.name: section for section in (COLLECTION if collection else SECTIONS)}
    per_row = {name: known[name].per_row or known[known[name].shared_of].per_row
               for name in sections if known[name].per_row or known[name].shared_of}  # fmt: skip
    left_out = {
        name: _why_left_out(folder / f"{name}.failed.json")
        or _why_left_out(folder / name / "failed.json")  # of a section that trains
        for name in sections
    }
    single = {
        name: read(folder / f"{name}.ipynb")
        for name in sections
        if name not in per_row and not left_out[name]
    }
    article, parts = Article(without=OF_PAPER if collection else ""), []
    for name in sections:
        if known[name].per_row:
            parts.append(_rows(article, runs, per_row[name]))
        elif known[name].shared_of:
            parts.append(_shared(article, name, runs, per_row[name]))
        elif left_out[name]:
            parts.append(Part(name, name.capitalize(), failed=left_out[name]))
        else:
            parts.append(_section(article, name, single[name]))
    top = {tag: [_top(article, Origin(name, f"{name}.ipynb"), notebook, tag)
                 for name, notebook in single.items()] for tag in TOP}  # fmt: skip
    html = _render(
        title=f"The genres of {collection}" if collection else TITLE,
        byline=OF_COLLECTION if collection else BYLINE,
        sections=[part for part in parts if part.html or part.rows or part.failed],
        banner=next(filter(None, top["banner"]), ""),
        headline=Markup().join(top["headline"]),
        trail=code([cell for name, of in single.items()
                    for cell in _headlines(Origin(name, f"{name}.ipynb"), of)]),
        trains="network" if collection else "row",
        made=_provenance(runs),
    )  # fmt: skip
    html = article.finish(html, _ids(html), {row: f"row-{row}" for row in rows})
    _write_files(folder / FILES, article.files)
    with atomic(folder / "report.html") as temporary:
        temporary.write_text(html, encoding="utf-8")
    return folder / "report.html"


def alone(path: Path, *, title: str, byline: str) -> Path:
    """Make a page of its own of an executed notebook, beside it, with the data of its figures.

    Cells tagged ``banner`` or ``headline`` are shown at the top of the page.

    Raises
    ------
    InputError
        As :func:`build`.
    """
    notebook, article = read(path), Article(inside=True)
    number = 0
    for cell in notebook.cells:
        number += cell.cell_type == "markdown" and cell.source.startswith("## ")
        cell.metadata.setdefault("tags", []).append(f"part {number}")
    origins = {f"part {i}": Origin(f"part-{i}", path.name, level=0, is_section=False)
               for i in range(number + 1)}  # fmt: skip
    parts = [
        _titled(Part(origin.section, html=article.section(notebook, origin, _of_part(part))))
        for part, origin in origins.items()
    ]
    top = Origin("top", path.name)
    html = _render(
        title=title,
        byline=byline,
        sections=[part for part in parts if part.html and part.title],
        banner=_top(article, top, notebook, "banner"),
        headline=_top(article, top, notebook, "headline"),
        trail=code(_headlines(top, notebook)),
        trains="",
        made={},
    )
    page = path.with_suffix(".html")
    with atomic(page) as temporary:
        temporary.write_text(article.finish(html, _ids(html), {}), encoding="utf-8")
    return page


def _of_part(part: str) -> Callable[[set[str]], bool]:
    return lambda tags: part in tags and not tags & set(TOP)


def _render(**content: object) -> Markup:
    """Return the page, but for its pictures and the numbers in references."""
    script = (TEMPLATE / "script.js").read_text(encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(TEMPLATE), undefined=StrictUndefined, autoescape=True
    )
    return environment.get_template("page.html.j2").render(
        **content,
        files=FILES,
        css=Markup((TEMPLATE / "style.css").read_text(encoding="utf-8")),
        ink=_ink("light"),
        dark_ink=_ink("dark"),
        highlight_css=Markup(HtmlFormatter(style="xcode").get_style_defs(".highlight")),
        dark_highlight_css=Markup(HtmlFormatter(style="zenburn").get_style_defs(".highlight")),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _ids(html: str) -> set[str]:
    return {tag["id"] for tag in BeautifulSoup(html, "html.parser").find_all(id=True)}


def _write_files(folder: Path, files: dict[str, bytes]) -> None:
    """Write what figures and tables were made from, and nothing that an earlier page had."""
    if folder.is_file():
        raise InputError(
            f"{display_path(folder)} is a file, where the data of figures and tables go: move it "
            "away."
        )
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        with atomic(folder / name) as temporary:
            temporary.write_bytes(content)
    for path in folder.iterdir():
        if path.name not in files and path.is_file():  # folders are others' (JupyterLab's)
            path.unlink()


def _ink(scheme: str) -> Markup:
    """Return the colours of figures as properties that they refer to."""
    colours = DARK if scheme == "dark" else dict(zip(DARK, DARK, strict=True))
    return Markup("; ".join(f"--c{name[1:]}: {colour}" for name, colour in colours.items()))


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
        drawn = any(display.KIND in output.get("metadata", {}) for output in outputs)
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


def _section(article: Article, name: str, notebook: nbformat.NotebookNode) -> Part:
    """Convert a notebook; its first heading is the title."""
    origin = Origin(name, f"{name}.ipynb")
    html = article.section(notebook, origin, lambda tags: not tags & set(TOP))
    return _titled(Part(name, html=html))


def _titled(part: Part) -> Part:
    soup = BeautifulSoup(part.html, "html.parser")
    if soup.h2:
        part.title = soup.h2.extract().get_text().strip()
    part.headings = [
        {"id": heading["id"], "title": heading.get_text().strip()}
        for heading in soup.find_all("h3")
        if not heading.find_parent("details")
    ]
    part.html = Markup(soup)
    return part


def _rows(article: Article, runs: list[Path], notebooks: Sequence[str]) -> Part:
    return Part("rows", "Row by row", rows=[_row(article, run, notebooks) for run in runs])


def _row(article: Article, run: Path, notebooks: Sequence[str]) -> Part:
    row = Part(f"row-{run.name}", f"Row {run.name}")
    if (run / "failed.json").exists():
        row.failed = provenance.read_json(run / "failed.json")["error"]
        row.folder = display_path(run)
        return row
    content = provenance.read_json(run / "metrics.json")
    given = content["parameters"]
    epochs = "epoch" if given["epochs"] == 1 else "epochs"
    row.title += f": {given['epochs']} {epochs}, batch size {given['batch_size']}"
    row.seed = given["seed"]
    row.scores["measured"] = content["parts"]["test"]["accuracy"]
    if printed := content["paper"].get("accuracy"):
        row.scores["printed"] = printed
    for name in notebooks:
        path = f"rows/{run.name}/{name}.ipynb"
        origin = Origin(row.id, path, level=2, row=run.name, is_section=False)
        row.html += article.section(
            read(run / f"{name}.ipynb"), origin, lambda tags: not tags & {*TOP, ONCE}
        )
    return row


def _shared(article: Article, name: str, runs: list[Path], notebooks: Sequence[str]) -> Part:
    """Return what the notebooks of all rows share, from the first row that did not fail."""
    finished = [run for run in runs if not (run / "failed.json").exists()]
    part = Part(name, "Model and training")
    for notebook in notebooks if finished else []:
        executed = read(finished[0] / f"{notebook}.ipynb")
        origin = Origin(name, f"rows/{finished[0].name}/{notebook}.ipynb", is_section=False)
        part.html += article.section(executed, origin, lambda tags: ONCE in tags)
    return _titled(part)


def _top(article: Article, origin: Origin, notebook: nbformat.NotebookNode, tag: str) -> Markup:
    """Return what the cells with a tag show, without their code."""
    html = article.section(notebook, origin, lambda tags: tag in tags)
    soup = BeautifulSoup(html, "html.parser")
    for details in soup.select("details.code"):
        details.decompose()
    return Markup(str(soup).strip())


def _headlines(origin: Origin, notebook: nbformat.NotebookNode) -> list[tuple[Origin, int, str]]:
    """Return the cells behind the headline."""
    return [
        (origin, number, cell.source)
        for number, cell in enumerate(notebook.cells, start=1)
        if "headline" in cell.metadata.get("tags", [])
    ]


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
    tables = [Source(**content["source"]) for content in made]
    return {
        "data": _each(source.label for source in tables),
        "checksums": _each(source.sha256 for source in tables),
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
