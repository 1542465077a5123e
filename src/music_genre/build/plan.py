"""Plan a report: which notebook runs on what, after which others. Standard library only.

A plan stands as rules for make in ``reports/<table>/plan.mk``. What was typed stands in none of
them: each step has a file of its own, ``.<notebook>.json``, that says what it is given and, by
checksums, all that determines it. Which steps are due is decided here, by content
(:mod:`music_genre.build.done`); make knows their order, and what can run side by side.
"""

import ast
import csv
import dataclasses
import json
import os
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from operator import itemgetter
from pathlib import Path

from music_genre.build import done
from music_genre.build.typed import NAME, Options
from music_genre.data import find
from music_genre.data.columns import MORE
from music_genre.exceptions import InputError, meant
from music_genre.names import normal
from music_genre.paths import NOTEBOOKS, REPORTS, ROOT, atomic, display_path, natural_key
from music_genre.report.sections import COLLECTION, SECTIONS, Section

PARAMS, SOURCES = ROOT / "params", ROOT / "src" / "music_genre"
BEYOND_SPLITS = ("segment", "track")  # where none are asked for; by artist needs published lists
DATA_FILES = {".csv", ".npz", ".j2", ".css"}  # in a package, read by its modules


@dataclass(frozen=True)
class Step:
    """One notebook to execute."""

    target: Path  # the executed notebook
    notebook: str
    given: dict = field(default_factory=dict)  # parameters
    file: Path | None = None  # more of them (YAML)
    shows: tuple[Path, ...] = ()  # the steps whose results it shows
    after: Path | None = None  # a training whose states this one is read off from
    trains: bool = False  # a failure is recorded, and the report made without it
    row: str = ""  # the row of the table that it trains, with the first seed
    stands_alone: bool = False  # it has something to show where all failed that it shows
    reads: tuple[Path, ...] = ()  # finished results that no step of the plan makes

    @property
    def spec(self) -> Path:
        """The file that says what the notebook is given."""
        return self.target.with_name(f".{self.target.stem}.json")


def steps(asked: Options) -> list[Step]:
    """List the steps of a report, trainings and fits before what shows them."""
    folder = REPORTS / asked.table
    if asked.only:
        return _tuning(asked, folder) if asked.only == "tune" else _beyond(asked, folder)
    rows = _files(PARAMS / asked.table)
    if not rows:
        raise InputError(
            f"params/{asked.table} holds no .yaml{meant(asked.table, _tables())}: name a folder "
            "under params/ with TABLE=, one .yaml per row."
        )
    recipes = _files(PARAMS / "recipes") if asked.recipes else {}
    resplit = _files(PARAMS / "resplit") if asked.recipes else {}
    claims = _files(PARAMS / "claims") if asked.recipes else {}
    last = list(rows.values())[-1]
    if asked.splits and _more_of(last):
        raise InputError(
            f"params/{asked.table}/{last.name} sets more, a second features table, which the "
            "comparison of splits does not read: leave out SPLITS=, or more."
        )
    groups: dict[str, list[Step]] = {
        "rows": [
            dataclasses.replace(_training(folder / "rows" / name, file), row=name)
            for name, file in rows.items()
        ],
        "seeds": [
            _training(folder / "seeds" / str(seed) / name, file, seed=seed)
            for seed in asked.seeds[1:]
            for name, file in rows.items()
        ],
        "recipes": [
            *(_training(folder / "recipes" / name, file) for name, file in recipes.items()),
            *(
                _training(folder / "recipes" / name, file, notebook="resplit")
                for name, file in resplit.items()
            ),
        ],
        "claims": [_training(folder / "claims" / name, file) for name, file in claims.items()],
        "splits": [
            step
            for name in asked.splits
            for step in (
                _training(folder / "splits" / name / "lstm", last, split=name),
                _training(folder / "splits" / name, None, notebook="baselines", split=name),
            )
        ],
        "shuffled": [_training(folder / "shuffled", last, shuffle_columns=True)]
        if asked.splits
        else [],
    }
    trainings = _the_longest_first([step for group in groups.values() for step in group])
    names = {
        "folder": display_path(folder),
        "table": asked.table,
        "rows": " ".join(rows),
        "recipes": " ".join([*recipes, *resplit]),
        "splits": " ".join(asked.splits),
    }
    showing = []
    for section in shown(asked, rows.values()):
        if section.shared_of:
            continue
        if section.per_row:
            showing += [
                Step(
                    step.target.with_name(f"{notebook}.ipynb"),
                    notebook,
                    {"results": display_path(step.target.parent)},
                    shows=(step.target,),
                )
                for step in groups["rows"]
                for notebook in section.per_row
                if notebook != step.notebook
            ]
        else:
            showing.append(
                Step(
                    folder / f"{section.name}.ipynb",
                    section.name,
                    {key: value.format(**names) for key, value in section.given.items()},
                    shows=tuple(step.target for need in section.needs for step in groups[need]),
                    trains=section.fits,
                    stands_alone=section.stands_alone,
                    reads=_there(folder, section),
                )
            )
    return [*trainings, *showing]


