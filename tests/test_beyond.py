"""Table II: rows on every split, averages of finished runs, classical models."""

import dataclasses
import hashlib
import re
import shutil

import keras
import numpy as np
import pandas as pd
import pytest
from conftest import fake_run

from music_genre.analysis import beyond
from music_genre.build import plan, typed
from music_genre.data import find, splits
from music_genre.data.columns import INPUTS, MORE
from music_genre.data.table import load as load_table
from music_genre.exceptions import InputError
from music_genre.metrics.predictions import by_genre
from music_genre.models import inputs, networks, runs, tracks, training
from music_genre.paths import PUBLISHED, ROOT
from music_genre.provenance import read_json, read_yaml, write_json

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
    assert apart["all rows averaged, with more"].more
    for together, names in beyond.TOGETHER.items():
        of = dict.fromkeys([f"{name}-more" for name in names], with_more["mlp"])
        both = beyond.averages(of)[f"{together}, with more"]
        assert (both.more, both.kind) == (True, beyond.AVERAGE)


def test_rows_averaged_with_each_other_count_once_however_many_seeds_they_have():
    # Of a's probability, mlp has 0.9 and 0.7, mlp-embedded 0.1: the mean of 0.8 and 0.1 is b's.
    one = [predicted([p] * 4).drop(columns="part") for p in (0.9, 0.7, 0.1)]
    rows = {
        "mlp": beyond.Row(beyond.NETWORK, one[:2], seeds=2, of=("mlp",)),
        "mlp-embedded": beyond.Row(beyond.NETWORK, one[2:], of=("mlp-embedded",)),
    }
    found = beyond.averages(rows)
    (both,) = found["mlp and mlp-embedded, averaged"].predictions
    assert set(both["predicted"]) == {"b"}
    assert not any("SVM" in name for name in found)  # one is missing
    assert found["mlp and mlp-embedded, averaged"].of == ("mlp", "mlp-embedded")


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


def test_classical_models_learn_what_only_a_second_table_tells(few_rows):
    rng = np.random.default_rng(0)
    rows = pd.concat([few_rows.assign(filename=few_rows["filename"].str.replace("0000", f"000{i}"))
                      for i in range(3)], ignore_index=True)  # fmt: skip
    noise = rows.astype(dict.fromkeys(INPUTS, float))
    noise[INPUTS[1:]] = rng.normal(size=(len(rows), 57))
    codes = pd.factorize(rows["label"])[0]
    telling = np.eye(3)[codes][:, np.arange(60) % 3] + rng.normal(scale=0.1, size=(len(rows), 60))
    further = pd.DataFrame(telling, rows.index, MORE[:60])
    parts = splits.split(rows, "track", test_size=0.33, seed=3)
    right = {
        name: found.groupby("model").apply(
            lambda of: (beyond.mean([of])["predicted"] == of["label"]).mean()
        )
        for name, found in [
            ("58", tracks.predictions(noise, parts, seed=0)),
            ("more", tracks.predictions(noise, parts, seed=0, more=further)),
        ]
    }
    assert (right["58"] < 0.7).all()
    assert (right["more"] == 1).all()
    assert set(right["more"].index) == set(tracks.CLASSICAL)


@pytest.fixture
def with_more(few_rows, tmp_path, monkeypatch):
    """Write both tables and a network that took both; return what `classical` is given."""
    monkeypatch.setattr(find, "EXTRACTED", tmp_path / "extracted.csv")
    table, second = tmp_path / "few.csv", tmp_path / "few.more.csv"
    few_rows.to_csv(table, index=False)
    drawn = np.random.default_rng(0).normal(size=(len(few_rows), len(MORE)))
    further = pd.DataFrame(drawn, columns=MORE)
    few_rows[["filename"]].join(further).to_csv(second, index=False)
    segments, source = load_table(str(table))
    test = segments[splits.split(segments, "track", test_size=0.33, seed=0) == "test"]
    of = pd.DataFrame({"filename": test["filename"], "part": "test", "label": test["label"],
                       "predicted": test["label"].to_numpy()[::-1]})  # fmt: skip
    for name in ("mlp", "mlp-more"):
        run = tmp_path / "beyond/track/0" / name
        fake_run(run, of, split="track", split_seed=0, source=dataclasses.asdict(source))
    content = read_json(run / "metrics.json")
    digest = hashlib.sha256(second.read_bytes()).hexdigest()
    write_json(run / "metrics.json", {**content, "more": {"path": second.name, "sha256": digest}})
    return tmp_path / "beyond/track", segments, source, table


