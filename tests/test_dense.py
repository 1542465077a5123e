"""The dense network at the batch sizes and epochs asked for."""

import pandas as pd

from music_genre.data import splits, table
from music_genre.models import dense, runs


def test_each_batch_size_is_predicted_after_its_epochs_and_the_seed_gives_it_again(few_rows):
    after = dense.predictions(few_rows, epochs={16: [2], 8: [1, 3]}, seed=0)
    assert sorted(after) == [(8, 1), (8, 3), (16, 2)]
    parts = splits.split(few_rows, "segment", test_size=0.33, seed=0)
    for of in after.values():
        assert list(of["part"]) == list(parts)
        assert list(of["label"]) == list(few_rows["label"])
    again = dense.predictions(few_rows, epochs={8: [3]}, seed=0)  # nothing depends on the rest
    pd.testing.assert_frame_equal(again[8, 3], after[8, 3])


def test_layers_are_dense_with_dropout():
    layers = [type(layer).__name__ for layer in dense.network(58, 10, seed=0).layers]
    assert layers == ["Dense", "Dropout"] * 4 + ["Dense"]


def test_what_was_measured_is_kept_for_the_same_table_epochs_and_seeds(tmp_path):
    _, source = table.load()
    scores = pd.DataFrame({"batch_size": [128], "epoch": [1], "accuracy": [1 / 3]})

    def kept(compute, *, epochs=None, seeds=(0,)):
        identity = dense.identity(source, epochs=epochs or {128: [1]}, seeds=seeds)
        return runs.kept(tmp_path / "dense.csv", identity, compute)

    kept(lambda: scores)
    pd.testing.assert_frame_equal(kept(lambda: 1 / 0), scores, check_exact=True)
    assert kept(lambda: scores.tail(0), epochs={128: [2]}).empty
    assert kept(lambda: scores, seeds=[0, 1]).equals(scores)
