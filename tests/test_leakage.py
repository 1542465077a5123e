"""The same models on every split: scores, comparisons and leaks worked out by hand."""

import dataclasses
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from conftest import SOURCE, fake_run, fake_split

from music_genre.analysis import leakage
from music_genre.analysis.leakage import LSTM
from music_genre.data import splits
from music_genre.data.columns import COLUMNS, INPUTS
from music_genre.data.table import Source
from music_genre.data.table import load as load_table
from music_genre.exceptions import InputError
from music_genre.models import baselines, crossvalidation
from music_genre.provenance import read_json, write_json
from music_genre.report.figures import leakage as figures

FOUR = {"files": [f"{track}.0.wav" for track in ("a.00000", "a.00001", "b.00000", "b.00001")],
        "label": list("aabb")}  # fmt: skip
TRUE = FOUR["label"]
ONE_WRONG, ALL_A, ALL_WRONG = list("aaba"), list("aaaa"), list("bbaa")
THREE = {"k nearest neighbours": ONE_WRONG, "majority class": ALL_A, "RBF-SVM": ALL_WRONG}


@pytest.fixture
def folder(tmp_path):
    fake_split(tmp_path, "segment", TRUE, THREE, **FOUR)
    fake_split(tmp_path, "track", ALL_A, {**THREE, "k nearest neighbours": list("abaa")}, **FOUR)
    return tmp_path


def summed_up(compared):
    comparisons = {name: leakage.compare_with_lstm(one) for name, one in compared.items()}
    return leakage.summary(leakage.scores(compared), comparisons)


def test_scores_by_hand(folder):
    compared, left_out = leakage.load(folder)
    assert list(compared) == ["segment", "track"]
    assert left_out == {}
    scores = leakage.scores(compared).set_index(["split", "model"])
    one = scores.loc[("segment", "k nearest neighbours")]
    # Three of four tracks right: the interval of tests/test_intervals.py. a: precision 2/3,
    # recall 1, F1 0.8; b: precision 1, recall 1/2, F1 2/3.
    assert one[["accuracy", "low", "high"]].to_list() == [75, 25, 100]
    assert one["f1"] == pytest.approx(100 * (0.8 + 2 / 3) / 2)
    own = scores.loc[("segment", LSTM)]
    assert own[["accuracy", "track accuracy", "seconds to train"]].to_list() == [100, 100, 6]
    assert np.isnan(own["ms per segment"])  # not measured in this run


def test_time_to_predict_is_the_runs_own(folder):
    path = folder / "segment" / "lstm" / "metrics.json"
    write_json(path, {**read_json(path), "seconds_per_segment": 0.002})
    compared, _ = leakage.load(folder)
    assert compared["segment"].models.loc[LSTM, "ms per segment"] == 2


def test_one_is_better_only_where_the_interval_excludes_zero(folder):
    compared, _ = leakage.load(folder)
    comparison = leakage.compare_with_lstm(compared["segment"]).set_index("model")
    assert list(comparison.index) == ["k nearest neighbours", "majority class", "RBF-SVM"]
    # One wrong of four is absent from 0.32 of the draws, two from 0.06: both above 0.025.
    assert comparison.loc["k nearest neighbours", ["low", "high"]].to_list() == [0, 75]
    assert comparison.loc["RBF-SVM", ["difference", "low", "high"]].to_list() == [100, 100, 100]
    assert comparison["favours"].isna().to_list() == [True, True, False]
    assert comparison.loc["RBF-SVM", "favours"] == LSTM


def test_summary_counts_what_the_intervals_favour(folder):
    found = summed_up(leakage.load(folder)[0])
    assert list(found) == ["segment", "track"]
    one = found["segment"]
    assert (one["accuracy"], one["best"], one["best_accuracy"]) == (100, "k nearest neighbours", 75)
    assert one["favours"] is None
    assert [one["better"], one["undecided"], one["worse"]] == [0, 2, 1]
    assert one["guessing"] == 50
    assert found["track"]["best"] == "majority class"


