"""Figures and tables in a notebook, each with its caption and the data it was measured on."""

import io
from html import escape

import pandas as pd
from IPython.display import HTML, Image, Markdown, display
from matplotlib.figure import Figure

from music_genre.table import Source

_DPI = 160  # sharp on a screen of twice the usual density, at 80 dots per inch on the page


def figure(fig: Figure, caption: str, source: Source | str) -> None:
    """Show a figure with its caption, which is its alternative text too."""
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=_DPI, bbox_inches="tight", facecolor="white")
    image = Image(buffer.getvalue(), alt=caption, width=round(_width(buffer.getvalue()) / 2))
    display(image)
    display(HTML(_caption(caption, source)))


def table(frame: pd.DataFrame, caption: str, source: Source | str, *, decimals: int = 2) -> None:
    """Show a table without its index, with its caption; missing values as a dash."""
    whole = frame.select_dtypes("integer").columns
    html = frame.rename(columns={"f1": "F1"}).to_html(
        index=False,
        border=0,
        classes="result",
        na_rep="–",
        float_format=f"{{:,.{decimals}f}}".format,
        formatters=dict.fromkeys(whole, "{:,}".format),
    )
    display(HTML(html + _caption(caption, source)))


def say(text: str) -> None:
    """Show a sentence (Markdown) that quotes results."""
    display(Markdown(text))


def banner(source: Source) -> None:
    """Say which table this page is about; on the sample, what that means and how to get GTZAN's."""
    if source.is_sample:
        display(
            HTML(
                '<div class="banner"><strong>These figures are not GTZAN’s.</strong> They were '
                f"measured on the embedded sample: {source.clips:,} clips, {source.segments:,} "
                "segments, too few for the paper’s results to be judged by. For GTZAN’s: "
                "<code>make data</code> downloads it; <code>GTZAN=path make report</code> takes a "
                "copy that you have, <code>FEATURES=path</code> its features table.</div>"
            )
        )
    say(f"Data: {source.label}.")
    left_out(source)
    if source.ignored_columns:
        say(f"Columns beyond the 60, ignored: {', '.join(source.ignored_columns)}.")


def left_out(source: Source) -> None:
    """Name the clips that an extracted table lacks, each with the reason; nothing if none."""
    if source.left_out:
        reasons = "".join(f"\n- {problem['reason']}" for problem in source.left_out)
        say(f"Clips left out of {source.path}: {len(source.left_out):,}.\n{reasons}")


def _caption(caption: str, source: Source | str) -> str:
    label = source if isinstance(source, str) else source.label
    return f'<p class="caption">{escape(caption)} <span class="source">[{escape(label)}]</span></p>'


def _width(png: bytes) -> int:
    return int.from_bytes(png[16:20], "big")  # IHDR, the first chunk, begins with the width
