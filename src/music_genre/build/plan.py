"""Plan a report: which notebook runs on what, after which others. Standard library only.

`python -m music_genre.build.plan` checks all that was typed, writes the plan as rules for make to
``reports/<table>/plan.mk``, and hands over to make. What was typed is taken from the environment
and stands in none of the rules: each step has a file of its own, ``.<notebook>.json``, that says
what it is given. A rule depends on that file, on the results that the notebook shows, and on the
modules that the notebook imports, so a step is done again if one of these changes.

A plan is written only where it differs from the one before, so planning makes nothing stale.
"""

import ast
import dataclasses
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from operator import itemgetter
from pathlib import Path

from music_genre import pairs
from music_genre.data import find
from music_genre.exceptions import InputError
from music_genre.paths import DATA, NOTEBOOKS, REPORTS, ROOT, atomic, display_path, natural_key
from music_genre.report.sections import SECTIONS, Section

PARAMS, SOURCES = ROOT / "params", ROOT / "src" / "music_genre"
PUBLISHED = "gtzan"  # reports/gtzan holds the published report
EXTRACTION = DATA / ".extraction.json"
DATA_FILES = {".csv", ".npz", ".j2", ".css"}  # in a package, read by its modules
_NAME = re.compile(r"[\w.+-]+", re.ASCII)  # of a table, a row, a recipe: safe for make and shell


@dataclass(frozen=True)
class Options:
    """What a report is asked for."""

    table: str = "table1"  # folder under params/
    features: str = ""  # features table (CSV)
    music: str = ""  # folder of clips, or of a features table
    seeds: tuple[int, ...] = (0,)
    recipes: bool = False  # whether to train and show params/recipes too
    splits: tuple[str, ...] = ()  # by which to compare the last row with simpler models
    strict: bool = False  # whether a clip that cannot be described is an error


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

    @property
    def spec(self) -> Path:
        """The file that says what the notebook is given."""
        return self.target.with_name(f".{self.target.stem}.json")


def options(given: Mapping[str, str]) -> Options:
    """Read the options from the environment, checked.

    Raises
    ------
    InputError
        One of them names nothing that is there.
    """
    table = given.get("TABLE") or "table1"
    if not _NAME.fullmatch(table) or table == PUBLISHED:
        raise InputError(
            f"TABLE is {table!r}: name a folder under params/, with letters, digits, '.', '_', '+' "
            f"and '-' only, and not {PUBLISHED!r}, whose folder holds the published report."
        )
    seeds = given.get("SEEDS", "").split()
    if not all(seed.isdecimal() for seed in seeds):
        raise InputError(
            f'SEEDS is "{given["SEEDS"]}": write whole numbers with spaces between, as in "0 1 2".'
        )
    splits, known = given.get("SPLITS", "").split(), split_names()
    if set(splits) - set(known):
        raise InputError(f'SPLITS is "{given["SPLITS"]}": name some of {", ".join(known)}.')
    if given.get("FEATURES") and not Path(given["FEATURES"]).is_file():
        raise InputError(
            f"FEATURES is {given['FEATURES']}, which does not exist: name a features table, or "
            "leave it out."
        )
    return Options(
        table=table,
        features=given.get("FEATURES", ""),
        music=given.get("GTZAN", ""),
        seeds=tuple(sorted({0, *map(int, seeds)})),
        recipes=bool(given.get("RECIPES")),
        splits=tuple(name for name in known if name in splits),
        strict=given.get("STRICT") == "1",
    )


def steps(asked: Options) -> list[Step]:
    """List the steps of a report, trainings and fits before what shows them."""
    folder = REPORTS / asked.table
    rows = _files(PARAMS / asked.table)
    if not rows:
        raise InputError(
            f"params/{asked.table} holds no .yaml: name a folder under params/ with TABLE=, one "
            ".yaml per row."
        )
    recipes = _files(PARAMS / "recipes") if asked.recipes else {}
    resplit = _files(PARAMS / "resplit") if asked.recipes else {}
    claims = _files(PARAMS / "claims") if asked.recipes else {}
    last = list(rows.values())[-1]
    groups: dict[str, list[Step]] = {
        "rows": [_training(folder / "rows" / name, file) for name, file in rows.items()],
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
                )
            )
    return [*trainings, *showing]


