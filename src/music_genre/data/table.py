"""Load and check the features table, recognise it by its content, compare it with another one."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from music_genre import names
from music_genre.data import find
from music_genre.data.columns import COLUMNS, FEATURES, INPUTS, MORE, SEGMENT_LENGTH
from music_genre.exceptions import InputError
from music_genre.paths import display_path, natural_key
from music_genre.provenance import read_json

PUBLISHED = 9990  # segments of GTZAN's features_3_sec.csv: the paper lists its length
LARGEST = 1e18  # of a number: the square of a larger one has no place in single precision


@dataclass(frozen=True)
class Source:
    """Which features table a result was measured on."""

    path: str
    is_sample: bool
    clips: int  # tracks; 0 where the names do not tell which segments are of one track
    segments: int
    genres: int
    sha256: str  # of the file, for information: its content is what counts
    ignored_columns: list[str] = field(default_factory=list)
    left_out: list[dict[str, str]] = field(default_factory=list)  # clips: clip, path, reason
    merged: dict[str, list[str]] = field(
        default_factory=dict
    )  # labels or folders written in several ways
    odd: list[dict[str, str]] = field(default_factory=list)  # the same of clips that are in it
    unused: list[dict] = field(default_factory=list)  # other files: reason, files, names
    lost_genres: list[str] = field(default_factory=list)  # of which no clip could be used
    fingerprint: list[float] = field(default_factory=list)  # of the content: :func:`fingerprint`
    # The name of what it is of, if that is not GTZAN: :func:`music_genre.data.find.collection`.
    collection: str = ""

    @property
    def label(self) -> str:
        """The table in a line: its file's name and content, not where it lies on a machine."""
        path = Path(self.path)
        own = self.collection if self.collection != path.stem else ""  # a table has its file's name
        name = "embedded sample" if self.is_sample else own or path.name
        left_out = f" ({len(self.left_out):,} left out)" if self.left_out else ""
        clips = f"{self.clips:,} clips{left_out}, " if self.clips else ""
        return f"{name}: {clips}{self.in_words}, sha256 {self.sha256[:12]}"

    @property
    def in_words(self) -> str:
        """The number of segments, out of how many where GTZAN's table lacks some."""
        if Path(self.path).name == find.TABLE and self.clips == 1000 and self.segments < PUBLISHED:
            return f"{self.segments:,} of the published {PUBLISHED:,} segments"
        return f"{self.segments:,} segments"


def load(features: str = "") -> tuple[pd.DataFrame, Source]:
    """Load and check the features table.

    Returns
    -------
    segments : DataFrame [shape=(n_segments, 60)]
        The columns :data:`music_genre.data.columns.COLUMNS`, in that order. Filenames and labels
        are text, as :func:`music_genre.names.normal` writes them.
    source : Source
        What it is, for captions and provenance.

    Raises
    ------
    InputError
        The file is missing or unreadable, or written with other separators; a column is missing or
        not numeric; a value is NaN, infinite or larger than ``LARGEST``; a row is blank; a label or
        filename is empty; a genre has fewer than two segments; a filename stands twice.
    """
    path = find.features_table(features)
    table = _read(path)
    name = display_path(path)
    missing = [column for column in COLUMNS if column not in table]
    if missing:
        _check_separators(path, name)
        raise InputError(
            f"{name} lacks {_count(missing, 'column')}: a table needs the 60 columns of GTZAN's "
            "features_3_sec.csv, as music_genre.data.features writes them."
        )
    ignored = [names.normal(column) for column in table if column not in COLUMNS]
    table = table[COLUMNS].copy()
    _check_blank(table, name)
    merged = names.merged(table["label"].unique())
    for column in ("filename", "label"):
        table[column] = table[column].map(names.normal).astype(str)
    _check_names(table, name)
    _check_numbers(table, name)
    order = sorted(range(len(table)), key=lambda i: natural_key(table["filename"].iloc[i]))
    table = table.iloc[order].reset_index(drop=True)  # a split draws by position
    source = Source(
        path=names.readable(path.name),
        is_sample=path.resolve() == find.SAMPLE_TABLE,
        clips=0 if (of := tracks(table)).isna().any() else of.nunique(),
        segments=len(table),
        genres=table["label"].nunique(),
        sha256=_sha256(path),
        fingerprint=fingerprint(table),
        ignored_columns=ignored,
        collection=find.collection(path),
        **_written_beside(path, segments=len(table), merged=merged),
    )
    return table, source


