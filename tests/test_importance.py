"""Which inputs matter, on networks made up so that the answer is known."""

import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest
from conftest import SOURCE, fake_run, note_checksums

from music_genre import provenance
from music_genre.analysis import importance
from music_genre.data.columns import INPUTS
from music_genre.data.table import Source
from music_genre.exceptions import InputError
from music_genre.paths import REPORTS
from music_genre.report.figures import errors as figures


@pytest.fixture
def predictions(few_rows):
    """Return predictions of which the first segment was trained on and the others are right."""
    made_up = few_rows[["filename", "label"]].assign(predicted=few_rows["label"])
    return made_up.assign(part=np.where(made_up.index == 0, "train", "test"))


def scaler(**given):
    columns = given.pop("columns", INPUTS)
    return {
        "columns": columns, "mean": [1.0] * 58, "scale": [2.0] * 58,
        "genres": ["blues", "classical", "metal"],
    }  # fmt: skip


def test_tested_inputs_are_scaled_in_the_order_of_the_scaler(few_rows, predictions):
    backwards = scaler(columns=INPUTS[::-1])
    x, y = importance.tested_inputs(predictions[::-1], few_rows, backwards)
    assert x.shape == (59, 58, 1)
    assert x.dtype == np.float32
    last = few_rows.iloc[-1]
    assert x[0, :, 0] == pytest.approx([(last[name] - 1) / 2 for name in INPUTS[::-1]], rel=1e-6)
    assert list(y) == [2] * 20 + [1] * 20 + [0] * 19


def test_table_that_lacks_a_tested_segment_is_named(few_rows, predictions):
    with pytest.raises(InputError, match=r"lacks the tested segment blues\.00000\.1\.wav: name"):
        importance.tested_inputs(predictions, few_rows[2:], scaler())


# Segments of two classes, half and half: a and its copy b hold the class, c is noise, d constant.
SIGNS = np.tile([1.0, -1.0], 500)
X = np.stack([SIGNS, SIGNS, np.random.default_rng(0).normal(size=1000), np.ones(1000)], axis=1)
X = X[:, :, np.newaxis]
KINDS = (SIGNS > 0).astype(int)


def by_both(x):
    """Predict class 1 where a + b > 0; where they contradict each other, go by a."""
    one = 2 * x[:, 0, 0] + x[:, 1, 0] > 0
    return np.stack([~one, one], axis=1).astype(float)


def measure(**given):
    frame = importance.permutation_importance(by_both, X, KINDS, ["a", "b", "c", "d"], **given)
    return frame.set_index("input")


def test_importance_is_the_accuracy_lost():
    alone = measure(groups={name: [name] for name in "bcda"}, repeats=20)
    # A shuffled column of two equally frequent signs is right in half of the segments.
    assert alone.loc["a", "drop"] == pytest.approx(50, abs=1)
    assert alone.index[0] == "a"
    assert (alone.loc[["b", "c", "d"], ["drop", "SD"]] == 0).all(axis=None)
    # Hypergeometric: the share right after a random permutation has SD 1 / (2 sqrt(n - 1)).
    assert alone.loc["a", "SD"] == pytest.approx(100 / (2 * np.sqrt(999)), rel=0.4)


def test_columns_of_a_group_are_shuffled_together():
    # Shuffled together, a and b still agree in every segment; apart, in half of them.
    def where_they_agree(x):
        agree = x[:, 0, 0] == x[:, 1, 0]
        return np.stack([~agree, agree], axis=1).astype(float)

    ones = np.ones(1000, dtype=int)
    names = ["a", "b", "c", "d"]
    groups = {"both": ["a", "b"], "a": ["a"]}
    lost = importance.permutation_importance(where_they_agree, X, ones, names, groups=groups)
    lost = lost.set_index("input")
    assert lost.loc["both", "drop"] == 0
    assert lost.loc["a", "drop"] == pytest.approx(50, abs=5)
    assert lost["columns"].to_dict() == {"both": 2, "a": 1}


def test_importance_follows_from_its_seed_and_may_use_fewer_segments():
    groups = {"a": ["a"]}
    drops = [measure(groups=groups, drawn=99, seed=seed)["drop"]["a"] for seed in (0, 0, 1)]
    assert drops[0] == drops[1]
    assert drops[0] != drops[2]
    seen = []

    def watch(x):
        seen.append(len(x))
        return by_both(x)

    once = importance.permutation_importance(
        watch, X, KINDS, list("abcd"), groups=groups, drawn=99, repeats=1
    )
    assert seen == [99, 99]
    assert once["SD"].isna().all()


def test_group_with_a_column_that_the_model_lacks_is_named():
    with pytest.raises(InputError, match="names the column tempo, which the model does not take"):
        measure(groups={"tempo": ["tempo"]})


