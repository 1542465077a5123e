"""What is published is what was measured, without what nobody needs."""

import keras
import numpy as np
import pandas as pd
import pytest
import yaml
from test_leakage import compared
from test_table1 import PAPER, PREDICTIONS, run

from music_genre.analysis import importance, recipes, table1
from music_genre.exceptions import InputError
from music_genre.models import lstm, runs
from music_genre.paths import ROOT
from music_genre.provenance import read_json, write_json
from music_genre.report import publish


@pytest.fixture
def finished(tmp_path):
    folder = tmp_path / "table1"
    for name, accuracy in (("1", 40.0), ("7", 64.9)):
        run(folder / "rows", name, accuracy, paper=PAPER)
        path = folder / "rows" / name / "metrics.json"
        write_json(path, {**read_json(path), "provenance": {"commit": "abc"}})
    run(folder / "seeds" / "1", "7", 66.9, paper=PAPER)
    model = lstm.lstm(4, 2, activation="tanh", dropout=0.0, learning_rate=1e-3, seed=0)
    model.fit(np.zeros((2, 4, 1)), np.zeros(2), verbose=0)
    model.save(folder / "rows" / "7" / "model.keras")
    (folder / "rows" / "7" / "scaler.json").write_text("{}")
    (folder / "report.html").write_text("<html>")
    return folder, model


def test_runs_page_and_last_rows_model_are_published(finished, tmp_path):
    folder, model = finished
    target = tmp_path / "gtzan"
    (target / "of before").mkdir(parents=True)
    publish.publish(folder, target)
    files = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}
    each = {"metrics.json", "history.csv", "predictions.csv.gz"}
    assert files == {
        "report.html", "table1.png", "model/model.keras", "model/scaler.json",
        "model/made_with.json",
        *(f"{run}/{name}" for run in ("rows/1", "rows/7", "seeds/1/7") for name in each),
    }  # fmt: skip
    assert not (target / "of before").exists()
    before = table1.load(folder / "rows").drop(columns="source")
    assert table1.load(target / "rows").drop(columns="source").equals(before)

    published = keras.saving.load_model(target / "model" / "model.keras")
    x = np.random.default_rng(0).random((3, 4, 1))
    assert np.array_equal(published.predict(x, verbose=0), model.predict(x, verbose=0))
    size = (folder / "rows" / "7" / "model.keras").stat().st_size
    assert (target / "model" / "model.keras").stat().st_size < 0.5 * size  # no Adam moments


def test_published_trainings_are_restored_where_there_are_none(finished, tmp_path):
    folder, model = finished
    published, restored = tmp_path / "gtzan", tmp_path / "again"
    for name in importance.FILES:
        (folder / "rows/7" / name).write_text("kept")
    publish.publish(folder, published)
    run(restored / "rows", "1", 33.0)
    assert publish.restore(restored, published) == 2  # row 7 and its other seed
    assert runs.load(restored / "rows/1")[0]["parts"]["test"]["accuracy"] == 33.0
    for name in ("rows/7", "seeds/1/7"):
        before, after = runs.load(folder / name), runs.load(restored / name)
        assert before[0] == after[0]
        assert all(a.equals(b) for a, b in zip(before[1:], after[1:], strict=True))
    assert all((restored / "rows/7" / name).exists() for name in importance.FILES)
    again = keras.saving.load_model(restored / "rows/7/model.keras")
    x = np.random.default_rng(0).random((3, 4, 1))
    assert np.array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    assert publish.restore(restored, published) == 0


def test_simpler_models_are_published(finished, tmp_path):
    folder, _ = finished
    compared(folder / "splits", "track", list("abab"), {"extra trees": list("abba")})
    for metrics in folder.glob("splits/**/metrics.json"):
        metrics.unlink()
    publish.publish(folder, tmp_path / "gtzan")
    written = tmp_path / "gtzan/splits/track/baselines"
    predictions = pd.read_csv(written / "baselines-predictions.csv.gz")
    assert predictions["extra trees"].to_list() == list("abba")
    assert {path.name for path in written.iterdir()} == {
        "baselines.json", "baselines.csv", "baselines-predictions.csv.gz",
    }  # fmt: skip


def test_published_twice_is_the_same_bytes(finished, tmp_path):
    folder, _ = finished
    for name in ("a", "b"):
        publish.publish(folder, tmp_path / name)
    for path in (tmp_path / "a").rglob("*.*"):
        if path.suffix != ".keras":  # a zip file with times
            other = tmp_path / "b" / path.relative_to(tmp_path / "a")
            assert path.read_bytes() == other.read_bytes(), path.name


