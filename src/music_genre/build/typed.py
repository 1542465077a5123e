"""What was typed as variables of make, checked before any work. Standard library only.

It comes by the environment, as it was typed.
"""

import dataclasses
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from music_genre.data import find
from music_genre.exceptions import InputError, meant
from music_genre.paths import REPORTS, ROOT

PUBLISHED = "gtzan"  # reports/gtzan holds the published report
COLLECTION = "collection"  # the table, and its report, of music that is not GTZAN
NAME = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9_.+-]*")  # of a table, a row: safe for make and shell
_FLAGS = ("RECIPES", "MORE", "STRICT", "CHECK")
_OFF, _ON = ("", "0", "no", "false"), ("1", "yes", "true")
_BACKENDS = ("jax", "tensorflow", "torch")


@dataclass(frozen=True)
class Options:
    """What a report is asked for."""

    table: str = "table1"  # folder under params/
    features: str = ""  # features table (CSV)
    music: str = ""  # folder of clips, or of a features table
    music_by: str = "MUSIC"  # the variable that names it: MUSIC or GTZAN
    collection: str = ""  # the name of what the report is about, if that is not GTZAN
    seeds: tuple[int, ...] = (0,)
    recipes: bool = False  # whether to train and show params/recipes too
    splits: tuple[str, ...] = ()  # by which to compare the last row with simpler models
    only: str = ""  # what is asked for in place of a report: "beyond" or "tune"
    strict: bool = False  # whether a clip that cannot be described is an error
    more: bool = False  # whether to extract a second features table, and train on it
    more_table: str = ""  # its path, where there is or will be one


@dataclass(frozen=True)
class Prediction:
    """What `make predict` is asked for."""

    audio: str  # a sound file, or a folder of them
    model: str = ""  # folder of a model


def check(given: Mapping[str, str]) -> None:
    """Check what every target takes: that make knows the variables, and their simple values.

    MUSIC and GTZAN are two names for one folder.

    ``TYPED`` and ``VARIABLES`` in the environment name the variables typed after make, and those
    that it knows.

    Raises
    ------
    InputError
        A variable is unknown, or is no flag, number or back end where it must be one; or MUSIC and
        GTZAN are both given.
    """
    known = given.get("VARIABLES", "").split()
    for name in given.get("TYPED", "").split():
        if name not in known:
            raise InputError(
                f"make knows no variable {name}{meant(name.upper(), known)}: name some of "
                f"{', '.join(known)}. What is meant for another program comes before make."
            )
    if given.get("MUSIC") and given.get("GTZAN"):
        raise InputError(
            "MUSIC and GTZAN are both given: each names the folder of music; give one."
        )
    for name in _FLAGS:
        flag(given, name)
    if given.get("NPROC") and not re.fullmatch("[1-9][0-9]{0,4}", given["NPROC"]):
        raise InputError(f'NPROC is "{given["NPROC"]}": write a number of threads, 1 or more.')
    backend = given.get("KERAS_BACKEND")
    if backend and backend not in _BACKENDS:
        raise InputError(
            f"KERAS_BACKEND is {backend!r}{meant(backend, _BACKENDS)}: name one of "
            f"{', '.join(_BACKENDS)}."
        )


def flag(given: Mapping[str, str], name: str) -> bool:
    """Tell whether an option is on: 1, yes or true; off: 0, no, false, or left out."""
    value = given.get(name, "").lower()
    if value not in (*_OFF, *_ON):
        raise InputError(f'{name} is "{given[name]}": write 1 for yes, or leave it out.')
    return value in _ON


def options(given: Mapping[str, str], *, splits: list[str]) -> Options:
    """Read a report's options from the environment, checked.

    Parameters
    ----------
    splits
        The names that ``SPLITS`` may hold, in order.

    Raises
    ------
    InputError
        As :func:`check`; or one of the options names nothing that is there.
    """
    check(given)
    by = "GTZAN" if given.get("GTZAN") else "MUSIC"
    features, music = _path(given, "FEATURES"), _path(given, by)
    if features and music:
        raise InputError(f"FEATURES and {by} are both given: name a table, or a folder, not both.")
    # os.path says no where pathlib raises: a name too long, a folder that may not be read.
    if features and not os.path.isfile(features):  # noqa: PTH113
        raise InputError(_not_there("FEATURES", features, "a features table"))
    if music and not os.path.isdir(music):  # noqa: PTH112
        raise InputError(_not_there(by, music, "a folder of music"))
    if music:
        _not_around_us(by, music)
    asked = given.get("SPLITS", "").split()
    for name in asked:
        if name not in splits:
            raise InputError(
                f'SPLITS is "{given["SPLITS"]}"{meant(name, splits)}: name some of '
                f"{', '.join(splits)}, with spaces between."
            )
    return Options(
        table=report_folder(given).name,
        features=features,
        music=music,
        music_by=by,
        seeds=_seeds(given.get("SEEDS", "")),
        recipes=flag(given, "RECIPES"),
        splits=tuple(name for name in splits if name in asked),
        strict=flag(given, "STRICT"),
        more=flag(given, "MORE"),
    )