def test_classical_models_take_the_second_table_that_networks_took_and_no_other(
    with_more, monkeypatch
):
    folder, segments, source, table = with_more
    rows, settings, _ = beyond.load(folder.parent)
    assert {name: row.more for name, row in rows["track"].items()} == {
        "mlp": False, "mlp-more": True,
    }  # fmt: skip
    of = folder, segments, source, settings["track"], table
    asked = []

    def predictions(segments, parts, *, seed, more):
        asked.append(more)
        test = segments.loc[parts == "test", ["filename", "label"]]
        even = by_genre(["blues", "classical", "metal"], np.full((len(test), 3), 1 / 3))
        return test.assign(model="RBF-SVM", **even)

    monkeypatch.setattr(tracks, "predictions", predictions)
    second = table.with_name("few.more.csv")
    right = second.read_text()
    second.write_text(right.replace(",0.", ",0.1", 1))
    with pytest.raises(InputError, match=r"not at hand as .*few\.more\.csv or .*extracted\.more"):
        beyond.classical(*of, more=True)
    elsewhere = find.more_table(find.EXTRACTED)  # as where the published table lies beside music
    second.unlink()
    elsewhere.write_text(right)
    found = beyond.classical(*of, more=True)
    assert {name: row.more for name, row in found.items()} == {"RBF-SVM-more": True}
    assert np.array_equal(asked[-1], pd.read_csv(elsewhere)[MORE])
    assert {name: row.more for name, row in beyond.classical(*of).items()} == {"RBF-SVM": False}
    assert asked[-1] is None
    # What is kept needs no table, as of published results; networks of another one are another.
    elsewhere.unlink()
    assert list(beyond.classical(*of, more=True)) == list(found)
    settings["track"]["more"].append({"path": "x.more.csv", "sha256": "b" * 64})
    with pytest.raises(InputError, match="all networks with more were trained on"):
        beyond.classical(*of, more=True)
    assert len(asked) == 2


def test_a_second_table_with_other_line_endings_is_the_same(with_more, monkeypatch):
    folder, segments, source, table = with_more
    second, metrics = table.with_name("few.more.csv"), folder / "0/mlp-more/metrics.json"
    noted = runs.second_table(second)
    write_json(metrics, {**read_json(metrics), "more": noted})
    right = second.read_bytes()
    second.write_bytes(right.replace(b"\n", b"\r\n"))
    shutil.copytree(metrics.parent, folder / "1/mlp-more")
    again = {**read_json(metrics), "more": runs.second_table(second)}
    assert again["more"]["sha256"] != noted["sha256"]
    write_json(folder / "1/mlp-more/metrics.json", again)  # trained on the other file
    _, settings, _ = beyond.load(folder.parent)
    assert len(settings["track"]["more"]) == 1
    of = folder, segments, source, settings["track"], table
    found = beyond.classical(*of, more=True)
    monkeypatch.setattr(tracks, "predictions", None)
    settings["track"]["more"] = [again["more"]]
    assert list(beyond.classical(*of, more=True)) == list(found)
    # Another table is another; what is not at hand in one place is named once.
    (folder / "classical-more.json").unlink()
    monkeypatch.setattr(find, "EXTRACTED", table)
    second.write_bytes(right.replace(b",0.", b",-0."))
    with pytest.raises(InputError, match=r"at hand as [^ ]*few\.more\.csv: "):
        beyond.classical(*of, more=True)