def shown(asked: Options, rows: Iterable[Path]) -> list[Section]:
    """Return the sections that are asked for and that the rows' files allow, in their order."""
    texts = [file.read_text(encoding="utf-8") for file in rows]
    of_paper = any("paper:" in text and "accuracy" in text for text in texts)
    return [
        it
        for it in SECTIONS
        if (not it.asked_by or getattr(asked, it.asked_by)) and (of_paper or not it.of_paper)
    ]


def _files(folder: Path) -> dict[str, Path]:
    """Return a folder's YAML files by their names, 10 after 9."""
    found = {path.stem: path for path in folder.glob("[!.]*.yaml")}
    odd = [name for name in found if not _NAME.fullmatch(name)]
    if odd:
        raise InputError(
            f"{display_path(found[odd[0]])} has a name that cannot be built: use letters, digits, "
            "'.', '_', '+' and '-' only."
        )
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
            recipe, epochs = _recipe(step.file)
            apart = {k: v for k, v in step.given.items() if (k, v) not in _DEFAULTS}
            apart.pop("output")
            key = (step.notebook, *recipe, *sorted(apart.items()))
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


def _recipe(file: Path) -> tuple[tuple[str, ...], int]:
    """Return a YAML file's lines but for those that do not shape the training, and its epochs.

    A look at the lines will do: what is misread here is ordered otherwise, and not trained
    otherwise.
    """
    lines = [line.split("#")[0].rstrip() for line in file.read_text(encoding="utf-8").splitlines()]
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
    for node in ast.walk(_parsed(path)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        found.update(*map(_files_of, names))
    return frozenset(found.union(*(imported(file) for file in found if file.suffix == ".py")))


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


def write(asked: Options) -> Path:
    """Write the steps' files and the rules, where they differ from those there; return the rules.

    Raises
    ------
    InputError
        There is nothing to report on; the features table's path is no UTF-8.
    """
    features, music = find.features_and_music(asked.features, asked.music)
    try:
        str(features).encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"the path {features} is no UTF-8, so that no notebook can be given it: rename the "
            "table or its folder."
        ) from error
    planned = steps(asked)
    if music:
        _write(EXTRACTION, _extraction(music, strict=asked.strict))
    common = {
        "backend": os.environ.get("KERAS_BACKEND", ""),
        # Trainings run side by side, on a core each. Their sums round by the number of threads, so
        # it depends on what was asked for, and not on how many happen to run.
        "threads": 1 if sum(step.trains for step in planned) > 1 else None,
    }
    tables = {
        "features": display_path(features) if features.is_relative_to(ROOT) else str(features),
        "extracted": display_path(find.EXTRACTED) if music or features == find.EXTRACTED else "",
    }
    checksum = "" if music and features == find.EXTRACTED else _sha256(features)
    for step in planned:
        names = parameters(step.notebook)
        given = {**tables, **step.given}
        spec = {
            "notebook": step.notebook,
            "target": display_path(step.target),
            "file": display_path(step.file) if step.file else "",
            "given": {name: given[name] for name in names if name in given},
            "table": checksum if "features" in names else "",
            "source": _sha256(NOTEBOOKS / f"{step.notebook}.py"),  # not its time: Jupyter saves
            "shows": [display_path(path) for path in step.shows],
            **common,
        }
        _write(step.spec, json.dumps(spec, indent=1))
    page = REPORTS / asked.table / ".report.json"
    rows = [step.target.parent.name for step in planned if step.target.match("rows/*/train.ipynb")]
    sections = [it.name for it in shown(asked, _files(PARAMS / asked.table).values())]
    _write(page, json.dumps({"rows": rows, "sections": sections}, indent=1))
    rules = page.with_name("plan.mk")
    _write(rules, _rules(planned, page, tables, extract=bool(music)))
    return rules


