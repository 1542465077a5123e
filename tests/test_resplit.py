"""One model trained on over splits that are drawn again."""

import numpy as np
import pandas as pd
import pytest

from music_genre.analysis import resplit
from music_genre.data import splits
from music_genre.models import checkpoints, networks, runs
from music_genre.params import check_file
from music_genre.paths import ROOT


@pytest.fixture
def drawn(few_rows):
    return draw(few_rows, draws=2)


def draw(segments, *, draws, seed=3):
    return resplit.draw(
        segments, "segment", draws=draws, test_size=0.33, seed=seed, table_folder=ROOT,
        scale_on="all", shuffle_columns=False,
    )  # fmt: skip


def fit(drawn, *, until=(2, 4), resume=False):
    model = networks.build((58, 1), 3, activation="tanh", dropout=0.1, learning_rate=1e-3, seed=3)
    history = resplit.fit(model, drawn, until=until, batch_size=16, seed=3, resume=resume)
    return history.drop(columns=["seconds", "kept"]), history["kept"].to_list()


def test_first_draw_is_that_of_train_and_the_later_ones_have_seeds_of_their_own(few_rows):
    parts = [
        splits.split(few_rows, "segment", test_size=0.33, seed=seed) for seed in (3, 1003, 2003)
    ]
    drawn = draw(few_rows, draws=3)
    assert all(np.array_equal(a, b.parts) for a, b in zip(parts, drawn, strict=True))
    trained = (parts[0] == "train") | (parts[1] == "train")
    assert resplit.met_before(drawn) == pytest.approx(trained[parts[2] == "test"].mean())
    assert resplit.met_before(drawn[:1]) == 0


def test_model_goes_on_after_a_training_on_the_first_draw_bit_for_bit(
    few_rows, drawn, tmp_path, monkeypatch
):
    whole, _ = fit(drawn)
    assert whole["epoch"].to_list() == [1, 2, 3, 4]
    monkeypatch.setattr(checkpoints, "FOLDER", tmp_path)
    first, _ = fit(drawn[:1], until=[2], resume=True)
    pd.testing.assert_frame_equal(first, whole[:2], check_exact=True)
    again, kept = fit(drawn, resume=True)
    assert kept == [True, True, False, False]
    pd.testing.assert_frame_equal(again, whole, check_exact=True)
    _, kept = fit([drawn[0], draw(few_rows, draws=1, seed=5)[0]], resume=True)
    assert kept == [True, True, False, False]  # another second draw: its states do not serve


def test_every_resplit_training_can_be_checked_and_has_a_name_of_its_own():
    paths = list((ROOT / "params" / "resplit").glob("*.yaml"))
    assert paths
    for path in paths:
        check_file("resplit", path)
        assert not (ROOT / "params" / "recipes" / path.name).exists()  # they share a folder


def test_notebook_trains_once_and_then_shows_the_finished_training(
    few_rows, tmp_path, run_here, monkeypatch
):
    monkeypatch.setattr(checkpoints, "FOLDER", tmp_path / "states")
    few_rows.to_csv(tmp_path / "few.csv", index=False)
    given = {"features": str(tmp_path / "few.csv"), "output": str(tmp_path / "run")}
    given |= {"epochs": 2, "resplit_after": [1]}
    first, again = run_here("resplit", **given), run_here("resplit", **given)
    content, history, predictions = runs.load(tmp_path / "run")
    assert content["parameters"]["resplit_after"] == [1]
    assert len(history) == 2
    later = splits.split(few_rows, "segment", test_size=0.33, seed=1000)
    assert list(predictions["part"]) == list(later)
    assert f"{content['parts']['test']['accuracy']:.2f} % on the last draw" in " ".join(
        first.split()
    )
    assert ["is not repeated" in said for said in (first, again)] == [False, True]
