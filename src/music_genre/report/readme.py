"""Write what readers of the repository see of results: the README's tables, a model's card."""

import re
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from music_genre.analysis import explanations, leakage, table1
from music_genre.data import find
from music_genre.data.splits import SPLITS
from music_genre.data.table import Source
from music_genre.exceptions import InputError
from music_genre.models import use
from music_genre.models.portable import Portable
from music_genre.report.markdown import escape

TEMPLATES = Path(__file__).parent / "template"
_MARKED = r"(<!-- {}: make publish -->\n).*?(<!-- end -->)"


def with_tables(readme: str, folder: Path) -> str:
    """Return the README with the tables of a report's folder between their marks.

    Raises
    ------
    InputError
        The marks are not there.
    """
    for name, table in (("table 1", table_one(folder)), ("splits", by_split(folder))):
        marked = re.compile(_MARKED.format(name), re.DOTALL)
        if not marked.search(readme):
            raise InputError(f"README.md lacks the marks for the table {name!r}: restore them.")
        readme = marked.sub(lambda marks, table=table: f"{marks[1]}{table}{marks[2]}", readme)
    return readme


def table_one(folder: Path) -> str:
    """Return Table I as Markdown, the paper's rows and ours."""
    rows = table1.load(folder / "rows")
    table = table1.accuracy_table(rows).rename(columns={"ours, training segments": "on training"})
    table.insert(3, "learning rate", table1.recipe_table(rows)["learning rate, ours"])
    drawn = explanations.over_seeds(explanations.of_rows(folder / "rows", rows.index))
    drawn = drawn.xs("re-drawn", level="measure")["accuracy"]
    table["re-drawn third"] = drawn.loc[table["row"]].to_numpy()
    return _render("table1", table, seeds=rows["seeds"], source=table1.source(rows))


def by_split(folder: Path) -> str:
    """Return every model's accuracy on every split as Markdown."""
    if not (folder / "splits").exists():
        return _render("splits", pd.DataFrame())
    done, _ = leakage.load(folder / "splits")
    accuracies = leakage.accuracy_drops(leakage.scores(done))[["model", *done]]
    segments = {name: len(run.predictions) for name, run in done.items()}
    return _render("splits", accuracies, segments=segments, source=leakage.source(done))


def card(model: Portable) -> str:
    """Return what to know of a model for use, as Markdown."""
    known = model.card
    return _filled(
        "use-card",
        model=model,
        of_gtzan=set(model.genres) == set(find.GENRES),
        strictest=known["held out"][-1],
        within=use.WITHIN,
        artists="artists" in SPLITS[known["split"]].disjoint_by,
        source=Source(**known["source"]),
        **{key.replace(" ", "_"): value for key, value in known.items() if key != "source"},
    )


def _render(name: str, table: pd.DataFrame, **values: object) -> str:
    lines = [" | ".join(map(_cell, line)) for line in [list(table), *table.to_numpy().tolist()]]
    lines.insert(1, " | ".join(["---"] * len(table.columns)))
    markdown = Markup("\n".join(f"| {line} |" for line in lines))
    return _filled(f"readme-{name}", table=markdown if len(table) else "", **values)


def _filled(name: str, **values: object) -> str:
    templates = Environment(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, finalize=escape,
        trim_blocks=name == "use-card", lstrip_blocks=True,
    )  # fmt: skip
    return templates.get_template(f"{name}.md.j2").render(values).strip() + "\n"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "–" if pd.isna(value) else f"{value:.2f}"
    return escape(value)
