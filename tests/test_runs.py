"""What a training leaves behind is read back, and recognised where it is the same."""

import dataclasses
import gzip
import json
import pkgutil
import shutil
import subprocess
import sys
import time
from functools import partial

import keras
import numpy as np
import pandas as pd
import pytest
from conftest import SOURCE, fake_run

from music_genre import provenance
from music_genre.data import find, splits
from music_genre.data.columns import MORE
from music_genre.data.find import SAMPLE_TABLE
from music_genre.data.table import Source, check_features, has_features
from music_genre.data.table import load as load_table
from music_genre.exceptions import InputError
from music_genre.models import inputs, networks, runs, training
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
    return networks.build((58, 1), 3, **KIND)


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


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path):
    path.write_bytes(path.read_bytes()[:-10])


@pytest.mark.parametrize("damage", [flip, cut, lambda path: path.unlink()], ids=["1", "2", "3"])
@pytest.mark.parametrize("name", runs.FILES)
def test_run_with_a_damaged_file_is_named_and_made_again(
    tmp_path, saved, model, data, predictions, capsys, name, damage
):
    save = partial(
        runs.save, tmp_path, model=model, data=data, history=HISTORY, predictions=predictions,
        source=Source(**SOURCE), given=GIVEN, identity="0" * 16, after={1: predictions},
    )  # fmt: skip
    save()
    same = {"source": Source(**SOURCE), "given": GIVEN, "identity": "0" * 16}
    assert runs.finished(tmp_path, **same)
    damage(tmp_path / name)
    if name not in runs.MODEL:  # which those who only read a run need not
        with pytest.raises(InputError, match=f"is damaged .{name} is .*: delete this folder"):
            runs.load_after(tmp_path)
    assert runs.finished(tmp_path, **same) is None
    (line,) = capsys.readouterr().out.splitlines()
    assert f"is damaged ({name} is " in line
    save()
    assert runs.finished(tmp_path, **same)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "{}", '{"source": 1}', "[" * 9999])
def test_run_with_damaged_metrics_is_named_and_made_again(tmp_path, capsys, content):
    fake_run(tmp_path, PREDICTIONS)
    (tmp_path / "metrics.json").write_text(content)
    with pytest.raises(InputError, match=r"is damaged \(metrics.json is cut off"):
        runs.load(tmp_path)
    assert finished(tmp_path) is None
    assert capsys.readouterr().out.count("\n") == 1


def test_predictions_of_another_row_are_not_believed(tmp_path):
    fake_run(tmp_path / "1", PREDICTIONS)
    fake_run(tmp_path / "2", PREDICTIONS.assign(predicted="metal"))
    shutil.copy(tmp_path / "1/predictions.csv", tmp_path / "2")
    with pytest.raises(InputError, match=r"predictions\.csv is not as it was written"):
        runs.load(tmp_path / "2")


def without_checksums(folder):
    content = provenance.read_json(folder / "metrics.json")
    del content["checksums"]
    provenance.write_json(folder / "metrics.json", content)


@pytest.mark.parametrize("damage", [cut, lambda path: path.unlink()], ids=["cut", "gone"])
@pytest.mark.parametrize("name", ["history.csv", "predictions.csv.gz"])
def test_published_run_of_an_earlier_version_is_read_and_its_damage_named(tmp_path, name, damage):
    fake_run(tmp_path, PREDICTIONS)
    packed = gzip.compress((tmp_path / "predictions.csv").read_bytes())
    (tmp_path / "predictions.csv.gz").write_bytes(packed)
    (tmp_path / "predictions.csv").unlink()
    without_checksums(tmp_path)
    assert len(runs.load(tmp_path)[2]) == len(PREDICTIONS)
    if name == "history.csv":
        (tmp_path / name).write_text("")
    damage(tmp_path / name)
    with pytest.raises(InputError, match=r"is damaged \(.*(cannot be read|is missing)"):
        runs.load(tmp_path)


def test_run_that_cannot_be_written_leaves_the_one_before(tmp_path, saved, monkeypatch, model):
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(model, "save", full)
    with pytest.raises(InputError, match="cannot be written .No space left on device"):
        runs.save(
            tmp_path, model=model, data=None, history=HISTORY, predictions=PREDICTIONS,
            source=Source(**SOURCE), given=GIVEN, identity="",
        )  # fmt: skip
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


WRITES = """
import sys, time
from pathlib import Path
from music_genre import provenance
folder, mark = Path(sys.argv[1]), sys.argv[2]
for _ in range(20):
    with provenance.together(folder, "last.json", replacing=["only-a"]) as new:
        for name in [*"bcde", *(["only-a"] if mark == "a" else [])]:
            (new / name).write_text(mark)
        provenance.write_json(new / "last.json", {"checksums": provenance.checksums(new)})
"""


def test_two_that_save_into_one_folder_do_not_mix(tmp_path):
    (tmp_path / ".1-new").mkdir()  # of a process that was killed
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITES, str(tmp_path), mark]) for mark in "ab"
    ]
    while any(writer.poll() is None for writer in writers):
        time.sleep(0.01)
    assert [writer.returncode for writer in writers] == [0, 0]
    provenance.check(tmp_path, provenance.read_json(tmp_path / "last.json"))
    marks = {path.read_text() for path in tmp_path.iterdir() if path.name != "last.json"}
    assert len(marks) == 1
    assert (tmp_path / "only-a").exists() == (marks == {"a"})
    assert not list(tmp_path.glob(".*"))


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


