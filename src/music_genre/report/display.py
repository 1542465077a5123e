"""Figures, tables and sentences in a notebook, as JupyterLab and the report's page show them."""

import base64
import io
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from inspect import cleandoc
from numbers import Integral, Number
from pathlib import Path
from typing import LiteralString

import matplotlib as mpl
import numpy as np
import pandas as pd
from IPython.display import HTML, Audio, Markdown, display
from IPython.utils.capture import capture_output
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from music_genre import names, terminal
from music_genre.data.columns import SAMPLE_RATE
from music_genre.data.table import Source
from music_genre.exceptions import InputError
from music_genre.paths import PUBLISHED, display_path
from music_genre.report import markdown

KIND = "music_genre"  # of the metadata by which the page knows a figure or a table
_DPI = 200  # of images within figures: dense screens show twice the page's 96
_MOST = 20  # clips named in one list
_LONG = 40  # characters of a cell that is read as a sentence
_FIGURES = re.compile(r"[-+\u2212\u2013\d.,:/%() ]*")  # a column that reads as numbers
_SVG = Markup('<img src="data:image/svg+xml;base64,{}" alt="{}">')
_FIGURE = Markup(
    '<figure id="{}" style="margin: 0; color: #22272b; background: #fff">{}'
    '<figcaption class="tex2jax_ignore mathjax_ignore">{}</figcaption></figure>'
)


@dataclass(frozen=True)
class _Shown:
    """One output: HTML to look at, the data behind it, and what the page needs to know."""

    html: str
    data: pd.DataFrame | None
    about: dict[str, str]

    def _repr_mimebundle_(self, **_: object) -> tuple[dict, dict]:
        bundle = {"text/html": self.html, "text/plain": self.about["caption"]}
        if self.data is not None:
            bundle["text/csv"] = self.data.to_csv(index=False, lineterminator="\n")
        return bundle, {KIND: self.about}


def figure(
    fig: Figure, name: str, caption: str, *, alt: str, data: pd.DataFrame | None = None
) -> None:
    """Show a figure.

    Parameters
    ----------
    name
        Unique in a report: ``[...](#fig-<name>)`` in a sentence refers to the figure.
    caption
        What is shown, and of how many.
    alt
        What is to be seen, for those who do not see it: said from the data, not the caption again.
    data
        What the figure was drawn from: offered as CSV beside the page.

    Raises
    ------
    ValueError
        The alternative text is empty or the caption, or the name has other characters than letters,
        digits, ``.``, ``_`` and ``-``.
    """
    _check(name)
    if not alt.strip() or alt.strip() == caption.strip():
        raise ValueError(f"figure {name!r} needs an alternative text that says what it shows")
    picture = base64.b64encode(svg(fig)).decode()
    html = _FIGURE.format(f"fig-{name}", _SVG.format(picture, alt), caption)
    display(_Shown(html, data, {"id": f"fig-{name}", "caption": caption, "alt": alt}))


def _check(name: str) -> None:
    if not re.fullmatch(r"[\w.-]+", name, re.ASCII):
        raise ValueError(f"{name!r} cannot be the name of a figure or table, nor of its files")


def svg(fig: Figure) -> bytes:
    """Return a figure as SVG: transparent, its text as text, the same bytes for the same figure."""
    buffer = io.BytesIO()
    # The time of day and random names of parts would differ at every call.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": KIND}):
        fig.savefig(buffer, format="svg", dpi=_DPI, bbox_inches="tight", transparent=True,
                    metadata={"Date": None})  # fmt: skip
    return buffer.getvalue()


def table(frame: pd.DataFrame, name: str, caption: str, *, decimals: int = 2) -> None:
    """Show a table without its index; missing values as a dash.

    ``name`` and ``caption`` are as for :func:`figure`; ``[...](#tab-<name>)`` refers to the table.
    The CSV has the numbers in full.
    """
    _check(name)
    cells = {column: [_cell(value, decimals) for value in frame[column]] for column in frame}
    css = {column: _css(of) for column, of in cells.items()}
    head = Markup().join(
        Markup('<th scope="col"{}>{}</th>').format(css[column], _heading(column))
        for column in frame
    )
    first, *others = frame.columns
    body = Markup().join(
        Markup('<tr><th scope="row"{}>{}</th>{}</tr>\n').format(
            css[first],
            cells[first][i],
            Markup().join(
                Markup("<td{}>{}</td>").format(css[column], cells[column][i]) for column in others
            ),
        )
        for i in range(len(frame))
    )
    html = Markup(
        '<table id="{}" class="result tex2jax_ignore mathjax_ignore"><caption>{}</caption>\n'
        "<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody></table>"
    ).format(f"tab-{name}", caption, head, body)
    display(_Shown(html, frame, {"id": f"tab-{name}", "caption": caption}))


