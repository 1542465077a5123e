"""The one error that a user is meant to read."""


class InputError(ValueError):
    """Bad input, told in one sentence: which file, column or value, and the way out."""

    def _render_traceback_(self) -> list[str]:
        # IPython's hook for an exception that prints itself: no stack, only the sentence.
        return [f"{type(self).__name__}: {self}"]