def test_published_classical_models_are_recognised(tmp_path, monkeypatch):
    # Of one network will do, which tells the split and the table.
    shutil.copytree(PUBLISHED / "beyond/track/0/paper", tmp_path / "track/0/paper")
    for name in ("classical.csv", "classical.json"):
        shutil.copy(PUBLISHED / "beyond/track" / name, tmp_path / "track")
    rows, settings, _ = beyond.load(tmp_path)
    monkeypatch.setattr(tracks, "predictions", None)
    found = beyond.classical(tmp_path / "track", None, beyond.source(settings),
                             settings["track"], tmp_path / "gone.csv")  # fmt: skip
    assert list(found) == list(tracks.CLASSICAL)
    assert not any(row.more for row in {**rows["track"], **found}.values())


@pytest.mark.slow
def test_notebook_shows_rows_and_trials_with_more_or_says_what_is_left_out(with_more, run_here):
    folder, _, _, table = with_more
    (folder.parents[1] / "tune").mkdir()
    trial = {"model": "mlp", "epochs": 20, "learning_rate": 0.00042, "weight_decay": 0.0012,
             "accuracy by track": 50.0, "seconds": 1.0}  # fmt: skip
    for name in ("track", "track-more"):
        pd.DataFrame([trial]).to_csv(folder.parents[1] / f"tune/{name}.csv", index=False)
    given = {"results": str(folder.parent), "features": str(table)}
    second = table.with_name("few.more.csv")
    second.rename(second.with_suffix(".away"))
    text = run_here("beyond", **given)
    assert "There is no track/classical-more: " in text
    assert "LDA of tracks-more" not in text
    second.with_suffix(".away").rename(second)
    shutil.copytree(folder / "0/mlp-more", folder / "0/tuned-more")
    text = run_here("beyond", **given)
    assert re.search(r"by track, <code>tuned-more</code> names 0\.0 % of\s+the test", text)
    assert "but for `tuned-more`, which a search with these numbers found" in text
    assert "There is no track/classical-more" not in text
    assert "LDA of tracks-more" in text
    trials = beyond.trials(folder.parents[1] / "tune")
    assert list(trials) == [("track", ""), ("track", "-more")]
    small = trials["track", ""][["learning_rate", "weight_decay"]]
    assert small.to_numpy().tolist() == [["0.00042", "0.0012"]]  # not 0.00
    kept = pd.read_csv(folder / "classical-more.csv")
    assert list(kept["model"].unique()) == list(tracks.CLASSICAL)


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
        more = {"path": "t.more.csv", "sha256": "a" * 64}
        write_json(metrics, {**read_json(metrics), "more": more})
    text = run_here("beyond", results=str(tmp_path / "beyond"), features=str(table))
    assert not re.search(r"\bnan\b|\bNone\b|^\s*- *$|\{[{%]", text, re.MULTILINE)
    assert text.count(" held out, ") == 2
    assert ("The paper's network and recipe reach" in text) == paper
    assert ("Every row reads the 58 numbers alone" in text) != paper
    assert ("There is no track/classical-more: " in text) == paper  # the second table is not here
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
    asked = typed.Options(only="tune", splits=("segment", "track", "artist"))
    searches = plan.steps(asked)
    assert [step.given["split"] for step in searches] == ["track", "artist"]
    assert searches[1].after == searches[0].target
    # A search on a second table too stands apart, and so does the row of what it found.
    more = {"more": True, "more_table": "data/x.more.csv"}
    found = plan.steps(dataclasses.replace(asked, **more))
    assert [step.target.name for step in found] == ["track-more.ipynb", "artist-more.ipynb"]
    assert {step.given["more"] for step in found} == {"data/x.more.csv"}
    for name, n in [("nothing", 0), ("track-more", 1)]:
        (tmp_path / f"table1/tune/{name}.yaml").write_text("model: mlp\nepochs: 4\n")
        steps = plan.steps(typed.Options(only="beyond", **more))
        files = [step.file.stem for step in steps[:-1] if step.file.parent.name == "tune"]
        assert files == ["track-more"] * n
    (tuned,) = [step for step in steps[:-1] if step.file.stem == "track-more"]
    assert tuned.target.parent.name == "tuned-more"


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
    # By segment 50, 75 and 50 %: far below the best seed, and below its own 90 % after epoch 2.
    assert rows["track"]["mlp"].broken == (0, 2)
    assert rows["track"]["paper"].broken == ()
    (line,) = beyond.differences(rows, "paper", table_folder=None).to_dict("records")
    assert (line["broken"], line["others"]) == (2, 0)  # seed 1 has one track of two, as paper has
    found = beyond.verdict(
        beyond.scores(rows, table_folder=None), rows["track"], "track", table_folder=None
    )
    assert (found["seeds"], found["broken"], found["others"]) == (1, 0, found["paper"])