def shown(asked: Options, rows: Iterable[Path]) -> list[Section]:
    """Return the sections that are asked for and that the rows' files allow, in their order."""
    if asked.collection:
        return list(COLLECTION)
    texts = [file.read_text(encoding="utf-8", errors="replace") for file in rows]
    paper = re.compile(r"^paper:(?:.|\n(?=\s))*?\baccuracy\b", re.MULTILINE)
    of_paper = any(paper.search(re.sub(r"#.*", "", text)) for text in texts)
    return [
        it
        for it in SECTIONS
        if (not it.asked_by or getattr(asked, it.asked_by))
        and set(it.splits) <= set(asked.splits)
        and (not it.there or _there(REPORTS / asked.table, it))
        and (of_paper or not it.of_paper)
    ]


def _there(folder: Path, section: Section) -> tuple[Path, ...]:
    """Return the finished trainings that a section shows and that no step of a report makes."""
    return (
        tuple(sorted((folder / section.there).glob("*/*/*/metrics.json"))) if section.there else ()
    )


def _beyond(asked: Options, folder: Path) -> list[Step]:
    """List the trainings of ``params/beyond``, by split and seed, and the notebook that shows them.

    With a second features table each row is trained on it too, under a name of its own. A row
    ``tuned`` is what a search on that split found (:func:`_tuning`) with the same tables.
    """
    rows = _files(PARAMS / "beyond")
    if not rows:
        raise InputError("params/beyond holds no .yaml: restore it with git.")
    for name in rows:
        if name == "tuned" or name.endswith(find.WITH_MORE):
            raise InputError(
                f"params/beyond/{name}.yaml is named as what a search finds, or a row with MORE=1: "
                "rename it."
            )
    of_tracks = re.compile(r"^model: *['\"]?track-", re.MULTILINE)
    more, suffix = _with_more(asked)
    trainings = []
    for split in asked.splits or BEYOND_SPLITS:
        found = folder / "tune" / f"{split}{suffix}.yaml"
        files = {**rows, **({"tuned": found} if found.is_file() else {})}
        # A model of tracks cannot be trained where segments of one track are on both sides.
        trainings += [
            _training(folder / "beyond" / split / str(seed) / f"{name}{suffix}", file,
                      split=split, seed=seed, split_seed=0, **more)
            for seed in asked.seeds
            for name, file in files.items()
            if split != "segment" or not of_tracks.search(file.read_text(encoding="utf-8"))
        ]  # fmt: skip
    showing = Step(
        folder / "beyond.ipynb",
        "beyond",
        {"results": display_path(folder / "beyond")},
        shows=tuple(step.target for step in trainings),
    )
    return [*trainings, showing]


def _tuning(asked: Options, folder: Path) -> list[Step]:
    """List the searches for settings, one a split that keeps tracks apart."""
    searches: list[Step] = []  # one after another, each on all cores
    more, suffix = _with_more(asked)
    for split in asked.splits or BEYOND_SPLITS:
        if split != "segment":
            given = {"split": split, "output": display_path(folder / "tune"), **more}
            before = searches[-1].target if searches else None
            target = folder / "tune" / f"{split}{suffix}.ipynb"
            searches.append(Step(target, "tune", given, after=before))
    if not searches:
        raise InputError("a search needs validation tracks: name SPLITS=track, or artist.")
    return searches


def _with_more(asked: Options) -> tuple[dict[str, str], str]:
    """Return the parameter for a second features table, if there is one, and the names' end."""
    return ({"more": asked.more_table}, find.WITH_MORE) if asked.more_table else ({}, "")


def _tables() -> list[str]:
    return [path.name for path in PARAMS.glob("[!.]*") if path.is_dir()]


