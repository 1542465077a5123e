"""The search for settings: resumable, and blind to the test part."""

import numpy as np
import pandas as pd
import pytest
from conftest import SOURCE

from music_genre.data import splits
from music_genre.data.columns import INPUTS, MORE
from music_genre.data.table import Source
from music_genre.exceptions import InputError
from music_genre.models import tuning

GIVEN = {
    "model": "mlp", "epochs": 1, "batch_size": 16, "learning_rate": 1e-3, "weight_decay": 0.1,
    "label_smoothing": 0.1, "dropout": 0.1, "scaling": "power", **tuning.FIXED,
}  # fmt: skip


def score(settings):
    return 50 - 10 * settings["dropout"] - settings["label_smoothing"]


def search(path, trials, seed=0, **changed):
    identity = {"source": Source(**SOURCE), "more": None, "split": "track", "test_size": 0.33}
    found = tuning.search(
        score, path, models=["mlp", "gru"], trials=trials, seed=seed, identity=identity | changed
    )
    return found.drop(columns=tuning.TIME)


def test_search_that_was_stopped_goes_on_with_the_same_trials(tmp_path):
    expected = search(tmp_path / "a.csv", 13)
    for trials in (4, 11, 13):
        found = search(tmp_path / "b.csv", trials)
        pd.testing.assert_frame_equal(found, expected[:trials], check_exact=True)
    assert not search(tmp_path / "c.csv", 4, seed=1).equals(expected[:4])


def test_trials_of_another_search_are_neither_gone_on_from_nor_lost(tmp_path):
    path = tmp_path / "track.csv"
    second = {"path": "t.more.csv", "sha256": "a" * 64, "fingerprint": [1.0, 2.0, 3.0, 4.0]}
    expected = search(path, 2, more=second)
    copy = Source(**{**SOURCE, "path": "copy.csv", "sha256": "b" * 64})
    search(path, 3, more={**second, "sha256": "c" * 64}, source=copy)  # other line endings
    kept = path.read_bytes()
    other = Source(**{**SOURCE, "fingerprint": [1.0, 2.0, 3.0, 5.0]})
    for changed, name in [
        ({"source": other}, "features"),
        ({"more": None}, "more"),
        ({"more": {**second, "sha256": "d" * 64, "fingerprint": [9.0, 2.0, 3.0, 4.0]}}, "more"),
        ({"seed": 1}, "seed"),
        ({"split": "artist", "test_size": 0.2}, "split, test_size"),
    ]:
        with pytest.raises(
            InputError, match=rf"track\.csv holds .*another value of {name}: .*move"
        ):
            search(path, 4, **{"more": second, **changed})
    path.with_suffix(".json").unlink()  # as of trials that an earlier version made
    with pytest.raises(InputError, match=r"not known what they were made with, .*no track\.json"):
        search(path, 4, more=second)
    assert path.read_bytes() == kept
    path.rename(tmp_path / "away.csv")
    assert search(path, 2, more=second).equals(expected)


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
    further.iloc[::-1].set_index(noise["filename"]).to_csv(tmp_path / "t.more.csv")
    with pytest.raises(InputError, match="another value of more, validation_size"):
        run_here("tune", **given, trials=3, output=str(tmp_path / "b"), validation_size=0.4)
    assert {path.name for path in (tmp_path / "b").iterdir()} == {
        "track-more.csv", "track-more.json", "track-more.yaml",
    }  # fmt: skip
