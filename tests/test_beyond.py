"""Table II: rows on every split, averages of finished runs, classical models."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
from conftest import fake_run

from music_genre.analysis import beyond
from music_genre.build import plan, typed
from music_genre.data import splits
from music_genre.data.table import load as load_table
from music_genre.exceptions import InputError
from music_genre.metrics.predictions import by_genre
from music_genre.models import tracks
from music_genre.paths import ROOT
from music_genre.provenance import read_json, write_json

GENRES = ["a", "b"]


def predicted(
    probability_of_a, label="aabb", files=("a.00000.0", "a.00000.1", "b.00000.0", "b.00000.1")
):
    of = np.array(probability_of_a)
    return pd.DataFrame(
        {
            "filename": [f"{name}.wav" for name in files], "part": "test", "label": list(label),
            "predicted": np.where(of > 0.5, "a", "b"),
            **by_genre(GENRES, np.column_stack([of, 1 - of])),
        }
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    fake_run(tmp_path / "track/0/mlp", predicted([0.9, 0.4, 0.4, 0.6]), split="track")
    fake_run(tmp_path / "track/1/mlp", predicted([0.2, 0.7, 0.1, 0.2]), split="track", seed=1)
    fake_run(tmp_path / "track/0/paper", predicted([0.6, 0.6, 0.6, 0.6]), split="track")
    fake_run(tmp_path / "segment/0/paper", predicted([0.6, 0.6, 0.6, 0.6]))
    return tmp_path


def test_rows_are_collected_by_split_with_their_seeds(folder):
    write_json(folder / "artist/0/mlp/failed.json", {"error": "InputError: no lists."})
    rows, settings, left_out = beyond.load(folder)
    assert list(rows) == ["segment", "track"]
    assert {name: len(row.predictions) for name, row in rows["track"].items()} == {
        "mlp": 2,
        "paper": 1,
    }
    assert settings["track"]["parameters"]["split"] == "track"
    assert left_out == {"artist/0/mlp": "no lists."}


def test_scores_by_hand(folder):
    rows, _, _ = beyond.load(folder)
    scores = beyond.scores(rows, table_folder=None).set_index(["split", "model"])
    mlp = scores.loc["track", "mlp"]
    # Seed 0 has segments 1 and 3 right, and by mean probability both tracks (0.65, 0.5 -> b's
    # 0.5 is no more than a's); seed 1 segments 2, 3 and 4, and by mean probability track b only.
    assert mlp["segment"] == pytest.approx((50 + 75) / 2)
    assert mlp["segment_SD"] == pytest.approx(np.std([50, 75], ddof=1))
    assert mlp["seeds"] == 2
    paper = scores.loc["track", "paper"]
    assert (paper["segment"], paper["track"]) == (50, 50)
    assert np.isnan(paper["segment_SD"])


def test_average_is_of_probabilities_not_of_votes(folder):
    rows, _, _ = beyond.load(folder)
    averaged = beyond.averages(rows["track"])
    (both,) = averaged["mlp, 2 seeds averaged"].predictions
    # Means of a's probability: 0.55, 0.55, 0.25, 0.4: all right, though each seed has errors.
    assert list(both["predicted"]) == list("aabb")
    everything = averaged["all rows averaged"].predictions[0]
    # With the paper's 0.6, the network's average counting once: 0.575, 0.575, 0.425, 0.5.
    assert list(everything["predicted"][:3]) == list("aab")
    assert beyond.averages({"paper": rows["track"]["paper"]}) == {}
    with_more = {name: dataclasses.replace(row, more=True) for name, row in rows["track"].items()}
    apart = beyond.averages(rows["track"] | {f"{k}-more": row for k, row in with_more.items()})
    assert apart["all rows averaged"].predictions[0].equals(everything)
    assert apart["all rows with more averaged"].more


def test_runs_tested_on_other_segments_are_refused(folder):
    other = predicted([0.6] * 4, files=["a.00001.0", "a.00001.1", "b.00001.0", "b.00001.1"])
    fake_run(folder / "track/2/mlp", other, split="track", seed=2)
    with pytest.raises(InputError, match="was not tested on the segments of the other rows"):
        beyond.load(folder)
    with pytest.raises(InputError, match="run `make beyond` first"):
        beyond.load(folder / "nowhere")


def test_tracks_are_described_by_mean_and_deviation():
    x, of = np.array([[1.0, 5.0], [3.0, 5.0], [7.0, 1.0]]), np.array([0, 0, 1])
    assert tracks.means(x, of).tolist() == [[2, 5], [7, 1]]
    described = tracks.means_and_deviations(x, of)
    assert described[0] == pytest.approx([2, 5, np.log(1.05), np.log(0.05)])


def test_classical_models_give_a_track_one_genre_and_never_see_a_test_label(few_rows):
    parts = splits.split(few_rows, "track", test_size=0.33, seed=3)
    found = tracks.predictions(few_rows, parts, seed=0)
    assert list(found["model"].unique()) == list(tracks.CLASSICAL)
    columns = [name for name in found if name.startswith("probability of ")]
    assert np.allclose(found[columns].sum(axis=1), 1)
    of = found[found["model"] == "LDA of tracks"]
    assert (of.groupby(splits.tracks(of))[columns].nunique() == 1).all(axis=None)
    spoilt = few_rows.assign(label=few_rows["label"].mask(parts == "test", "blues"))
    again = tracks.predictions(spoilt, parts, seed=0)
    pd.testing.assert_frame_equal(found[columns], again[columns])


def test_models_of_tracks_need_tracks_apart(few_rows):
    parts = splits.split(few_rows, "segment", test_size=0.33, seed=3)
    found = tracks.predictions(few_rows, parts, seed=0)
    assert not any(name.endswith("of tracks") for name in found["model"])


@pytest.mark.parametrize("paper", [True, False])
def test_notebook_speaks_whatever_came_out(few_rows, tmp_path, run_here, paper):
    table = tmp_path / "few.csv"
    few_rows.to_csv(table, index=False)
    segments, source = load_table(str(table))
    for split, seed, name in [("segment", 0, "cnn-rnn"), ("track", 0, "mlp"), ("track", 1, "mlp"),
                              *([("track", 0, "paper")] if paper else [])]:  # fmt: skip
        test = segments[splits.split(segments, split, test_size=0.33, seed=0) == "test"]
        of = pd.DataFrame({"filename": test["filename"], "part": "test", "label": test["label"],
                           "predicted": test["label"].to_numpy()[::-1]})  # fmt: skip
        fake_run(tmp_path / "beyond" / split / str(seed) / name, of, split=split, seed=seed,
                 split_seed=0, source=dataclasses.asdict(source))  # fmt: skip
    if paper:
        metrics = tmp_path / "beyond/track/0/paper/metrics.json"
        write_json(metrics, {**read_json(metrics), "more": {"path": "t.more.csv"}})
    text = run_here("beyond", results=str(tmp_path / "beyond"), features=str(table))
    assert not re.search(r"\bnan\b|\bNone\b|^\s*- *$|\{[{%]", text, re.MULTILINE)
    assert text.count(" held out, ") == 2
    assert ("The paper's network and recipe reach" in text) == paper
    assert ("Every row reads the 58 numbers alone" in text) != paper
    assert "picked by its test score" in text
    assert (tmp_path / "beyond/track/classical.json").exists()


def test_rows_are_planned_on_every_split_and_shown_where_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr(plan, "REPORTS", tmp_path)
    asked = typed.Options(splits=("segment", "track"), seeds=(0, 1))
    steps = plan.steps(dataclasses.replace(asked, only="beyond"))
    rows = {path.stem for path in (ROOT / "params/beyond").glob("*.yaml")}
    planned = {str(step.target.relative_to(tmp_path / "table1/beyond")) for step in steps[:-1]}
    assert planned == {
        f"{split}/{seed}/{row}/train.ipynb"
        for split in asked.splits for seed in (0, 1) for row in rows
        if split != "segment" or not row.startswith("track-lstm")
    }  # fmt: skip
    assert all(step.given["split_seed"] == 0 for step in steps[:-1])
    assert steps[-1].target == tmp_path / "table1/beyond.ipynb"
    assert "beyond" not in [step.notebook for step in plan.steps(typed.Options())]
    write_json(tmp_path / "table1/beyond/track/0/mlp/metrics.json", {})
    (shown,) = [step for step in plan.steps(typed.Options()) if step.notebook == "beyond"]
    assert shown.reads == (tmp_path / "table1/beyond/track/0/mlp/metrics.json",)


def test_what_a_search_found_is_a_row_of_its_split_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(plan, "REPORTS", tmp_path)
    (tmp_path / "table1/tune").mkdir(parents=True)
    (tmp_path / "table1/tune/track.yaml").write_text("model: mlp\nepochs: 3\n")
    steps = plan.steps(typed.Options(only="beyond"))
    assert [step.given["split"] for step in steps[:-1] if step.file.parent.name == "tune"] == [
        "track"
    ]
    searches = plan.steps(typed.Options(only="tune", splits=("segment", "track", "artist")))
    assert [step.given["split"] for step in searches] == ["track", "artist"]
    assert searches[1].after == searches[0].target


def test_verdict_names_the_best_and_what_comes_next_with_a_paired_interval(folder):
    rows, _, _ = beyond.load(folder)
    rows["track"] |= beyond.averages(rows["track"])
    scores = beyond.scores(rows, table_folder=None)
    found = beyond.verdict(scores, rows["track"], "track", table_folder=None)
    assert (found["model"], found["accuracy"]) == ("mlp, 2 seeds averaged", 100)
    assert found["next"] == "paper"  # not the network of which the best is an average
    assert (found["ahead"], found["paper"], found["seeds"]) == (50, 50, 1)
    assert found["ahead_low"] <= 50 <= found["ahead_high"]
    shown = beyond.in_short(scores)
    assert set(shown["model"]) == {"mlp", "mlp, 2 seeds averaged", "paper", "all rows averaged"}


def test_networks_are_compared_with_one_of_them_by_hand(folder):
    rows, _, _ = beyond.load(folder)
    found = beyond.differences(rows, "paper", table_folder=None)
    (line,) = found.to_dict("records")  # nothing to compare on the split by segment
    assert (line["split"], line["model"]) == ("track", "mlp")
    by_track = beyond.scores(rows, table_folder=None).set_index(["split", "model"])["track"]
    assert line["difference"] == pytest.approx(
        by_track["track", "mlp"] - by_track["track", "paper"]
    )
    assert beyond.differences(rows, "nobody", table_folder=None).empty


def test_trainings_that_broke_down_are_told(folder):
    history = {"epoch": [1, 2, 3], "test_accuracy": [0.5, 0.9, 0.2]}
    fake_run(folder / "track/2/mlp", predicted([0.9, 0.4, 0.4, 0.6]), history=history,
             split="track", seed=2)  # fmt: skip
    rows, _, _ = beyond.load(folder)
    (fall,) = rows["track"]["mlp"].falls
    assert (fall["best_epoch"], fall["last"]) == (2, pytest.approx(20))
