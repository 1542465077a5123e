"""Our rows are compared with the paper's, in order, and never mixed across features tables."""

import re

import pandas as pd
import pytest
from conftest import SOURCE, fake_run

from music_genre.analysis import explanations, printed, table1
from music_genre.exceptions import InputError
from music_genre.models import runs
from music_genre.paths import ROOT
from music_genre.provenance import write_json
from music_genre.report.figures import table1 as figures

PAPER = {"precision": 91.81, "recall": 91.78, "f1": 91.70, "accuracy": 91.78}
OTHER = {**SOURCE, "fingerprint": [5.0, 6.0, 7.0, 8.0]}

# Two tracks of two test segments each, one of them classified correctly, and one to train on.
SEGMENTS = pd.DataFrame(
    {
        "filename": [
            "blues.00000.0.wav", "blues.00000.1.wav", "blues.00001.0.wav", "blues.00001.1.wav",
            "metal.00000.0.wav",
        ],
        "part": ["test"] * 4 + ["train"],
        "label": ["blues"] * 4 + ["metal"],
        "predicted": ["blues", "blues", "metal", "metal", "blues"],
    }
)  # fmt: skip
ALL_RIGHT = SEGMENTS.assign(predicted=SEGMENTS["label"])


def row(folder, name, accuracy, *, train=80.0, predictions=SEGMENTS, **more):
    """Write a row with these accuracies; with another seed where the folder is one of seeds."""
    scores = {"precision": 50.0, "recall": 50.0, "f1": 50.0, "accuracy": accuracy}
    if folder.parent.name == "seeds":
        more["seed"] = int(folder.name)
    fake_run(
        folder / name, predictions, parts={"test": scores, "train": {"accuracy": train}}, **more
    )


def failed(folder, name, *, paper=PAPER):
    given = {"epochs": 90, "batch_size": 220, "learning_rate": 0.001, "paper": paper}
    write_json(folder / name / "failed.json", {"parameters": given, "error": "MemoryError"})


def test_row_ten_comes_after_row_nine(tmp_path):
    for name in ("10", "9", "b", "1"):
        row(tmp_path, name, 50.0)
    assert list(table1.load(tmp_path).index) == ["1", "9", "10", "b"]
    assert list(table1.load(tmp_path, ["9", "10"]).index) == ["9", "10"]


def test_difference_is_ours_minus_the_papers(tmp_path):
    row(tmp_path, "7", 64.9, paper=PAPER, train=94.1)
    line = table1.accuracy_table(table1.load(tmp_path)).iloc[0]
    assert (line["paper"], line["ours"]) == (91.78, 64.9)
    assert line["difference"] == pytest.approx(-26.88)


def test_rows_are_compared_with_the_papers_and_with_each_other(tmp_path):
    row(tmp_path, "1", 40.0, paper={**PAPER, "accuracy": 33.45}, train=41.0)
    row(tmp_path, "2", 60.0, paper={**PAPER, "accuracy": 57.51}, train=70.0)
    row(tmp_path, "6", 10.0, diverged=True, train=10.0)
    row(tmp_path, "7", 64.9, paper=PAPER, train=94.1)
    found = table1.findings(table1.load(tmp_path))
    assert (found.earlier, found.later) == (["1", "2"], ["7"])  # the printed leap
    assert found.short.to_dict() == pytest.approx({"1": -6.55, "2": -2.49, "7": 26.88})
    assert found.apart.to_dict() == pytest.approx({"1": 6.55, "2": 2.49, "7": 26.88})
    assert found.order == 1.0
    assert found.widest.name == "7"
    assert found.diverged == ["6"]
    assert found.failed == []
    assert found.one_seed == ["1", "2", "6", "7"]


def test_order_is_not_judged_by_two_rows_or_equal_accuracies(tmp_path):
    row(tmp_path, "1", 40.0, paper={**PAPER, "accuracy": 33.45})
    row(tmp_path, "7", 40.0, paper=PAPER)
    assert table1.findings(table1.load(tmp_path)).order is None
    row(tmp_path, "8", 40.0, paper=PAPER)
    assert table1.findings(table1.load(tmp_path)).order is None


