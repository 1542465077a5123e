"""The model for use: chosen on tracks and artists that it has not heard, and honest about them."""

import numpy as np
import pandas as pd
import pytest
from conftest import SHARED, SOURCE, needs_shared
from scipy.special import softmax

from music_genre.data import splits, table
from music_genre.data.table import Source, tracks
from music_genre.exceptions import InputError
from music_genre.models import portable, use
from music_genre.report import readme

QUICK = {
    "logistic regression, C 0.01": use.Linear(0.01),
    "logistic regression, inputs only scaled, C 0.1": use.Linear(0.1, power=False),
}
TABLE = Source(**SOURCE)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(use, "CANDIDATES", QUICK)


def drawn(segments, **given):
    return use.draw(segments, ["track"], **{"test_size": 0.33, "folds": 2, "seed": 0, **given})[0]


def test_folds_and_test_keep_tracks_whole_and_hold_all_segments(few_rows):
    parts = drawn(few_rows)["track"]
    assert set(parts) == {"test", "fold 1", "fold 2"}
    assert (pd.Series(parts).groupby(tracks(few_rows)).nunique() == 1).all()


@needs_shared
def test_folds_by_artist_share_no_artist():
    segments, _ = table.load(str(SHARED / "whole" / "features_3_sec.csv"))
    parts, left_out = use.draw(
        segments, ["track", "artist"], test_size=0.33, folds=5, seed=0, table_folder=SHARED
    )
    assert not left_out
    of, artists = parts["artist"], splits.artists(segments, SHARED)
    assert set(of) == {"test", "unused", *(f"fold {i}" for i in range(1, 6))}
    used = of != "unused"
    assert pd.Series(of[used]).groupby(artists[used].to_numpy()).nunique().max() == 1
    assert used.sum() == use.usable(parts).sum() == 9290


def test_split_that_the_table_does_not_allow_is_left_out_with_its_reason(few_rows):
    parts, left_out = use.draw(few_rows, ["track", "artist"], test_size=0.33, folds=2, seed=0)
    assert list(parts) == ["track"]
    assert list(left_out) == ["artist"]
    with pytest.raises(InputError, match="artist"):
        use.draw(few_rows, ["artist"], test_size=0.33, folds=2, seed=0)


def test_too_many_folds_are_refused(few_rows):
    with pytest.raises(InputError, match="cannot be cut into 10 folds"):
        drawn(few_rows, folds=10)  # of 8 tracks
    alone = few_rows[
        (few_rows["label"] != "metal") | few_rows["filename"].str.contains("00[01]\\.")
    ]
    with pytest.raises(InputError, match=r"all of metal is in one"):
        drawn(alone.reset_index(drop=True), test_size=0.5)


def test_choice_does_not_depend_on_the_test_part(few_rows, quick, tmp_path):
    parts = drawn(few_rows)
    test = parts["track"] == "test"
    other = few_rows.copy()
    other.loc[test, "label"] = np.roll(few_rows.loc[test, "label"], 7)
    changed = few_rows.copy()
    changed.loc[~test, "label"] = np.roll(few_rows.loc[~test, "label"], 7)

    def compare(segments, name):
        found = use.compare(tmp_path / name, segments, parts, source=TABLE, seed=0)
        return found.drop(columns="seconds")

    first = compare(few_rows, "a")
    assert compare(other, "b").equals(first)
    assert not compare(changed, "c").equals(first)


def test_the_lowest_log_loss_on_the_strictest_split_is_chosen():
    candidates = pd.DataFrame(
        [("track", "a", 90, 0.1), ("track", "b", 80, 0.9), ("artist", "a", 60, 1.2),
         ("artist", "b", 50, 1.1)],
        columns=["split", "model", "accuracy", "log loss"],
    )  # fmt: skip
    assert use.choose(candidates) == ("artist", "b")


def test_joined_networks_have_the_mean_of_their_logits():
    rng = np.random.default_rng(0)
    each = [
        [rng.standard_normal(shape) for shape in ((3, 4), (4,), (4, 2), (2,))] for _ in range(3)
    ]
    x = rng.standard_normal((5, 3))
    logits = [np.maximum(x @ a + b, 0) @ c + d for a, b, c, d in each]
    expected = softmax(np.mean(logits, axis=0), axis=1)
    assert use.joined(each).predict(x, verbose=0) == pytest.approx(expected, abs=1e-5)