def _css(cells: list[str]) -> Markup:
    """Return how a column is set: numbers to the right, sentences with room."""
    if all(map(_FIGURES.fullmatch, cells)):
        return Markup(' class="number"')
    return Markup(' class="long"' if max(map(len, cells), default=0) > _LONG else "")


def _heading(column: object) -> str:
    return "F1" if column == "f1" else str(column)


def _cell(value: object, decimals: int) -> str:
    if value is None or value != value:
        return "–"
    if isinstance(value, bool) or not isinstance(value, Number):
        return names.readable(str(value))
    return f"{value:,}" if isinstance(value, Integral) else f"{value:,.{decimals}f}"


def audio(mp3: bytes, *, label: str) -> None:
    """Show a player for sound, which goes into the notebook and the page."""
    player = Markup(
        '<audio controls preload="metadata" aria-label="{}" '
        'src="data:audio/mpeg;base64,{}"></audio>'
    )
    display(HTML(player.format(names.readable(label), base64.b64encode(mp3).decode())))


def say(template: LiteralString, **values: object) -> None:
    """Show sentences (Markdown) that quote results; nothing if there are none.

    ``template`` is a Jinja template. Its filters: ``fixed(1)`` for decimals, ``signed(1)`` with
    the sign, ``count`` for whole numbers with separators, ``listed`` for "a, b and c",
    ``ranges("row")`` for "rows 1-3 and 7", ``code`` for names of files. A name that is not among
    the values is an error. Values are shown as they are written, never as Markdown or HTML. That
    holds for the values alone: build no template from them, as Jinja would run what they hold.
    """
    text = _TEMPLATES.from_string(cleandoc(template)).render(values).strip()
    if text:
        display(Markdown(text))


def _listed(words: Iterable[object]) -> str:
    *first, last = map(str, words)
    return f"{', '.join(first)} and {last}" if first else last


def _ranges(names: Iterable[str], noun: str = "") -> str:
    """Return names after their noun, three or more consecutive numbers as a range: rows 1-3.

    Nothing, if there are none.
    """
    names = list(names)
    if not names:
        return ""
    groups: list[list[str]] = []
    for name in names:
        before = groups[-1][-1] if groups else ""
        if name.isdigit() and before.isdigit() and int(name) == int(before) + 1:
            groups[-1].append(name)
        else:
            groups.append([name])
    parts = [
        part
        for group in groups
        for part in ([f"{group[0]}-{group[-1]}"] if len(group) > 2 else group)
    ]
    plural = "s" if noun and len(names) > 1 else ""
    return f"{noun}{plural} {_listed(parts)}".strip()


_TEMPLATES = Environment(
    undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=markdown.escape
)
_TEMPLATES.filters |= {
    "fixed": lambda value, decimals=1: f"{value:,.{decimals}f}",
    "signed": lambda value, decimals=1: f"{value:+,.{decimals}f}",
    "count": lambda value: f"{value:,}",
    "listed": _listed,
    "ranges": _ranges,
    "code": markdown.code,
}


def banner(source: Source) -> None:
    """Say which table this page is about; on the sample, what that means and how to get GTZAN's."""
    if source.is_sample:
        warning = Markup(
            '<div class="banner"><strong>These figures are not GTZAN’s.</strong> They were '
            "measured on the embedded sample: {:,} clips, {:,} segments, too few for the paper’s "
            "results to be judged by. For GTZAN’s: <code>make data</code> downloads it; "
            "<code>GTZAN=path make report</code> takes a copy that you have, "
            "<code>FEATURES=path</code> its features table.</div>"
        )
        display(HTML(warning.format(source.clips, source.segments)))
    say("Data: {{ label }}.", label=source.label)
    left_out(source)
    say(
        """
        {% for genre, ways in merged.items() %}
        - Counted as one genre, {{ genre }}: segments labelled {{ ways | listed }}.
        {% endfor %}
        """,
        merged={genre: list(map(ascii, ways)) for genre, ways in source.merged.items()},
    )
    say(
        "{% if columns %}Columns beyond the 60, ignored: {{ columns | join(', ') }}.{% endif %}",
        columns=source.ignored_columns,
    )


