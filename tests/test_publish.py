"""What is published is what was measured, without what nobody needs."""

import json
import shutil
import zipfile
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from conftest import SOURCE, fake_run

from music_genre.analysis import table1
from music_genre.data.splits import SPLITS
from music_genre.exceptions import InputError
from music_genre.models import networks, portable, runs
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
    model = networks.build((4, 1), 2, activation="tanh", dropout=0.0, learning_rate=1e-3, seed=0)
    model.fit(np.zeros((2, 4, 1)), np.zeros(2), verbose=0)
    path = tmp_path_factory.mktemp("model") / "model.keras"
    model.save(path)
    return model, path


@pytest.fixture
def finished(tmp_path, model):
    return report_of_two_rows(tmp_path, model)


def report_of_two_rows(tmp_path, model):
    """Write a finished report, and return its folder and that of its settings."""
    folder, settings = tmp_path / "table1", tmp_path / "params"
    settings.mkdir()
    for name in ("1", "7"):
        fake_run(folder / "rows" / name, SEGMENTS.assign(**GUESSES), paper=PAPER)
        (settings / f"{name}.yaml").write_text(
            "epochs: 120\nbatch_size: 220\npaper:\n  accuracy: 50\n"
        )
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
        assert before[0]["parts"] == after[0]["parts"]
        assert all(a.equals(b) for a, b in zip(before[1:], after[1:], strict=True))
    assert (restored / "rows/7/importance.json").read_text() == "kept"
    again = keras.saving.load_model(restored / "rows/7/model.keras")
    x = np.random.default_rng(0).random((3, 4, 1))
    assert np.array_equal(again.predict(x, verbose=0), model[0].predict(x, verbose=0))
    assert not any(path.name.startswith(".") for path in restored.iterdir())
    assert publish.restore(restored, published) == 0


@pytest.fixture
def for_use(finished):
    """Put a model for use into a finished report, and return its folder."""
    folder = finished[0] / "use"
    model = portable.Portable(
        "x", ["a", "b"], ["tempo"], portable.network([{"units": 2, "activation": "softmax"}], 1),
        np.zeros(1), np.ones(1), card={},
    )  # fmt: skip
    portable.save(folder, model, readme="# A card\n")
    (folder / "candidates.csv").write_text("kept")
    (folder / "candidates.json").write_text("{}")
    return folder


def test_search_is_published_and_restored_with_its_note_but_not_over_another(finished, tmp_path):
    folder, settings = finished
    published, restored = tmp_path / "gtzan", tmp_path / "again"
    (folder / "tune").mkdir()
    for name in ("track.csv", "track.json"):
        (folder / "tune" / name).write_text("{}")
    publish.publish(folder, settings, published)
    (restored / "tune").mkdir(parents=True)
    (restored / "tune/track.csv").write_text("hours of work")  # without a note, as an earlier one
    publish.restore(restored, published)
    assert [path.name for path in (restored / "tune").iterdir()] == ["track.csv"]
    assert (restored / "tune/track.csv").read_text() == "hours of work"
    (restored / "tune/track.csv").unlink()
    publish.restore(restored, published)
    assert {path.name for path in (restored / "tune").iterdir()} == {"track.csv", "track.json"}


def test_model_for_use_is_published_and_restored_whole(finished, for_use, tmp_path):
    published, restored = tmp_path / "gtzan", tmp_path / "again"
    publish.publish(*finished, published)
    publish.restore(restored, published)
    assert contents(published / "use") == contents(restored / "use") == contents(for_use)
    (published / "use" / "weights.npz").write_bytes(b"x")
    with pytest.raises(InputError, match=r"weights\.npz is not as it was written.*from git"):
        publish.restore(tmp_path / "other", published)


def test_damaged_model_for_use_is_not_published(finished, for_use, tmp_path):
    (for_use / "weights.npz").unlink()
    with pytest.raises(InputError, match=r"weights\.npz is missing"):
        publish.publish(*finished, tmp_path / "gtzan")


