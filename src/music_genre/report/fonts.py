"""Draw a figure so that its text has all its characters, if any installed font has them."""

import io
import re
import warnings

from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text

_MISSING = re.compile(r"Glyph (\d+) .*missing from font")  # matplotlib's warning
# png() counts these; a figure that is measured while it is made warns before.
warnings.filterwarnings("ignore", message=_MISSING.pattern)


def png(fig: Figure, *, dpi: float) -> tuple[bytes, list[str]]:
    """Return a figure as PNG, and the characters that no installed font has: they are boxes."""
    picture, missing = _draw(fig, dpi)
    if more := _families(missing):
        for text in fig.findobj(Text):
            text.set_fontfamily([*text.get_fontfamily(), *more])
        picture, missing = _draw(fig, dpi)
    return picture, missing


def _draw(fig: Figure, dpi: float) -> tuple[bytes, list[str]]:
    buffer = io.BytesIO()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fig.savefig(buffer, format="png", dpi=dpi, bbox_inches="tight", facecolor="white")
    missing = set()
    for one in caught:
        if found := _MISSING.match(str(one.message)):
            missing.add(chr(int(found[1])))
        else:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
    return buffer.getvalue(), sorted(missing)


def _families(characters: list[str]) -> list[str]:
    """Return installed fonts that have the characters between them, plain ones first."""
    wanted, found = set(characters), []
    for font in sorted(fontManager.ttflist, key=lambda font: ("Sans" not in font.name, font.name)):
        if not wanted:
            break
        # Fonts of last resort have a box for every character.
        if font.style == "normal" and "lastresort" not in font.name.replace(" ", "").lower():
            has = _among(wanted, font.fname)
            found += [font.name] if has else []
            wanted -= has
    return found


def _among(characters: set[str], font: str) -> set[str]:
    try:
        file = FT2Font(font)
    except (OSError, RuntimeError):  # removed meanwhile; a kind that cannot be drawn
        return set()
    if not file.scalable:  # of pictures, such as Noto Color Emoji
        return set()
    return {c for c in characters if file.get_char_index(ord(c))}
