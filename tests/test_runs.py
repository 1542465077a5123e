"""What a training leaves behind is read back, and recognised where it is the same."""

import dataclasses
import json
import pkgutil
import subprocess
import sys

import keras
import numpy as np
import pandas as pd
import pytest
from conftest import SOURCE, fake_run

from music_genre import provenance
from music_genre.data import splits
from music_genre.data.find import SAMPLE_TABLE
from music_genre.data.table import Source
from music_genre.exceptions import InputError
from music_genre.models import inputs, lstm, runs, training
from music_genre.paths import natural_key
from music_genre.report import figures

KIND = {"activation": "tanh", "dropout": 0.1, "learning_rate": 1e-3, "seed": 3}
GIVEN = {"epochs": 2, "seed": 3, "features": "x", "output": "y", "paper": {"accuracy": 33.45}}
HISTORY = pd.DataFrame(
    {"epoch": [1, 2], "loss": [2.0, 1.0], "seconds": [5.0, 7.0], "kept": [True, False]}
)

PREDICTIONS = pd.DataFrame(
    {
        "filename": ["blues.00000.0.wav", "metal.00000.0.wav"] * 2,
        "part": ["train", "train", "test", "test"],
        "label": ["blues", "metal"] * 2,
        "predicted": ["blues", "metal", "metal", "metal"],
    }
)


@pytest.fixture(scope="module")
def segments():
    sample = pd.read_csv(SAMPLE_TABLE)
    return sample[sample["label"].isin(["blues", "classical", "metal"])].groupby("label").head(20)


@pytest.fixture(scope="module")
def data(segments):
    """Return the segments prepared: every fifth validates and every fifth is unused."""
    parts = splits.split(segments, "segment", test_size=0.33, seed=3).astype("<U10")
    parts[::5], parts[1::5] = "validation", "unused"
    return inputs.prepare(segments, parts=parts, scale_on="all", shuffle_columns=True)


@pytest.fixture(scope="module")
def model():
    return lstm.lstm(58, 3, **KIND)


@pytest.fixture(scope="module")
def predictions(model, data, segments):
    return training.predict(model, data, segments)


@pytest.fixture
def saved(tmp_path, model, data, predictions):
    """Save a run to ``tmp_path`` and return its metrics."""
    return runs.save(
        tmp_path, model=model, data=data, history=HISTORY, predictions=predictions,
        source=Source(**SOURCE), given=GIVEN, identity=runs.identity(model, data),
        seconds_per_segment=training.seconds_per_segment(model, data),
    )  # fmt: skip


def test_saved_run_reads_back(tmp_path, saved):
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "history.csv", "metrics.json", "model.keras", "predictions.csv", "scaler.json",
    ]  # fmt: skip
    loaded, history, predictions = runs.load(tmp_path)
    assert loaded == json.loads(json.dumps(saved))
    assert loaded["parameters"] == {"epochs": 2, "seed": 3}
    assert loaded["paper"] == {"accuracy": 33.45}
    assert runs.source(loaded) == Source(**SOURCE)
    assert len(history) == 2
    test = predictions[predictions["part"] == "test"]
    by_hand = 100 * (test["label"] == test["predicted"]).mean()
    assert loaded["parts"]["test"]["accuracy"] == pytest.approx(by_hand)
    assert str(tmp_path) not in (tmp_path / "metrics.json").read_text()


def test_seconds_are_those_of_the_epochs_trained_here_and_of_a_prediction(saved):
    assert (saved["seconds"], saved["epochs_kept"]) == (7.0, 1)
    assert 0 < saved["seconds_per_segment"] < 1


def test_every_segment_that_the_split_uses_is_predicted(data, segments, predictions, saved):
    used = data.parts != "unused"
    assert list(predictions["filename"]) == list(segments["filename"][used])
    assert list(predictions["part"]) == list(data.parts[used])
    sizes = {part: scores["segments"] for part, scores in saved["parts"].items()}
    assert sizes == {part: (data.parts == part).sum() for part in ("train", "validation", "test")}


def test_saved_model_and_scaler_predict_what_the_run_predicted(
    tmp_path, data, segments, predictions, saved
):
    model = keras.models.load_model(tmp_path / "model.keras", compile=False)
    scaler = json.loads((tmp_path / "scaler.json").read_text())
    x = (segments[scaler["columns"]].to_numpy() - scaler["mean"]) / scaler["scale"]
    x = x[data.parts != "unused", :, np.newaxis].astype("float32")
    codes = model.predict(x, verbose=0).argmax(axis=1)
    assert [scaler["genres"][code] for code in codes] == list(predictions["predicted"])


