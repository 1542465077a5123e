"""Figures and tables in a notebook, each with its caption and the data it was measured on."""

from collections.abc import Iterable
from inspect import cleandoc
from typing import LiteralString

import pandas as pd
from IPython.display import HTML, Image, Markdown, display
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from music_genre.data.table import Source
from music_genre.report import fonts, markdown

_DPI = 160  # shown at half the size, so that screens of twice the usual density show all pixels
_MOST = 20  # clips named in one list


def figure(fig: Figure, caption: str, source: Source | str) -> None:
    """Show a figure with its caption, which is its alternative text too."""
    picture, boxes = fonts.png(fig, dpi=_DPI)
    display(Image(picture, alt=caption, retina=True))
    display(HTML(_caption(caption, source)))
    say(
        """
        {% if boxes %}
        No installed font has {{ boxes | listed }}: boxes stand for them in this figure. A font that
        has them, once installed, is found by itself.
        {% endif %}
        """,
        boxes=boxes,
    )


def table(frame: pd.DataFrame, caption: str, source: Source | str, *, decimals: int = 2) -> None:
    """Show a table without its index, with its caption; missing values as a dash."""
    whole = frame.select_dtypes("integer").columns
    # Names are neither mathematics nor cut off.
    with pd.option_context("display.html.use_mathjax", False, "display.max_colwidth", None):
        html = frame.rename(columns={"f1": "F1"}).to_html(
            index=False,
            border=0,
            classes="result",
            na_rep="–",
            float_format=f"{{:,.{decimals}f}}".format,
            formatters=dict.fromkeys(whole, "{:,}".format),
        )
    display(HTML(Markup(html) + _caption(caption, source)))


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


def _caption(caption: str, source: Source | str) -> Markup:
    label = source if isinstance(source, str) else source.label
    return Markup(
        '<p class="caption tex2jax_ignore mathjax_ignore">{} <span class="source">[{}]</span></p>'
    ).format(caption, label)