def prediction(given: Mapping[str, str]) -> Prediction:
    """Read what is to be predicted, and by which model, from the environment, checked.

    Raises
    ------
    InputError
        AUDIO is missing, or it or MODEL names nothing that is there.
    """
    audio, model = _path(given, "AUDIO"), _path(given, "MODEL")
    wanted = "a sound file or a folder of them"
    if not audio:
        raise InputError(f"AUDIO is missing: name {wanted}, as in make predict AUDIO=song.mp3.")
    # os.path says no where pathlib raises: a name too long, a folder that may not be read.
    if not os.path.exists(audio):  # noqa: PTH110
        raise InputError(_not_there("AUDIO", audio, wanted).replace(", or leave it out", ""))
    _not_around_us("AUDIO", audio)
    if model and not os.path.isdir(model):  # noqa: PTH112
        raise InputError(_not_there("MODEL", model, "the folder of a model"))
    return Prediction(audio, model)


def _not_around_us(name: str, folder: str) -> None:
    if ROOT.is_relative_to(os.path.realpath(folder)):  # to look for music in it might take hours
        raise InputError(f"{name} is {folder}, which holds this project: name the folder of music.")


def of_collection(asked: Options, name: str, given: Mapping[str, str]) -> Options:
    """Return the options of a report that is about a collection of this name, and not GTZAN.

    Its table is :data:`COLLECTION` where TABLE names no other.

    Raises
    ------
    InputError
        What is asked for is about GTZAN and the paper alone.
    """
    for option, why in (
        ("RECIPES", "asks what explains the paper's Table I"),
        ("SPLITS", "compares models on splits of GTZAN, and a collection's report always compares "
         "whole tracks and artists"),
    ):  # fmt: skip
        if getattr(asked, option.lower()):
            raise InputError(f"{option} {why}, but {name} is not GTZAN: leave {option} out.")
    table = asked.table if given.get("TABLE") else COLLECTION
    return dataclasses.replace(asked, collection=name, table=table)


def report_folder(given: Mapping[str, str]) -> Path:
    """Return the folder of the report that TABLE names.

    Raises
    ------
    InputError
        TABLE is no name of a folder, or that of the published report's or of runs by hand.
    """
    table = given.get("TABLE") or "table1"
    if not NAME.fullmatch(table):
        raise InputError(
            f"TABLE is {table!r}: name a folder under params/ by its name alone, of letters, "
            "digits, '.', '_', '+' and '-'."
        )
    folder = REPORTS / table
    for taken, holds in ((PUBLISHED, "the published report"), ("manual", "trainings by hand")):
        # On some file systems GTZAN is gtzan.
        same = folder.exists() and (REPORTS / taken).exists() and folder.samefile(REPORTS / taken)
        if same or table.lower() == taken:
            raise InputError(
                f"TABLE is {table!r}, but reports/{taken} holds {holds}: choose another name."
            )
    return folder


def _seeds(text: str) -> tuple[int, ...]:
    seeds = text.split()
    if not all(re.fullmatch("[0-9]{1,9}", seed) for seed in seeds):
        numbers = " ".join(re.findall("[0-9]+", text))
        raise InputError(
            f'SEEDS is "{text}"{meant(text, [numbers])}: write whole numbers of at most 9 digits '
            'with spaces between, as in "0 1 2".'
        )
    return tuple(sorted({0, *map(int, seeds)}))


def _path(given: Mapping[str, str], name: str) -> str:
    """Return a path as it was typed, if a notebook can be given it."""
    typed = given.get(name, "")
    try:
        typed.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"{name} is {typed!r}, a name that is not UTF-8: rename it, or link to it."
        ) from error
    return str(find.given(typed)) if typed else ""


def _not_there(name: str, path: str, wanted: str) -> str:
    there, beside = Path(path), []
    with suppress(OSError):
        beside = [entry.name for entry in there.parent.iterdir()]
    missing = not os.path.exists(path)  # noqa: PTH110
    why = "does not exist" + meant(there.name, beside) if missing else f"is not {wanted}"
    return f"{name} is {path}, which {why}: name {wanted}, or leave it out."
