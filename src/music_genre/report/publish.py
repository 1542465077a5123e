"""Put a finished report of the full table into ``reports/gtzan/``, and its tables into the README.

Run as ``python -m music_genre.report.publish reports/table1`` (``make publish``). With ``restore``
after the folder (``make restore``) it copies the published results back into the folder, for the
notebooks to show instead of computing them again.
"""

import shutil
import sys
from pathlib import Path

import pandas as pd

from music_genre import provenance
from music_genre.analysis import recipes, table1
from music_genre.exceptions import InputError
from music_genre.metrics import predictions
from music_genre.paths import REPORTS, ROOT, atomic, display_path, natural_key
from music_genre.report import readme
from music_genre.report.figures import table1 as figures

PUBLISHED = REPORTS / "gtzan"
README = ROOT / "README.md"
MODEL = ["model.keras", "scaler.json"]  # of a run; only the last row's are published
PREDICTIONS = {"predictions.csv", "predictions_after.csv", "baselines-predictions.csv"}
_DIGITS = 3  # of the published probabilities


def publish(folder: Path, settings: Path, target: Path = PUBLISHED) -> None:
    """Copy a report's page, all results behind it, and the model of the last row.

    Results are the CSV and JSON files in ``folder``, whichever step wrote them. ``settings`` is the
    folder of ``<row>.yaml`` that the report is of. What the target held before is replaced once all
    that is new is there.

    Raises
    ------
    InputError
        The folder holds no finished report, or one of the sample; a training failed; a row was not
        trained with its settings.
    """
    rows = _ready(folder, settings)
    new = target.with_name(f".{target.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    for path in _results(folder):
        copy = new / path.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.name in PREDICTIONS:
            _pack(path, copy.with_name(f"{path.name}.gz"))
        else:
            shutil.copy(path, copy)
    _copy_model(folder / "rows" / rows.index[-1], new / "model")
    shutil.copy(folder / "report.html", new)
    figures.over_rows(table1.scores(rows)).savefig(
        new / "table1.png", dpi=160, bbox_inches="tight", metadata={"Software": None}
    )
    shutil.rmtree(target, ignore_errors=True)
    new.rename(target)


def _ready(folder: Path, settings: Path) -> pd.DataFrame:
    """Return a report's rows if it can be published."""
    if not (folder / "report.html").exists():
        raise InputError(f"{display_path(folder)} holds no report.html: run `make report` first.")
    rows = table1.load(folder / "rows")
    if table1.source(rows).is_sample:
        raise InputError(
            f"{display_path(folder)} was measured on the sample: publish the full table's."
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
    return rows


def restore(folder: Path, published: Path = PUBLISHED) -> int:
    """Copy published results to the folders that hold none, and return how many folders these are.

    The notebooks show them where they are given the same parameters and features table. All is
    copied aside first, then moved; in each folder the files that say that it is complete come last.
    """
    last = max((path.name for path in published.glob("rows/*")), key=natural_key)
    aside = folder / ".restored"
    shutil.rmtree(aside, ignore_errors=True)
    results = [path for path in _results(published) if path.parent != published / "model"]
    restored = []
    for step in sorted({path.parent.relative_to(published) for path in results}):
        files = [path for path in results if path.parent == published / step]
        if any(path.suffix == ".json" and (folder / step / path.name).exists() for path in files):
            continue
        if step == Path("rows", last):
            files += [published / "model" / name for name in MODEL]
        (aside / step).mkdir(parents=True, exist_ok=True)
        for path in files:
            shutil.copy(path, aside / step)
        restored.append(step)
    for step in restored:
        _move(aside / step, folder / step)
    shutil.rmtree(aside, ignore_errors=True)
    return len(restored)


def _move(step: Path, target: Path) -> None:
    """Move a step's files, JSON after the rest and metrics.json last."""
    target.mkdir(parents=True, exist_ok=True)
    files = [path for path in step.iterdir() if path.is_file()]
    for path in sorted(files, key=lambda path: (path.suffix == ".json", path.name not in MODEL)):
        if path.suffix == ".gz":  # it would be passed over for an unpacked one of a broken run
            (target / path.stem).unlink(missing_ok=True)
        path.replace(target / path.name)


def _results(folder: Path) -> list[Path]:
    """List the CSV and JSON files of all steps, but those of models and packed ones twice."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.name.endswith((".csv", ".json", ".csv.gz"))
        and path.name not in MODEL
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and not (path.suffix == ".gz" and path.with_suffix("").exists())
    ]


def _pack(path: Path, target: Path) -> None:
    """Write predictions compressed, with fewer digits; the same bytes every time."""
    predictions.read(path).to_csv(
        target,
        index=False,
        float_format=f"%.{_DIGITS}g",
        compression={"method": "gzip", "mtime": 0},
    )


def _copy_model(run: Path, target: Path) -> None:
    """Copy a run's model without its optimizer, and the scaling and genres that it needs."""
    import keras  # slow to load, and not needed to restore

    target.mkdir()
    model = keras.saving.load_model(run / "model.keras", compile=False)
    with atomic(target / "model.keras") as temporary:
        model.save(temporary)
    shutil.copy(run / "scaler.json", target)
    provenance.write_json(
        target / "made_with.json", provenance.read_json(run / "metrics.json")["provenance"]
    )


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
    publish(folder, settings)
    with_tables = readme.with_tables(README.read_text(encoding="utf-8"), PUBLISHED)
    with atomic(README) as temporary:
        temporary.write_text(with_tables, encoding="utf-8")
    print(f"{display_path(PUBLISHED)} and README.md hold it now: look at them and commit.")
    try:
        for name in not_nearest(folder, settings):
            print(
                f"note: row {name} does not have the recipe that the recipe study finds nearest to "
                f"Table I, but README.md and {display_path(settings)} say so: change one of them."
            )
    except InputError as error:
        print(f"note: whether the rows have the recipe nearest to Table I is not known: {error}")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), *sys.argv[2:])
    except InputError as error:
        sys.exit(f"error: {error}")
