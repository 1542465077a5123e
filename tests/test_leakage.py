"""The same models on every split: scores, claims and leaks worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from music_genre import provenance
from music_genre.analysis import leakage
from music_genre.analysis.leakage import LSTM
from music_genre.data import splits
from music_genre.data.columns import COLUMNS, INPUTS
from music_genre.data.table import load as load_table
from music_genre.exceptions import InputError

FOUR = ["a.00000.0.wav", "a.00001.0.wav", "b.00000.0.wav", "b.00001.0.wav"]
TRUE = list("aabb")
ONE_WRONG, ALL_A, ALL_WRONG = list("aaba"), list("aaaa"), list("bbaa")
THREE = {"k nearest neighbours": ONE_WRONG, "majority class": ALL_A, "RBF-SVM": ALL_WRONG}


def trained(folder, split, predicted, *, files=FOUR, label=TRUE, source=None, **given):
    """Write a run as the train notebook leaves it, its rows all of the test part."""
    parameters = {"split": split, "test_size": 0.33, "seed": 0, "scale_on": "all", **given}
    source = source or {
        "path": "t.csv", "is_sample": False, "clips": 4, "segments": 4, "genres": 2,
        "sha256": "a" * 64,
    }  # fmt: skip
    content = {"parameters": parameters, "source": source, "paper": {}}
    history = {"epoch": [1, 2, 3], "test_accuracy": [0.5, 0.9, 0.7], "seconds": [3.0, 2.0, 1.0]}
    predictions = pd.DataFrame(
        {"filename": files, "part": "test", "label": label, "predicted": predicted}
    )
    for genre in sorted(set(label)):
        predictions[genre] = (predictions["predicted"] == genre).astype(float)
    provenance.write_json(folder / "metrics.json", content)
    provenance.write_csv(folder / "history.csv", pd.DataFrame(history))
    provenance.write_csv(folder / "predictions.csv", predictions)
    return source


def compared(folder, split, lstm, others, *, files=FOUR, label=TRUE, chosen=None, **more):
    """Write a split as `make report SPLITS=` leaves it."""
    source = trained(folder / split / "lstm", split, lstm, files=files, label=label, **more)
    lines = {"model": list(others), "track accuracy": 50.0, "seconds to train": 1.0,
             "ms per segment": 0.1, "chosen": ""}  # fmt: skip
    written = folder / split / "baselines"
    written.mkdir()
    pd.DataFrame(lines).to_csv(written / "baselines.csv", index=False)
    predictions = pd.DataFrame({"filename": files, "label": label, **others})
    predictions.to_csv(written / "baselines-predictions.csv", index=False)
    provenance.write_json(
        written / "baselines.json", {"chosen": chosen or {}, "source": source, "parameters": {}}
    )


@pytest.fixture
def folder(tmp_path):
    compared(tmp_path, "segment", TRUE, THREE)
    compared(tmp_path, "track", ALL_A, {**THREE, "k nearest neighbours": list("abaa")})
    return tmp_path


def test_scores_by_hand(folder):
    runs, left_out = leakage.load(folder)
    assert list(runs) == ["segment", "track"]
    assert left_out == {}
    scores = leakage.scores(runs).set_index(["split", "model"])
    one = scores.loc[("segment", "k nearest neighbours")]
    # Three of four tracks right: the interval of tests/test_intervals.py. a: precision 2/3,
    # recall 1, F1 0.8; b: precision 1, recall 1/2, F1 2/3.
    assert one[["accuracy", "low", "high"]].to_list() == [75, 25, 100]
    assert one["f1"] == pytest.approx(100 * (0.8 + 2 / 3) / 2)
    own = scores.loc[("segment", LSTM)]
    assert own[["accuracy", "track accuracy", "seconds to train"]].to_list() == [100, 100, 6]
    assert np.isnan(own["ms per segment"])  # the model was not kept


def test_headline_has_the_lstms_and_the_best_simpler_model_of_each_split(folder):
    runs, _ = leakage.load(folder)
    assert leakage.headline(leakage.scores(runs)) == (
        "The three LSTMs with the last row's recipe reach 100.00 % split by segment, 50.00 % split "
        "by track; the best of 3 simpler models 75.00 % (k nearest neighbours), 50.00 % (majority "
        "class)."
    )


def test_one_is_better_only_where_the_interval_excludes_zero(folder):
    runs, _ = leakage.load(folder)
    claims = leakage.claims(runs["segment"]).set_index("model")
    assert list(claims.index) == ["k nearest neighbours", "majority class", "RBF-SVM"]
    # One wrong of four is not in 0.32 of the draws, two in 0.06: both above 0.025.
    assert claims.loc["k nearest neighbours", ["low", "high"]].to_list() == [0, 75]
    assert claims["better"].to_list() == ["not told apart", "not told apart", LSTM]
    assert claims.loc["RBF-SVM", ["difference", "low", "high"]].to_list() == [100, 100, 100]


def test_simpler_model_is_named_where_it_is_better(tmp_path):
    compared(tmp_path, "segment", ALL_WRONG, {"RBF-SVM": TRUE})
    runs, _ = leakage.load(tmp_path)
    claims = leakage.claims(runs["segment"])
    assert claims["better"].to_list() == ["RBF-SVM"]
    said = leakage.findings(leakage.scores(runs), {"segment": claims}, 91.78)
    assert "91.78 %, above that interval" in said
    assert "the best simpler model is *RBF-SVM*; it is better than the three LSTMs" in said
    assert "Of 1 simpler models 1 are better than the three LSTMs, 0 not told apart" in said
    assert "That was not measured here" in said
    costs = leakage.costs(leakage.scores(runs))
    assert list(costs) == ["model", "segment"]
    assert "Only one split" in leakage.describe_costs(costs, {"segment": np.array(["train"])})


def test_what_leaks_are_worth_by_hand(folder):
    runs, _ = leakage.load(folder)
    scores = leakage.scores(runs)
    costs = leakage.costs(scores).set_index("model")
    assert costs.loc[LSTM].to_list() == [100, 50, 50]
    assert costs.loc["k nearest neighbours"].to_list() == [75, 25, 50]
    assert costs.loc["majority class"].to_list() == [50, 50, 0]
    parts = {name: np.array(["train", "train", "test"]) for name in runs}
    said = leakage.describe_costs(costs.reset_index(), parts)
    # 50, 50 and the SVM's 0: it is wrong everywhere on both; the majority class does not count.
    assert "33.3 percentage points on average over 3 models that learn, from 0.0 (RBF-SVM)" in said
    assert "that of the three LSTMs by 50.0" in said
    claims = {name: leakage.claims(run) for name, run in runs.items()}
    assert "split by track they reach 50.00 %" in leakage.findings(scores, claims, None)


def test_intervals_of_the_split_by_artist_draw_artists(tmp_path, monkeypatch):
    compared(tmp_path, "artist", TRUE, THREE)
    known = pd.Series(["Ann", "Ann", "Bob", np.nan])
    monkeypatch.setattr(splits, "artists", lambda table, beside: known)
    runs, _ = leakage.load(tmp_path)
    assert runs["artist"].groups.to_list() == ["Ann", "Ann", "Bob", "b.00001"]


def test_split_that_failed_is_left_out_with_its_reason(folder):
    provenance.write_json(
        folder / "artist" / "lstm" / "failed.json", {"error": "InputError: no lists."}
    )
    runs, left_out = leakage.load(folder)
    assert list(runs) == ["segment", "track"]
    assert left_out == {"artist": "no lists."}
    with pytest.raises(InputError, match=r"no split that was trained: .*Split by artist: no lists"):
        leakage.load(folder, ["artist"])


def test_runs_that_do_not_go_together_are_told(folder):
    trained(folder / "track" / "lstm", "track", TRUE[:2], files=FOUR[:2], label=TRUE[:2])
    with pytest.raises(InputError, match="were not tested on the same rows: run both notebooks"):
        leakage.load(folder)
    with pytest.raises(InputError, match="holds no split that was trained: run `make report"):
        leakage.load(folder / "nothing")


def test_best_epoch_beside_the_last(folder):
    runs, _ = leakage.load(folder, ["track"])
    (line,) = leakage.best_epochs(runs).to_dict("records")
    assert line["last epoch"] == 3
    assert line["best epoch"] == 2
    assert line["difference"] == pytest.approx(90 - 70)


def test_training_that_broke_down_is_told(folder):
    runs, _ = leakage.load(folder, ["track"])
    assert "from 90.0 % on test rows after epoch 2 it fell to 70.0 %" in leakage.stability(runs)
    runs["track"].history["test_accuracy"] = [0.5, 0.6, 0.7]
    assert leakage.stability(runs) == ""


def test_scaling_on_all_rows_by_hand(tmp_path):
    # Train: a (0, 0) and b (2, 1), standard deviations 1 and 0.5. Test: b (0.2, 1) and b (0, 100).
    # Squared distances to a and b with the training rows' scaling: 4.04 and 3.24; 40,000 and
    # 39,208: both b. With all rows', 0.84 and 43: 0.06 and 4.6; 5.4 and 10.9: both a.
    files = ["a.00000.0.wav", "b.00000.0.wav", "b.00001.0.wav", "b.00002.0.wav"]
    table = pd.DataFrame(0.0, index=range(4), columns=INPUTS).assign(
        filename=files, label=list("abbb"), tempo=[0, 2, 0.2, 0], length=[0, 1, 1, 100]
    )[COLUMNS]
    compared(
        tmp_path, "segment", ["b", "a"], {"k nearest neighbours": ["b", "b"]}, files=files[2:],
        label=["b", "b"], chosen={"k nearest neighbours": {"n_neighbors": 1}},
    )  # fmt: skip
    trained(
        tmp_path / "segment" / "scaled on train", "segment", ["b", "b"], files=files[2:],
        label=["b", "b"], scale_on="train",
    )  # fmt: skip
    runs, _ = leakage.load(tmp_path)
    parts = {"segment": np.array(["train", "train", "test", "test"])}
    scaled = leakage.scaling(runs, table, parts).set_index("model")
    measured = ["on training rows", "on all rows", "difference"]
    assert scaled.loc["k nearest neighbours", measured].to_list() == [100, 0, -100]
    assert scaled.loc[LSTM, measured].to_list() == [100, 50, -50]
    said = leakage.describe_lesser(scaled.reset_index(), leakage.best_epochs(runs))
    assert "by -100.00 to -50.00 points; the interval excludes zero in 1 of 2 cases" in said
    assert "adds 20.00 points (segment)" in said


def test_tables_other_than_the_one_measured_on_are_refused(folder, few_rows, tmp_path):
    few_rows.to_csv(tmp_path / "other.csv", index=False)
    rows, source = load_table(str(tmp_path / "other.csv"))
    runs, _ = leakage.load(folder)
    with pytest.raises(InputError, match="and this is .*: name that table with features"):
        leakage.parts(runs, rows, source)


def test_folds_of_a_table_without_tracks_are_by_segment_only(few_rows):
    names = few_rows["filename"].str.replace(r"\.(\d+)\.wav$", r"-\1", regex=True)
    accuracies, left_out = leakage.cross_validate(few_rows.assign(filename=names), seed=0, n=2)
    assert set(accuracies["split"]) == {"segment"}
    assert "split by track needs each row's track" in left_out["track"]
    over = leakage.over_folds(
        pd.DataFrame({"split": "segment", "model": "m", "fold": [0, 1], "accuracy": [70.0, 74.0]})
    )
    assert over.loc[0, ["mean", "SD", "folds"]].to_list() == [72, pytest.approx(8**0.5), 2]