def test_restored_results_are_published_again_as_they_were(finished, tmp_path):
    folder, settings = finished
    published, restored, again = (tmp_path / name for name in ("gtzan", "restored", "again"))
    publish.publish(folder, settings, published)
    publish.restore(restored, published)
    (restored / "report.html").write_text("<html>")
    publish.publish(restored, settings, again)
    assert results(again) == results(published)
    for name in results(published):
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
    with pytest.raises(InputError, match="no space left"):
        publish.restore(restored, published)
    assert not list(restored.rglob("*.json"))
    monkeypatch.undo()
    assert publish.restore(restored, published) == 3


class Killed(BaseException):
    """Stand for a signal: no handler of errors may catch it."""


def killed_after(monkeypatch, moves):
    """Let a process be killed after so many files or folders took their places."""
    left = iter(range(moves))

    def then_killed(move):
        def moved(path, to):
            if next(left, None) is None:
                raise Killed
            return move(path, to)

        return moved

    for name in ("replace", "rename"):
        monkeypatch.setattr(Path, name, then_killed(getattr(Path, name)))
    # A process that is killed removes nothing.
    monkeypatch.setattr(publish.shutil, "rmtree", lambda path, ignore_errors: None)


def contents(folder):
    return {name: (folder / name).read_bytes() for name in results(folder)}


@pytest.mark.parametrize("moves", range(0, 16, 3))
def test_restoring_that_is_killed_is_finished_by_the_next(
    finished, tmp_path, monkeypatch, moves, published
):
    whole, restored = tmp_path / "whole", tmp_path / "again"
    publish.restore(whole, published)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        killed_after(patch, moves)
        publish.restore(restored, published)
    publish.restore(restored, published)
    assert contents(restored) == contents(whole)
    assert (restored / "rows/7/model.keras").exists()


def test_row_that_an_earlier_version_restored_without_its_model_gets_it(published, tmp_path):
    for row in ("1", "7"):
        shutil.copytree(published / "rows" / row, tmp_path / "again/rows" / row)
    assert publish.restore(tmp_path / "again", published) == 2  # row 7 and its other seed
    assert (tmp_path / "again/rows/7/model.keras").exists()


