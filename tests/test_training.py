"""Training is reproducible, and goes on where an earlier one ended."""

import os
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from conftest import SOURCE

from music_genre.data import splits
from music_genre.data.columns import INPUTS
from music_genre.data.find import SAMPLE_TABLE
from music_genre.data.table import Source
from music_genre.models import checkpoints, inputs, networks, runs, training


@pytest.fixture(autouse=True, scope="module")
def no_states(tmp_path_factory):
    """Keep the states of these trainings apart from the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints, "FOLDER", tmp_path_factory.mktemp("states"))
        yield


def train(segments, *, learning_rate=1e-3, activation="tanh", epochs=2, resume=False, keep=()):
    parts = splits.split(segments, "segment", test_size=0.33, seed=3)
    data = inputs.prepare(segments, parts=parts, scale_on="all")
    model = networks.build(
        (58, 1), 3, activation=activation, dropout=0.1, learning_rate=learning_rate, seed=3
    )
    history = training.fit(
        model, data, epochs=epochs, batch_size=16, seed=3, resume=resume, keep=keep
    )
    return model, data, history, training.predict(model, data, segments)


@pytest.fixture(scope="module")
def segments():
    """Return 60 real segments: three genres, four clips each, five segments each."""
    sample = pd.read_csv(SAMPLE_TABLE)
    return sample[sample["label"].isin(["blues", "classical", "metal"])].groupby("label").head(20)


@pytest.fixture(scope="module")
def run(segments):
    return train(segments)


def test_validation_and_unused_segments_have_no_say_in_training(segments):
    parts = splits.split(segments, "segment", test_size=0.33, seed=3).astype("<U10")
    parts[::5], parts[1::5] = "validation", "unused"
    idle = np.isin(parts, ["validation", "unused"])
    spoilt = segments.assign(label=np.where(idle, "blues", segments["label"]))
    spoilt.loc[idle, INPUTS] = 1e6
    histories = []
    for table in (segments, spoilt):
        data = inputs.prepare(table, parts=parts, scale_on="train")
        model = networks.build(
            (58, 1), 3, activation="tanh", dropout=0.0, learning_rate=1e-3, seed=3
        )
        history = training.fit(model, data, epochs=1, batch_size=16, seed=3, resume=False)
        histories.append(without_time(history))
    pd.testing.assert_frame_equal(*histories, check_exact=True)


def test_same_seed_same_numbers_bit_for_bit(segments, run):
    _, _, history, predictions = run
    _, _, again, predicted_again = train(segments)
    measured = ["loss", "accuracy", "test_loss", "test_accuracy"]
    pd.testing.assert_frame_equal(history[measured], again[measured], check_exact=True)
    pd.testing.assert_frame_equal(predictions, predicted_again, check_exact=True)


def without_time(history):
    return history.drop(columns=["seconds", "kept"])


def test_training_goes_on_where_a_shorter_one_ended_bit_for_bit(
    segments, run, tmp_path, monkeypatch
):
    monkeypatch.setattr(checkpoints, "FOLDER", tmp_path)
    train(segments, epochs=1, resume=True)
    _, _, history, predictions = train(segments, epochs=2, resume=True)
    assert list(history["kept"]) == [True, False]
    pd.testing.assert_frame_equal(without_time(history), without_time(run[2]), check_exact=True)
    pd.testing.assert_frame_equal(predictions, run[3], check_exact=True)
    _, _, history, predictions = train(segments, epochs=2, resume=True)
    assert history["kept"].all()  # nothing left to train
    pd.testing.assert_frame_equal(predictions, run[3], check_exact=True)
    _, _, history, _ = train(segments, epochs=1, resume=True)
    assert len(history) == 1  # the state after two epochs is no use for one


def test_shorter_training_is_read_off_from_a_longer_one_bit_for_bit(
    segments, run, tmp_path, monkeypatch
):
    monkeypatch.setattr(checkpoints, "FOLDER", tmp_path)
    train(segments, epochs=3, resume=True, keep=[1, 2])
    assert {path.name for path in tmp_path.glob("*/*")} == {"1.npz", "2.npz", "3.npz"}
    _, _, history, predictions = train(segments, epochs=2, resume=True)
    assert history["kept"].all()
    pd.testing.assert_frame_equal(without_time(history), without_time(run[2]), check_exact=True)
    pd.testing.assert_frame_equal(predictions, run[3], check_exact=True)


def test_stops_show_the_model_of_shorter_trainings_bit_for_bit(
    segments, run, tmp_path, monkeypatch
):
    monkeypatch.setattr(checkpoints, "FOLDER", tmp_path)
    _, _, _, after_one = train(segments, epochs=1)
    for resume in (False, True, True):  # the last time, all is read off from states
        _, data, _, _ = train(segments, epochs=1)
        model = fresh(seed=3)
        seen = {}
        history = training.fit(
            model, data, epochs=3, batch_size=16, seed=3, resume=resume, stops=[1, 2],
            at_stop=lambda epoch, seen=seen, model=model, data=data: seen.update(
                {epoch: training.predict(model, data, segments)}
            ),
        )  # fmt: skip
        assert list(seen) == [1, 2]
        pd.testing.assert_frame_equal(seen[1], after_one, check_exact=True)
        pd.testing.assert_frame_equal(seen[2], run[3], check_exact=True)
        assert list(history["epoch"]) == [1, 2, 3]
        pd.testing.assert_frame_equal(
            without_time(history[:2]), without_time(run[2]), check_exact=True
        )
    assert history["kept"].all()


def test_missing_state_of_a_stop_is_trained_again_and_the_last_one_used(
    segments, run, tmp_path, monkeypatch
):
    monkeypatch.setattr(checkpoints, "FOLDER", tmp_path)
    train(segments, epochs=3, resume=True)
    _, data, _, _ = train(segments, epochs=1)
    seen = {}
    model = fresh(seed=3)
    history = training.fit(
        model, data, epochs=3, batch_size=16, seed=3, stops=[2],
        at_stop=lambda epoch: seen.update({epoch: training.predict(model, data, segments)}),
    )  # fmt: skip
    assert list(history["kept"]) == [True, False, True]  # those after epochs 1 and 3 are there
    pd.testing.assert_frame_equal(seen[2], run[3], check_exact=True)


def fresh(*, seed):
    return networks.build((58, 1), 3, activation="tanh", dropout=0.1, learning_rate=1e-3, seed=seed)


def test_diverged_training_does_not_go_on(segments, run):
    model, data, history, _ = run
    history = history.assign(loss=[1.0, float("nan")])
    stopped = []
    after = training.fit(
        model, data, epochs=5, batch_size=16, seed=3, history=history, stops=[4],
        at_stop=stopped.append,
    )  # fmt: skip
    pd.testing.assert_frame_equal(after, history)
    assert stopped == [4]  # the broken model can be measured


def test_another_recipe_has_other_states(segments, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "FOLDER", tmp_path)
    parts = splits.split(segments, "segment", test_size=0.33, seed=3)
    data = inputs.prepare(segments, parts=parts, scale_on="all")
    given = {"activation": "tanh", "dropout": 0.0, "learning_rate": 1e-3, "seed": 3}

    def folder(x=data.x, batch_size=16, **changed):
        recipe = {**given, **changed}
        model = networks.build((58, 1), 3, **recipe)
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
def test_damaged_state_is_thrown_away_with_a_notice(
    segments, run, tmp_path, monkeypatch, capsys, damage
):
    monkeypatch.setattr(checkpoints, "FOLDER", tmp_path)
    train(segments, epochs=1, resume=True)
    (state,) = tmp_path.rglob("1.npz")
    state.write_bytes(damage(state.read_bytes()))
    _, _, history, predictions = train(segments, epochs=2, resume=True)
    assert "1.npz is thrown away: " in capsys.readouterr().out
    assert not state.exists()
    assert not history["kept"].any()
    pd.testing.assert_frame_equal(predictions, run[3], check_exact=True)


def small():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    return model


ONE = pd.DataFrame({"epoch": [1], "loss": [0.5]})


def test_state_with_any_bit_flipped_is_thrown_away_or_as_it_was(tmp_path, capsys):
    kept, model = small(), small()
    path = tmp_path / "1.npz"
    checkpoints.save(path, kept, ONE)
    whole = path.read_bytes()
    fresh = [np.asarray(variable) for variable in model.variables]
    thrown = 0
    for byte in range(0, len(whole), 7):
        state = bytearray(whole)
        state[byte] ^= 1 << byte % 8
        path.write_bytes(state)
        history = checkpoints.restore(model, tmp_path, epochs=1)
        expected = fresh if history is None else map(np.asarray, kept.variables)
        assert all(np.array_equal(a, b) for a, b in zip(expected, model.variables, strict=True))
        assert path.exists() == (history is not None)
        thrown += history is None
        for variable, value in zip(model.variables, fresh, strict=True):
            variable.assign(value)
    assert thrown > len(whole) / 7 / 2
    assert capsys.readouterr().out.count("is thrown away") == thrown


def test_state_that_is_not_finite_is_neither_kept_nor_loaded(tmp_path, capsys, monkeypatch):
    model = small()
    model.variables[0].assign(np.full(model.variables[0].shape, np.nan))
    checkpoints.save(tmp_path / "1.npz", model, ONE)
    assert not list(tmp_path.iterdir())
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "_is_finite", lambda _: True)
        checkpoints.save(tmp_path / "1.npz", model, ONE)
    assert checkpoints.restore(small(), tmp_path, epochs=1) is None
    assert "not finite" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_state_under_the_name_of_other_epochs_is_thrown_away(tmp_path, capsys):
    checkpoints.save(tmp_path / "3.npz", small(), ONE)
    assert checkpoints.restore(small(), tmp_path, epochs=3) is None
    assert "its history is not of these epochs" in capsys.readouterr().out


def test_training_whose_states_cannot_be_kept_ends_well_and_says_so_once(
    segments, run, tmp_path, monkeypatch, capsys
):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr(checkpoints, "FOLDER", tmp_path / "file")
    monkeypatch.setattr(checkpoints, "EVERY", 0)
    _, _, history, predictions = train(segments, epochs=2, resume=True, keep=[1])
    pd.testing.assert_frame_equal(without_time(history), without_time(run[2]), check_exact=True)
    pd.testing.assert_frame_equal(predictions, run[3], check_exact=True)
    assert capsys.readouterr().out.count("The training goes on, but not from its states") == 1


def test_state_of_another_model_is_not_loaded_half(segments, run, tmp_path, capsys):
    model, _, history, _ = run
    before = [np.asarray(variable) for variable in model.variables]
    other = networks.build((58, 1), 4, activation="tanh", dropout=0.1, learning_rate=1e-3, seed=3)
    other.optimizer.build(other.trainable_variables)
    checkpoints.save(tmp_path / "1.npz", other, history.head(1).drop(columns="kept"))
    assert checkpoints.restore(model, tmp_path, epochs=2) is None
    assert "it belongs to another model" in capsys.readouterr().out
    assert all(np.array_equal(a, b) for a, b in zip(before, model.variables, strict=True))


def test_state_of_a_newer_format_is_skipped(segments, run, tmp_path, monkeypatch, capsys):
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


def test_killed_training_goes_on_bit_for_bit(segments, tmp_path, monkeypatch):
    segments.to_csv(tmp_path / "segments.csv", index=False)
    segments = pd.read_csv(tmp_path / "segments.csv")
    states = tmp_path / "states"
    arguments = [str(Path(__file__).parent), str(tmp_path / "segments.csv"), str(states)]
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
    _, _, history, predictions = train(segments, epochs=epochs, resume=True)
    assert history["kept"].sum() == epochs - 1
    _, _, whole, expected = train(segments, epochs=epochs, resume=False)
    pd.testing.assert_frame_equal(without_time(history), without_time(whole), check_exact=True)
    pd.testing.assert_frame_equal(predictions, expected, check_exact=True)


def test_history_has_one_line_per_epoch(run):
    history = run[2]
    assert list(history["epoch"]) == [1, 2]
    assert history["accuracy"].between(0, 1).all()
    assert (history["seconds"] > 0).all()


def test_loss_that_stops_being_finite_ends_the_training_and_is_reported(tmp_path, segments):
    model, data, history, predictions = train(
        segments, learning_rate=1e15, activation="relu", epochs=4
    )
    assert len(history) < 4
    content = runs.save(
        tmp_path, model=model, data=data, history=history, predictions=predictions,
        source=Source(**SOURCE), given={"paper": {}}, identity=runs.identity(model, data),
    )  # fmt: skip
    assert content["diverged"]
    assert content["epochs_run"] == len(history)


def mixed(segments, *, epochs=3, resume=False, until=None, alpha=0.4):
    """Train on mixed segments; ``until`` ends it after an epoch, as a kill would."""
    parts = splits.split(segments, "track", test_size=0.33, seed=3)
    data = inputs.prepare(segments, parts=parts, scale_on="train")
    model = networks.build(
        (58, 1), 3, model="mlp", activation="tanh", dropout=0.1, learning_rate=1e-3, seed=3,
        shares=True,
    )  # fmt: skip
    history = training.fit(
        model, data, epochs=until or epochs, batch_size=16, seed=3, resume=resume, mixup=alpha
    )
    return history, training.predict(model, data, segments)


def test_mixed_segments_and_labels_have_the_same_shares():
    # Segment n is the number n, its label the n-th unit vector: a mix of two shows both.
    n = 10
    batches = training._Mixed(np.arange(n, dtype=float)[:, None, None], np.eye(n), 4, 0.4)
    assert len(batches) == 3
    batches.draw([3, 1])
    x, y = (np.concatenate(of) for of in zip(*(batches[i] for i in range(3)), strict=True))
    assert np.allclose(y.sum(axis=1), 1)
    assert np.allclose(x[:, 0, 0], y @ np.arange(n))
    assert sorted(y.argmax(axis=1)) == list(range(n))  # each segment once, with the larger share
    assert (y.max(axis=1) >= 0.5).all()
    batches.draw([3, 2])
    assert not np.allclose(batches[0][1], y[:4])  # each epoch mixes anew


def test_training_on_mixed_segments_goes_on_bit_for_bit(segments, tmp_path, monkeypatch):
    expected, predictions = mixed(segments)
    assert not np.allclose(expected["loss"], mixed(segments, alpha=2.0)[0]["loss"])
    monkeypatch.setattr(checkpoints, "FOLDER", tmp_path)
    mixed(segments, until=2, resume=True)
    history, again = mixed(segments, resume=True)
    assert list(history["kept"]) == [True, True, False]
    pd.testing.assert_frame_equal(without_time(history), without_time(expected), check_exact=True)
    pd.testing.assert_frame_equal(again, predictions, check_exact=True)
    history, _ = mixed(segments, alpha=2.0, resume=True)
    assert not history["kept"].any()  # another mix is another training


def stopped_early(segments, *, epochs=8, patience=2, resume=False, until=None, mixup=0.0, **recipe):
    """Train with validation segments; ``until`` ends it after an epoch, as a kill would."""
    parts = splits.split(segments, "track", test_size=0.33, seed=3)
    parts = splits.set_aside(segments, parts, "track", share=0.4, seed=3)
    data = inputs.prepare(segments, parts=parts, scale_on="train")
    given = {"activation": "tanh", "dropout": 0.1, "learning_rate": 3e-2, "seed": 3, **recipe}
    model = networks.build((58, 1), 3, model="mlp", **given)
    history = training.fit(
        model, data, epochs=until or epochs, batch_size=16, seed=3, resume=resume,
        patience=patience, mixup=mixup,
    )  # fmt: skip
    return model, data, history


def test_patience_ends_training_and_keeps_the_epoch_that_validation_segments_prefer(segments):
    model, data, history = stopped_early(segments, epochs=50)
    best = history["validation_loss"].idxmin()
    assert len(history) == best + 1 + 2 < 50
    validation = data.x[data.validation], data.y[data.validation]
    loss, _ = model.evaluate(*validation, verbose=0)
    assert loss == pytest.approx(history["validation_loss"][best], rel=1e-5)


@pytest.mark.parametrize("mixup", [0.0, 0.4])
def test_loss_that_stops_being_finite_ends_a_training_with_patience_too(segments, mixup, tmp_path):
    model, data, history = stopped_early(
        segments, epochs=6, learning_rate=1e15, mixup=mixup, shares=bool(mixup)
    )
    assert not np.isfinite(history["loss"].iloc[-1])
    assert np.isfinite(history["loss"].iloc[:-1]).all()
    assert len(history) < 6
    content = runs.save(
        tmp_path, model=model, data=data, history=history,
        predictions=training.predict(model, data, segments), source=Source(**SOURCE),
        given={"paper": {}}, identity="",
    )  # fmt: skip
    kept = np.isfinite(history["validation_loss"]).any()
    assert content["diverged"] == (not kept)
    assert ("epoch_chosen" in content) == kept


def test_training_that_was_stopped_early_goes_on_from_its_best_epoch_bit_for_bit(
    segments, tmp_path, monkeypatch
):
    expected_model, data, expected = stopped_early(segments)
    monkeypatch.setattr(checkpoints, "FOLDER", tmp_path)
    stopped_early(segments, until=3, resume=True)
    assert len(list(tmp_path.glob("*/*"))) == 1  # only the best so far
    model, _, history = stopped_early(segments, resume=True)
    pd.testing.assert_frame_equal(without_time(history), without_time(expected), check_exact=True)
    for one, other in zip(model.get_weights(), expected_model.get_weights(), strict=True):
        assert np.array_equal(one, other)
