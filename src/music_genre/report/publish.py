"""Put a finished report of the full table into ``reports/gtzan/``, and its tables into the README.

Run as ``python -m music_genre.report.publish reports/table1`` (``make publish``). With ``restore``
after the folder (``make restore``) it copies the published results back into the folder, for the
notebooks to show instead of computing them again.
"""

import json
import shutil
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pandas as pd
from bs4 import BeautifulSoup, SoupStrainer

from music_genre import provenance
from music_genre.analysis import explanations, recipes, table1
from music_genre.exceptions import InputError
from music_genre.metrics import predictions
from music_genre.models import baselines, portable, runs
from music_genre.paths import PUBLISHED, ROOT, atomic, display_path, natural_key
from music_genre.report import readme
from music_genre.report.article import FILES
from music_genre.report.figures import table1 as figures

README = ROOT / "README.md"
MODEL = runs.MODEL  # of a run; only the last row's are published
NOTES = {  # with checksums of these
    "metrics.json": runs.FILES,
    "baselines.json": baselines.FILES,
    portable.NOTE: portable.FILES,
}
READERS = {
    "metrics.json": runs.load,
    "baselines.json": baselines.load,
    portable.NOTE: portable.load,
}
PREDICTIONS = {"predictions.csv", "predictions_after.csv", "baselines-predictions.csv"}
_DIGITS = 3  # of the published probabilities