def test_rows_without_the_papers_figures_are_taken_too(tmp_path):
    row(tmp_path, "mine", 70.0)
    rows = table1.load(tmp_path)
    found = table1.findings(rows)
    assert (list(found.apart), found.sides, found.ahead) == ([], {}, None)
    assert table1.accuracy_table(rows)["difference"].isna().all()


def test_rows_of_different_tables_are_not_mixed(tmp_path):
    row(tmp_path, "1", 50.0)
    row(tmp_path, "2", 50.0, source={**SOURCE, "sha256": "b" * 64, "path": "copy.csv"})
    assert len(table1.load(tmp_path)) == 2  # another file of the same content
    row(tmp_path, "3", 50.0, source=OTHER)
    with pytest.raises(InputError, match="rows measured on different features tables"):
        table1.load(tmp_path)


def test_empty_folder(tmp_path):
    with pytest.raises(InputError, match="holds no finished run"):
        table1.load(tmp_path)


def test_interval_draws_tracks(tmp_path):
    row(tmp_path, "1", 50.0)
    rows = table1.load(tmp_path)
    # Two tracks, one all right, one all wrong: a quarter of the draws takes either one twice.
    assert rows.loc["1", ["low", "high", "seeds", "failed"]].to_list() == [0.0, 100.0, 1, ""]
    assert table1.accuracy_table(rows)["95 % interval"][0] == "0.00 to 100.00"


def test_paper_lies_beyond_the_interval_or_inside(tmp_path):
    row(tmp_path, "1", 100.0, paper={**PAPER, "accuracy": 99.0}, predictions=ALL_RIGHT)
    row(tmp_path, "2", 50.0, paper={**PAPER, "accuracy": 99.0})
    row(tmp_path, "3", 50.0, paper={**PAPER, "accuracy": 100.0})  # the interval's end
    row(tmp_path, "4", 50.0)
    sides = table1.findings(table1.load(tmp_path)).sides
    assert sides == {"below": ["1"], "inside": ["2", "3"]}


def test_seeds_are_averaged_with_their_spread(tmp_path):
    row(tmp_path / "rows", "1", 60.0, paper=PAPER, predictions=ALL_RIGHT)
    row(tmp_path / "seeds" / "1", "1", 64.0, predictions=ALL_RIGHT)
    row(tmp_path / "seeds" / "2", "1", 68.0, predictions=ALL_RIGHT)
    row(tmp_path / "seeds" / "3", "1", 10.0, source=OTHER)  # left out
    rows = table1.load(tmp_path / "rows")
    taken = rows.loc["1", ["accuracy", "spread", "seeds", "low", "high"]].to_list()
    assert taken == [64.0, 4.0, 3, 100.0, 100.0]
    assert table1.findings(rows).one_seed == []


def test_training_that_broke_down_is_named_with_its_seed(tmp_path):
    fell = {"epoch": [1, 2, 3], "test_accuracy": [0.7, 0.4, 0.65]}
    row(tmp_path / "rows", "6", 66.0)
    row(tmp_path / "rows", "7", 65.0)
    row(tmp_path / "seeds" / "2", "7", 65.0, history=fell)
    (fall,) = table1.findings(table1.load(tmp_path / "rows")).collapses
    assert (fall["row"], fall["seed"], fall["best_epoch"], fall["low_epoch"]) == ("7", 2, 1, 2)
    assert [fall[name] for name in ("best", "low", "last")] == pytest.approx([70, 40, 65])


def test_rows_trained_otherwise_than_printed(tmp_path):
    row(tmp_path, "1", 60.0, paper={**PAPER, "activation": "tanh", "learning_rate": 0.001})
    row(tmp_path, "2", 60.0, paper={**PAPER, "activation": "relu", "learning_rate": 0.001})
    row(tmp_path, "3", 60.0, paper={**PAPER, "activation": "tanh", "learning_rate": 0.01})
    row(tmp_path, "4", 60.0, paper={**PAPER, "activation": "tanh"})
    assert table1.findings(table1.load(tmp_path)).otherwise == ["2", "3"]


