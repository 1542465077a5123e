"""What was measured where the paper contradicts itself, read off trainings of the recipe study."""

import re

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


def training(folder, name, batch_size, tested, *, of="recipes", **given):
    """Write a training of the recipe study, or of what else is said, with these test accuracies."""
    history = {"epoch": range(1, len(tested) + 1), "test_accuracy": tested}
    fake_run(folder / of / name, SEGMENTS, history=history, batch_size=batch_size, **given)


def test_trainings_are_read_off_where_the_text_says(tmp_path):
    training(tmp_path, "a", 220, [0.1] * 19 + [0.5867, 0.6])
    training(tmp_path, "b", 128, [0.1] * 20)
    training(tmp_path, "c", 220, [0.1] * 20 + [0.8], resplit_after=[10])
    training(tmp_path, "d", 220, [0.1] * 19)
    found = contradictions.measured(tmp_path)
    training(tmp_path, "e", 220, [0.1] * 20, of="claims", model="single-lstm")
    training(tmp_path, "f", 220, [0.1] * 20, of="claims", validation_size=0.2)
    (at_20,) = contradictions.measured(tmp_path).at_20
    assert at_20 == {"recipe": "tanh, rate 0.001", "accuracy": pytest.approx(58.67)}
    (resplit,) = found.resplit
    assert resplit["accuracy"] == pytest.approx(80)


def test_printed_settings_tell_how_many_trainings_learned(tmp_path):
    printed = {"activation": "relu", "learning_rate": 0.01}
    training(tmp_path, "a", 128, [0.1, 0.5, 0.107], **printed)
    training(tmp_path, "a-short", 128, [0.1, 0.5], of="claims", **printed)  # the same, seed 0
    training(tmp_path, "a-1", 128, [0.1, 0.4], of="claims", seed=1, **printed)
    training(tmp_path, "b", 220, [0.1], diverged=True, activation="relu", learning_rate=0.1)
    training(tmp_path, "c", 128, [0.4], dropout=0.2, **printed)
    training(tmp_path, "d", 128, [0.4], learning_rate=0.01)
    slow, fast = contradictions.measured(tmp_path).printed
    assert slow == {"recipe": "relu, rate 0.01", "trainings": 2, "learned": 1, "diverged": 0,
                    "epochs": 3, "best": pytest.approx(50)}  # fmt: skip
    assert fast == {"recipe": "relu, rate 0.1", "trainings": 1, "learned": 0, "diverged": 1,
                    "epochs": 1, "best": pytest.approx(10)}  # fmt: skip


def test_a_training_longer_than_table_one_is_told(tmp_path):
    training(tmp_path, "a", 220, [0.5] * 120)
    assert contradictions.measured(tmp_path).longest is None
    training(tmp_path, "b", 220, [0.5] * 120 + [0.6], of="claims")
    longest = contradictions.measured(tmp_path).longest
    assert longest == {"epochs": 121, "accuracy": pytest.approx(60)}


def test_activations_are_compared_where_nothing_else_differs(tmp_path):
    training(tmp_path, "a", 128, [0.3, 0.107], activation="relu", learning_rate=0.01)
    training(tmp_path, "b", 128, [0.3, 0.11, 0.2], learning_rate=0.01)
    training(tmp_path, "c", 128, [0.3, 0.2], learning_rate=0.01, dropout=0.2)
    training(tmp_path, "d", 220, [0.3, 0.2], learning_rate=0.01)
    training(tmp_path, "e", 128, [0.3, 0.2], learning_rate=0.01, of="claims", optimizer="sgd")
    training(tmp_path, "f", 128, [0.3, 0.2, 0.1], learning_rate=0.01, of="claims", seed=1)
    (pair,) = contradictions.measured(tmp_path).activations
    assert pair == pytest.approx(
        {"batch_size": 128, "learning_rate": 0.01, "epoch": 2, "relu": 10.7, "tanh": 11.0}
    )


def test_without_the_recipe_study_the_decimals_are_left(tmp_path):
    found = contradictions.measured(tmp_path)
    assert (found.at_20, found.printed, found.activations, found.resplit) == ([], [], [], [])
    assert (found.third["segments"], found.third["possible"], found.third["accuracies"]) == (
        3297, 7, 7,
    )  # fmt: skip
    assert found.third["chance"] < 1


def test_what_concerns_the_papers_rows_is_said_of_rows_that_name_them_only(tmp_path, run_here):
    for name, accuracy, paper in (("1", 30.0, {}), ("2", 40.0, 33.45), ("mine", 50.0, 45.92)):
        printed = {"accuracy": paper} if paper else {}
        scores = {"test": {"accuracy": accuracy}}
        fake_run(tmp_path / "rows" / name, SEGMENTS, parts=scores, paper=printed)
    text = " ".join(run_here("contradictions", results=str(tmp_path)).split())
    measured = text[text.index("with batch size 128** (Experiments C)") :]
    assert "40.00 % in row 2." in measured
    assert "50.00 % in row mine." in measured
    assert "in row 1." not in measured


def test_places_are_counted_and_those_measured(tmp_path, run_here):
    def told():
        text = run_here("contradictions", results=str(tmp_path))
        return [int(n) for n in re.findall(r"\d+", text[text.index("places the paper") - 4 :])[:4]]

    fake_run(tmp_path / "rows" / "1", SEGMENTS)
    places, gaps, measured, both = told()
    assert places + gaps == both
    training(tmp_path, "a", 220, [0.1] * 121)  # at epoch 20, and beyond Table I
    assert told() == [places, gaps, measured + 2, both]