def test_default_groups_hold_every_input_with_its_descriptor():
    apart = {name: group for name, group in importance.GROUPS.items() if name != "all MFCCs"}
    assert sorted(sum(apart.values(), [])) == sorted(INPUTS)
    assert len(apart) == 1 + 8 + 1 + 20  # length, eight descriptors, tempo, MFCC 1 to 20
    assert apart["rms"] == ["rms_mean", "rms_var"]
    assert apart["mfcc2"] == ["mfcc2_mean", "mfcc2_var"]
    assert len(importance.GROUPS["all MFCCs"]) == 40


def test_importance_is_drawn_by_input():
    (ax,) = figures.importance(measure(groups={"a": ["a"], "c": ["c"]}).reset_index()).axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "c"]
    assert ax.patches[0].get_width() == pytest.approx(50, abs=3)


def test_inputs_of_little_and_of_no_use_are_listed():
    drops = pd.DataFrame(
        {"input": list("abcd"), "drop": [9.0, 0.3, 0.0, -0.2], "SD": [1.0, 0.2, 0.0, 0.1]}
    )
    assert importance.within_noise(drops) == ["b", "d"]
    assert importance.unused(drops) == ["c"]
    assert importance.unused(drops.assign(SD=np.nan)) == ["c"]  # of one shuffle


def test_importance_is_measured_once_with_the_runs_model_and_kept(tmp_path, few_rows, predictions):
    fake_run(tmp_path, predictions)
    with pytest.raises(InputError, match=r"neither model\.keras nor the importance\.csv"):
        importance.of_run(tmp_path, few_rows)
    model = keras.Sequential(
        [keras.Input((58, 1)), keras.layers.Flatten(), keras.layers.Dense(3, "softmax")]
    )
    model.save(tmp_path / "model.keras")
    provenance.write_json(tmp_path / "scaler.json", scaler())
    note_checksums(tmp_path)
    drops = importance.of_run(tmp_path, few_rows, repeats=2, drawn=20)
    assert set(drops["input"]) == set(importance.GROUPS)
    (tmp_path / "model.keras").unlink()
    assert importance.of_run(tmp_path, few_rows, repeats=2, drawn=20).equals(drops)
    # Of more shuffles, or of another training in the same folder, nothing is kept.
    with pytest.raises(InputError, match="train it again"):
        importance.of_run(tmp_path, few_rows, repeats=3, drawn=20)
    fake_run(tmp_path, predictions, epochs=40)
    with pytest.raises(InputError, match="train it again"):
        importance.of_run(tmp_path, few_rows, repeats=2, drawn=20)


def test_published_importance_is_shown_without_model_and_without_keras():
    program = (
        "import sys; from pathlib import Path; from music_genre.analysis import importance; "
        "print(importance.of_run(Path(sys.argv[1]), None).iloc[0, 0]); "
        "sys.exit('keras' in sys.modules)"
    )
    run = REPORTS / "gtzan" / "splits" / "track" / "lstm"
    done = subprocess.run(
        [sys.executable, "-c", program, run], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "all MFCCs"


def test_order_is_compared_between_equal_recipes(tmp_path, predictions):
    source = Source(**SOURCE)
    assert importance.order(tmp_path, source) is None
    worse = predictions.assign(
        predicted=predictions["label"].where(predictions.index % 2 == 0, "metal")
    )
    fake_run(tmp_path / "shuffled", worse, shuffle_columns=True)
    fake_run(tmp_path / "rows/4", predictions, epochs=40)
    assert importance.order(tmp_path, source) is None
    fake_run(tmp_path / "rows/5", predictions)
    found = importance.order(tmp_path, source)
    # Of 59 test segments 20 blues and classical ones with an odd index are wrong.
    assert (found["row"], found["epochs"], found["in_order"]) == ("5", 120, 100)
    assert found["difference"] == pytest.approx(100 * 20 / 59)
    assert found["low"] < found["difference"] < found["high"]
    assert found["favours"] == "table"

    fake_run(tmp_path / "rows/5", worse)
    assert importance.order(tmp_path, source)["favours"] is None
    fake_run(tmp_path / "shuffled", predictions, shuffle_columns=True)
    assert importance.order(tmp_path, source)["favours"] == "drawn"
    with pytest.raises(InputError, match="shuffled was measured on"):
        importance.order(tmp_path, replace(source, fingerprint=[0.0] * 4))


def test_order_tells_how_fast_and_how_well_both_learn_their_training_segments(
    tmp_path, predictions
):
    learnt = {"epoch": [1, 2, 3], "test_accuracy": [0.5] * 3}
    fake_run(
        tmp_path / "shuffled", predictions, shuffle_columns=True,
        history={**learnt, "accuracy": [0.8, 0.95, 0.99]}, parts={"train": {"accuracy": 99.9}},
    )  # fmt: skip
    fake_run(
        tmp_path / "rows/7", predictions, score_after=[1],
        history={**learnt, "accuracy": [0.5, 0.7, 0.9]}, parts={"train": {"accuracy": 95.0}},
    )  # fmt: skip
    found = importance.order(tmp_path, Source(**SOURCE))
    assert (found["train_shuffled"], found["train_in_order"]) == (99.9, 95.0)
    assert (found["learnt_shuffled"], found["learnt_in_order"]) == (2, None)
