"""The parameters that each notebook takes: names, types, ranges. Defaults are in the notebooks."""

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from music_genre.data.splits import SPLITS
from music_genre.exceptions import InputError, meant
from music_genre.metrics.classification import NAMES
from music_genre.models import inputs, networks
from music_genre.paths import (
    MANUAL,
    NOTEBOOKS,
    PUBLISHED,
    REPORTS,
    display_path,
    natural_key,
)
from music_genre.provenance import read_yaml

Rule = Callable[[object], object]  # returns the value, or raises ValueError that says what it wants


def _number(low: float, high: float, *, whole: bool = False, open_ends: bool = False) -> Rule:
    kind = "a whole number" if whole else "a number"
    span = f"above {low:g} and below {high:g}" if open_ends else f"from {low:g} to {high:g}"

    def rule(value: object) -> object:
        if isinstance(value, str) and re.fullmatch(r"[-+]?[\d.]+e[-+]?\d+", value, re.IGNORECASE):
            raise ValueError(f"is text to YAML: write {float(value):g} or 1.0e-3, with a point")
        fits = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        if not fits or not (low < value < high if open_ends else low <= value <= high):
            raise ValueError(f"must be {kind} {span}")
        return value if whole else float(value)

    return rule


def _choice(*choices: str | bool) -> Rule:
    def rule(value: object) -> object:
        if value not in choices or type(value) is not type(choices[0]):
            raise ValueError(f"must be one of {', '.join(map(str, choices))}")
        return value

    return rule


def _epochs(value: object) -> object:
    whole = isinstance(value, list) and all(type(it) is int and it > 0 for it in value)
    if not whole or not value or sorted(set(value)) != value:
        raise ValueError("must list one epoch or more, whole numbers above 0 in rising order")
    return value


def _any_epochs(value: object) -> object:
    return value if value == [] else _epochs(value)


def _text(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("must be text")
    return value


def _audio(value: object) -> object:
    paths = value if isinstance(value, list) and value else [value]
    if not all(isinstance(path, str) for path in paths):
        raise ValueError("must be a path, or a list of paths")
    return value


def _splits(value: object) -> object:
    if not isinstance(value, str) or set(value.split()) - set(SPLITS):
        raise ValueError(f"must name some of {', '.join(SPLITS)}, with spaces between")
    return value


def _held_out(value: object) -> object:
    known = [name for name, split in SPLITS.items() if "tracks" in split.disjoint_by]
    if not isinstance(value, str) or not value.split() or set(value.split()) - set(known):
        raise ValueError(f"must name {' or '.join(known)}, or both with a space between")
    return value


_PERCENT = _number(0, 100)
_PAPER = {
    **dict.fromkeys(NAMES, _PERCENT),
    "learning_rate": _number(0, 10, open_ends=True),
    "activation": _text,
    "confusion_figure": _number(1, 99, whole=True),
    "loss_figure": _number(1, 99, whole=True),
}


def _paper(value: object) -> object:
    if not isinstance(value, dict):
        raise ValueError(f"must map some of {', '.join(_PAPER)} to what the paper reports")
    unknown = [name for name in value if name not in _PAPER]
    if unknown:
        raise ValueError(f"has the unknown entry {unknown[0]!r}; known are {', '.join(_PAPER)}")
    for name, entry in value.items():
        try:
            _PAPER[name](entry)
        except ValueError as error:
            raise ValueError(f"has {name} {entry!r}, which {error}") from error
    return value


_TRAINING = {
    "model": _choice(*networks.NETWORKS),
    "epochs": _number(1, 10_000, whole=True),
    "batch_size": _number(1, 100_000, whole=True),
    "optimizer": _choice(*networks.OPTIMIZERS),
    "learning_rate": _number(0, 10, open_ends=True),
    "schedule": _choice(*networks.SCHEDULES),
    "weight_decay": _number(0, 1),
    "label_smoothing": _number(0, 0.9),
    "mixup": _number(0, 10),
    "activation": _choice("tanh", "relu"),
    "dropout": _number(0, 0.9),
    "patience": _number(0, 10_000, whole=True),
    "test_size": _number(0, 1, open_ends=True),
    "validation_size": _number(0, 0.9),
    "split": _choice(*SPLITS),
    "scale_on": _choice("all", "train"),
    "scaling": _choice(*inputs.SCALINGS),
    "shuffle_columns": _choice(True, False),
    "seed": _number(0, 2**32 - 1, whole=True),
    "split_seed": _number(-1, 2**32 - 1, whole=True),
    "features": _text,
    "more": _text,
    "output": _text,
    "resume": _choice(True, False),
    "score_after": _any_epochs,
}
_OF_TRAIN_ALONE = {
    "model", "optimizer", "validation_size", "schedule", "weight_decay", "label_smoothing",
    "mixup", "patience", "scaling", "split_seed", "more",
}  # fmt: skip
KNOWN: dict[str, dict[str, Rule]] = {
    "explore": {"features": _text, "music": _text, "clip": _text},
    "features": {"features": _text, "extracted": _text},
    "train": {**_TRAINING, "keep_states": _any_epochs, "paper": _paper},
    "resplit": {
        "resplit_after": _epochs,
        **{k: v for k, v in _TRAINING.items() if k not in _OF_TRAIN_ALONE},
    },
    "evaluate": {"results": _text},
    "baselines": {
        name: _TRAINING[name] for name in ("split", "test_size", "seed", "features", "output")
    },
    "use": {
        "splits": _held_out,
        "folds": _number(2, 20, whole=True),
        **{name: _TRAINING[name] for name in ("test_size", "seed", "features", "output")},
    },
    "leakage": {"results": _text, "splits": _splits, "features": _text},
    "errors": {"results": _text, "features": _text},
    "similar": {"track": _text, "audio": _text, "results": _text, "features": _text},
    "table1": {"results": _text, "rows": _text},
    "collection": {"results": _text, "rows": _text, "features": _text},
    "contradictions": {"results": _text, "rows": _text},
    "explanations": {"results": _text, "rows": _text, "printed": _text, "features": _text},
    "claims": {"results": _text, "features": _text},
    "predict": {
        "audio": _audio,
        "model": _text,
        "top": _number(1, 1000, whole=True),
        "output": _text,
    },
    "beyond": {"results": _text, "features": _text},
    "tune": {
        "models": _text,
        "trials": _number(1, 10_000, whole=True),
        **{
            name: _TRAINING[name]
            for name in ("split", "test_size", "validation_size", "seed", "features")
        },
        "more": _text,
        "output": _text,
    },
    "recipes": {"results": _text, "trainings": _text, "printed": _text},
}


@cache
def defaults(notebook: str) -> dict[str, object]:
    """Return a notebook's parameters as its cell sets them."""
    tree = ast.parse((NOTEBOOKS / f"{notebook}.py").read_text(encoding="utf-8"))
    return {
        node.target.id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.AnnAssign)
    }