def _files(folder: Path) -> dict[str, Path]:
    """Return a folder's YAML files by their names, 10 after 9.

    Raises
    ------
    InputError
        A file's name, or what has such a name, is not as it must be.
    """
    found = {}
    for path in folder.glob("[!.]*"):
        if path.suffix.lower() not in (".yaml", ".yml"):
            continue
        if path.suffix != ".yaml":
            raise InputError(
                f"{display_path(path)} would not be read: name it {path.stem}.yaml, or take it out "
                "of the folder."
            )
        if not path.is_file():
            raise InputError(f"{display_path(path)} is no file: write a row's parameters to one.")
        if not NAME.fullmatch(path.stem):
            raise InputError(
                f"{display_path(path)} has a name that cannot be built: use letters, digits, "
                "'.', '_', '+' and '-' only."
            )
        found[path.stem] = path
    return {name: found[name] for name in sorted(found, key=natural_key)}


def _training(folder: Path, file: Path | None, *, notebook: str = "train", **given: object) -> Step:
    output = folder / "baselines" if notebook == "baselines" else folder
    name = "baselines" if notebook == "baselines" else "train"
    return Step(
        target=folder / f"{name}.ipynb",
        notebook=notebook,
        given={**given, "output": display_path(output)},
        file=file,
        trains=True,
    )


def _the_longest_first(trainings: list[Step]) -> list[Step]:
    """Let trainings that differ in their epochs alone follow the longest of them.

    That one keeps its states at their epochs (``models.checkpoints``), and they have nothing left
    to train. Side by side they would train the epochs that they share twice, to the same numbers.
    """
    alike: dict[tuple, list[tuple[int, int]]] = {}
    for i, step in enumerate(trainings):
        if step.file is not None:
            same, epochs = recipe(step.file)
            apart = {k: v for k, v in step.given.items() if (k, v) not in _DEFAULTS}
            apart.pop("output")
            key = (step.notebook, *same, *sorted(apart.items()))
            alike.setdefault(key, []).append((epochs, i))
    ordered = list(trainings)
    for chain in alike.values():
        *shorter, (_, longest) = sorted(chain, key=itemgetter(0))
        for _, i in shorter:
            ordered[i] = dataclasses.replace(trainings[i], after=trainings[longest].target)
        if epochs := sorted({epochs for epochs, _ in shorter} - {0}):
            given = {**trainings[longest].given, "keep_states": epochs}
            ordered[longest] = dataclasses.replace(trainings[longest], given=given)
    return ordered


_DEFAULTS = {("seed", 0), ("split", "segment"), ("shuffle_columns", False)}  # of the train notebook


def recipe(file: Path) -> tuple[tuple[str, ...], int]:
    """Return a YAML file's lines but for those that do not shape the training, and its epochs.

    A look at the lines will do: what is misread here is ordered otherwise, and not trained
    otherwise.
    """
    text = file.read_text(encoding="utf-8", errors="replace")
    lines = [line.split("#")[0].rstrip() for line in text.splitlines()]
    flat = [line for line in lines if line and not line[0].isspace()]
    epochs = [line.split(":")[1].strip() for line in flat if line.startswith("epochs:")]
    apart = "epochs:", "paper:", "score_after:"
    same = tuple(sorted(line for line in flat if not line.startswith(apart)))
    return same, int(epochs[0]) if epochs and epochs[0].isdecimal() else 0


# ---- What a step depends on.