def publish(
    folder: Path, settings: Path, target: Path = PUBLISHED, *, readme_file: Path | None = None
) -> None:
    """Copy a report's page, all results behind it, the model of the last row and that for use.

    Results are the CSV and JSON files in ``folder``, whichever step wrote them, and all files of
    the model for use. ``settings`` is the
    folder of ``<row>.yaml`` that the report is of. What is new is written beside the target, read
    back as a reader would, and only then takes the place of what was there, together with the
    tables in ``readme_file``. Until then, whatever happens leaves both as they were.

    Raises
    ------
    InputError
        The folder holds no finished report, or one of the sample; a training failed, or is
        damaged; a row was not trained with its settings; the README lacks a table's marks; the
        file system refuses.
    """
    _finish_swap(target)
    rows = _ready(folder, settings)
    with _beside(target) as new:
        for path in _results(folder):
            copy = new / path.relative_to(folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            if path.name in PREDICTIONS:
                # What goes beyond the paper is many trainings, of which only the tests are shown.
                tested = path.relative_to(folder).parts[0] == "beyond"
                _pack(path, copy.with_name(f"{path.name}.gz"), tested=tested)
            else:
                shutil.copy(path, copy)
        for note in _notes(new):
            _with_checksums(note)
        _copy_model(folder / "rows" / rows.index[-1], new / "model")
        _copy_page(folder, new)
        scores = explanations.over_seeds(explanations.of_rows(folder / "rows", rows.index))
        figures.hero(table1.compared(rows, scores)).savefig(
            new / "table1.png", dpi=160, bbox_inches="tight", metadata={"Software": None}
        )
        _check(new)
        if readme_file is None:
            _swap(new, target)
        else:
            with_tables = readme.with_tables(readme_file.read_text(encoding="utf-8"), new)
            with atomic(readme_file) as temporary:
                temporary.write_text(with_tables, encoding="utf-8")
                _swap(new, target)


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Yield an empty folder beside another one, and remove what is left of it in the end."""
    new = target.with_name(f".{target.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    try:
        new.mkdir(parents=True)
        yield new
    except OSError as error:
        raise InputError(
            f"{display_path(target)} stays as it was, as the new one cannot be written "
            f"({error.strerror or error}): free some space."
        ) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _swap(new: Path, target: Path) -> None:
    """Put a folder in the place of another one; :func:`_finish_swap` if that is interrupted."""
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    try:
        new.rename(target)
    finally:
        _finish_swap(target)
    shutil.rmtree(old, ignore_errors=True)


def _finish_swap(target: Path) -> None:
    """Bring back what a process was about to replace when it was killed."""
    old = target.with_name(f".{target.name}.old")
    if old.exists() and not target.exists():
        old.rename(target)


def _copy_page(folder: Path, new: Path) -> None:
    """Copy a report's page and all that it links to."""
    page = (folder / "report.html").read_bytes()
    (new / "report.html").write_bytes(page)
    links = BeautifulSoup(page, "html.parser", parse_only=SoupStrainer("a", download=True))
    for name in sorted({link["href"] for link in links.find_all("a", href=True)}):
        copy = new / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            if copy.suffix == ".ipynb":
                _copy_notebook(folder / name, copy)
            else:
                shutil.copy(folder / name, copy)
        except FileNotFoundError as error:
            raise InputError(
                f"{display_path(folder / name)} is missing, to which report.html links: remove "
                "report.html and run `make report`, then publish."
            ) from error


def _copy_notebook(path: Path, copy: Path) -> None:
    """Copy an executed notebook without where and when papermill ran it."""
    notebook = nbformat.read(path, as_version=4)
    for part in [notebook, *notebook.cells]:
        part.metadata.pop("papermill", None)
        part.metadata.pop("execution", None)
    nbformat.write(notebook, copy)


def _notes(folder: Path) -> list[Path]:
    """List the JSON files in a folder that hold the checksums of the files beside them."""
    return sorted(path for path in folder.rglob("*.json") if path.name in NOTES)


def _with_checksums(note: Path) -> None:
    """Write the checksums of the files beside it, plain or packed, into a JSON file."""
    known = [*NOTES[note.name], *(f"{name}.gz" for name in NOTES[note.name])]
    found = provenance.checksums(note.parent).items()
    checksums = {name: digest for name, digest in found if name in known}
    provenance.write_json(note, {**provenance.read_json(note), "checksums": checksums})


def _check(folder: Path) -> None:
    """Read every published run back."""
    for note in _notes(folder):
        READERS[note.name](note.parent)


def _ready(folder: Path, settings: Path) -> pd.DataFrame:
    """Return a report's rows if it can be published."""
    if not (folder / "report.html").exists():
        raise InputError(f"{display_path(folder)} holds no report.html: run `make report` first.")
    rows = table1.load(folder / "rows")
    if table1.source(rows).is_sample:
        raise InputError(
            f"{display_path(folder)} was measured on the sample: publish the full table's."
        )
    if name := table1.source(rows).collection:
        raise InputError(
            f"{display_path(folder)} is about {name}, which is not GTZAN: publish the full table's."
        )
    failed = sorted(folder.glob("**/failed.json"))
    if failed:
        raise InputError(
            f"{display_path(failed[0])} is of a training that failed: train it, then publish."
        )
    untrained = {path.stem for path in settings.glob("*.yaml")} - set(rows.index)
    other = sorted([*table1.outdated(rows, settings), *untrained], key=natural_key)
    if other:
        raise InputError(
            f"in {display_path(folder)}, row {', '.join(other)} was not trained as "
            f"{display_path(settings)} says now: run `make report`, then publish."
        )
    for note in _notes(folder):
        if not any(part.startswith(".") for part in note.relative_to(folder).parts):
            provenance.check(note.parent, provenance.read_json(note))
    last = folder / "rows" / rows.index[-1]
    for name in MODEL:
        if not (last / name).exists():
            raise provenance.Damaged(last, f"{name} is missing")
    return rows


def restore(folder: Path, published: Path = PUBLISHED) -> int:
    """Copy published results to the folders that hold none, and return how many folders these are.

    The notebooks show them where they are given the same parameters and features table. All is
    copied aside and checked first, then moved; in each folder, the file that says that it is
    complete comes last. So a folder in which a process was killed is restored by the next one.

    Raises
    ------
    InputError
        Published results are damaged, or the file system refuses.
    """
    _finish_swap(published)
    last = max((path.name for path in published.glob("rows/*")), key=natural_key)
    results = [path for path in _results(published) if path.parent != published / "model"]
    restored = []
    with _beside(folder / "restored") as aside:
        for step in sorted({path.parent.relative_to(published) for path in results}):
            files = [path for path in results if path.parent == published / step]
            if step == Path("rows", last):
                files += [published / "model" / name for name in MODEL]
            if _is_there(folder / step, files) or _own_search(folder / step, files):
                continue
            (aside / step).mkdir(parents=True, exist_ok=True)
            for path in files:
                shutil.copy(path, aside / step)
            restored.append((step, _last([path.name for path in files])))
        for step, _ in restored:
            _check_and_note(aside / step, published)
        for step, note in restored:
            kind = NOTES.get(note, [])
            with provenance.together(folder / step, note, replacing=kind) as new:
                for path in [path for path in (aside / step).iterdir() if path.is_file()]:
                    path.replace(new / path.name)
    return len(restored)


def _last(names: list[str]) -> str:
    """Return the file of a folder whose existence means that it is complete."""
    return max(names, key=lambda name: (name in NOTES, name.endswith(".json"), name))


def _is_there(step: Path, published: list[Path]) -> bool:
    """Tell whether a folder holds results, its own or restored ones, and all of them."""
    note = step / _last([path.name for path in published])
    if not note.exists():
        return False
    if note.name not in NOTES:
        return True
    try:
        content = provenance.read_json(note)
        provenance.check(step, content)
    except InputError:  # damaged
        return False
    names = [path.name for path in published]
    if "model.keras" not in names or (step / "model.keras").exists():
        return True
    # An earlier version could be killed between a row's results and its model.
    (same,) = (path for path in published if path.name == note.name)
    return content.get("identity") != provenance.read_json(same).get("identity")


def _own_search(step: Path, published: list[Path]) -> bool:
    """Tell whether a folder holds trials of another search, which hours of work may have made."""
    return any(
        (own := step / path.name).exists() and own.read_bytes() != path.read_bytes()
        for path in published
        if step.name == "tune"
    )


def _check_and_note(step: Path, published: Path) -> None:
    """Check copied results against their published checksums, and note those of all the files."""
    for note in [path for path in step.glob("*.json") if path.name in NOTES]:
        try:
            provenance.check(step, provenance.read_json(note))
            if (step / "model.keras").exists():
                made_with = provenance.read_json(published / "model" / "made_with.json")
                provenance.check(step, made_with)
        except provenance.Damaged as error:
            raise InputError(
                f"a run in {display_path(published)} is damaged ({error.reason}): take the folder "
                "from git again."
            ) from error
        _with_checksums(note)


def _results(folder: Path) -> list[Path]:
    """List the CSV and JSON files of all steps, but those of models and packed ones twice.

    Of the model for use, which is of portable files, all are listed.
    What the page was made from (``files/``) is no result of a step.
    """
    return [
        path
        for path in sorted(folder.rglob("*"))
        if (
            path.name.endswith((".csv", ".json", ".csv.gz"))
            or (path.name in portable.FILES and path.with_name(portable.NOTE).exists())
        )
        and path.name not in MODEL
        and path.relative_to(folder).parts[0] != FILES
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and not (path.suffix == ".gz" and path.with_suffix("").exists())
    ]


def _pack(path: Path, target: Path, *, tested: bool) -> None:
    """Write predictions compressed, with fewer digits, all or those of test segments.

    The bytes are the same every time.
    """
    content = predictions.read(path)
    (content[content["part"] == "test"] if tested else content).to_csv(
        target,
        index=False,
        float_format=f"%.{_DIGITS}g",
        compression={"method": "gzip", "mtime": 0},
    )


def _copy_model(run: Path, target: Path) -> None:
    """Copy a run's model without its optimizer, and the scaling and genres that it needs.

    Raises
    ------
    InputError
        The copy is not the same network.
    """
    import keras  # slow to load, and not needed to restore
    import numpy as np

    target.mkdir()
    model = keras.saving.load_model(run / "model.keras", compile=False)
    model.save(target / "model.keras")
    _leave_out_unused(target / "model.keras")
    copy = keras.saving.load_model(target / "model.keras", compile=False)
    weights = zip(model.get_weights(), copy.get_weights(), strict=True)
    if copy.get_config() != model.get_config() or not all(np.array_equal(*two) for two in weights):
        raise InputError(f"the copy of {display_path(run / 'model.keras')} is not the same network")
    shutil.copy(run / "scaler.json", target)
    made_with = provenance.read_json(run / "metrics.json")["provenance"]
    provenance.write_json(
        target / "made_with.json", {**made_with, "checksums": provenance.checksums(target)}
    )


def _leave_out_unused(model: Path) -> None:
    """Rewrite a saved model without the settings that are None, without times and addresses.

    Each version of Keras adds some settings, and earlier ones refuse a file that names what they do
    not know, even where it is not used. Without times and addresses in memory, the same model is
    the same bytes.
    """

    def used(value: object, *, of_config: bool = False) -> object:
        if isinstance(value, dict):
            return {
                name: used(one, of_config=name == "config")
                for name, one in value.items()
                if name != "shared_object_id" and not (one is None and of_config)
            }
        return [used(one) for one in value] if isinstance(value, list) else value

    with zipfile.ZipFile(model) as file:
        contents = {name: file.read(name) for name in file.namelist()}
    saved_by = json.loads(contents["metadata.json"])["keras_version"]
    contents["metadata.json"] = json.dumps({"keras_version": saved_by}).encode()
    contents["config.json"] = json.dumps(used(json.loads(contents["config.json"]))).encode()
    with zipfile.ZipFile(model, "w") as file:
        for name, content in contents.items():
            file.writestr(zipfile.ZipInfo(name), content)


def not_nearest(folder: Path, settings: Path) -> list[str]:
    """Name the rows whose recipe is not the one that ``params/table1`` and the README speak of.

    That is the one nearest to Table I by test accuracy, with a fresh model for each row.

    Raises
    ------
    InputError
        The recipe study was not made, or does not cover every row.
    """
    rows, paper = table1.load(folder / "rows"), recipes.paper_rows(settings)
    trainings, _ = recipes.load(folder / "recipes")
    measured = recipes.measure(folder / "recipes", trainings.index)
    scored = recipes.score(trainings, recipes.points(trainings, measured, paper), paper)
    nearest = scored[~scored["resplit"]].iloc[0]
    return [
        name
        for name, row in rows.iterrows()
        if recipes.label(row) != nearest.get(f"batch size {row['batch_size']}")
    ]


def main(folder: Path, action: str = "publish") -> None:
    """Publish or restore, and say on the terminal what was done."""
    if action == "restore":
        number = restore(folder)
        print(
            f"published results restored to {number} folders: `make report` with GTZAN's features "
            "table shows them."
        )
        return
    settings = table1.PARAMS / folder.name
    try:
        notes = [
            f"note: row {name} does not have the recipe that the recipe study finds nearest to "
            f"Table I, but README.md and {display_path(settings)} say so: change one of them."
            for name in not_nearest(folder, settings)
        ]
    except InputError as error:
        notes = [f"note: whether the rows have the recipe nearest to Table I is unknown: {error}"]
    publish(folder, settings, readme_file=README)
    print(f"{display_path(PUBLISHED)} and README.md hold it now: look at them and commit.")
    for note in notes:
        print(note)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), *sys.argv[2:])
    except InputError as error:
        sys.exit(f"error: {error}")