def check(notebook: str, namespace: dict) -> SimpleNamespace:
    """Check the parameters that a notebook was given and return them by name.

    Call it with ``globals()`` right after the parameters cell.

    Raises
    ------
    InputError
        A name that the notebook does not know (papermill would only warn), or a value out of
        range.
    """
    _check_names(notebook, _injected(namespace))
    return SimpleNamespace(**_checked(notebook, namespace))


def check_file(notebook: str, path: str | Path) -> None:
    """Check that a YAML file maps names that a notebook knows to values in their ranges.

    Raises
    ------
    InputError
        As :func:`music_genre.provenance.read_yaml`; or a name is unknown, or a value out of range.
    """
    given, where = read_yaml(path), f"{display_path(path)}: "
    _check_names(notebook, given, where=where)
    _checked(notebook, {**defaults(notebook), **given}, where=where)


def _checked(notebook: str, given: Mapping[str, object], *, where: str = "") -> dict[str, object]:
    values = {}
    for name, rule in KNOWN[notebook].items():
        try:
            values[name] = rule(given[name])
        except ValueError as error:
            raise InputError(f"{where}parameter {name} is {given[name]!r} but {error}.") from error
    if values.get("patience"):
        if not values["validation_size"] and values["split"] != "artist":
            raise InputError(
                f"{where}parameter patience is {values['patience']} but no segments are set aside "
                "to choose an epoch by: give validation_size too, or split artist."
            )
        if values["score_after"]:
            raise InputError(
                f"{where}parameters patience and score_after are both given: which epochs there "
                "will be is not known before. Give one of them."
            )
    for name in ("resplit_after", "score_after"):
        if values.get(name) and values[name][-1] >= values["epochs"]:
            raise InputError(
                f"{where}parameter {name} is {values[name]} but epochs is {values['epochs']}: name "
                "only epochs before the last."
            )
    return values


def _check_names(notebook: str, names: Iterable[str], *, where: str = "") -> None:
    known = KNOWN[notebook]
    unknown = [str(name) for name in names if name not in known]
    if unknown:
        raise InputError(
            f"{where}unknown parameter {', '.join(unknown)}{meant(unknown[0], known)} for the "
            f"{notebook} notebook: known are {', '.join(known)}."
        )


def _injected(namespace: dict) -> list[str]:
    """Return the names that papermill assigned: its cell begins with ``# Parameters``."""
    cells = [cell for cell in namespace.get("In", []) if cell.startswith("# Parameters\n")]
    return [
        target.id
        for cell in cells
        for statement in ast.parse(cell).body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
    ]


def output_folder(output: str) -> Path:
    """Return the folder named, else a new one under ``reports/manual/``."""
    if output:
        return Path(output)
    return MANUAL / f"{datetime.now():%Y-%m-%d-%H%M%S-%f}"


def run_folder(results: str) -> Path:
    """Return the run named; else your newest finished one by hand, or the last published row.

    Raises
    ------
    InputError
        What is named is no folder; or none is named, and there is none.
    """
    if results:
        return _named(results)
    finished = sorted(MANUAL.glob("*/metrics.json")) or sorted(
        PUBLISHED.glob("rows/*/metrics.json"), key=lambda path: natural_key(path.parent.name)
    )
    if not finished:
        raise InputError(
            f"there is no finished run under {display_path(MANUAL)}: run the train notebook, "
            "or name a run's folder."
        )
    return finished[-1].parent


def report_folder(results: str, part: str = "") -> Path:
    """Return the folder named; else that of Table I's report, or its ``part``, e.g. ``rows``.

    That is your own report if something in it is finished, else the published one.

    Raises
    ------
    InputError
        What is named is no folder.
    """
    if results:
        return _named(results)
    own, published = REPORTS / "table1" / part, PUBLISHED / part
    finished = (own if part else own / "rows").glob("**/metrics.json")
    return published if not any(finished) and published.is_dir() else own


def _named(results: str) -> Path:
    if not Path(results).is_dir():
        raise InputError(
            f"results names {display_path(results)}, which is no folder: name one that holds "
            "finished results, or none."
        )
    return Path(results)
