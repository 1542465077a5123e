"""Put a finished report of the full table into ``reports/gtzan/``, and its tables into the README.

Run as ``python -m music_genre.report.publish reports/table1`` (``make publish``). The other way, with
``restore`` behind it (``make restore``), published trainings are shown and not done again.
"""

import re
import shutil
import sys
from pathlib import Path

import keras
import pandas as pd

from music_genre import provenance
from music_genre.analysis import importance, leakage, table1
from music_genre.exceptions import InputError
from music_genre.models import baselines, runs
from music_genre.paths import REPORTS, ROOT, atomic, display_path
from music_genre.report.figures import table1 as figures

PUBLISHED = REPORTS / "gtzan"
README = ROOT / "README.md"
_MARKED = r"(<!-- {}: make publish -->\n).*?(<!-- end -->)"
_DIGITS = 3  # of the published probabilities


def publish(folder: Path, target: Path = PUBLISHED) -> None:
    """Copy a folder's page and what is behind it.

    That is metrics, history and predictions of each training, the simpler models' scores and
    predictions, and the model of the last row.

    What the target held before is replaced, but not before all that is new is there.

    Raises
    ------
    InputError
        The folder holds no finished report, or one of the sample, or a row of it failed.
    """
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
            f"{display_path(failed[0])} tells of a row that failed: train it, then publish."
        )
    new = target.with_name(f".{target.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    for metrics in sorted(folder.glob("**/metrics.json")):
        _copy_run(metrics.parent, new / metrics.parent.relative_to(folder))
    for written in sorted(folder.glob("**/baselines.json")):
        _copy_baselines(written.parent, new / written.parent.relative_to(folder))
    _copy_model(folder / "rows" / rows.index[-1], new / "model")
    shutil.copy(folder / "report.html", new)
    figures.over_rows(table1.scores(rows)).savefig(
        new / "table1.png", dpi=160, bbox_inches="tight", metadata={"Software": None}
    )
    shutil.rmtree(target, ignore_errors=True)
    new.rename(target)


def restore(folder: Path, published: Path = PUBLISHED) -> int:
    """Copy the published trainings to where none is finished, and return how many.

    The train notebook then shows them where it is given the same parameters and table.
    """
    done = [path.parent.relative_to(published) for path in published.glob("**/metrics.json")]
    done = [run for run in done if not (folder / run / "metrics.json").exists()]
    for run in done:
        (folder / run).mkdir(parents=True, exist_ok=True)
        names = sorted(path.name for path in (published / run).iterdir())
        for name in sorted(names, key="metrics.json".__eq__):  # last: it says that all is there
            shutil.copy(published / run / name, folder / run)
    last = table1.load(published / "rows").index[-1]
    if Path("rows", last) in done:
        for name in ("model.keras", "scaler.json"):
            shutil.copy(published / "model" / name, folder / "rows" / last)
    return len(done)


def table_one(folder: Path = PUBLISHED) -> str:
    """Return the published Table I as Markdown, the paper's rows beside ours, with its source."""
    rows = table1.load(folder / "rows")
    table = table1.accuracy_table(rows).rename(columns={"ours, on training rows": "on training"})
    fewest, most = rows["seeds"].min(), rows["seeds"].max()
    seeds = (
        f"{most} seed{'s' if most > 1 else ''}" if fewest == most else f"{fewest} to {most} seeds"
    )
    return (
        f"{_markdown(table)}\n\nPer cent on test segments, {seeds} a row; the difference is ours "
        "minus the paper's, the interval resamples tracks. Measured on "
        f"{table1.source(rows).label}.\n"
    )


def by_split(folder: Path = PUBLISHED) -> str:
    """Return every model's published accuracy on every split as Markdown."""
    if not (folder / "splits").exists():
        return "The published report was made without `SPLITS=`.\n"
    done, _ = leakage.load(folder / "splits")
    costs = leakage.costs(leakage.scores(done))
    segments = ", ".join(f"{len(run.predictions):,} by {name}" for name, run in done.items())
    return (
        f"{_markdown(costs[['model', *done]])}\n\nAccuracy in per cent on test segments "
        f"({segments}), every model trained anew for each split, one seed. Measured on "
        f"{leakage.source(done).label}.\n"
    )


def with_published(readme: str, folder: Path = PUBLISHED) -> str:
    """Return the README with the published tables between their marks.

    Raises
    ------
    InputError
        The marks are not there.
    """
    for name, table in (("table 1", table_one(folder)), ("splits", by_split(folder))):
        marked = re.compile(_MARKED.format(name), re.DOTALL)
        if not marked.search(readme):
            raise InputError(f"README.md lacks the marks for the table {name!r}: restore them.")
        readme = marked.sub(lambda marks, table=table: f"{marks[1]}{table}{marks[2]}", readme)
    return readme


def _markdown(table: pd.DataFrame) -> str:
    lines = [list(table), ["---"] * len(table.columns), *table.to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _copy_run(run: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for name in ("metrics.json", "history.csv", *importance.FILES):
        if (run / name).exists():
            shutil.copy(run / name, target)
    _, _, predictions = runs.load(run)
    _write_packed(target / "predictions.csv.gz", predictions)


def _copy_baselines(run: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for name in ("baselines.json", "baselines.csv"):
        shutil.copy(run / name, target)
    _, _, predictions = baselines.load(run)
    _write_packed(target / "baselines-predictions.csv.gz", predictions)


def _write_packed(path: Path, table: pd.DataFrame) -> None:
    packing = {"method": "gzip", "mtime": 0}  # the same bytes again
    table.to_csv(path, index=False, float_format=f"%.{_DIGITS}g", compression=packing)


def _copy_model(run: Path, target: Path) -> None:
    """Copy a run's model without its optimizer, its scaling and genres."""
    target.mkdir()
    model = keras.saving.load_model(run / "model.keras", compile=False)
    with atomic(target / "model.keras") as temporary:
        model.save(temporary)
    shutil.copy(run / "scaler.json", target)
    provenance.write_json(
        target / "made_with.json", provenance.read_json(run / "metrics.json")["provenance"]
    )


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "–" if pd.isna(value) else f"{value:.2f}"
    return str(value)


if __name__ == "__main__":
    try:
        if sys.argv[2:] == ["restore"]:
            done = restore(Path(sys.argv[1]))
            print(
                f"{done} published trainings restored: `make report` with GTZAN's table shows them."
            )
        else:
            publish(Path(sys.argv[1]))
            readme = with_published(README.read_text(encoding="utf-8"))
            with atomic(README) as temporary:
                temporary.write_text(readme, encoding="utf-8")
            print(f"{display_path(PUBLISHED)} and README.md hold it now: look at them and commit.")
    except InputError as error:
        sys.exit(f"error: {error}")
