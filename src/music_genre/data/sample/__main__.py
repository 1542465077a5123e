"""``python -m music_genre.data.sample CLIPS``: compute the sample again (``make sample``)."""

import sys

from music_genre.data.sample.build import build
from music_genre.exceptions import InputError

if __name__ == "__main__":
    try:
        build(sys.argv[1])
    except InputError as error:
        sys.exit(f"error: {error}")