def test_simpler_model_that_is_better_is_favoured(tmp_path):
    fake_split(tmp_path, "segment", ALL_WRONG, {"RBF-SVM": TRUE}, **FOUR)
    compared, _ = leakage.load(tmp_path)
    one = summed_up(compared)["segment"]
    assert (one["favours"], one["difference"]) == ("best", -100)
    assert [one["better"], one["undecided"], one["worse"]] == [1, 0, 0]
    assert one["guessing"] is None
    drops = leakage.accuracy_drops(leakage.scores(compared))
    assert list(drops) == ["model", "segment"]
    assert leakage.drop_ranges(drops, {"segment": np.array(["train"])}, pd.DataFrame()) == []


def test_what_leaks_are_worth_by_hand(folder):
    compared, _ = leakage.load(folder)
    drops = leakage.accuracy_drops(leakage.scores(compared)).set_index("model")
    assert drops.loc[LSTM].to_list() == [100, 50, 50]
    assert drops.loc["k nearest neighbours"].to_list() == [75, 25, 50]
    assert drops.loc["majority class"].to_list() == [50, 50, 0]
    parts = {name: np.array(["train", "train", "test"]) for name in compared}
    shared = pd.DataFrame({"split": ["segment", "track"], "tracks": [2, 0]}, dtype=object)
    (step,) = leakage.drop_ranges(drops.reset_index(), parts, shared)
    # 50, 50 and the SVM's 0: it is wrong everywhere on both; the majority class does not count.
    assert step["mean"] == pytest.approx(100 / 3)
    assert (step["models"], step["least"], step["least_model"]) == (3, 0, "RBF-SVM")
    assert (step["most"], step["lstm"], step["train_stricter"]) == (50, 50, 2)
    assert (step["no_longer_shared"], step["leaves_out"]) == (["tracks"], "")
    shared["tracks"] = 0  # one segment per track
    assert leakage.drop_ranges(drops.reset_index(), parts, shared)[0]["no_longer_shared"] == []


def test_intervals_of_the_split_by_artist_draw_artists(tmp_path, monkeypatch):
    fake_split(tmp_path, "artist", TRUE, THREE, **FOUR)
    known = pd.Series(["Ann", "Ann", "Bob", np.nan])
    monkeypatch.setattr(splits, "artists", lambda table, table_folder: known)
    compared, _ = leakage.load(tmp_path)
    assert compared["artist"].groups.to_list() == ["Ann", "Ann", "Bob", "b.00001"]


def test_split_that_failed_is_left_out_with_its_reason(folder):
    write_json(folder / "artist" / "lstm" / "failed.json", {"error": "InputError: no lists."})
    compared, left_out = leakage.load(folder)
    assert list(compared) == ["segment", "track"]
    assert left_out == {"artist": "no lists."}
    with pytest.raises(InputError, match=r"no split that was trained: .*Split by artist: no lists"):
        leakage.load(folder, ["artist"])


def test_runs_that_do_not_go_together_are_told(folder):
    two = pd.DataFrame({"filename": FOUR["files"][:2], "part": "test", "label": TRUE[:2],
                        "predicted": TRUE[:2]})  # fmt: skip
    fake_run(folder / "track" / "lstm", two, split="track")
    with pytest.raises(InputError, match="not tested on the same segments: run both notebooks"):
        leakage.load(folder)
    with pytest.raises(InputError, match="holds no split that was trained: run `make report"):
        leakage.load(folder / "nothing")


def test_tables_are_told_apart_by_their_content_not_their_file(folder):
    copy = {**SOURCE, "path": "copy.csv", "sha256": "b" * 64}
    fake_split(folder, "track", TRUE, THREE, **FOUR, source=copy)
    assert list(leakage.load(folder)[0]) == ["segment", "track"]
    other = {**SOURCE, "fingerprint": [9.0, 2.0, 3.0, 4.0]}
    fake_split(folder, "track", TRUE, THREE, **FOUR, source=other)
    with pytest.raises(InputError, match="holds splits of different tables"):
        leakage.load(folder)


