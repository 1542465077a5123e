"""Functions behind the notebooks that reproduce *Music Genre Classification With Deep Learning*."""

from music_genre import libraries

libraries.prepare()

__version__ = "0.1.0"
