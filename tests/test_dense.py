"""The dense network at the batch sizes and epochs asked for."""

import pandas as pd

from music_genre.data import table
from music_genre.models import dense, runs


def test_each_batch_size_has_a_curve_and_the_seed_gives_it_again(few_rows):
    curves = dense.curves(few_rows, epochs={16: 2, 8: 3}, seed=0)
    assert curves["batch_size"].to_list() == [16, 16, 8, 8, 8]
    assert curves["epoch"].to_list() == [1, 2, 1, 2, 3]
    assert curves[["test", "training"]].stack().between(0, 100).all()
    again = dense.curves(few_rows, epochs={8: 3}, seed=0)  # no batch size depends on another
    pd.testing.assert_frame_equal(curves[2:].reset_index(drop=True), again, check_exact=True)


def test_layers_are_dense_with_dropout():
    layers = [type(layer).__name__ for layer in dense.network(58, 10, seed=0).layers]
    assert layers == ["Dense", "Dropout"] * 4 + ["Dense"]


def test_curves_are_kept_for_the_same_table_epochs_and_seed(tmp_path):
    _, source = table.load()
    curves = pd.DataFrame({"batch_size": [128], "epoch": [1], "test": [1 / 3], "training": [0.5]})

    def kept(compute, *, epochs=None, seed=0):
        identity = dense.identity(source, epochs=epochs or {128: 1}, seed=seed)
        return runs.kept(tmp_path / "dense.csv", identity, compute)

    kept(lambda: curves)
    pd.testing.assert_frame_equal(kept(lambda: 1 / 0), curves, check_exact=True)
    assert kept(lambda: curves.tail(0), epochs={128: 2}).empty
    assert kept(lambda: curves, seed=1).equals(curves)