def test_rows_trained_otherwise_than_their_files_say_now(tmp_path):
    for name in "1234":
        row(tmp_path / "rows", name, 60.0)
        (tmp_path / f"{name}.yaml").write_text("epochs: 120\nlearning_rate: 0.001\n")
    (tmp_path / "2.yaml").write_text("epochs: 120\nlearning_rate: 0.003\n")
    (tmp_path / "3.yaml").unlink()
    (tmp_path / "4.yaml").write_text("epochs: 120\npaper:\n  accuracy: 1\n")
    assert table1.outdated(table1.load(tmp_path / "rows"), tmp_path) == ["2", "3"]


def test_settings_are_those_of_the_reports_name():
    reports = ROOT / "reports"
    assert table1.settings(reports / "table1-as-printed" / "rows").name == "table1-as-printed"
    assert table1.settings(reports / "gtzan" / "rows").name == "table1"


def test_precision_is_compared_with_recall_where_the_papers_is_farthest_above(tmp_path):
    row(tmp_path, "1", 33.0, paper={**PAPER, "precision": 55.47, "recall": 33.16})
    row(tmp_path, "2", 60.0, paper=PAPER)
    failed(tmp_path, "0", paper={**PAPER, "precision": 99.0, "recall": 9.0})
    ahead = table1.findings(table1.load(tmp_path, ["0", "1", "2"])).ahead
    assert ahead.name == "1"
    assert ahead.to_list() == pytest.approx([55.47 - 33.16, 0.0])


def test_shuffled_columns_are_shown_where_there_are_any(tmp_path):
    row(tmp_path, "1", 60.0)
    row(tmp_path, "2", 60.0, shuffle_columns=True)
    rows = table1.load(tmp_path)
    assert table1.recipe_table(rows)["columns"].to_list() == ["as published", "shuffled"]
    assert "columns" not in table1.recipe_table(rows[:1])


def test_row_that_failed_is_shown_with_its_reason(tmp_path):
    row(tmp_path, "1", 60.0, paper=PAPER)
    failed(tmp_path, "2")
    rows = table1.load(tmp_path, ["1", "2"])
    table = table1.accuracy_table(rows)
    assert list(table["note"]) == ["", "failed: MemoryError"]
    assert list(table["paper"]) == [91.78, 91.78]
    assert table["ours"].isna().to_list() == [False, True]
    assert table1.findings(rows).failed == ["2"]
    assert table1.recipe_table(rows)["batch size"].to_list() == [220, 220]


def test_all_rows_failed_is_an_error(tmp_path):
    failed(tmp_path, "1")
    with pytest.raises(InputError, match="every row in .* failed, the first with: MemoryError"):
        table1.load(tmp_path, ["1"])


def test_clean_and_re_drawn_accuracies_stand_beside_the_papers(tmp_path):
    row(tmp_path / "rows", "1", 60.0, paper=PAPER)
    row(tmp_path / "seeds" / "1", "1", 64.0)
    row(tmp_path / "rows", "2", 60.0)
    failed(tmp_path / "rows", "3")
    rows = table1.load(tmp_path / "rows", ["1", "2", "3"])
    measured = explanations.of_rows(tmp_path / "rows", ["1", "2"])
    compared = table1.compared(rows, explanations.over_seeds(measured))
    first = compared.loc["1"]
    assert (first["paper"], first["ours"], first["low"], first["high"]) == (91.78, 62, 0, 100)
    # Two of the five segments are right, of which a third is drawn.
    assert first["re-drawn third"] == pytest.approx(40, abs=2)
    middle = (first["re-drawn low"] + first["re-drawn high"]) / 2
    assert middle == pytest.approx(first["re-drawn third"])
    assert compared.loc["3", ["ours", "re-drawn third"]].isna().all()
    table = table1.main_table(rows, compared)
    assert table["95 % interval"].to_list() == ["0.0 to 100.0", "0.0 to 100.0", "–"]
    assert table["note"].to_list() == ["", "", "failed: MemoryError"]
    assert "paper" not in table1.main_table(rows[1:2], compared[1:2])


