"""The recipe study: distances worked out by hand."""

import pandas as pd
import pytest
from conftest import SOURCE, fake_run

from music_genre.analysis import recipes
from music_genre.exceptions import InputError
from music_genre.params import check_file
from music_genre.paths import ROOT

PREDICTIONS = pd.DataFrame(
    {
        "filename": [f"{name}.wav" for name in (
            "blues.00000.0", "blues.00001.0", "metal.00000.0", "metal.00000.1")],
        "part": ["test", "test", "train", "train"],
        "label": ["blues", "blues", "metal", "metal"],
        "predicted": ["blues", "blues", "metal", "metal"],
    }
)  # fmt: skip
PAPER = pd.DataFrame(
    {"epochs": [1, 2, 3], "batch_size": [128, 128, 220], "recall": 50.0,
     "accuracy": [30.0, 40.0, 90.0], "activation": "relu", "learning_rate": [0.01, None, 0.1]},
    index=["1", "2", "3"],
)  # fmt: skip


def trained(folder, name, batch_size, test, training, **given):
    history = {"epoch": range(1, len(test) + 1), "accuracy": training, "test_accuracy": test}
    fake_run(
        folder / name, PREDICTIONS, history=history, batch_size=batch_size,
        **{"diverged": given.get("activation") == "relu", **given},
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    trained(tmp_path, "slow", 128, [0.31, 0.42], [0.33, 0.44])
    trained(tmp_path, "short", 128, [0.30], [0.30], dropout=0.2)
    trained(tmp_path, "long", 220, [0.5, 0.6, 0.7], [0.6, 0.7, 0.9])
    trained(tmp_path, "broken", 220, [0.1], [0.1], activation="relu", learning_rate=0.1)
    return tmp_path


def scored(folder):
    trainings, curves = recipes.load(folder)
    return recipes.score(trainings, recipes.points(trainings, curves, PAPER), PAPER)


def test_paper_rows_are_those_of_table_one():
    paper = recipes.paper_rows(ROOT / "params" / "table1")
    assert paper["accuracy"].to_list() == [33.45, 45.92, 57.51, 72.37, 73.37, 91.51, 91.78]
    assert paper["epochs"].to_list() == [7, 20, 40, 40, 50, 90, 120]
    assert paper["learning_rate"].isna().to_list() == [name in "36" for name in paper.index]
    pd.testing.assert_frame_equal(paper, recipes.paper_rows(ROOT / "params" / "table1-as-printed"))


def test_every_recipe_can_be_checked_and_has_a_batch_size_of_the_paper():
    paths = list((ROOT / "params" / "recipes").glob("*.yaml"))
    assert paths
    for path in paths:
        check_file("train", path)
        assert path.stem.startswith(("b128-", "b220-"))


def test_rows_are_points_on_the_curves(folder):
    trainings, curves = recipes.load(folder)
    points = recipes.points(trainings, curves, PAPER).set_index(["name", "row"])
    assert points.loc[("slow", "2"), ["test", "training", "paper"]].to_list() == [42, 44, 40]
    assert points.loc[("slow", "2"), "all"] == pytest.approx(43)  # two of four segments test
    assert ("short", "2") not in points.index  # it ended before
    assert points.loc[("broken", "3"), "test"] == 10  # diverged: no better later


def test_distance_is_the_mean_absolute_difference(folder):
    found = scored(folder)
    assert len(found) == 2  # the short one covers too few rows
    best = found.iloc[0]
    assert best["batch size 220"] == "tanh, rate 0.001"
    assert found["constant"].to_list() == [True, False]
    assert not found["resplit"].any()
    assert best["test"] == pytest.approx((1 + 2 + 20) / 3)
    assert best["training"] == pytest.approx((3 + 4 + 0) / 3)
    assert found.iloc[1]["test"] == pytest.approx((1 + 2 + 80) / 3)
    nearest = recipes.nearest(found)
    assert nearest["measure"].to_list() == recipes.MEASURES
    assert nearest["distance"].to_list() == best[recipes.MEASURES].to_list()


def test_fresh_models_and_one_trained_on_are_compared_each_with_its_kind(folder):
    trained(folder, "again", 220, [0.5, 0.8, 0.9], [0.6, 0.7, 0.9], resplit_after=[1, 2])
    trainings, _ = recipes.load(folder)
    assert trainings.index[trainings["resplit"]].to_list() == ["again"]
    assert trainings.loc["again", "recipe"] == "tanh, rate 0.001, re-split after epoch 1, 2"
    nearest = recipes.nearest(scored(folder)).set_index(["measure", "resplit"])
    assert nearest.loc[("test", False), "distance"] == pytest.approx((1 + 2 + 20) / 3)
    assert nearest.loc[("test", True), "distance"] == pytest.approx((1 + 2 + 0) / 3)
    assert nearest.loc[("test", True), "batch size 128"] == "tanh, rate 0.001"


def test_printed_settings_are_found_among_the_recipes(folder):
    assert recipes.as_printed(scored(folder), PAPER) is None
    trained(folder, "printed", 128, [0.2, 0.1], [0.2, 0.1], activation="relu", learning_rate=0.01)
    found = recipes.as_printed(scored(folder), PAPER)
    assert (found.name, found["batch size 128"], found["batch size 220"]) == (
        3, "relu, rate 0.01", "relu, rate 0.1",
    )  # fmt: skip
    assert recipes.as_printed(scored(folder), PAPER.assign(learning_rate=None)) is None


def test_highest_accuracy_of_every_row_and_by_how_much_the_papers_is_missed(folder):
    trainings, curves = recipes.load(folder)
    highest = recipes.highest(trainings, recipes.points(trainings, curves, PAPER))
    assert highest["row"].to_list() == ["1", "2", "3"]
    assert highest["test"].to_list() == pytest.approx([31, 42, 70])
    assert highest["short"].to_list() == pytest.approx([0, 0, 20])
    assert highest["recipe"].to_list() == ["tanh, rate 0.001"] * 3


def test_trainings_are_listed_with_what_they_reach(folder):
    trainings, curves = recipes.load(folder, ["slow", "short"])
    listed = recipes.by_training(trainings, recipes.points(trainings, curves, PAPER))
    assert listed["row 1"].to_list() == ["30.0 / 30.0", "31.0 / 33.0"]
    assert listed["row 2"].to_list() == ["–", "42.0 / 44.0"]
    assert listed["recipe"].to_list() == ["tanh, rate 0.001, dropout 0.2", "tanh, rate 0.001"]


def test_recipe_with_shuffled_columns_is_one_of_its_own(tmp_path):
    trained(tmp_path, "plain", 128, [0.3], [0.3], shuffle_columns=False)
    trained(tmp_path, "shuffled", 128, [0.3], [0.3], shuffle_columns=True)
    trainings, _ = recipes.load(tmp_path)
    assert trainings["recipe"].to_list() == [
        "tanh, rate 0.001", "tanh, rate 0.001, columns shuffled",
    ]  # fmt: skip


def test_a_recipe_for_some_rows_only_is_not_scored(folder):
    trainings, curves = recipes.load(folder, ["short", "long"])
    with pytest.raises(InputError, match="no recipe covers every row"):
        recipes.score(trainings, recipes.points(trainings, curves, PAPER), PAPER)


def test_trainings_are_compared_on_tables_of_the_same_content_only(folder):
    trained(folder, "copy", 128, [0.3], [0.3], source={**SOURCE, "sha256": "b" * 64})
    recipes.load(folder)
    trained(folder, "other", 128, [0.3], [0.3], source={**SOURCE, "fingerprint": [0.0] * 4})
    with pytest.raises(InputError, match="different features tables"):
        recipes.load(folder)


def test_another_network_is_read_off_at_the_papers_rows():
    curves = pd.DataFrame(
        {
            "batch_size": [128, 128, 220, 220, 220],
            "epoch": [1, 2, 1, 2, 3],
            "test": [31.0, 36.0, 50.0, 60.0, 70.0],
            "training": [35.0, 45.0, 55.0, 65.0, 75.0],
        }
    )
    compared = recipes.compare_at_rows(curves, PAPER)
    assert compared["row"].to_list() == ["1", "2", "3"]
    assert compared["test"].to_list() == [31, 36, 70]
    assert compared["training"].to_list() == [35, 45, 75]
    assert compared["difference"].to_list() == [1, -4, -20]
