"""What the paper says beside Table I, read off made-up trainings."""

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from conftest import SOURCE, fake_run

from music_genre.analysis import claims, explanations
from music_genre.data import find, table
from music_genre.data.table import Source
from music_genre.metrics.classification import NAMES
from music_genre.models import dense, runs
from music_genre.params import check_file
from music_genre.paths import ROOT


def predicted(share, parts=("test", "train")):
    """Return predictions of 100 segments of each part, with this share correct in each."""
    label = np.array(["blues", "metal"] * 50 * len(parts))
    right = np.tile(np.arange(100) < round(100 * share), len(parts))
    return pd.DataFrame(
        {
            "filename": [f"{genre}.{i:05d}.0.wav" for i, genre in enumerate(label)],
            "part": np.repeat(parts, 100),
            "label": label,
            "predicted": np.where(right, label, np.array(["metal", "blues"] * 50 * len(parts))),
        }
    )


def trained(folder, name, accuracies, *, parts=("test", "train"), **given):
    """Write a training whose test accuracy is as given, scored after every epoch."""
    history = {"epoch": range(1, len(accuracies) + 1), "test_accuracy": accuracies}
    after = {epoch: predicted(one, parts) for epoch, one in enumerate(accuracies[:-1], start=1)}
    fake_run(folder / name, predicted(accuracies[-1], parts), history=history, after=after, **given)


def study(folder, **given):
    """Write a study of a few trainings; ``given`` are further arguments of ``fake_run``."""
    printed = {"activation": "relu", "learning_rate": 0.01, "batch_size": 128, **given}
    said, other, rows = folder / "claims", folder / "recipes", folder / "rows"
    trained(said, "relu-0", [0.4, 0.1], **printed)
    trained(said, "relu-1", [0.3, 0.5], seed=1, **printed)
    trained(other, "relu", [0.4, 0.1, 0.2], **printed)  # seed 0, one epoch more
    for optimizer, rate, validated in [("sgd", 0.1, 0.3), ("sgd", 0.3, 0.4), ("adam", 0.003, 0.5)]:
        trained(
            said, f"rate-{optimizer}-{rate}", [validated], optimizer=optimizer, learning_rate=rate,
            validation_size=0.2, parts=("test", "train", "validation"), **given,
        )  # fmt: skip
    trained(said, "sgd", [0.2, 0.6], optimizer="sgd", learning_rate=0.3, **given)
    trained(rows, "4", [0.3, 0.7], learning_rate=0.003, **given)
    trained(said, "long", [0.3, 0.7, 0.9, 0.8], learning_rate=0.003, **given)
    trained(other, "again", [0.1, 0.1], resplit_after=[1], **given)
    return folder


@pytest.fixture
def folder(tmp_path):
    return study(tmp_path)


def load(folder):
    return claims.load([folder / name for name in ("rows", "recipes", "claims")], Source(**SOURCE))


def test_trainings_on_re_drawn_splits_and_on_other_tables_are_left_out(folder):
    done = load(folder)
    assert "again" not in {run.name for run in done["run"]}
    other = Source(**{**SOURCE, "fingerprint": [0.0] * 4})
    assert claims.load([folder / "claims"], other).empty


def test_of_equal_trainings_the_longest_counts(folder):
    printed = claims.select(load(folder), activation="relu", learning_rate=0.01, batch_size=128)
    assert {run.name for run in printed["run"][printed["seed"] == 0]} == {"relu"}
    by_seed = claims.by_seed(printed, [1, 2])
    assert by_seed[["seed", "epoch"]].to_numpy().tolist() == [[0, 1], [0, 2], [1, 1], [1, 2]]
    assert by_seed["accuracy"].to_list() == pytest.approx([40, 10, 30, 50])
    courses = claims.courses(printed)
    assert courses["best"].to_list() == pytest.approx([40, 50])
    assert courses["last"].to_list() == pytest.approx([20, 50])
    assert courses["learned"].to_list() == [True, True]


def test_diverged_training_is_listed_where_it_ended(folder):
    trained(
        folder / "claims", "relu-2", [0.1], seed=2, activation="relu", learning_rate=0.01,
        batch_size=128, diverged=True,
    )  # fmt: skip
    printed = claims.select(load(folder), activation="relu", learning_rate=0.01, batch_size=128)
    by_seed = claims.by_seed(printed, [2]).set_index("seed")
    assert by_seed.loc[2, "epoch"] == 1
    courses = claims.courses(printed)
    assert courses.loc[2, "diverged"]
    assert not courses.loc[2, "learned"]


