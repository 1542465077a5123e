"""What the training bench computes from what it measures."""

import bench_train
import pandas as pd
import pytest

# 100 s an epoch at batch size 128 and 60 s at 220 on JAX; TensorFlow is absent.
MEASURED = pd.DataFrame(
    [
        ["jax", 128, 100.0],
        ["jax", 220, 60.0],
        ["tensorflow", 128, float("nan")],
        ["tensorflow", 220, float("nan")],
    ],
    columns=["backend", "batch_size", "seconds"],
)


def test_operations_of_the_papers_layers():
    # Fig. 7's parameters without the biases, four a unit: weights, each used once in 58 steps by a
    # multiplication and an addition; three such passes.
    weights = (264_192 - 4 * 256) + (197_120 - 4 * 128) + (49_408 - 4 * 64)
    assert bench_train.flop_per_segment() == 3 * 2 * 58 * weights == 177_106_944


@pytest.fixture
def epochs(tmp_path):
    """Return the epochs of rows as long as those of Table I, with one recipe per batch size."""
    lengths = {128: (7, 20, 40), 220: (40, 50, 90, 120)}
    for size, all_epochs in lengths.items():
        for n in all_epochs:
            (tmp_path / f"{size}-{n}.yaml").write_text(f"epochs: {n}\nbatch_size: {size}\n")
    return bench_train.epochs_to_train(tmp_path)


def test_rows_that_differ_only_in_epochs_share_their_beginning(epochs):
    # 7 + 20 + 40 and 40 + 50 + 90 + 120, against the longest of each.
    assert epochs.to_dict() == {"separate": {128: 67, 220: 300}, "shared": {128: 40, 220: 120}}
    assert list(epochs.sum()) == [367, 160]


def test_rows_that_differ_in_more_than_epochs_share_nothing(tmp_path):
    for name, rate in (("1", 0.001), ("2", 0.01)):
        (tmp_path / f"{name}.yaml").write_text(
            f"epochs: 5\nbatch_size: 128\nlearning_rate: {rate}\n"
        )
    assert list(bench_train.epochs_to_train(tmp_path).sum()) == [10, 10]


def test_minutes_and_a_back_end_that_is_absent(epochs):
    taken = bench_train.minutes(MEASURED, epochs)
    assert taken.loc["jax", "separate"] == pytest.approx((67 * 100 + 300 * 60) / 60)
    assert taken.loc["jax", "shared"] == pytest.approx((40 * 100 + 120 * 60) / 60)
    assert taken.loc["tensorflow"].isna().all()
    lines = bench_train.formatted(MEASURED).splitlines()
    assert lines[1].split() == ["jax", "128", "100.00"]
    assert lines[3].split() == ["tensorflow", "128", "not", "installed"]
    assert "not measured" in bench_train.against_tensorflow(taken)


def test_ours_against_separate_tensorflow_trainings(epochs):
    both = MEASURED.fillna(120.0)  # 367 epochs are 734 minutes; ours are 11200 s
    said = bench_train.against_tensorflow(bench_train.minutes(both, epochs))
    assert said.endswith("186.7 against 734.0 minutes, 3.93 times as fast.")
