"""Functions behind the notebooks that reproduce *Music Genre Classification With Deep Learning*."""

from importlib import import_module
from typing import TYPE_CHECKING

from music_genre import libraries

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

libraries.prepare()

__version__ = "0.1.0"


def predict(
    path: "str | Path | Sequence[str | Path]", model: "str | Path | None" = None, top: int = 3
) -> "pd.DataFrame":
    """Predict the genres of a sound file, of a folder's, or of a list of these.

    :func:`music_genre.analysis.predict.predict` says what is returned. (It is imported when it is
    needed: Keras and librosa take seconds.)
    """
    return import_module("music_genre.analysis.predict").predict(path, model, top)