def test_predictions_after_earlier_epochs_read_back(tmp_path, model, data, predictions, saved):
    last = predictions[runs.PREDICTED]
    assert list(runs.load_after(tmp_path)) == [2]
    earlier = predictions.assign(predicted="metal")
    runs.save(
        tmp_path, model=model, data=data, history=HISTORY, predictions=predictions,
        source=Source(**SOURCE), given=GIVEN, identity="", after={1: earlier},
    )  # fmt: skip
    after = runs.load_after(tmp_path)
    assert list(after) == [1, 2]
    pd.testing.assert_frame_equal(after[1], earlier[runs.PREDICTED])
    pd.testing.assert_frame_equal(after[2], last)


def test_unfinished_run_is_not_read(tmp_path):
    with pytest.raises(InputError, match="holds no finished run"):
        runs.load(tmp_path)


def test_reading_a_run_or_a_table_and_drawing_need_neither_keras_nor_librosa():
    drawing = [module.name for module in pkgutil.iter_modules(figures.__path__)]
    program = (
        "import sys; from music_genre.data import table; from music_genre.models import runs;"
        "from music_genre.report import display;"
        f"from music_genre.report.figures import {', '.join(drawing)};"
        "print({'keras', 'jax', 'librosa'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr


SAME = {"epochs": 120, "batch_size": 220, "learning_rate": 0.001, "activation": "tanh",
        "dropout": 0.0, "test_size": 0.33, "split": "segment", "scale_on": "all",
        "shuffle_columns": False, "seed": 0, "features": "x", "output": "y", "resume": True,
        "paper": {}}  # fmt: skip


def finished(folder, **changed):
    same = {"source": Source(**SOURCE), "given": SAME, "identity": "0" * 16}
    return runs.finished(folder, **{**same, **changed})


@pytest.mark.parametrize("earlier", [{}, {"redraw": []}], ids=["published", "an earlier version's"])
def test_finished_training_is_found_where_it_is_the_same(tmp_path, earlier):
    fake_run(tmp_path, PREDICTIONS, **earlier)
    content, history, predictions = finished(tmp_path)
    assert content["epochs_run"] == len(history) == 1
    assert len(predictions) == 4
    copy = Source(**{**SOURCE, "path": "copy.csv", "sha256": "b" * 64})
    assert finished(tmp_path, source=copy)
    assert finished(tmp_path / "none") is None
    for changed in (
        {"given": {**SAME, "epochs": 3}},
        {"given": {**SAME, "seed": 4}},
        {"given": {**SAME, "more": 1}},
        {"source": Source(**{**SOURCE, "fingerprint": [1.0, 2.0, 3.0, 5.0]})},
        {"identity": "1" * 16},
    ):
        assert finished(tmp_path, **changed) is None


def test_training_on_a_split_drawn_again_is_not_that_of_one_split(tmp_path):
    fake_run(tmp_path, PREDICTIONS, redraw=[40])  # as an earlier version published it
    assert finished(tmp_path) is None


def test_what_the_paper_reports_may_change_without_another_training(tmp_path):
    fake_run(tmp_path, PREDICTIONS, paper={"accuracy": 33.45})
    content, _, _ = finished(tmp_path, given={**SAME, "paper": {"accuracy": 45.92}})
    assert content["paper"] == {"accuracy": 45.92}
    assert runs.load(tmp_path)[0] == content


def test_another_network_rate_split_or_input_is_another_training(model, data):
    same = runs.identity(model, data)
    assert runs.identity(lstm.lstm(58, 3, **KIND), data) == same
    for change in ({"dropout": 0.2}, {"learning_rate": 1e-2}, {"activation": "relu"}):
        assert runs.identity(lstm.lstm(58, 3, **{**KIND, **change}), data) != same
    other_parts = np.where(data.parts == "test", "train", "test")
    for change in ({"parts": other_parts}, {"x": data.x * 1.01}, {"y": data.y[::-1]}):
        assert runs.identity(model, dataclasses.replace(data, **change)) != same
    nearly = dataclasses.replace(data, x=data.x * np.float32(1 + 1e-7))
    assert runs.identity(model, nearly) == same


def test_collapse_is_the_deepest_fall_from_the_best_before():
    history = pd.DataFrame(
        {"epoch": range(1, 7), "test_accuracy": [0.3, 0.7, 0.62, 0.4, 0.5, 0.65]}
    )
    assert runs.collapse(history) == pytest.approx(
        {"best": 70, "best_epoch": 2, "low": 40, "low_epoch": 4, "last": 65}
    )
    history["test_accuracy"] = [0.3, 0.7, 0.62, 0.61, 0.72, 0.7]
    assert runs.collapse(history) is None


MEASURED = pd.DataFrame(
    {
        "row": ["7", "10"],
        "label": ["NA", ""],
        "accuracy": [1 / 3, None],
        "segments": [3, 4],
        "diverged": [True, False],
        "failed": ["it broke", None],
    }
)


@pytest.fixture
def compute():
    """Return a function that counts its calls and returns :data:`MEASURED`."""

    def measure():
        measure.calls += 1
        return MEASURED

    measure.calls = 0
    return measure


def test_kept_results_are_computed_once_and_read_back_as_they_were(tmp_path, compute):
    path = tmp_path / "step" / "measured.csv"
    first = runs.kept(path, {"seed": 0, "rows": ("7", "10")}, compute)
    again = runs.kept(path, {"rows": ["7", "10"], "seed": 0}, compute)
    assert compute.calls == 1
    for results in (first, again):
        pd.testing.assert_frame_equal(results, MEASURED, check_exact=True)


@pytest.mark.parametrize(
    "identity", [{}, {"seed": 1}, {"seed": 0, "folds": 10}, {"seed": None}, {"folds": 0}]
)
def test_kept_results_of_another_identity_are_computed_anew(tmp_path, compute, identity):
    path = tmp_path / "measured.csv"
    runs.kept(path, {"seed": 0}, compute)
    runs.kept(path, identity, compute)
    runs.kept(path, identity, compute)
    assert compute.calls == 2


def test_table_behind_kept_results_is_compared_by_content(tmp_path, compute):
    path = tmp_path / "measured.csv"
    runs.kept(path, {"source": Source(**SOURCE)}, compute)
    moved = {
        **SOURCE,
        "path": "copy.csv",
        "sha256": "b" * 64,
        "fingerprint": [1.0, 2.0, 3.0, 4.001],
    }
    runs.kept(path, {"source": Source(**moved)}, compute)
    assert compute.calls == 1
    runs.kept(path, {"source": Source(**{**SOURCE, "fingerprint": [1.0, 2.0, 3.0, 5.0]})}, compute)
    assert compute.calls == 2


def test_process_killed_while_it_keeps_results_leaves_none_of_another_identity(
    tmp_path, compute, monkeypatch
):
    path = tmp_path / "measured.csv"
    runs.kept(path, {"seed": 0}, compute)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(provenance, "write_json", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        runs.kept(path, {"seed": 1}, compute)
    runs.kept(path, {"seed": 0}, compute)
    assert compute.calls == 3


def test_computation_that_fails_leaves_what_was_kept(tmp_path, compute):
    path = tmp_path / "measured.csv"
    runs.kept(path, {"seed": 0}, compute)
    with pytest.raises(ZeroDivisionError):
        runs.kept(path, {"seed": 1}, lambda: 1 / 0)
    runs.kept(path, {"seed": 0}, compute)
    assert compute.calls == 1


@pytest.mark.parametrize("empty", [pd.DataFrame(), MEASURED.head(0)], ids=["no columns", "no rows"])
def test_nothing_measured_is_kept_too(tmp_path, empty):
    for _ in range(2):
        results = runs.kept(tmp_path / "measured.csv", {}, lambda: empty)
        assert results.empty
        assert list(results) == list(empty)


def test_seeds_of_a_run_are_those_that_differ_in_nothing_else(tmp_path):
    run = tmp_path / "rows/7"
    fake_run(run, PREDICTIONS)
    copy = {**SOURCE, "path": "copy.csv", "sha256": "b" * 64}
    other = {**SOURCE, "fingerprint": [0.0, 0.0, 0.0, 0.0]}
    for seed, table, changed in (
        (1, SOURCE, {"redraw": []}),  # an earlier version's parameter, without effect
        (2, copy, {}),
        (3, other, {}),
        (4, SOURCE, {"learning_rate": 0.003}),
        (5, SOURCE, {"redraw": [40]}),
    ):
        folder = tmp_path / f"seeds/{seed}/7"
        fake_run(folder, PREDICTIONS, source=table, seed=seed, **changed)
    fake_run(tmp_path / "seeds/1/6", PREDICTIONS, seed=1)
    same = [run, tmp_path / "seeds/1/7", tmp_path / "seeds/2/7"]
    assert runs.with_seeds(run) == same


def test_row_10_comes_after_row_9():
    names = ["10", "9b", "b128", "9", "b20"]
    assert sorted(names, key=natural_key) == ["9", "9b", "10", "b20", "b128"]