def _parsed(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        raise InputError(f"{display_path(path)} cannot be read as Python: {error}.") from error


@cache
def imported(path: Path) -> frozenset[Path]:
    """Return the project's files that a Python file imports, with all that these import."""
    found: set[Path] = set()
    todo = {path}
    while todo:
        new = _imports(todo.pop()) - found
        found |= new
        todo |= {file for file in new if file.suffix == ".py"}
    return frozenset(found)


@cache
def _imports(path: Path) -> frozenset[Path]:
    """Return the project's files that a Python file itself imports."""
    found: set[Path] = set()
    for node in ast.walk(_parsed(path)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = ".".join(filter(None, [_package(path, node.level), node.module]))
            names = [module, *(f"{module}.{alias.name}" for alias in node.names)]
        else:
            continue
        found.update(*map(_files_of, names))
    found.discard(path)  # a package's own __init__ may import what is in it
    return frozenset(found)


def _package(path: Path, level: int) -> str:
    """Return the package that so many dots stand for in an import of a file."""
    inside = level and path.is_relative_to(SOURCES)
    return ".".join(path.relative_to(SOURCES.parent).parts[:-level]) if inside else ""


def _files_of(module: str) -> set[Path]:
    """Return a module's file and the __init__ of each package around it, with the package's data.

    A name in a module (``music_genre.paths.ROOT``) adds nothing to the module's own file.
    """
    first, *parts = module.split(".")
    if first != "music_genre":
        return set()
    found, folder = {SOURCES / "__init__.py"}, SOURCES
    for part in parts:
        if (folder / f"{part}.py").is_file():
            return found | {folder / f"{part}.py"}
        folder = folder / part
        if not (folder / "__init__.py").is_file():
            return found
        found.add(folder / "__init__.py")
        found |= {path for path in folder.iterdir() if path.suffix in DATA_FILES}
    return found


@cache
def parameters(notebook: str) -> list[str]:
    """Return the names of a notebook's parameters: the annotated ones."""
    tree = _parsed(NOTEBOOKS / f"{notebook}.py")
    return [node.target.id for node in tree.body if isinstance(node, ast.AnnAssign)]


@cache
def split_names() -> list[str]:
    """Return the names in the registry of splits: read, as to import it takes a second."""
    tree = _parsed(SOURCES / "data" / "splits.py")
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "SPLITS":
            return [ast.literal_eval(key) for key in node.value.keys]
    raise LookupError("music_genre.data.splits assigns no dictionary to SPLITS")


# ---- The plan's files.


def specs(asked: Options, planned: list[Step], features: Path, *, extracted: bool) -> list[dict]:
    """Describe each step, and at last the page, by all that determines what it leaves."""
    tables = {
        "features": as_given(features),
        "extracted": display_path(find.EXTRACTED) if extracted else "",
        "music": asked.music,
    }
    checksum = _checksum(features)
    beside = features.with_suffix(".problems.json")  # what the extraction noted
    noted = {"beside the table": done.sha256(beside)} if beside.is_file() else {}
    described = []
    for step in planned:
        names = parameters(step.notebook)
        given = {**tables, **step.given}
        notebook = NOTEBOOKS / f"{step.notebook}.py"
        files = [notebook, *sorted(imported(notebook)), *([step.file] if step.file else [])]
        content = {display_path(path): done.sha256_of_source(path) for path in files}
        if "features" in names:
            content |= {"table": checksum, **noted}
        if more := _second(step):
            content |= {"second table": _checksum(ROOT / find.given(more))}
        content |= {display_path(path): done.sha256(path) for path in step.reads}
        described.append(
            {
                "notebook": step.notebook,
                "target": display_path(step.target),
                "file": display_path(step.file) if step.file else "",
                "given": {name: given[name] for name in names if name in given},
                "content": content,
                "results": _results(step),
                "shows": [display_path(path) for path in step.shows],
                "backend": os.environ.get("KERAS_BACKEND", ""),
            }
        )
        if step.stands_alone:
            described[-1]["stands_alone"] = True
        if step.trains:
            # Trainings run side by side, on a core each. Their sums round by the number of threads,
            # so it depends on what was asked for, and not on how many happen to run.
            described[-1]["threads"] = 1 if sum(it.trains for it in planned) > 1 else None
    return described if asked.only else [*described, _page(asked, planned, checksum)]


def _second(step: Step) -> str:
    """Return the second features table that a step is given, or that its file names, or nothing."""
    if "more" in step.given or step.file is None:
        return step.given.get("more", "")
    return _more_of(step.file)


def _more_of(file: Path) -> str:
    """Return the second features table that a file of parameters names, or nothing.

    As in :func:`recipe`, a look at the lines will do.
    """
    text = file.read_text(encoding="utf-8", errors="replace")
    found = re.search(r"""^more:[ \t]*(["']?)(.*?)\1(?:[ \t]+#.*)?[ \t]*$""", text, re.MULTILINE)
    return found[2] if found else ""


def _checksum(table: Path) -> str:
    return done.sha256(table) if table.is_file() else ""  # none before an extraction


def check_more(asked: Options, features: Path) -> None:
    """Check before hours of training that the second features table has each segment of the first.

    Raises
    ------
    InputError
        It lacks one, as where a clip of the published table cannot be read; or it lacks a column,
        or has a segment twice.
    """
    more = ROOT / asked.more_table
    if not asked.more_table or not (more.is_file() and features.is_file()):
        return
    lacking = sorted(_filenames(features) - _segments(more), key=natural_key)
    if lacking:
        others = f" (and {len(lacking) - 1:,} more)" if len(lacking) > 1 else ""
        way_out = _AGAIN
        if more != find.more_table(features):  # as where the published table lies beside the music
            way_out = "train on the table that was extracted with it, with "
            way_out += f"FEATURES={display_path(find.EXTRACTED)} MORE=1"
        raise InputError(
            f"{asked.more_table} has no line for {lacking[0]} of {as_given(features)}{others}: "
            f"{way_out}."
        )


_AGAIN = "extract both tables again from the music, with MORE=1"


def _segments(more: Path) -> set[str]:
    """Return the segments of a second features table that has all columns, and each once."""
    find.check_table(more)
    name = as_given(more)
    with more.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        lines = csv.reader(file)
        header = next(lines, [])
        for column in ["filename", *MORE]:
            if column not in header:
                raise InputError(f"{name} lacks the column {column}: {_AGAIN}.")
        place, found = header.index("filename"), set()
        for line in filter(None, lines):
            segment = normal(line[place]) if len(line) > place else ""
            if segment in found:
                raise InputError(
                    f"{name}: segment {segment} stands more than once in filename: {_AGAIN}."
                )
            found.add(segment)
    return found


def _filenames(table: Path) -> set[str]:
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            return {normal(line.get("filename") or "") for line in csv.DictReader(file)}
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{display_path(table)} cannot be read as CSV ({error}).") from error


def as_given(path: Path) -> str:
    """Return a path inside the project from its root, any other as it is."""
    return display_path(path) if path.is_relative_to(ROOT) else str(path)


def _results(step: Step) -> list[str]:
    """Return the file that says what a training came to, beside its notebook."""
    if not step.trains:
        return []
    name = {"baselines": "baselines.json", "use": "model.json"}.get(step.notebook, "metrics.json")
    return [f"{step.given['output']}/{name}"]


def _page(asked: Options, planned: list[Step], checksum: str) -> dict:
    module = SOURCES / "report" / "page.py"
    template = [path for path in (SOURCES / "report" / "template").iterdir() if path.is_file()]
    read = [module, *sorted(imported(module)), *sorted(template)]
    rows = [step.file for step in planned if step.row]
    sections = [section.name for section in shown(asked, rows)]
    shown_notebooks = [
        step.target for step in planned if step.row or not step.trains or step.notebook in sections
    ]
    return {
        "page": {
            "rows": [step.row for step in planned if step.row],
            "sections": sections,
            "collection": asked.collection,
        },
        "target": display_path(REPORTS / asked.table / "report.html"),
        "content": {
            **{display_path(path): done.sha256_of_source(path) for path in read},
            "table": checksum,
        },
        "results": [],
        "shows": [display_path(path) for path in shown_notebooks],
    }


def due(described: list[dict]) -> list[str]:
    """Return the targets of the steps to do: what is not as described, and what shows that."""
    targets: list[str] = []
    for step in described:
        if set(targets) & set(step["shows"]) or not done.up_to_date(step):
            targets.append(step["target"])
    return targets


def write(asked: Options, planned: list[Step], described: list[dict]) -> tuple[Path, list[str]]:
    """Write the steps' files and the rules; return the path of the rules, and what is due."""
    for step in described:
        _write(_spec(step), json.dumps(step, indent=1))
    targets = due(described)
    rules = REPORTS / asked.table / f"{asked.only or 'plan'}.mk"
    _write(rules, _rules(planned, described, targets))
    return rules, targets


def _spec(step: dict) -> Path:
    target = ROOT / step["target"]
    return target.with_name(f".{target.stem}.json")


def _write(path: Path, text: str) -> None:
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _rules(planned: list[Step], described: list[dict], targets: list[str]) -> str:
    """Return the plan as rules for make: a target, what comes before it, and its command."""
    python = sys.executable.replace("$", "$$").replace("#", r"\#")
    text = "# Written by `make report` (music_genre.build.plan): a rule for each step, and at\n"
    text += "# last, which are due. A step's file (.json) says what determines it.\n\n"
    text += f"export PYTHON ?= {python}\n\n"
    after = {display_path(step.target): display_path(step.after) for step in planned if step.after}
    for step in described:
        target = step["target"]
        before = [*step["shows"], *([after[target]] if target in after else [])]
        text += f"{target}: | {' '.join(before)}\n".replace(" | \n", "\n")
        # exec, so that make is the parent of the step: they end together
        text += f'\t@exec "$$PYTHON" -m music_genre.build.execute {display_path(_spec(step))}\n\n'
    text += f".DEFAULT_GOAL := {described[-1]['target']}\n.DELETE_ON_ERROR:\n.SUFFIXES:\n"
    return text + f".PHONY: {' '.join(targets)}\n"