def load_more(more: str, segments: pd.DataFrame) -> pd.DataFrame | None:
    """Load and check the second features table, joined to the first by filename.

    Parameters
    ----------
    more
        Its path; empty if there is none.
    segments
        The first table, as :func:`load` returns it.

    Returns
    -------
    DataFrame [shape=(n_segments, 282)]
        The columns :data:`music_genre.data.columns.MORE`, a line for each of ``segments``, in their
        order. None if there is no second table.

    Raises
    ------
    InputError
        The file is missing or unreadable; it lacks a column, or a segment of the first table; a
        value is not numeric, NaN, infinite or larger than ``LARGEST``; a filename stands twice.
    """
    if not more:
        return None
    table, name = _read_more(more), display_path(find.given(more))
    absent = ~segments["filename"].isin(table["filename"])
    if absent.any():
        raise InputError(
            f"{name} has no line for {_segments(segments, absent)} of the features table: name, "
            "as features, the table that was extracted with it."
        )
    table = table.set_index("filename", drop=False).loc[segments["filename"]]
    table = table.set_index(segments.index)
    _check_numbers(table, name, MORE)
    return table[MORE]


def fingerprint_more(more: str | Path) -> list[float]:
    """Sum up the content of a second features table, as :func:`fingerprint` does of the first.

    What is no number counts as 0: a line that no segment asks for may hold anything.

    Raises
    ------
    InputError
        The file is missing or unreadable; it lacks a column; a filename stands twice.
    """
    table = _read_more(more)
    values = table[MORE].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float)
    values = np.nan_to_num(values, posinf=0, neginf=0).clip(-LARGEST, LARGEST)
    numbers = pd.DataFrame(values, table.index, MORE)
    return fingerprint(numbers.assign(filename=table["filename"], label=""), MORE)


def _read_more(more: str | Path) -> pd.DataFrame:
    path = find.given(more)
    table, name = _read(path, MORE), display_path(path)
    missing = [column for column in ["filename", *MORE] if column not in table]
    if missing:
        raise InputError(
            f"{name} lacks {_count(missing, 'column')}: name a second features table, as `make "
            "report MORE=1` writes it beside the first."
        )
    table["filename"] = table["filename"].map(names.normal).astype(str)
    _check_once(table, name)
    return table


def has_features(segments: pd.DataFrame) -> bool:
    """Tell whether a table has its features, and not the segments' names and labels alone."""
    return set(FEATURES) <= set(segments)


def check_features(segments: pd.DataFrame) -> None:
    """Raise InputError if a table lacks its features, where they are needed."""
    if not has_features(segments):
        raise InputError(
            "the features table that these results were measured on is not at hand: name it with "
            "features."
        )


def tracks(table: pd.DataFrame) -> pd.Series:
    """Return each row's track, missing where the row does not tell.

    ``blues.00000.3.wav`` is a segment of ``blues.00000``: it ends in the segment's number.
    ``blues.00000.wav`` ends in a track's number, of five digits, and so is a track itself, as in
    GTZAN's ``features_30_sec.csv``. ``rock.3.wav`` of the genre ``rock``, or ``song.wav``, is one
    if its row is longer than a segment (by ``length``, if the table has that column); if not, it
    may be any part of a track.

    Parameters
    ----------
    table : DataFrame
        With the columns filename, label and, if known, length.
    """
    stem = table["filename"].str.replace(r"\.[^.]+$", "", regex=True)
    parts = stem.str.extract(r"^(.+)\.(\d+)$")
    whole = parts[1].str.fullmatch(r"0\d{4}").fillna(False).astype(bool)
    segment = parts[0].notna() & ~whole & (parts[0] != table["label"])
    if "length" in table:
        whole |= ~segment & (table["length"] >= 2 * SEGMENT_LENGTH)
    return parts[0].where(segment, stem.where(whole))