def test_finished_training_is_found_where_it_is_the_same(tmp_path):
    fake_run(tmp_path, PREDICTIONS)
    content, history, predictions = finished(tmp_path)
    assert content["epochs_run"] == len(history) == 1
    assert len(predictions) == 4
    copy = Source(**{**SOURCE, "path": "copy.csv", "sha256": "b" * 64})
    assert finished(tmp_path, source=copy)
    assert finished(tmp_path / "none") is None
    for changed in (
        {"given": {**SAME, "epochs": 3}},
        {"given": {**SAME, "seed": 4}},
        {"given": {**SAME, "unknown": 1}},
        {"source": Source(**{**SOURCE, "fingerprint": [1.0, 2.0, 3.0, 5.0]})},
        {"identity": "1" * 16},
    ):
        assert finished(tmp_path, **changed) is None


@pytest.fixture
def second(segments, tmp_path):
    """Write a second features table and return its path and its content."""
    rng = np.random.default_rng(0)
    columns = pd.DataFrame(rng.normal(size=(len(segments), len(MORE))), columns=MORE)
    columns["flatness_min"] = 0.1  # one that does not vary
    columns.insert(0, "filename", segments["filename"].to_numpy())
    columns.to_csv(tmp_path / "t.more.csv", index=False)
    return tmp_path / "t.more.csv", columns


def test_another_second_table_makes_another_training_but_another_file_of_it_does_not(
    tmp_path, second
):
    path, content = second
    fake_run(tmp_path / "run", PREDICTIONS)
    metrics = tmp_path / "run/metrics.json"
    without = provenance.read_json(metrics)
    given = {"given": {**SAME, "more": str(path)}}
    assert finished(tmp_path / "run", **given) is None  # it had none
    noted = runs.second_table(str(path))
    provenance.write_json(metrics, {**without, "more": {k: noted[k] for k in ("path", "sha256")}})
    # An earlier version noted the file alone. What it holds is noted from now on.
    assert finished(tmp_path / "run", **given)[0]["more"] == noted
    assert runs.load(tmp_path / "run")[0]["more"] == noted
    assert finished(tmp_path / "run") is None
    content.to_csv(path, index=False, lineterminator="\r\n")
    assert finished(tmp_path / "run", **given)
    content.sample(frac=1, random_state=0).to_csv(path, index=False, float_format="%.8g")
    assert finished(tmp_path / "run", **given)
    # Neither of these changes the mean magnitude of a column, which the identity sees.
    for other in (content[MORE].iloc[::-1].to_numpy(), -content[MORE].to_numpy()):
        content.assign(**dict(zip(MORE, other.T, strict=True))).to_csv(path, index=False)
        assert finished(tmp_path / "run", **given) is None


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
    assert runs.identity(networks.build((58, 1), 3, **KIND), data) == same
    for change in ({"dropout": 0.2}, {"learning_rate": 1e-2}, {"activation": "relu"}):
        assert runs.identity(networks.build((58, 1), 3, **{**KIND, **change}), data) != same
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


@pytest.mark.parametrize(
    ("name", "damage"), [("measured.csv", flip), ("measured.csv", cut), ("measured.json", cut)]
)
def test_kept_results_that_are_damaged_are_computed_again(tmp_path, compute, capsys, name, damage):
    path = tmp_path / "measured.csv"
    runs.kept(path, {"seed": 0}, compute)
    damage(tmp_path / name)
    for _ in range(2):
        results = runs.kept(path, {"seed": 0}, compute)
        pd.testing.assert_frame_equal(results, MEASURED, check_exact=True)
    assert compute.calls == 2
    assert "measured.csv is damaged (measured." in capsys.readouterr().out


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
        (1, SOURCE, {}),
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


def test_table_that_is_not_at_hand_is_known_by_the_segments_of_its_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(find, "DATA", tmp_path / "data")
    names = [f"a.{i:05d}.0.wav" for i in range(4)]
    predictions = pd.DataFrame({"filename": names, "label": list("aabb"), "predicted": "a"})
    predictions["part"] = ["train", "train", "test", "test"]
    fake_run(tmp_path / "some", predictions.iloc[1:])
    fake_run(tmp_path / "whole", predictions)
    segments, source = runs.measured_on(tmp_path)
    assert segments.to_dict("list") == {"filename": names, "label": list("aabb")}
    assert source.label == Source(**SOURCE).label
    assert not has_features(segments)
    with pytest.raises(InputError, match="not at hand: name it with features"):
        check_features(segments)

    _, of_sample = load_table(str(SAMPLE_TABLE))
    assert runs.measured_on(tmp_path, str(SAMPLE_TABLE))[1] == of_sample  # as named
    fake_run(tmp_path / "other" / "run", predictions, source=dataclasses.asdict(of_sample))
    segments, source = runs.measured_on(tmp_path / "other")
    assert source == of_sample
    assert has_features(segments)