def test_rows_are_of_one_recipe_and_no_classical_model(folder):
    fake_run(folder / "track/2/mlp", predicted([0.9, 0.4, 0.4, 0.6]), split="track", seed=2,
             epochs=4)  # fmt: skip
    fake_run(folder / "track/0/RBF-SVM", predicted([0.9, 0.4, 0.4, 0.6]), split="track")
    rows, _, left_out = beyond.load(folder)
    assert rows["track"]["mlp"].seeds == 2
    assert "other parameters than the row's first seed" in left_out["track/2/mlp"]
    assert "a classical model has this name" in left_out["track/0/RBF-SVM"]


def test_one_published_figure_is_met_on_its_terms(folder, tmp_path):
    assert beyond.with_a_fifth_held_out(folder) == {}
    for seed, of in enumerate([[0.9, 0.4, 0.4, 0.6], [0.9, 0.9, 0.7, 0.2]]):
        fake_run(folder / f"fifth/{seed}/mlp-embedded", predicted(of), seed=seed)
    found = beyond.with_a_fifth_held_out(folder)
    # Means of a's probability: 0.9, 0.65, 0.55, 0.4: three of four are right.
    assert (found["seeds"], found["segments"], found["accuracy"]) == (2, 4, 75)
    assert list(beyond.load(folder)[0]) == ["segment", "track"]  # which it does not change


def test_machines_are_told_apart_where_rows_were_trained_on_several(folder):
    note = folder / "track/0/paper/metrics.json"
    rows, _, _ = beyond.load(folder)
    scores = beyond.scores(rows, table_folder=None)
    assert "machine" not in beyond.as_table(scores, "track")
    assert beyond.machines(scores, "track") == {"Linux": "a"}
    content = read_json(note)
    content["provenance"]["machine"] = "Linux x86_64, another"
    write_json(note, content)
    rows, _, _ = beyond.load(folder)
    table = beyond.as_table(beyond.scores(rows, table_folder=None), "track").set_index("model")
    assert (table.at["mlp", "machine"], table.at["paper", "machine"]) == ("a", "b")


@pytest.mark.parametrize(
    "row", sorted((ROOT / "params/beyond").glob("*.yaml")), ids=lambda it: it.stem
)
def test_every_row_trains_through_the_notebook_and_its_model_predicts_the_same(
    row, few_rows, run_here, tmp_path
):
    few_rows.to_csv(tmp_path / "table.csv", index=False)
    given = read_yaml(row) | {"epochs": 1, "split": "track", "resume": False, "seed": 0}
    run_here("train", **given, features=str(tmp_path / "table.csv"), output=str(tmp_path / "run"))
    content, history, predictions = runs.load(tmp_path / "run")
    assert len(history) == 1
    assert np.isfinite(history["loss"]).all()
    assert (content["weights"] == 511_370 - 7 * 65) == (given["model"] == "paper")  # three genres
    segments, _ = load_table(str(tmp_path / "table.csv"))
    parts = splits.split(segments, "track", test_size=0.33, seed=0)
    if given.get("validation_size"):
        parts = splits.set_aside(segments, parts, "track", share=given["validation_size"], seed=0)
    data = inputs.prepare(
        segments, parts=parts, scale_on=given.get("scale_on", "all"),
        scaling=given.get("scaling", "standard"),
    )  # fmt: skip
    if given["model"] in networks.OF_TRACKS:  # one genre for a track
        data = inputs.by_track(data, splits.tracks(segments))
        assert (predictions["predicted"].groupby(splits.tracks(predictions)).nunique() == 1).all()
    model = keras.saving.load_model(tmp_path / "run/model.keras", compile=False)
    again = training.predict(model, data, segments)
    pd.testing.assert_frame_equal(again, predictions, rtol=1e-4, check_dtype=False)
