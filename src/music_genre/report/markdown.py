"""The gate through which values enter Markdown: whatever they hold is shown as it is written."""

import re

from markupsafe import Markup

from music_genre import names

_ACTIVE = re.compile(
    r"""
      [\\`*<>&$|~\[\]@]             # code, emphasis, HTML, mathematics, tables, links
    | (?<![^\W_])_ | _(?![^\W_])    # emphasis, but not within a word: features_3_sec.csv
    | :(?=/) | (?<=www)\.           # addresses
    | \Ah(?=ttp)                    # IPython would load a text that begins with one
    | \A[#=]                        # a heading
    | \A[-+:](?=[-\s]|\Z)           # an item, a line across the page
    | \A\d(?=\d{0,8}[.)](?:\s|\Z))  # a numbered item
    """,
    re.VERBOSE | re.IGNORECASE,
)


def escape(value: object) -> Markup:
    """Return a value as Markdown that shows it as plain text on one line.

    Jinja's ``finalize`` for templates of Markdown. What is marked as :class:`~markupsafe.Markup`
    stays: it was made by this module, or by the caller from escaped parts.
    """
    if isinstance(value, Markup):
        return value
    text = _plain(value)
    if "$" in text or "\\" in text:  # JupyterLab looks for mathematics once more in what is shown
        return Markup(f'<span class="tex2jax_ignore mathjax_ignore">{text}</span>')
    return Markup(text)


def code(value: object) -> Markup:
    """Return a value as Markdown that shows it in the type of code."""
    return Markup(f"<code>{_plain(value)}</code>")


def _plain(value: object) -> str:
    text = names.readable(str(value)).replace("\n", " ")
    return _ACTIVE.sub(lambda found: f"&#{ord(found[0])};", text)