def of_tracks(probabilities, labels, part):
    return pd.DataFrame(
        {
            "split": "track", "part": part, "track": [f"{part} {i}" for i in range(len(labels))],
            "label": labels, "predicted": np.where(np.array(probabilities) > 0.5, "a", "b"),
            "distance": np.arange(1.0, len(labels) + 1), "probability of a": probabilities,
            "probability of b": 1 - np.array(probabilities),
        }
    )  # fmt: skip


def test_what_to_expect_by_hand():
    # In the folds, three of four are right, all equally sure: a temperature that says so exists.
    folds = of_tracks([0.9, 0.9, 0.9, 0.9], ["a", "a", "a", "b"], "folds")
    test = of_tracks([0.95, 0.95, 0.6, 0.4], ["a", "b", "a", "a"], "test")
    measured = pd.concat([folds, test], ignore_index=True)
    calibrated = use.calibrate(measured, "track")
    assert calibrated["temperature"] == pytest.approx(np.log(9) / np.log(3), rel=1e-3)
    assert calibrated["threshold"] == pytest.approx(0.75, abs=1e-4)
    assert calibrated["limit"] == pytest.approx(3.97)  # between 3 and 4
    found = use.expect(measured, calibrated, {}).iloc[0]
    assert (found["tracks"], found["accuracy"], found["sure"]) == (4, 50, 50)
    assert (found["accuracy if sure"], found["if unsure"], found["outside"]) == (50, 50, 25)


def test_notebook_writes_a_model_that_is_known_again(run_here, quick, tmp_path, monkeypatch):
    text = run_here("use", folds=2, output=str(tmp_path))
    assert "Music was not held out by artist" in text
    model = portable.load(tmp_path)
    assert model.card["trained on"] == {"segments": 500, "tracks": 100}
    assert 0 < model.threshold < 1 < model.limit
    (expected,) = model.card["held out"]
    card = (tmp_path / "README.md").read_text()
    assert f"{expected['accuracy']:.1f} % |" in card
    assert "embedded sample, which is too small" in card
    assert card == readme.card(model)

    monkeypatch.setattr(use, "fit", None)  # nothing is trained again
    before = (tmp_path / "model.json").stat().st_mtime_ns
    run_here("use", folds=2, output=str(tmp_path))
    assert (tmp_path / "model.json").stat().st_mtime_ns == before


def test_names_of_genres_and_clips_are_text_in_the_card():
    name = "<b>*|_rock"
    model = portable.Portable(
        "x", [name, "b"], [], None, None, None, limit=1.0, threshold=0.5,
        card={
            "source": SOURCE, "split": "track", "trained on": {"tracks": 1, "segments": 1},
            "chosen on": {"models": 1, "folds": 2, "tracks": 3, "accuracy": 1.0},
            "held out": [{"split": "track", "tracks": 1, "accuracy": 1.0, "low": None, "high": None,
                          "sure": 1.0, "accuracy if sure": 1.0, "if unsure": None}],
            "left out": [name], "fit": "",
            "provenance": {"created": "2026-01-01", "commit": "a", "python": "3", "packages": {}},
        },
    )  # fmt: skip
    card = readme.card(model)
    assert "<b>" not in card
    assert "labels of 2001" not in card


def test_published_model_loads_and_its_card_says_what_was_measured():
    model = portable.load(portable.PUBLISHED_MODEL)
    assert (portable.PUBLISHED_MODEL / "README.md").read_text(encoding="utf-8") == readme.card(
        model
    )
    held_out = pd.read_csv(portable.PUBLISHED_MODEL / "held_out.csv")
    tested = held_out[held_out["part"] == "test"]
    right = 100 * (tested["label"] == tested["predicted"]).groupby(tested["split"]).mean()
    said = {of["split"]: of["accuracy"] for of in model.card["held out"]}
    assert said == pytest.approx(right.to_dict())
    of_folds = held_out[(held_out["split"] == model.card["split"]) & (held_out["part"] == "folds")]
    assert not set(of_folds["track"]) & set(tested[tested["split"] == "artist"]["track"])
    assert use.calibrate(held_out, "artist") == pytest.approx(
        {name: getattr(model, name) for name in ("temperature", "threshold", "limit")}
    )