def test_best_epoch_and_the_last(folder):
    compared, _ = leakage.load(folder, ["track"])
    (line,) = leakage.best_epochs(compared).to_dict("records")
    assert line["last epoch"] == 3
    assert line["best epoch"] == 2
    assert line["difference"] == pytest.approx(90 - 70)


def test_scaling_on_all_segments_by_hand(tmp_path):
    # Train: a (0, 0) and b (2, 1), standard deviations 1 and 0.5. Test: b (0.2, 1) and b (0, 100).
    # Squared distances to a and b with the training segments' scaling: 4.04 and 3.24; 40,000 and
    # 39,208: both b. With that of all, 0.84 and 43: 0.06 and 4.6; 5.4 and 10.9: both a.
    files = ["a.00000.0.wav", "b.00000.0.wav", "b.00001.0.wav", "b.00002.0.wav"]
    segments = pd.DataFrame(0.0, index=range(4), columns=INPUTS).assign(
        filename=files, label=list("abbb"), tempo=[0, 2, 0.2, 0], length=[0, 1, 1, 100]
    )[COLUMNS]
    test = {"files": files[2:], "label": ["b", "b"]}
    chosen = {"k nearest neighbours": {"n_neighbors": 1}}
    right = {"k nearest neighbours": ["b", "b"]}
    fake_split(tmp_path, "segment", ["b", "a"], right, **test, chosen=chosen)
    train_scaled = pd.DataFrame(
        {"filename": files[2:], "part": "test", "label": "b", "predicted": "b"}
    )
    fake_run(tmp_path / "segment" / "scaled on train", train_scaled, scale_on="train")
    compared, _ = leakage.load(tmp_path)
    rescaled = baselines.rescaled(
        tmp_path, segments, np.array(["train", "train", "test", "test"]),
        source=Source(**SOURCE), chosen=chosen, seed=0,
    )  # fmt: skip
    scaled = leakage.scaling(compared, {"segment": rescaled}).set_index("model")
    assert list(scaled.index) == ["k nearest neighbours", LSTM]  # of those compared
    measured = ["training segments", "all segments", "difference"]
    assert scaled.loc["k nearest neighbours", measured].to_list() == [100, 0, -100]
    assert scaled.loc[LSTM, measured].to_list() == [100, 50, -50]


def test_tables_other_than_the_one_measured_on_are_refused(folder, few_rows, tmp_path):
    few_rows.to_csv(tmp_path / "other.csv", index=False)
    segments, source = load_table(str(tmp_path / "other.csv"))
    compared, _ = leakage.load(folder)
    with pytest.raises(InputError, match="and this is .*: name that table with features"):
        leakage.split_again(compared, segments, source)


def test_figure_shows_accuracies_of_0_and_100_whole_and_names_every_split(folder):
    (ax,) = figures.by_split(leakage.scores(leakage.load(folder)[0]), 100.0).axes
    low, high = ax.get_xlim()
    assert low < 0
    assert high > 100
    texts = " ".join(text.get_text() for text in ax.texts)
    assert all(f" by {name}" in texts for name in ("segment", "track"))


def test_unknown_leaks_are_missing(few_rows):
    parts = {"track": splits.split(few_rows, "track", test_size=0.33, seed=0)}
    (line,) = leakage.leak_counts(few_rows, parts).to_dict("records")
    assert (line["split"], line["parts"], line["tracks"]) == ("track", "train and test", 0)
    assert line["equal segments"] == 0