def test_one_seed_has_no_spread_and_the_figure_is_drawn_all_the_same(tmp_path):
    row(tmp_path, "mine", 60.0)
    rows = table1.load(tmp_path)
    scores = explanations.over_seeds(explanations.of_rows(tmp_path, rows.index))
    compared = table1.compared(rows, scores)
    assert compared[["paper", "re-drawn low", "re-drawn high"]].isna().all(axis=None)
    (ax,) = figures.hero(compared).axes
    words = " ".join(text.get_text() for text in ax.texts)
    assert "clean test segments" in words
    assert "the paper" not in words


def test_a_runs_scores_stand_under_the_papers(tmp_path):
    row(tmp_path, "1", 60.0, paper=PAPER)
    scores = table1.of_run(runs.load(tmp_path / "1")[0])
    assert scores["accuracy"].to_list() == [91.78, 60.0, 80.0]
    assert scores["segments"].to_list()[1:] == [4, 1]
    row(tmp_path, "2", 60.0)
    assert table1.of_run(runs.load(tmp_path / "2")[0])["accuracy"].to_list() == [60.0, 80.0]


def test_a_training_passes_the_papers_rows_of_its_batch_size():
    points = printed.points(220, 50)
    assert points.to_numpy().tolist() == [["4", 40, 72.37], ["5", 50, 73.37]]
    assert printed.points(128, 6).empty


# The notebook, for a full table, for the sample, for a failed row, for rows of one's own.


def complete(text):
    """Return a text in one line, checked to have no gap where a value belongs."""
    assert not re.search(r"\bnan\b|\bNone\b|^ *- *$", text, re.MULTILINE)
    return " ".join(text.split())


@pytest.mark.slow
def test_notebook_of_the_published_rows(run_here):
    text = complete(run_here("table1", results=str(ROOT / "reports" / "gtzan" / "rows")))
    assert (
        "above our 95 % interval in rows 5-7; below it in rows 1 and 2; inside it in rows 3 and"
        in (text)
    )
    assert "rows 1-7 reach 41.88 to 74.95 % (means over 3 seeds; guessing: 10 %)" in text
    assert "in rows 6 and 7 16.8 to 17.7 points below it." in text
    assert "Rows 1-7 were trained with another activation or learning rate" in text
    assert "embedded sample" not in text


def test_notebook_of_the_sample_and_one_seed(tmp_path, run_here):
    row(tmp_path / "rows", "1", 20.0, source={**SOURCE, "is_sample": True})
    row(tmp_path / "rows", "mine", 30.0, source={**SOURCE, "is_sample": True})
    text = complete(run_here("table1", results=str(tmp_path / "rows")))
    assert text.count("is not a result about GTZAN") == 1
    assert "rows 1 and mine reach 20.00 to 30.00 % (one seed; guessing: 10 %)." in text
    assert "No row was trained with a second seed" in text
    assert "**Size.**" not in text


def test_notebook_with_a_failed_row_and_one_that_diverged(tmp_path, run_here):
    failed(tmp_path / "rows", "1")
    row(tmp_path / "rows", "2", 30.0, paper=PAPER)
    row(tmp_path / "rows", "3", 10.0, paper=PAPER, diverged=True)
    text = complete(run_here("table1", results=str(tmp_path / "rows"), rows="1 2 3"))
    assert "Row 1 could not be trained" in text
    assert "diverged in row 3" in text


def test_notebook_says_which_rows_are_outdated(tmp_path, run_here, monkeypatch):
    for name in ("1", "2"):
        row(tmp_path / "rows", name, 30.0)
    (tmp_path / "params" / "table1").mkdir(parents=True)
    (tmp_path / "params" / "table1" / "1.yaml").write_text("epochs: 120")
    (tmp_path / "params" / "table1" / "2.yaml").write_text("epochs: 119")
    monkeypatch.setattr(table1, "PARAMS", tmp_path / "params")
    text = complete(run_here("table1", results=str(tmp_path / "rows")))
    assert (
        "**Row 2 was trained with other settings than <code>params/table1</code> holds now.**"
        in text
    )
