"""Who plays on the clips of one's own music: by their tags, else by the folders they lie in."""

import re
from pathlib import Path

import pandas as pd
from tinytag import TinyTag

from music_genre import names
from music_genre.data.table import noted, tracks

# What programs and people write where there is no one artist.
_NOBODY = {"", "various artists", "various", "va", "v.a.", "unknown artist", "unknown",
           "compilations", "compilation", "soundtrack"}  # fmt: skip
_GUESTS = re.compile(r"\s+[(\[]?(feat\.?|ft\.?|featuring)\s.*$", re.IGNORECASE)
TAG, FOLDER = "tag", "folder"


def of_files(files: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Return the artists of clips, as far as they are known.

    The tag *artist* counts (else *album artist*), in any format that tinytag reads; where there is
    none, the folder below the genre's: ``genre/Artist/Album/song.mp3``, ``genre/Artist/song.mp3``.

    Parameters
    ----------
    files
        As :func:`music_genre.data.gtzan.list_files` lists them.

    Returns
    -------
    dict
        By the clip's name: ``artist``, in small letters and without guests (*feat. ...*), so that
        it is written in one way; ``by``, :data:`TAG` or :data:`FOLDER`.
    """
    found = {}
    for path, name, clip in files.loc[files["fault"] == "", ["path", "name", "clip"]].itertuples(
        index=False
    ):
        below = name.split("/")[1:-1]
        for by, written in ((TAG, _tagged(path)), (FOLDER, below[0] if below else "")):
            artist = normal(written)
            if artist not in _NOBODY:
                found[clip] = {"artist": artist, "by": by}
                break
    return found


def normal(written: str) -> str:
    """Return an artist's name as it is compared."""
    return " ".join(_GUESTS.sub("", names.normal(written)).casefold().split())


def _tagged(path: Path) -> str:
    try:
        tag = TinyTag.get(path, duration=False)
    except Exception:  # of whatever kind: a file without tags that can be read has no artist
        return ""
    return tag.artist or tag.albumartist or ""


def of_table(segments: pd.DataFrame, path: Path) -> tuple[pd.Series, dict[str, int]]:
    """Return the artist of each segment of an extracted table, missing where not known.

    Parameters
    ----------
    path
        The table's. Its extraction noted the artists beside it.

    Returns
    -------
    artists : Series [shape=(n_segments,)]
    by : dict
        The number of clips whose artist is known by each of ``TAG`` and ``FOLDER``.
    """
    found = noted(path, segments=len(segments)).get("artists", {})
    clips = tracks(segments)
    known = {clip: found[clip]["artist"] for clip in clips.dropna().unique() if clip in found}
    by = [found[clip]["by"] for clip in known]
    return clips.map(known).astype(object), {way: by.count(way) for way in (TAG, FOLDER)}
