"""The one error that a user is meant to read."""

from collections.abc import Iterable

from music_genre import names


class InputError(ValueError):
    """Bad input, told in one sentence: which file, column or value, and the way out."""

    def __init__(self, sentence: str):
        super().__init__(names.readable(sentence))  # a name in it may hold what steers a terminal

    def _render_traceback_(self) -> list[str]:
        # IPython's hook for an exception that prints itself: no stack, only the sentence.
        return [f"{type(self).__name__}: {self}"]


def meant(word: str, known: Iterable[str]) -> str:
    """Return, in brackets, the known word that was probably meant; nothing if none is close."""
    import difflib

    close = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""