def _write(path: Path, text: str) -> None:
    """Write a file atomically if its text is new, so that nothing becomes stale without need."""
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        with atomic(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


def _extraction(music: Path, *, strict: bool) -> str:
    """Return what an extraction depends on: the folder's files, and whether one may be left out."""
    return json.dumps({"music": str(music), "strict": strict, **find.state(music)}, indent=1)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _rules(planned: list[Step], page: Path, tables: dict[str, str], *, extract: bool) -> str:
    """Return the plan as rules for make: a target, what it depends on, and its command."""
    text = "# Written by `make report` (music_genre.build.plan): a rule for each step.\n\n"
    text += "export PYTHON ?= .venv/bin/python\n"
    for notebook in sorted({step.notebook for step in planned}):
        text += f"{notebook} := {_listed(sorted(imported(NOTEBOOKS / f'{notebook}.py')))}\n"
    text += "\n"
    extracted = display_path(find.EXTRACTED)
    for step in planned:
        needs = [step.spec, *([step.file] if step.file else []), *step.shows]
        if extract and any(tables.get(name) == extracted for name in parameters(step.notebook)):
            needs.append(find.EXTRACTED)
        text += f"{display_path(step.target)}: {_listed(needs)} $({step.notebook})"
        text += f" | {display_path(step.after)}\n" if step.after else "\n"
        text += _command("build.execute", "$<")
    if extract:
        done, module = EXTRACTION.with_suffix(""), SOURCES / "data" / "extraction.py"
        text += (
            f"{display_path(done)}: {_listed([EXTRACTION, module, *sorted(imported(module))])}\n"
        )
        text += _command("data.extraction", f'"$${{GTZAN:-data}}" {extracted} && touch $@')
        text += f"# Where the clips give the same table again, it stays as it is.\n{extracted}: "
        text += f"{display_path(done)} ;\n\n"
    html, module = page.with_name("report.html"), SOURCES / "report" / "page.py"
    rows = [step.target for step in planned if step.target.match("rows/*/train.ipynb")]
    showing = [step.target for step in planned if not step.trains]
    template = (SOURCES / "report" / "template").iterdir()
    text += f"{display_path(html)}: {_listed([page, *rows, *showing])} \\\n"
    text += f"  {_listed([module, *sorted(imported(module)), *sorted(template)])}\n"
    text += _command("report.page", "$<")
    outputs = [ROOT / step.given["output"] / "failed.json" for step in planned if step.trains]
    return text + _END.format(page=display_path(html), failures=_listed(outputs))


_END = """\
.PHONY: report
report: {page}
\t@echo "report: {page}"
\t@failed=$$(ls {failures} 2>/dev/null); \\
\t  [ -z "$$failed" ] || {{ echo "error: not trained, see" $$failed >&2; exit 1; }}

.DEFAULT_GOAL := report
.DELETE_ON_ERROR:
.SUFFIXES:
"""


def _command(module: str, arguments: str) -> str:
    return f'\t@"$$PYTHON" -m music_genre.{module} {arguments}\n\n'


def _listed(paths: Iterable[Path]) -> str:
    return " ".join(map(display_path, paths))


def main(make: str) -> None:
    """Plan what the environment asks for, and become make, with a job for each core by default."""
    asked = options(os.environ)
    done, problems = pairs.check()
    print("".join(f"{line}\n" for line in done), end="", flush=True)
    if problems:
        raise InputError("\n".join(problems))
    rules = write(asked)
    # What was typed as variables stays out of make's sight from here on.
    flags = os.environ.get("MAKEFLAGS", "").split(" -- ")[0]
    jobs = [] if re.search(r"(^| )-j|--jobserver", flags) else [f"-j{os.cpu_count()}"]
    os.environ |= {"MAKEFLAGS": flags, "PYTHON": sys.executable}
    os.execvp(make, [make, "--no-print-directory", "-rf", display_path(rules), *jobs])


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except InputError as error:
        sys.exit(f"error: {error}")