def test_only_a_finished_report_of_the_full_table_is_published(finished, tmp_path):
    folder, _ = finished
    target = tmp_path / "gtzan"
    with pytest.raises(InputError, match=r"rows holds no report\.html"):
        publish.publish(folder / "rows", target)
    write_json(folder / "rows" / "9" / "failed.json", {"error": "x"})
    with pytest.raises(InputError, match=r"failed\.json tells of a row that failed"):
        publish.publish(folder, target)
    (folder / "rows" / "9" / "failed.json").unlink()
    for path in folder.glob("rows/*/metrics.json"):
        content = read_json(path)
        content["source"]["is_sample"] = True
        write_json(path, content)
    with pytest.raises(InputError, match="was measured on the sample"):
        publish.publish(folder, target)
    assert not target.exists()


def test_table_of_the_readme(tmp_path):
    right = PREDICTIONS.replace("blues,metal", "blues,blues")
    run(tmp_path / "rows", "7", 64.9, paper=PAPER, train=94.1, predictions=right)
    table = publish.table_one(tmp_path)
    assert "| 7 | 120 | 220 | 91.78 | 64.90 | 100.00 to 100.00 | -26.88 | 94.10 |" in table
    marks = "a\n<!-- {}: make publish -->\nold\n<!-- end -->\nb"
    readme = marks.format("table 1") + marks.format("splits")
    without = publish.with_published(readme, tmp_path)
    assert table in without
    assert "made without `SPLITS=`" in without
    assert "old" not in without
    compared(tmp_path / "splits", "segment", list("aabb"), {"extra trees": list("aaba")})
    compared(tmp_path / "splits", "track", list("aaba"), {"extra trees": list("aaaa")})
    assert "| three LSTMs | 100.00 | 75.00 |\n| extra trees | 75.00 | 50.00 |" in (
        publish.with_published(readme, tmp_path)
    )
    with pytest.raises(InputError, match="lacks the marks for the table 'splits'"):
        publish.with_published(marks.format("table 1"), tmp_path)


def test_readme_holds_the_published_table():
    readme = publish.README.read_text(encoding="utf-8")
    assert readme == publish.with_published(readme)
    assert "(reports/gtzan/report.html)" in readme


def test_published_report_is_small_and_of_the_full_table():
    rows = table1.load(publish.PUBLISHED / "rows")
    assert rows["paper accuracy"].to_list() == [33.45, 45.92, 57.51, 72.37, 73.37, 91.51, 91.78]
    source = table1.source(rows)
    assert (source.is_sample, source.clips, source.genres) == (False, 1000, 10)
    assert (publish.PUBLISHED / "report.html").stat().st_size < 8e6
    assert (publish.PUBLISHED / "model" / "model.keras").stat().st_size < 3e6
    model = keras.saving.load_model(publish.PUBLISHED / "model" / "model.keras")
    assert lstm.layer_table(model).equals(lstm.PAPER_LAYERS)


def test_published_predictions_give_the_published_accuracies():
    for path in sorted(publish.PUBLISHED.glob("**/metrics.json")):
        content, history, predictions = runs.load(path.parent)
        right = predictions["label"] == predictions["predicted"]
        for part, scores in content["parts"].items():
            assert 100 * right[predictions["part"] == part].mean() == pytest.approx(
                scores["accuracy"]
            )
        assert len(history) == content["epochs_run"]


def test_table_one_takes_the_recipe_nearest_to_the_paper_with_a_fresh_model_a_row():
    table_one = ROOT / "params" / "table1"
    paper = recipes.paper_rows(table_one)
    trainings, curves = recipes.load(publish.PUBLISHED / "recipes")
    scored = recipes.recipes(trainings, recipes.points(trainings, curves, paper), paper)
    used = scored.filter(like="batch size ")
    fresh = ~used.apply(lambda column: column.str.contains(recipes.REDRAWN)).any(axis=1)
    nearest = scored[fresh].iloc[0]
    for path in table_one.glob("*.yaml"):
        row = yaml.safe_load(path.read_text())
        recipe = f"{row['activation']}, rate {row['learning_rate']:g}"
        assert nearest[f"batch size {row['batch_size']}"] == recipe