clips = tracks  # a clip is what GTZAN has of a track


def fingerprint(table: pd.DataFrame, columns: Sequence[str] = FEATURES) -> list[float]:
    """Sum up a table's content in a few numbers that do not depend on the order of its lines.

    Each number is the sum of all standardised values, each with a sign of its own that follows
    from the names and labels of all segments. Tables with another name or label anywhere get
    unrelated numbers; a value that differs by d standard deviations moves each number by d. A
    hash of rounded values would not do: copies of one table differ in their last digits, and some
    of its values lie where a rounding to fewer digits tips.

    Returns
    -------
    list of float [shape=(4,)]
        Numbers of about the square root of the number of values. See :func:`same_content`.
    """
    ordered = table.sort_values("filename")
    listed = ordered["filename"].str.cat(ordered["label"], sep=",").str.cat(sep="\n")
    values = ordered[[*columns]].to_numpy(dtype=float)
    spread = values.std(axis=0)
    scaled = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1)
    n = len(table) + len(columns)
    bits = hashlib.shake_256(listed.encode()).digest(4 * -(-n // 8))
    signs = 2.0 * np.unpackbits(np.frombuffer(bits, dtype=np.uint8).reshape(4, -1), axis=1) - 1
    rows, columns = signs[:, : len(table)], signs[:, len(table) : n]
    return [round(float(r @ scaled @ c), 6) for r, c in zip(rows, columns, strict=True)]


def same_content(one: Source, other: Source) -> bool:
    """Tell whether two tables hold the same names, labels and values, whatever their files.

    Rounding to six significant digits makes no difference, nor do differences that add up to less
    than two hundredths of a standard deviation.
    """
    return same_fingerprint(one.fingerprint, other.fingerprint)


def same_fingerprint(a: Sequence[float], b: Sequence[float]) -> bool:
    """Tell whether two fingerprints are of the same content: see :func:`same_content`."""
    return len(a) == len(b) and np.allclose(a, b, rtol=0, atol=0.02)


def comparison(
    table: pd.DataFrame, source: Source, extracted: str = ""
) -> tuple[pd.DataFrame, Source] | None:
    """Compare a table with the one extracted from the same clips, if there is one.

    Returns
    -------
    apart : DataFrame
        As :func:`deviation` returns it. None instead of both where there is no extracted table,
        it is this one, or no segment is in both.
    other : Source
        What the extracted table is.
    """
    path = Path(extracted) if extracted else find.EXTRACTED
    if not extracted and not path.exists():
        return None
    other, of_other = load(str(path))
    if same_content(source, of_other) or not table["filename"].isin(other["filename"]).any():
        return None
    return deviation(table, other), of_other


def deviation(table: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Measure how far two tables of the same clips differ, over the segments in both.

    Returns
    -------
    DataFrame [shape=(57, 4)]
        ``column``; ``largest`` and ``median`` absolute difference, in standard deviations of the
        column in ``table``; ``segments``, how many both tables hold.
    """
    one, two = (frame.set_index("filename")[FEATURES] for frame in (table, other))
    both = one.index.intersection(two.index)
    apart = (one.loc[both] - two.loc[both]).abs() / one.std()
    return pd.DataFrame(
        {
            "column": FEATURES,
            "largest": apart.max().to_numpy(),
            "median": apart.median().to_numpy(),
            "segments": len(both),
        }
    )


def noted(path: Path, *, segments: int) -> dict:
    """Return what an extraction noted of a table of so many segments in the file beside it."""
    beside = path.with_suffix(".problems.json")
    written = read_json(beside) if beside.exists() else {}
    return written if written.get("segments") == segments else {}


def _written_beside(path: Path, *, segments: int, merged: dict[str, list[str]]) -> dict:
    """Return what an extraction noted of problems, and merged genres."""
    written = noted(path, segments=segments)
    if not written:
        return {"merged": merged}
    return {
        "left_out": written["problems"],
        "merged": merged | written.get("merged", {}),
        **{key: written.get(key, []) for key in ("odd", "unused", "lost_genres")},
    }


def _read(path: Path, numbers: list[str] = INPUTS) -> pd.DataFrame:
    find.check_table(path)
    try:
        return pd.read_csv(
            path,
            dtype={"filename": str, "label": str},
            keep_default_na=False,
            na_values={column: ["", "nan", "NaN", "NA"] for column in numbers},
        )
    except (OSError, ValueError) as error:  # pandas' parser errors are ValueErrors
        raise InputError(
            f"{display_path(path)} cannot be read as a CSV table ({' '.join(str(error).split())}): "
            "check that it is readable and is a features table, saved as CSV in UTF-8."
        ) from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_separators(path: Path, name: str) -> None:
    """Tell a table whose columns are all there, but are not separated by commas."""
    with path.open(encoding="utf-8-sig") as file:
        head = file.readline().strip()
    for separator, called in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        named = {column.strip(' "') for column in head.split(separator)}
        if len(named & set(COLUMNS)) > 1:
            raise InputError(
                f"{name} separates its columns by {called}, as spreadsheets do in countries with "
                "decimal commas: save it with commas between columns and points in numbers."
            )


def _check_blank(table: pd.DataFrame, name: str) -> None:
    empty = table[["filename", "label"]].eq("").all(axis=1) & table[INPUTS].isna().all(axis=1)
    blank = table.index[empty] + 1
    if len(blank):
        first, last = blank[0], blank[-1]
        rows = f"row {first} is" if first == last else f"{len(blank)} of rows {first} to {last} are"
        raise InputError(f"{name}: {rows} blank: delete what is blank and save it again.")


def _check_names(table: pd.DataFrame, name: str) -> None:
    if table.empty:
        raise InputError(f"{name} holds no segments: extract the features again.")
    nameless = table["filename"] == ""
    if nameless.any():
        raise InputError(
            f"{name}: the filename of {_segments(table, nameless)} is empty: give each segment a "
            "name of its own."
        )
    empty = table["label"] == ""
    if empty.any():
        raise InputError(
            f"{name}: the label of {_segments(table, empty)} is empty: name its genre or drop the "
            "segment."
        )
    _check_once(table, name)
    counts = table["label"].value_counts()
    if len(counts) < 2:
        raise InputError(f"{name} has only the genre {counts.index[0]}: add a second one.")
    if counts.min() < 2:
        raise InputError(
            f"{name} has only one segment of genre {counts.idxmin()}: each needs at least two, "
            "one to train on and one to test on; add clips or drop the genre."
        )


def _check_once(table: pd.DataFrame, name: str) -> None:
    twice = table["filename"].duplicated()
    if twice.any():
        raise InputError(
            f"{name}: {_segments(table, twice)} stands more than once in filename: "
            "give each segment a name of its own."
        )


def _check_numbers(table: pd.DataFrame, name: str, columns: list[str] = INPUTS) -> None:
    for column in columns:
        numbers = pd.to_numeric(table[column], errors="coerce")
        text = numbers.isna() & table[column].notna()
        if text.any():
            raise InputError(
                f"{name}: column {column} is not numeric: {_segments(table, text)} holds "
                f"{table.loc[text, column].iloc[0]!r}; write a number, with a decimal point, or "
                "drop the segment."
            )
        broken = ~np.isfinite(numbers)
        if broken.any():
            raise InputError(
                f"{name}: column {column} is NaN or infinite in {_segments(table, broken)}: "
                "extract the clip again or drop the segment."
            )
        huge = numbers.abs() > LARGEST
        if huge.any():
            raise InputError(
                f"{name}: column {column} is {numbers[huge].iloc[0]:g} in "
                f"{_segments(table, huge)}, more than any sound gives: extract the clip again or "
                "drop the segment."
            )
        table[column] = numbers.astype(float)


def _segments(table: pd.DataFrame, mask: pd.Series) -> str:
    first, more = table["filename"][mask], int(mask.sum()) - 1
    which = f"segment {first.iloc[0]}" if first.iloc[0].strip() else f"row {first.index[0] + 1}"
    return which + (f" (and {more} more)" if more else "")


def _count(names: list[str], noun: str) -> str:
    listed = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    return f"the {noun}{'s' if len(names) > 1 else ''} {listed}"
