"""Names that others gave to genres, clips and files: to be compared, written and shown as text.

Standard library only.
"""

import unicodedata
from collections.abc import Iterable

# Invisible, but letters of some scripts and pictures join or part by them.
_JOINERS = "\u200c\u200d\u200e\u200f"


def readable(text: str) -> str:
    r"""Return text in which every character can be written and is what it looks like.

    Control characters, marks that hide or turn the direction of reading, and bytes of a file's
    name that are no UTF-8 become escapes such as ``\x1b``, ``\u202e``, ``\xe9``. Line breaks stay.
    """
    if text.isprintable():
        return text
    return "".join(_escape(c) if _hidden(c) else c for c in text)


def normal(name: str) -> str:
    """Return a genre's or clip's name as it is compared: one line, no spaces around it, NFC.

    (NFC: macOS writes é as two characters, other systems as one.)
    """
    return unicodedata.normalize("NFC", readable(name.strip()).replace("\n", "\\n"))


def merged(written: Iterable[str]) -> dict[str, list[str]]:
    """Return the names that were written in several ways, each with these ways."""
    ways: dict[str, set[str]] = {}
    for name in written:
        ways.setdefault(normal(name), set()).add(name)
    return {name: sorted(of) for name, of in sorted(ways.items()) if len(of) > 1}


def _hidden(c: str) -> bool:
    return unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and c not in "\n" + _JOINERS


def _escape(c: str) -> str:
    if "\udc80" <= c <= "\udcff":  # Python's stand-in for a byte that is no UTF-8
        return f"\\x{ord(c) - 0xDC00:02x}"
    return c.encode("unicode_escape").decode()
