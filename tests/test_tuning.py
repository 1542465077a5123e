"""The search for settings: resumable, and blind to the test part."""

import numpy as np
import pandas as pd
import pytest

from music_genre.data import splits
from music_genre.data.columns import INPUTS, MORE
from music_genre.models import tuning

GIVEN = {
    "model": "mlp", "epochs": 1, "batch_size": 16, "learning_rate": 1e-3, "weight_decay": 0.1,
    "label_smoothing": 0.1, "dropout": 0.1, "scaling": "power", **tuning.FIXED,
}  # fmt: skip


def score(settings):
    return 50 - 10 * settings["dropout"] - settings["label_smoothing"]


def search(path, trials, seed=0):
    found = tuning.search(score, path, models=["mlp", "gru"], trials=trials, seed=seed)
    return found.drop(columns=tuning.TIME)


def test_search_that_was_stopped_goes_on_with_the_same_trials(tmp_path):
    expected = search(tmp_path / "a.csv", 13)
    for trials in (4, 11, 13):
        found = search(tmp_path / "b.csv", trials)
        pd.testing.assert_frame_equal(found, expected[:trials], check_exact=True)
    assert not search(tmp_path / "c.csv", 4, seed=1).equals(expected[:4])


def test_search_learns_and_the_best_trial_is_the_one_with_the_highest_score(tmp_path):
    found = search(tmp_path / "a.csv", 40)
    late, early = found[tuning.SCORE][-15:].mean(), found[tuning.SCORE][: tuning.RANDOM].mean()
    assert late > early
    best = tuning.best(found.assign(**{tuning.TIME: 1.0}))
    assert score(best) == pytest.approx(found[tuning.SCORE].max())
    assert tuning.FIXED.items() <= best.items()
    assert all(type(value) in (int, float, str) for value in best.values())


def test_test_segments_have_no_say_in_a_score(few_rows):
    parts = splits.split(few_rows, "track", test_size=0.33, seed=3)
    parts = splits.set_aside(few_rows, parts, "track", share=0.4, seed=3)
    spoilt = few_rows.astype(dict.fromkeys(INPUTS, float))
    spoilt.loc[parts == "test", INPUTS] = np.random.default_rng(0).normal(size=58) * 1e3
    spoilt.loc[parts == "test", "label"] = spoilt["label"].iloc[0]
    more = pd.DataFrame({"flux_mean": np.arange(len(few_rows)) % 7.0}, few_rows.index)
    spoilt_more = more.assign(flux_mean=more["flux_mean"].mask(parts == "test", -1e3))
    scores = [
        tuning.on_validation(GIVEN, table, parts, seed=0, more=further)
        for table, further in [(few_rows, more), (spoilt, spoilt_more)]
    ]
    assert scores[0] == scores[1]
    n = splits.tracks(few_rows)[parts == "validation"].nunique()
    assert scores[0] * n / 100 == pytest.approx(round(scores[0] * n / 100))  # whole tracks


def of_genres(rows):
    """Return a second table that tells the genre, for a first one that is noise."""
    rng = np.random.default_rng(0)
    noise = rows.astype(dict.fromkeys(INPUTS, float))
    noise[INPUTS[1:]] = rng.normal(size=(len(rows), 57))
    telling = np.eye(3)[pd.factorize(rows["label"])[0]][:, np.arange(len(MORE)) % 3]
    return noise, pd.DataFrame(telling + rng.normal(scale=0.1, size=telling.shape), columns=MORE)


def test_a_score_rises_where_a_second_table_tells_the_genre(few_rows):
    noise, further = of_genres(few_rows)
    parts = splits.split(noise, "track", test_size=0.33, seed=3)
    parts = splits.set_aside(noise, parts, "track", share=0.4, seed=3)
    given = {**GIVEN, "epochs": 30, "scaling": "standard"}
    assert tuning.on_validation(given, noise, parts, seed=0) < 70
    assert tuning.on_validation(given, noise, parts, seed=0, more=further) == 100


@pytest.mark.slow
def test_notebook_that_was_stopped_goes_on_with_the_same_trials_on_two_tables(
    few_rows, tmp_path, run_here
):
    noise, further = of_genres(few_rows)
    noise.to_csv(tmp_path / "t.csv", index=False)
    noise[["filename"]].join(further).to_csv(tmp_path / "t.more.csv", index=False)
    given = {"features": str(tmp_path / "t.csv"), "more": str(tmp_path / "t.more.csv")}
    for output, trials in [("a", 2), ("b", 1), ("b", 2)]:
        text = run_here("tune", **given, trials=trials, output=str(tmp_path / output))
    once, twice = (
        pd.read_csv(tmp_path / f"{of}/track-more.csv").drop(columns=tuning.TIME) for of in "ab"
    )
    pd.testing.assert_frame_equal(once, twice, check_exact=True)
    assert once[tuning.SCORE].max() == 100  # which the first table could not tell
    assert "make beyond MORE=1" in text
    assert {path.name for path in (tmp_path / "b").iterdir()} == {
        "track-more.csv", "track-more.yaml",
    }  # fmt: skip
