"""What is published is what was measured, without what nobody needs."""

import shutil

import keras
import numpy as np
import pandas as pd
import pytest
from conftest import SOURCE, fake_run

from music_genre.analysis import table1
from music_genre.data.splits import SPLITS
from music_genre.exceptions import InputError
from music_genre.models import lstm, runs
from music_genre.provenance import read_json, write_json
from music_genre.report import publish, readme

PAPER = {"precision": 91.81, "recall": 91.78, "f1": 91.70, "accuracy": 91.78}
SEGMENTS = pd.DataFrame(
    {
        "filename": ["blues.00000.0.wav", "blues.00001.0.wav", "metal.00000.0.wav"],
        "part": ["test", "test", "train"],
        "label": ["blues", "blues", "metal"],
        "predicted": ["blues", "metal", "metal"],
    }
)
GUESSES = {
    "probability of blues": [0.987654, 0.1, 1e-9],
    "probability of metal": [0.012346, 0.9, 1.0],
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Return a small trained model and the file that it is saved in."""
    model = lstm.lstm(4, 2, activation="tanh", dropout=0.0, learning_rate=1e-3, seed=0)
    model.fit(np.zeros((2, 4, 1)), np.zeros(2), verbose=0)
    path = tmp_path_factory.mktemp("model") / "model.keras"
    model.save(path)
    return model, path


@pytest.fixture
def finished(tmp_path, model):
    """Return the folders of a finished report of two rows and of their settings."""
    folder, settings = tmp_path / "table1", tmp_path / "params"
    settings.mkdir()
    for name in ("1", "7"):
        fake_run(folder / "rows" / name, SEGMENTS.assign(**GUESSES), paper=PAPER)
        (settings / f"{name}.yaml").write_text("epochs: 120\n")
        shutil.copy(model[1], folder / "rows" / name)
        (folder / "rows" / name / "scaler.json").write_text("{}")
    fake_run(folder / "seeds" / "1" / "7", SEGMENTS, paper=PAPER, seed=1)
    (folder / "report.html").write_text("<html>")
    (folder / ".planned.json").write_text("{}")
    return folder, settings


def results(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_results_page_and_last_rows_model_are_published(finished, model, tmp_path):
    folder, settings = finished
    for name in ("folds.csv", "folds.json"):
        (folder / name).write_text("kept")
    target = tmp_path / "gtzan"
    (target / "of before").mkdir(parents=True)
    publish.publish(folder, settings, target)
    each = {"metrics.json", "history.csv", "predictions.csv.gz"}
    assert results(target) == {
        "report.html", "table1.png", "model/model.keras", "model/scaler.json",
        "model/made_with.json", "folds.csv", "folds.json",
        *(f"{run}/{name}" for run in ("rows/1", "rows/7", "seeds/1/7") for name in each),
    }  # fmt: skip
    assert not (target / "of before").exists()
    before = table1.load(folder / "rows").drop(columns="source")
    assert table1.load(target / "rows").drop(columns="source").equals(before)
    assert runs.load(target / "rows/1")[2]["probability of blues"].to_list() == [0.988, 0.1, 1e-9]

    published = keras.saving.load_model(target / "model" / "model.keras")
    x = np.random.default_rng(0).random((3, 4, 1))
    assert np.array_equal(published.predict(x, verbose=0), model[0].predict(x, verbose=0))
    size = model[1].stat().st_size
    assert (target / "model" / "model.keras").stat().st_size < 0.5 * size  # no Adam moments


def test_published_results_are_restored_where_there_are_none(finished, model, tmp_path):
    folder, settings = finished
    published, restored = tmp_path / "gtzan", tmp_path / "again"
    for name in ("importance.csv", "importance.json"):
        (folder / "rows/7" / name).write_text("kept")
    publish.publish(folder, settings, published)
    fake_run(restored / "rows/1", SEGMENTS, parts={"test": {"accuracy": 33.0}})
    (restored / "rows/7").mkdir()
    (restored / "rows/7/predictions.csv").write_text("of a run that broke off")
    assert publish.restore(restored, published) == 2  # row 7 and its other seed
    assert runs.load(restored / "rows/1")[0]["parts"]["test"]["accuracy"] == 33.0
    for name in ("rows/7", "seeds/1/7"):
        before, after = runs.load(published / name), runs.load(restored / name)
        assert before[0] == after[0]
        assert all(a.equals(b) for a, b in zip(before[1:], after[1:], strict=True))
    assert (restored / "rows/7/importance.json").read_text() == "kept"
    again = keras.saving.load_model(restored / "rows/7/model.keras")
    x = np.random.default_rng(0).random((3, 4, 1))
    assert np.array_equal(again.predict(x, verbose=0), model[0].predict(x, verbose=0))
    assert not any(path.name.startswith(".") for path in restored.iterdir())
    assert publish.restore(restored, published) == 0


def test_restored_results_are_published_again_as_they_were(finished, tmp_path):
    folder, settings = finished
    published, restored, again = (tmp_path / name for name in ("gtzan", "restored", "again"))
    publish.publish(folder, settings, published)
    publish.restore(restored, published)
    (restored / "report.html").write_text("<html>")
    publish.publish(restored, settings, again)
    assert results(again) == results(published)
    for name in results(published) - {"model/model.keras"}:  # a zip file with times
        assert (published / name).read_bytes() == (again / name).read_bytes(), name


def test_restoring_that_breaks_off_leaves_nothing_finished(finished, tmp_path, monkeypatch):
    folder, settings = finished
    published, restored = tmp_path / "gtzan", tmp_path / "again"
    publish.publish(folder, settings, published)
    copy = publish.shutil.copy

    def full(source, target):
        if source.name == "scaler.json":
            raise OSError("no space left")
        return copy(source, target)

    monkeypatch.setattr(publish.shutil, "copy", full)
    with pytest.raises(OSError, match="no space left"):
        publish.restore(restored, published)
    assert not list(restored.glob("[!.]*/**/*.json"))
    monkeypatch.undo()
    assert publish.restore(restored, published) == 3


def test_only_a_finished_report_of_the_full_table_is_published(finished, tmp_path):
    folder, settings = finished
    target = tmp_path / "gtzan"
    with pytest.raises(InputError, match=r"rows holds no report\.html"):
        publish.publish(folder / "rows", settings, target)
    write_json(folder / "rows" / "9" / "failed.json", {"error": "x"})
    with pytest.raises(InputError, match=r"failed\.json is of a training that failed"):
        publish.publish(folder, settings, target)
    (folder / "rows" / "9" / "failed.json").unlink()
    for path in folder.glob("rows/*/metrics.json"):
        write_json(path, {**read_json(path), "source": {**SOURCE, "is_sample": True}})
    with pytest.raises(InputError, match="was measured on the sample"):
        publish.publish(folder, settings, target)
    assert not target.exists()


@pytest.mark.parametrize("name", ["1", "8"])  # changed, added
def test_only_rows_trained_with_their_settings_are_published(finished, tmp_path, name):
    folder, settings = finished
    (settings / f"{name}.yaml").write_text("epochs: 119\n")
    with pytest.raises(InputError, match=f"row {name} was not trained as .* says now"):
        publish.publish(folder, settings, tmp_path / "gtzan")


def test_rows_without_the_nearest_recipe_are_named(finished):
    folder, settings = finished
    given = "epochs: {}\nbatch_size: 220\npaper:\n  accuracy: {}\n"
    (settings / "1.yaml").write_text(given.format(1, 30))
    (settings / "7.yaml").write_text(given.format(2, 60))
    for name, tested, more in (
        ("far", [0.1, 0.1], {}),
        ("near", [0.3, 0.5], {"learning_rate": 0.003}),
        ("resplit", [0.3, 0.6], {"resplit_after": [1]}),
    ):
        history = {"epoch": [1, 2], "test_accuracy": tested}
        fake_run(folder / "recipes" / name, SEGMENTS, history=history, **more)
    assert publish.not_nearest(folder, settings) == ["1", "7"]
    fake_run(folder / "rows/7", SEGMENTS, paper=PAPER, learning_rate=0.003)
    assert publish.not_nearest(folder, settings) == ["1"]


def test_tables_of_the_readme(finished):
    folder, _ = finished
    table = readme.table_one(folder)
    assert "| 7 | 120 | 220 | 0.001 | 91.78 | 50.00 | 0.00 to 100.00 | -41.78 | 100.00 |" in table
    assert "1 to 2 seeds a row" in table
    marks = "a\n<!-- {}: make publish -->\nold\n<!-- end -->\nb"
    written = readme.with_tables(marks.format("table 1") + marks.format("splits"), folder)
    assert table in written
    assert "made without `SPLITS=`" in written
    assert "old" not in written
    with pytest.raises(InputError, match="lacks the marks for the table 'splits'"):
        readme.with_tables(marks.format("table 1"), folder)


def test_readme_holds_the_published_tables():
    text = publish.README.read_text(encoding="utf-8")
    assert text == readme.with_tables(text, publish.PUBLISHED)
    assert "(reports/gtzan/report.html)" in text
    splits = [publish.PUBLISHED / "splits" / name / "lstm" for name in SPLITS]
    own = [runs.load(run)[0]["parts"]["test"]["accuracy"] for run in splits]
    assert f"| three LSTMs | {' | '.join(f'{accuracy:.2f}' for accuracy in own)} |" in text


def test_published_report_is_small_and_of_the_full_table():
    rows = table1.load(publish.PUBLISHED / "rows")
    assert rows["paper accuracy"].to_list() == [33.45, 45.92, 57.51, 72.37, 73.37, 91.51, 91.78]
    source = table1.source(rows)
    assert (source.is_sample, source.clips, source.genres) == (False, 1000, 10)
    assert (publish.PUBLISHED / "report.html").stat().st_size < 8e6
    assert (publish.PUBLISHED / "model" / "model.keras").stat().st_size < 3e6
    model = keras.saving.load_model(publish.PUBLISHED / "model" / "model.keras")
    assert model.count_params() == 511_370


def test_published_predictions_give_the_published_accuracies():
    for path in sorted(publish.PUBLISHED.glob("**/metrics.json")):
        content, history, predictions = runs.load(path.parent)
        right = predictions["label"] == predictions["predicted"]
        for part, scores in content["parts"].items():
            assert 100 * right[predictions["part"] == part].mean() == pytest.approx(
                scores["accuracy"]
            )
        assert len(history) == content["epochs_run"]