@pytest.mark.parametrize("name", ["rows/1/history.csv", "model/model.keras", "model/scaler.json"])
def test_damaged_published_results_are_not_restored(published, tmp_path, name):
    content = bytearray((published / name).read_bytes())
    content[len(content) // 2] ^= 1
    (published / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"{Path(name).name} is not as it was written.*from git"):
        publish.restore(tmp_path / "again", published)
    assert not results(tmp_path / "again")


@pytest.fixture(scope="module")
def published_once(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("once")
    publish.publish(*report_of_two_rows(folder, model), folder / "gtzan")
    return folder / "gtzan"


@pytest.fixture
def published(published_once, tmp_path):
    return Path(shutil.copytree(published_once, tmp_path / "gtzan"))


@pytest.fixture
def before(tmp_path):
    """Return what was published before, and a README with the marks of its tables."""
    (tmp_path / "gtzan").mkdir()
    (tmp_path / "gtzan/report.html").write_text("of before")
    marks = "<!-- {}: make publish -->\nof before\n<!-- end -->\n"
    (tmp_path / "README.md").write_text(marks.format("table 1") + marks.format("splits"))
    return tmp_path / "gtzan", tmp_path / "README.md"


def lose_marks(folder, readme_file):
    readme_file.write_text("no marks")


def lose_model(folder, readme_file):
    (folder / "rows/7/model.keras").unlink()


def cut_predictions(folder, readme_file):
    path = folder / "seeds/1/7/predictions.csv"
    path.write_text(path.read_text()[:-20])


def cut_metrics(folder, readme_file):
    path = folder / "seeds/1/7/metrics.json"
    path.write_text(path.read_text()[:-20])


def break_model(folder, readme_file):
    (folder / "rows/7/model.keras").write_bytes(b"PK")
    write_json(folder / "rows/7/metrics.json", {
        name: of for name, of in read_json(folder / "rows/7/metrics.json").items()
        if name != "checksums"
    })  # fmt: skip


@pytest.mark.parametrize(
    "spoil", [lose_marks, lose_model, cut_predictions, cut_metrics, break_model]
)
def test_what_cannot_be_published_whole_replaces_nothing(finished, before, spoil):
    target, readme_file = before
    spoil(finished[0], readme_file)
    text = readme_file.read_text()
    with pytest.raises((InputError, ValueError, OSError)):
        publish.publish(*finished, target, readme_file=readme_file)
    assert contents(target) == {"report.html": b"of before"}
    assert readme_file.read_text() == text
    assert {path.name for path in target.parent.iterdir()} == {
        "gtzan", "README.md", "params", "table1",
    }  # fmt: skip


@pytest.mark.parametrize("moves", range(6))
def test_publishing_that_is_killed_loses_nothing(
    finished, before, monkeypatch, moves, published_in, published_once
):
    target, readme_file = before
    copied = published_once / "model"  # which takes seconds to make
    monkeypatch.setattr(publish, "_copy_model", lambda _, to: shutil.copytree(copied, to))
    monkeypatch.setattr(publish.figures, "hero", lambda *_: Blank())
    with monkeypatch.context() as patch, pytest.raises(Killed):
        killed_after(patch, moves)  # three files with checksums, the old folder, the new, README
        publish.publish(*finished, target, readme_file=readme_file)
    publish.publish(*finished, target, readme_file=readme_file)
    assert "of before" not in readme_file.read_text()
    assert results(target) == published_in
    assert publish.restore(target.parent / "again", target) == 3


class Blank:
    def savefig(self, path, **_):
        path.write_bytes(b"blank")


@pytest.fixture
def published_in():
    """Name the files of what the report of two rows is published as."""
    each = ("metrics.json", "history.csv", "predictions.csv.gz")
    return {
        "report.html", "table1.png", *(f"model/{name}" for name in publish.MODEL),
        "model/made_with.json",
        *(f"{run}/{name}" for run in ("rows/1", "rows/7", "seeds/1/7") for name in each),
    }  # fmt: skip


def test_settings_that_are_not_used_are_not_published(published):
    with zipfile.ZipFile(published / "model/model.keras") as file:
        config = json.loads(file.read("config.json"))

    def unused(value):
        if isinstance(value, dict):
            settings = value.get("config") or {}
            return [k for k, v in settings.items() if v is None] + [
                name for of in value.values() for name in unused(of)
            ]
        return [name for of in value for name in unused(of)] if isinstance(value, list) else []

    assert unused(config) == []


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
    for path in folder.glob("rows/*/metrics.json"):
        write_json(path, {**read_json(path), "source": {**SOURCE, "collection": "Mine"}})
    with pytest.raises(InputError, match="is about Mine, which is not GTZAN"):
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
    half = SEGMENTS  # one of two test segments is right
    none = SEGMENTS.assign(predicted=["metal", "metal", "metal"])
    for name, first, last, more in (
        ("far", none, none, {}),
        ("near", half, half, {"learning_rate": 0.003}),
        ("resplit", half, half, {"resplit_after": [1]}),
    ):
        history = {"epoch": [1, 2], "test_accuracy": [0.5, 0.5]}
        fake_run(folder / "recipes" / name, last, history=history, after={1: first}, **more)
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
        published = set(predictions["part"])  # of what goes beyond the paper, the tests alone
        assert published == ({"test"} if "beyond" in path.parts else set(content["parts"]))
        for part in published:
            assert 100 * right[predictions["part"] == part].mean() == pytest.approx(
                content["parts"][part]["accuracy"]
            )
        assert len(history) == content["epochs_run"]