def test_folds_are_fitted_once(few_rows, tmp_path, monkeypatch):
    folds, left_out = crossvalidation.draw_folds(few_rows, n=2)
    assert list(folds) == ["segment", "track"]  # the split by artist has none
    assert left_out == {}
    source = Source(**SOURCE)
    first = crossvalidation.cross_validate(tmp_path, few_rows, folds, source=source)
    assert len(first) == 2 * 3 * 2
    assert first["accuracy"].between(0, 100).all()
    monkeypatch.setattr(crossvalidation, "threadpool_limits", None)  # would fail
    again = crossvalidation.cross_validate(tmp_path, few_rows, folds, source=source)
    pd.testing.assert_frame_equal(first, again)
    with pytest.raises(TypeError):
        crossvalidation.cross_validate(tmp_path, few_rows, folds, source=source, seed=1)


def test_folds_of_a_table_without_tracks_are_by_segment_only(few_rows):
    names = few_rows["filename"].str.replace(r"\.(\d+)\.wav$", r"-\1", regex=True)
    folds, left_out = crossvalidation.draw_folds(few_rows.assign(filename=names), n=2)
    assert list(folds) == ["segment"]
    assert "split by track needs each segment's track" in left_out["track"]
    over = crossvalidation.over_folds(
        pd.DataFrame({"split": "segment", "model": "m", "fold": [0, 1], "accuracy": [70.0, 74.0]})
    )
    assert over.loc[0, ["mean", "SD", "folds"]].to_list() == [72, pytest.approx(8**0.5), 2]


def test_nothing_is_loaded_for_it_that_trains():
    program = "import sys; from music_genre.analysis import leakage; print('keras' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\n"


def fake_splits(results, table, names, *, lstm, other):
    """Write splits of a table on which two models predict what functions make of the labels."""
    segments, source = load_table(str(table))
    for name in names:
        test = segments[splits.split(segments, name, test_size=0.33, seed=0) == "test"]
        label = list(test["label"])
        fake_split(
            results, name, lstm(label), {"logistic regression": other(label)}, label=label,
            files=list(test["filename"]), source=dataclasses.asdict(source),
            paper={"accuracy": 100.0},
        )  # fmt: skip


def reverse(label):
    return label[::-1]


@pytest.mark.parametrize(
    ("names", "lstm", "other"),
    [
        (["segment", "track"], list, reverse),
        (["segment", "track"], reverse, list),
        (["segment"], list, list),
        (["track"], reverse, reverse),
    ],
)
def test_notebook_speaks_whatever_came_out(names, lstm, other, few_rows, tmp_path, run_here):
    table, results = tmp_path / "few.csv", tmp_path / "splits"
    few_rows.to_csv(table, index=False)
    fake_splits(results, table, names, lstm=lstm, other=other)
    write_json(results / "artist" / "lstm" / "failed.json", {"error": "no lists."})
    text = run_here("leakage", results=str(results), features=str(table))
    assert not re.search(r"\bnan\b|\bNone\b|^\s*- *$|\{[{%]", text, re.MULTILINE)
    assert "There is no split by artist: no lists." in text
    stricter = [name for name in names if splits.SPLITS[name].disjoint_by]
    assert ("**On music that the model has not heard**" in text) == bool(stricter)
    reached = [splits.SPLITS[name].held_out for name in stricter[-1:] if lstm is list]
    assert re.findall(r"\*\*With (.*) held out, .* classify 100\.0 %", text) == reached
    assert ("The three LSTMs are better than it" in text) == (lstm is list and other is reverse)
    assert ("It is better than the three LSTMs" in text) == (lstm is reverse and other is list)
    assert ("No difference between it and the three LSTMs" in text) == (lstm is other)
    assert ("**From segment to track** (no longer shared: tracks)" in text) == (len(names) == 2)
    assert ("was not measured: no stricter split" in text) == (names == ["segment"])
    said = " ".join(text.split())
    for side, lies in (("within", lstm is list), ("above", lstm is reverse)):
        assert (f"The paper's 100.00 % lies {side} this" in said) == (lies and "segment" in names)
    assert "the test accuracy fell from 90.0 % after epoch 2 to 70.0 %" in said
    assert {path.name for path in results.glob("**/*.csv")} >= {"folds.csv", "rescaled.csv"}