def left_out(source: Source) -> None:
    """Name the clips that an extracted table lacks, each with the reason; nothing if none."""
    say(
        """
        {% if genres %}
        Genres of which no clip could be used: {{ genres | listed }}.

        {% endif %}
        {% if problems %}
        Clips left out of {{ path }}: {{ problems | length | count }}.

        {% for problem in problems[:most] %}
        - {{ problem.reason }}
        {% endfor %}
        {% if problems | length > most %}
        - and {{ (problems | length - most) | count }} more, named in data/extracted.problems.json
        {% endif %}
        {% endif %}
        """,
        path=source.path,
        genres=source.lost_genres,
        problems=source.left_out,
        most=_MOST,
    )


def other_files(source: Source) -> None:
    """Name the clips of an extracted table that are odd, and the files that are no clips."""
    say(
        """
        {% if odd %}
        Clips that are used although something is odd about them: {{ odd | length | count }}.

        {% for problem in odd[:most] %}
        - {{ problem.reason }}
        {% endfor %}
        {% if odd | length > most %}
        - and {{ (odd | length - most) | count }} more, named in data/extracted.problems.json
        {% endif %}

        {% endif %}
        {% if unused %}
        Other files in the folder of music, not used: {{ unused | sum("files") | count }}.

        {% for group in unused %}
        - {{ group.reason }}: {{ group.files | count }} ({{ group.names | join(", ") }}
          {%- if group.files > group.names | length %}, ...{% endif %})
        {% endfor %}
        {% endif %}
        """,
        odd=source.odd,
        unused=source.unused,
        most=_MOST,
    )


def results(folder: Path, named: str, *, made_by: str) -> None:
    """Say which results are shown where the notebook was not told: yours, or the published ones.

    Parameters
    ----------
    folder
        The results', as :func:`music_genre.params.report_folder` or ``run_folder`` chose it.
    named
        What the notebook was told; where that is not empty, nothing is said.
    made_by
        The command or the notebook that makes such results.
    """
    say(
        """
        {% if published %}
        Shown are the published results in {{ folder | code }}, as there are none of yours yet:
        {{ made_by | code }} makes them.
        {% elif not named %}
        Shown are your results in {{ folder | code }}, made by {{ made_by | code }}.
        {% endif %}
        """,
        folder=display_path(folder),
        named=named,
        published=not named and folder.is_relative_to(PUBLISHED),
        made_by=made_by,
    )


def choose(groups: Mapping[str, Iterable[str]], show: Callable[..., None], *, first: str) -> None:
    """Show one of many: in an editor the one that two menus name, elsewhere the first.

    The menus are of use as long as the kernel lives. Beside them the output holds what is shown of
    the first, for `make lab` to save.

    Parameters
    ----------
    groups
        The names of all, which may be any text, by group.
    show
        ``show(name, playing=...)`` shows one; with its sound if ``playing``, which is never saved.
        An InputError is told.
    first
        The name to begin with.
    """
    if not terminal.in_editor():
        show(first, playing=False)
        return
    import ipywidgets  # takes a while, and a report has no menus

    with capture_output() as still:
        show(first, playing=False)
    html = "".join(output.data.get("text/html", "") for output in still.outputs)
    members = {group: list(names) for group, names in groups.items()}
    begin = next(group for group, names in members.items() if first in names)
    group = ipywidgets.Dropdown(options=list(members), value=begin, description="genre")
    member = ipywidgets.Dropdown(options=members[begin], value=first, description="clip")
    group.observe(lambda change: member.set_trait("options", members[change.new]), "value")

    def told(name: str) -> None:
        try:
            show(name, playing=True)
        except InputError as error:
            say("{{ error }}", error=error)

    shown = ipywidgets.interactive_output(told, {"name": member})
    menus = ipywidgets.VBox([ipywidgets.HBox([group, member]), shown])
    display({**menus._repr_mimebundle_(), "text/html": html}, raw=True)


def player(sound: np.ndarray) -> None:
    """Show a player of mono sound at 22,050 Hz [shape=(n_samples,)]."""
    display(Audio(sound, rate=SAMPLE_RATE))
