"""Training is reproducible, and what it writes can be read back."""

import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from music_genre.data import splits
from music_genre.data.columns import INPUTS
from music_genre.data.table import Source
from music_genre.exceptions import InputError
from music_genre.models import checkpoints, inputs, lstm, runs, training

SOURCE = Source("mine.csv", False, 12, 60, 3, "0" * 64, [])
GIVEN = {"epochs": 2, "seed": 3, "features": "x", "output": "y", "paper": {"accuracy": 33.45}}


@pytest.fixture(autouse=True, scope="module")
def no_states(tmp_path_factory):
    """Keep the states of these trainings apart from the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints, "FOLDER", tmp_path_factory.mktemp("states"))
        yield


def train(rows, *, learning_rate=1e-3, activation="tanh", epochs=2, resume=False):
    parts = splits.split(rows, "segment", test_size=0.33, seed=3)
    data = inputs.prepare(rows, parts=parts, scale_on="all")
    model = lstm.lstm(
        58, 3, activation=activation, dropout=0.1, learning_rate=learning_rate, seed=3
    )
    history = training.fit(model, data, epochs=epochs, batch_size=16, seed=3, resume=resume)
    return model, data, history, training.predict(model, data, rows)


def save(folder, rows, run):
    model, data, history, predictions = run
    return runs.save(
        folder, model=model, data=data, history=history, predictions=predictions,
        source=SOURCE, given=GIVEN, identity=runs.identity(model, data),
    )  # fmt: skip


@pytest.fixture(scope="module")
def rows():
    from music_genre.data.find import SAMPLE_TABLE

    sample = pd.read_csv(SAMPLE_TABLE)
    return sample[sample["label"].isin(["blues", "classical", "metal"])].groupby("label").head(20)


@pytest.fixture(scope="module")
def run(rows):
    return train(rows)


def test_scaling_on_all_rows_or_on_training_rows(rows):
    parts = splits.split(rows, "segment", test_size=0.33, seed=0)
    everything = inputs.prepare(rows, parts=parts, scale_on="all")
    training_only = inputs.prepare(rows, parts=parts, scale_on="train")
    assert everything.x.shape == (60, 58, 1)
    assert everything.x.dtype == np.float32
    varying = [i for i, name in enumerate(INPUTS) if name != "length"]
    assert np.allclose(everything.x[:, varying].mean(axis=0), 0, atol=1e-5)
    assert np.allclose(everything.x[:, varying].std(axis=0), 1, atol=1e-4)
    assert np.allclose(training_only.x[parts == "train"][:, varying].mean(axis=0), 0, atol=1e-5)
    assert not np.allclose(training_only.x[:, varying].mean(axis=0), 0, atol=1e-3)
    assert (everything.x[:, 0] == 0).all()  # length is the same in every row


def test_shuffled_columns_are_the_same_inputs_in_another_order(rows, run, tmp_path):
    parts = splits.split(rows, "segment", test_size=0.33, seed=3)
    plain = inputs.prepare(rows, parts=parts, scale_on="all")
    shuffled = inputs.prepare(rows, parts=parts, scale_on="all", shuffle_columns=True)
    assert plain.columns == INPUTS
    assert shuffled.columns != INPUTS
    assert sorted(shuffled.columns) == sorted(INPUTS)
    places = [INPUTS.index(name) for name in shuffled.columns]
    assert np.array_equal(shuffled.x, plain.x[:, places])
    again = inputs.prepare(rows, parts=parts, scale_on="all", shuffle_columns=True)
    assert again.columns == shuffled.columns
    assert inputs.shuffled_columns(1) != inputs.shuffled_columns(0) == shuffled.columns
    save(tmp_path, rows, (run[0], shuffled, run[2], run[3]))
    scaler = json.loads((tmp_path / "scaler.json").read_text())
    assert scaler["columns"] == shuffled.columns
    of_tempo = scaler["mean"][scaler["columns"].index("tempo")]
    assert of_tempo == pytest.approx(rows["tempo"].mean())


@pytest.fixture
def four_parts(rows):
    """Return a split in which every fifth row validates and every fifth is unused."""
    parts = splits.split(rows, "segment", test_size=0.33, seed=3).astype("<U10")
    parts[::5], parts[1::5] = "validation", "unused"
    return parts


def test_validation_and_unused_rows_have_no_say_in_training(rows, four_parts):
    idle = np.isin(four_parts, ["validation", "unused"])
    spoilt = rows.assign(label=np.where(idle, "blues", rows["label"]))
    spoilt.loc[idle, INPUTS] = 1e6
    histories = []
    for table in (rows, spoilt):
        data = inputs.prepare(table, parts=four_parts, scale_on="train")
        model = lstm.lstm(58, 3, activation="tanh", dropout=0.0, learning_rate=1e-3, seed=3)
        history = training.fit(model, data, epochs=1, batch_size=16, seed=3, resume=False)
        histories.append(without_time(history))
    pd.testing.assert_frame_equal(*histories, check_exact=True)


def test_unused_rows_are_neither_scaled_on_nor_predicted(rows, run, four_parts, tmp_path):
    unused = four_parts == "unused"
    spoilt = rows.copy()
    spoilt.loc[unused, INPUTS] = 1e6
    data = inputs.prepare(rows, parts=four_parts, scale_on="all")
    same = inputs.prepare(spoilt, parts=four_parts, scale_on="all")
    assert np.array_equal(data.x[~unused], same.x[~unused])
    predictions = training.predict(run[0], data, rows)
    assert list(predictions["filename"]) == list(rows["filename"][~unused])
    assert list(predictions["part"]) == list(four_parts[~unused])
    content = save(tmp_path, rows, (run[0], data, run[2], predictions))
    sizes = {part: scores["segments"] for part, scores in content["parts"].items()}
    assert sizes == {part: (four_parts == part).sum() for part in ("train", "validation", "test")}


def test_same_seed_same_numbers_bit_for_bit(rows, run):
    _, _, history, predictions = run
    _, _, again, predicted_again = train(rows)
    measured = ["loss", "accuracy", "test_loss", "test_accuracy"]
    pd.testing.assert_frame_equal(history[measured], again[measured], check_exact=True)
    pd.testing.assert_frame_equal(predictions, predicted_again, check_exact=True)


def without_time(history):
    return history.drop(columns=["seconds", "kept"])


def test_training_goes_on_where_a_shorter_one_ended_bit_for_bit(rows, run, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "FOLDER", tmp_path)
    train(rows, epochs=1, resume=True)
    _, _, history, predictions = train(rows, epochs=2, resume=True)
    assert list(history["kept"]) == [True, False]
    pd.testing.assert_frame_equal(without_time(history), without_time(run[2]), check_exact=True)
    pd.testing.assert_frame_equal(predictions, run[3], check_exact=True)
    _, _, history, predictions = train(rows, epochs=2, resume=True)
    assert history["kept"].all()  # nothing left to train
    pd.testing.assert_frame_equal(predictions, run[3], check_exact=True)
    _, _, history, _ = train(rows, epochs=1, resume=True)
    assert len(history) == 1  # the state after two epochs is no use for one


def train_redrawn(rows, *, resume, seeds=(3, 4)):
    """Train two epochs on one split and two more, with the same model, on another."""
    model = lstm.lstm(58, 3, activation="tanh", dropout=0.1, learning_rate=1e-3, seed=3)
    history = None
    for last, seed in zip((2, 4), seeds, strict=True):
        parts = splits.split(rows, "segment", test_size=0.33, seed=seed)
        data = inputs.prepare(rows, parts=parts, scale_on="all")
        history = training.fit(
            model, data, epochs=last, batch_size=16, seed=3, resume=resume, history=history
        )
    return history, training.predict(model, data, rows)


def test_rows_drawn_anew_go_on_from_the_first_splits_state_bit_for_bit(
    rows, run, tmp_path, monkeypatch
):
    whole, expected = train_redrawn(rows, resume=False)
    assert list(whole["epoch"]) == [1, 2, 3, 4]
    pd.testing.assert_frame_equal(
        without_time(whole[:2]), without_time(run[2]), check_exact=True
    )  # the first split's part is the training without a second one
    monkeypatch.setattr(checkpoints, "FOLDER", tmp_path)
    train(rows, epochs=2, resume=True)
    history, predictions = train_redrawn(rows, resume=True)
    assert list(history["kept"]) == [True, True, False, False]
    pd.testing.assert_frame_equal(without_time(history), without_time(whole), check_exact=True)
    pd.testing.assert_frame_equal(predictions, expected, check_exact=True)
    other, _ = train_redrawn(rows, resume=True, seeds=(3, 5))
    assert list(other["kept"]) == [True, True, False, False]  # another second split: no state


def test_diverged_training_does_not_go_on(rows, run):
    model, data, history, _ = run
    history = history.assign(loss=[1.0, float("nan")])
    after = training.fit(model, data, epochs=5, batch_size=16, seed=3, history=history)
    pd.testing.assert_frame_equal(after, history)


def test_seconds_are_those_of_the_epochs_trained_here(rows, run, tmp_path):
    model, data, history, predictions = run
    history = history.assign(seconds=[5.0, 7.0], kept=[True, False])
    content = save(tmp_path, rows, (model, data, history, predictions))
    assert (content["seconds"], content["epochs_kept"]) == (7.0, 1)


def test_collapse_is_told_with_the_best_before_and_the_end():
    history = pd.DataFrame(
        {"epoch": range(1, 7), "test_accuracy": [0.3, 0.7, 0.62, 0.4, 0.5, 0.65]}
    )
    assert runs.collapse(history) == (
        "from 70.0 % on test rows after epoch 2 it fell to 40.0 % after epoch 4, and ended at "
        "65.0 %"
    )
    history["test_accuracy"] = [0.3, 0.7, 0.62, 0.61, 0.72, 0.7]
    assert runs.collapse(history) == ""


def test_another_recipe_has_other_states(rows, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "FOLDER", tmp_path)
    parts = splits.split(rows, "segment", test_size=0.33, seed=3)
    data = inputs.prepare(rows, parts=parts, scale_on="all")
    given = {"activation": "tanh", "dropout": 0.0, "learning_rate": 1e-3, "seed": 3}

    def folder(x=data.x, batch_size=16, **changed):
        recipe = {**given, **changed}
        model = lstm.lstm(58, 3, **recipe)
        return checkpoints.folder(model, x, data.y, batch_size=batch_size, seed=recipe["seed"])

    folders = [
        folder(), folder(x=data.x[::-1]), folder(batch_size=17), folder(activation="relu"),
        folder(dropout=0.1), folder(learning_rate=1e-4), folder(seed=4),
    ]  # fmt: skip
    assert len(set(folders)) == len(folders)
    assert folder() == folders[0]
    # A process held to some of the machine's cores (taskset, a container) adds up in another order.
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    for cores in ({0}, {0, 1, 2}):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, cores=cores: cores, raising=False)
        folders.append(folder())
    assert len(set(folders)) == len(folders)


@pytest.mark.parametrize(
    "damage",
    [lambda state: state[: len(state) // 2], lambda state: b"", lambda state: state[:-99]],
    ids=["cut in half", "empty", "end missing"],
)
def test_damaged_state_is_passed_over_with_a_notice(
    rows, run, tmp_path, monkeypatch, capsys, damage
):
    monkeypatch.setattr(checkpoints, "FOLDER", tmp_path)
    train(rows, epochs=1, resume=True)
    (state,) = tmp_path.rglob("1.npz")
    state.write_bytes(damage(state.read_bytes()))
    _, _, history, predictions = train(rows, epochs=2, resume=True)
    assert "1.npz is passed over: " in capsys.readouterr().out
    assert not history["kept"].any()
    pd.testing.assert_frame_equal(predictions, run[3], check_exact=True)


def test_state_of_another_model_is_not_loaded_half(rows, run, tmp_path, capsys):
    model, _, history, _ = run
    before = [np.asarray(variable) for variable in model.variables]
    other = lstm.lstm(58, 4, activation="tanh", dropout=0.1, learning_rate=1e-3, seed=3)
    other.optimizer.build(other.trainable_variables)
    checkpoints.save(tmp_path / "1.npz", other, history.head(1).drop(columns="kept"))
    assert checkpoints.restore(model, tmp_path, epochs=2) is None
    assert "it belongs to another model" in capsys.readouterr().out
    assert all(np.array_equal(a, b) for a, b in zip(before, model.variables, strict=True))


def test_state_of_a_newer_format_is_passed_over(rows, run, tmp_path, monkeypatch, capsys):
    model, _, history, _ = run
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "FORMAT", checkpoints.FORMAT + 1)
        checkpoints.save(tmp_path / "1.npz", model, history.head(1).drop(columns="kept"))
    assert checkpoints.restore(model, tmp_path, epochs=2) is None
    assert "it is of format 2, this version reads 1" in capsys.readouterr().out


KILLED = """
import pandas as pd, sys
sys.path.insert(0, sys.argv[1])
import test_training as t
t.checkpoints.EVERY = 0
t.checkpoints.FOLDER = t.Path(sys.argv[3])
t.train(pd.read_csv(sys.argv[2]), epochs=500, resume=True)
"""


def test_killed_training_goes_on_bit_for_bit(rows, tmp_path, monkeypatch):
    rows.to_csv(tmp_path / "rows.csv", index=False)
    rows = pd.read_csv(tmp_path / "rows.csv")
    states = tmp_path / "states"
    arguments = [str(Path(__file__).parent), str(tmp_path / "rows.csv"), str(states)]
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, *arguments], stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while not list(states.rglob("[0-9]*.npz")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    process.wait()
    (state,) = states.rglob("[0-9]*.npz")
    epochs = int(state.stem) + 1
    monkeypatch.setattr(checkpoints, "FOLDER", states)
    _, _, history, predictions = train(rows, epochs=epochs, resume=True)
    assert history["kept"].sum() == epochs - 1
    _, _, whole, expected = train(rows, epochs=epochs, resume=False)
    pd.testing.assert_frame_equal(without_time(history), without_time(whole), check_exact=True)
    pd.testing.assert_frame_equal(predictions, expected, check_exact=True)


def test_history_has_one_line_per_epoch(run):
    history = run[2]
    assert list(history["epoch"]) == [1, 2]
    assert history["accuracy"].between(0, 1).all()
    assert (history["seconds"] > 0).all()


def test_saved_run_reads_back(tmp_path, rows, run):
    content = save(tmp_path, rows, run)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "history.csv", "metrics.json", "model.keras", "predictions.csv", "scaler.json",
    ]  # fmt: skip
    loaded, history, predictions = runs.load(tmp_path)
    assert loaded == json.loads(json.dumps(content))
    assert loaded["parameters"] == {"epochs": 2, "seed": 3}
    assert loaded["paper"] == {"accuracy": 33.45}
    assert runs.source(loaded) == SOURCE
    assert len(history) == 2
    test = predictions[predictions["part"] == "test"]
    by_hand = 100 * (test["label"] == test["predicted"]).mean()
    assert loaded["parts"]["test"]["accuracy"] == pytest.approx(by_hand)
    assert str(tmp_path) not in (tmp_path / "metrics.json").read_text()


def test_saved_model_and_scaler_predict_what_the_run_predicted(tmp_path, rows, run):
    save(tmp_path, rows, run)
    model = keras.models.load_model(tmp_path / "model.keras")
    scaler = json.loads((tmp_path / "scaler.json").read_text())
    x = (rows[scaler["columns"]].to_numpy() - scaler["mean"]) / scaler["scale"]
    codes = model.predict(x[:, :, np.newaxis].astype("float32"), verbose=0).argmax(axis=1)
    assert [scaler["genres"][code] for code in codes] == list(run[3]["predicted"])


def test_loss_that_stops_being_finite_ends_the_training_and_is_reported(tmp_path, rows):
    diverging = train(rows, learning_rate=1e15, activation="relu", epochs=4)
    assert len(diverging[2]) < 4
    content = save(tmp_path, rows, diverging)
    assert content["diverged"]
    assert content["epochs_run"] == len(diverging[2])
    assert "stopped being a finite number" in runs.describe(
        {**content, "parameters": {**content["parameters"], **dict.fromkeys(
            ["batch_size", "learning_rate", "activation", "dropout", "split"], 0)}},
        tmp_path,
    )  # fmt: skip


def test_unfinished_run_is_not_read(tmp_path):
    with pytest.raises(InputError, match="holds no finished run"):
        runs.load(tmp_path)


def test_finished_training_is_shown_again_where_it_is_the_same(tmp_path, rows, run):
    save(tmp_path, rows, run)
    model, data, _, _ = run
    same = {"source": SOURCE, "given": GIVEN, "identity": runs.identity(model, data)}
    content, history, predictions = runs.finished(tmp_path, **same)
    assert content["epochs_run"] == len(history) == 2
    assert len(predictions) == 60
    assert runs.finished(tmp_path / "none", **same) is None
    for other in (
        {"given": {**GIVEN, "epochs": 3}},
        {"given": {**GIVEN, "seed": 4}},
        {"source": dataclasses.replace(SOURCE, sha256="1" * 64)},
        {"identity": "0" * 16},
    ):
        assert runs.finished(tmp_path, **{**same, **other}) is None


def test_another_network_rate_split_or_input_is_another_training(rows, run):
    model, data, _, _ = run
    same = runs.identity(model, data)
    kind = {"activation": "tanh", "dropout": 0.1, "learning_rate": 1e-3, "seed": 3}
    assert runs.identity(lstm.lstm(58, 3, **kind), data) == same
    for change in ({"dropout": 0.2}, {"learning_rate": 1e-2}, {"activation": "relu"}):
        assert runs.identity(lstm.lstm(58, 3, **{**kind, **change}), data) != same
    other_parts = np.where(data.parts == "test", "train", "test")
    for change in ({"parts": other_parts}, {"x": data.x * 1.01}, {"y": data.y[::-1]}):
        assert runs.identity(model, dataclasses.replace(data, **change)) != same
    nearly = dataclasses.replace(data, x=data.x * np.float32(1 + 1e-7))
    assert runs.identity(model, nearly) == same


def test_what_the_paper_reports_may_change_without_another_training(tmp_path, rows, run):
    save(tmp_path, rows, run)
    given = {**GIVEN, "paper": {"accuracy": 45.92}}
    same = runs.identity(run[0], run[1])
    content, _, _ = runs.finished(tmp_path, source=SOURCE, given=given, identity=same)
    assert content["paper"] == {"accuracy": 45.92}
    assert runs.load(tmp_path)[0] == content


def test_training_taken_from_before_says_so(tmp_path, rows, run):
    content = save(tmp_path, rows, run)
    given = {"epochs": 2, "batch_size": 16, "learning_rate": 1e-3, "activation": "tanh",
             "dropout": 0.1, "split": "segment", "seed": 3}  # fmt: skip
    content["parameters"] = given
    said = runs.describe(content, tmp_path, again=True)
    assert said.startswith(f"Trained before (commit {content['provenance']['commit']}, ")
    assert "and not again. 2 of 2 epochs" in said
    assert runs.describe(content, tmp_path).startswith("2 of 2 epochs")
