"""What was measured where the paper contradicts itself, read off trainings of the recipe study."""

import pandas as pd
import pytest
from conftest import fake_run

from music_genre.analysis import contradictions

SEGMENTS = pd.DataFrame(
    {
        "filename": ["blues.00000.0.wav", "blues.00001.0.wav", "metal.00000.0.wav"],
        "part": ["test", "test", "train"],
        "label": ["blues", "blues", "metal"],
        "predicted": ["blues", "blues", "metal"],
    }
)


def training(folder, name, batch_size, tested, **given):
    """Write a training of the recipe study with these test accuracies over epochs."""
    history = {"epoch": range(1, len(tested) + 1), "test_accuracy": tested}
    fake_run(folder / name, SEGMENTS, history=history, batch_size=batch_size, **given)


def test_trainings_are_read_off_where_the_text_says(tmp_path):
    training(tmp_path, "a", 220, [0.1] * 19 + [0.5867, 0.6])
    training(tmp_path, "b", 128, [0.1] * 20)
    training(tmp_path, "c", 220, [0.1] * 20 + [0.8], resplit_after=[10])
    training(tmp_path, "d", 220, [0.1] * 19)
    found = contradictions.measured(tmp_path)
    (at_20,) = found.at_20
    assert at_20 == {"recipe": "tanh, rate 0.001", "accuracy": pytest.approx(58.67)}
    (resplit,) = found.resplit
    assert resplit["accuracy"] == pytest.approx(80)


def test_printed_settings_show_their_end_and_their_best_epoch(tmp_path):
    printed = {"activation": "relu", "learning_rate": 0.01}
    training(tmp_path, "a", 128, [0.1, 0.5, 0.107], **printed)
    training(tmp_path, "b", 220, [0.1], diverged=True, activation="relu", learning_rate=0.1)
    training(tmp_path, "c", 128, [0.4], dropout=0.2, **printed)
    training(tmp_path, "d", 128, [0.4], learning_rate=0.01)
    printed = pd.DataFrame(contradictions.measured(tmp_path).printed)
    assert printed["recipe"].to_list() == ["relu, rate 0.01", "relu, rate 0.1"]
    assert printed["diverged"].to_list() == [False, True]
    assert printed["epochs"].to_list() == [3, 1]
    assert printed[["last", "best", "best_epoch"]].to_numpy() == pytest.approx(
        pd.DataFrame([[10.7, 50, 2], [10, 10, 1]]).to_numpy()
    )


def test_activations_are_compared_where_nothing_else_differs(tmp_path):
    training(tmp_path, "a", 128, [0.3, 0.107], activation="relu", learning_rate=0.01)
    training(tmp_path, "b", 128, [0.3, 0.11, 0.2], learning_rate=0.01)
    training(tmp_path, "c", 128, [0.3, 0.2], learning_rate=0.01, dropout=0.2)
    training(tmp_path, "d", 220, [0.3, 0.2], learning_rate=0.01)
    (pair,) = contradictions.measured(tmp_path).activations
    assert pair == pytest.approx({"learning_rate": 0.01, "epoch": 2, "relu": 10.7, "tanh": 11.0})


def test_without_the_recipe_study_the_decimals_are_left(tmp_path):
    found = contradictions.measured(tmp_path / "recipes")
    assert (found.at_20, found.printed, found.activations, found.resplit) == ([], [], [], [])
    assert (found.third["segments"], found.third["possible"], found.third["accuracies"]) == (
        3297, 7, 7,
    )  # fmt: skip
    assert found.third["chance"] < 1