def test_rates_are_chosen_on_validation_segments(folder):
    rates = claims.chosen_rates(load(folder))
    assert rates[["optimizer", "learning_rate"]].to_numpy().tolist() == [
        ["adam", 0.003], ["sgd", 0.1], ["sgd", 0.3],
    ]  # fmt: skip
    assert rates["validation"].to_list() == pytest.approx([50, 30, 40])
    assert rates["chosen"].to_list() == [True, False, True]


def test_optimizers_are_tested_at_their_chosen_rates(folder):
    done = load(folder)
    tested = claims.optimizers(done, claims.chosen_rates(done), epoch=2)
    assert tested["optimizer"].to_list() == ["adam", "sgd"]
    assert tested["accuracy"].to_list() == pytest.approx([70, 60])
    listed = claims.with_rates_tried(tested, claims.chosen_rates(done)).set_index("optimizer")
    assert listed.loc["sgd", "rates tried"] == "0.1 (30.0), 0.3 (40.0)"
    assert listed["rate chosen"].to_dict() == {"adam": "0.003", "sgd": "0.3"}


def test_a_longer_training_than_table_one_has_a_last_and_a_best_epoch(folder):
    found = claims.select(load(folder), learning_rate=0.003, batch_size=220, seed=0)
    assert claims.longer(found, 4) is None
    run = claims.longer(found, 3)
    assert run.name == "long"
    course = claims.course(run)
    assert course == pytest.approx(
        {"epochs": 4, "last": 80, "best": 90, "best_epoch": 3, "breakdowns": 1}
    )


def test_batch_sizes_are_compared_at_one_rate(folder):
    trained(folder / "recipes", "small", [0.5, 0.65], batch_size=128)
    trained(folder / "recipes", "large", [0.5, 0.6])
    sizes = claims.batch_sizes(load(folder), epoch=2, learning_rate=0.001)
    assert sizes == pytest.approx({128: 65, 220: 60})


def test_every_training_can_be_checked_and_the_chosen_rates_were_tried():
    paths = list((ROOT / "params" / "claims").glob("*.yaml"))
    assert paths
    for path in paths:
        check_file("train", path)
    tried = {path.stem for path in paths if path.stem.startswith("rate-")}
    for name in ("sgd", "rmsprop", "adagrad", "nadam", "adam"):
        assert len([one for one in tried if one.startswith(f"rate-{name}-")]) > 1


@pytest.mark.parametrize("measured", [True, False])
def test_notebook_says_what_was_measured_and_what_not(tmp_path, run_here, measured):
    sample = str(find.SAMPLE_TABLE)
    _, source = table.load(sample)
    lines = [
        {"batch_size": 128, "epoch": epoch, "seed": 0, "measure": measure, "segments": 9,
         **dict.fromkeys(NAMES, 90.0), **{f"{name} SD": 0.0 for name in NAMES}}
        for epoch in (120, 600) for measure in explanations.MEASURES
    ]  # fmt: skip
    identity = dense.identity(source, epochs={128: [7, 20, 40, 50, 90, 120, 600]}, seeds=[0])
    if measured:
        study(tmp_path, source=asdict(source))
    runs.kept(tmp_path / "claims" / "dense-600.csv", identity, lambda: pd.DataFrame(lines))
    said = run_here("claims", results=str(tmp_path), features=sample)
    assert "nan" not in said
    assert "None" not in said
    assert "- \n" not in said
    assert "reaches 90.00 % on" in " ".join(said.split())
    assert said.count("Not measured in this report") == (5 if measured else 6)
    learned = "**Rate 1e-2.** Of 2 trainings, 2 end above guessing"
    assert (learned in " ".join(said.split())) == measured


@pytest.mark.parametrize(
    ("tested", "falls"),
    [
        ([10, 50, 70, 72, 71, 74], 0),
        ([10, 70, 59, 70], 1),  # by eleven points, and made good
        (
            [70, 30, 50, 58, 66, 55],
            2,
        ),  # again, after four points of the best were left to make good
        ([70, 40, 59, 60.5, 59], 1),  # within one fall
    ],
)
def test_breakdowns_are_counted(tested, falls):
    assert claims._breakdowns(pd.Series(tested, dtype=float)) == falls
