"""Rows are put beside the paper's, in order, and never mixed across tables."""

import pytest

from music_genre.analysis import table1
from music_genre.exceptions import InputError
from music_genre.provenance import write_json

PAPER = {"precision": 91.81, "recall": 91.78, "f1": 91.70, "accuracy": 91.78}


# Two tracks of two test segments each, one of which is told right, and one that is trained on.
PREDICTIONS = """filename,part,label,predicted
blues.00000.0.wav,test,blues,blues
blues.00000.1.wav,test,blues,blues
blues.00001.0.wav,test,blues,metal
blues.00001.1.wav,test,blues,metal
metal.00000.0.wav,train,metal,blues
"""


def run(
    folder, name, accuracy, *, paper=None, sha256="a" * 64, train=80.0, diverged=False,
    predictions=PREDICTIONS, history="epoch,test_accuracy\n1,0.5\n", **given,
):  # fmt: skip
    scores = {"precision": 50.0, "recall": 50.0, "f1": 50.0}
    (folder / name).mkdir(parents=True)
    (folder / name / "history.csv").write_text(history)
    (folder / name / "predictions.csv").write_text(predictions)
    write_json(
        folder / name / "metrics.json",
        {
            "parameters": {
                "epochs": 120, "batch_size": 220, "learning_rate": 0.001, "activation": "tanh",
                "dropout": 0.0, "split": "segment", "scale_on": "all",
                "seed": int(folder.name) if folder.parent.name == "seeds" else 0, **given,
            },
            "paper": paper or {},
            "diverged": diverged,
            "parts": {
                "test": {**scores, "accuracy": accuracy},
                "train": {**scores, "accuracy": train},
            },
            "source": {
                "path": "t.csv", "is_sample": False, "clips": 1000, "segments": 9990,
                "genres": 10, "sha256": sha256, "ignored_columns": [],
            },
        },
    )  # fmt: skip


def test_row_ten_comes_after_row_nine(tmp_path):
    for name in ("10", "9", "b", "1"):
        run(tmp_path, name, 50.0)
    assert list(table1.load(tmp_path).index) == ["1", "9", "10", "b"]
    assert list(table1.load(tmp_path, ["9", "10"]).index) == ["9", "10"]


def test_difference_is_ours_minus_the_papers(tmp_path):
    run(tmp_path, "7", 64.9, paper=PAPER, train=94.1)
    line = table1.accuracy_table(table1.load(tmp_path)).iloc[0]
    assert (line["paper"], line["ours"]) == (91.78, 64.9)
    assert line["difference"] == pytest.approx(-26.88)


def test_findings_quote_the_figures(tmp_path):
    run(tmp_path, "1", 40.0, paper={**PAPER, "accuracy": 33.45}, train=41.0)
    run(tmp_path, "6", 10.0, diverged=True, train=10.0)
    run(tmp_path, "7", 64.9, paper=PAPER, train=94.1)
    rows = table1.load(tmp_path)
    text = table1.findings(rows)
    assert "by 6.5 percentage points (row 1) to 26.9 (row 7)" in text
    assert "In row 7 the model knows 94.1 %" in text
    assert "stopped being finite in row 6" in text
    assert "sample" not in text
    assert "between 10.00 and 64.90 %; the paper's Table I has 33.45 to 91.78 %" in (
        table1.headline(rows)
    )


def test_rows_without_the_papers_figures_are_summed_up_too(tmp_path):
    run(tmp_path, "mine", 70.0)
    rows = table1.load(tmp_path)
    assert "Size" not in table1.findings(rows)
    assert table1.accuracy_table(rows)["difference"].isna().all()


def test_rows_of_different_tables_are_not_mixed(tmp_path):
    run(tmp_path, "1", 50.0)
    run(tmp_path, "2", 50.0, sha256="b" * 64)
    with pytest.raises(InputError, match="rows measured on 2 different tables"):
        table1.load(tmp_path)


def test_empty_folder(tmp_path):
    with pytest.raises(InputError, match="holds no finished run"):
        table1.load(tmp_path)


def test_interval_draws_tracks(tmp_path):
    run(tmp_path, "1", 50.0)
    row = table1.load(tmp_path).loc["1"]
    # Two tracks, one all right, one all wrong: a quarter of the draws takes either one twice.
    assert (row["low"], row["high"]) == (0.0, 100.0)
    assert (row["seeds"], row["failed"]) == (1, "")
    assert table1.accuracy_table(table1.load(tmp_path))["95 % interval"][0] == "0.00 to 100.00"


def test_seeds_are_averaged_with_their_spread(tmp_path):
    right = PREDICTIONS.replace("blues,metal", "blues,blues")
    run(tmp_path / "rows", "1", 60.0, paper=PAPER, predictions=right)
    run(tmp_path / "seeds" / "1", "1", 64.0, predictions=right)
    run(tmp_path / "seeds" / "2", "1", 68.0, predictions=right)
    run(tmp_path / "seeds" / "3", "1", 10.0, sha256="b" * 64)  # of another table: left out
    rows = table1.load(tmp_path / "rows")
    row = rows.loc["1"]
    assert (row["accuracy"], row["spread"], row["seeds"]) == (64.0, 4.0, 3)
    assert (row["low"], row["high"]) == (100.0, 100.0)
    text = table1.findings(rows)
    assert "trained with 3 seeds, which" in text
    assert "4.00 to 4.00 points" in text


def test_training_that_broke_down_is_told(tmp_path):
    fell = "epoch,test_accuracy\n1,0.7\n2,0.4\n3,0.65\n"
    run(tmp_path / "rows", "6", 66.0)
    run(tmp_path / "rows", "7", 65.0)
    run(tmp_path / "seeds" / "2", "7", 65.0, history=fell)
    rows = table1.load(tmp_path / "rows")
    text = table1.findings(rows)
    assert text.count("**Stability.**") == 1
    assert "in row 7: seed 2: from 70.0 % on test rows after epoch 1 it fell to 40.0 %" in text


def test_rows_trained_otherwise_than_printed_are_named_at_the_top(tmp_path):
    run(tmp_path, "1", 60.0, paper={**PAPER, "activation": "tanh", "learning_rate": 0.001})
    run(tmp_path, "2", 60.0, paper={**PAPER, "activation": "relu", "learning_rate": 0.001})
    run(tmp_path, "3", 60.0, paper={**PAPER, "activation": "tanh", "learning_rate": 0.01})
    run(tmp_path, "4", 60.0, paper={**PAPER, "activation": "tanh"})
    assert "Rows 2, 3 were trained with another activation or learning rate than the paper" in (
        table1.headline(table1.load(tmp_path))
    )


def test_precision_is_set_beside_recall_as_in_the_paper(tmp_path):
    run(tmp_path, "1", 33.0, paper={**PAPER, "precision": 55.47, "recall": 33.16})
    run(tmp_path, "2", 60.0, paper=PAPER)
    text = table1.findings(table1.load(tmp_path))
    assert "In the paper's row 1 precision is 22.3 points above recall" in text  # 55.47 - 33.16
    assert "in ours there 0.0." in text
    failed(tmp_path, "0", paper={**PAPER, "precision": 99.0, "recall": 9.0})
    assert "In the paper's row 1 precision" in table1.findings(table1.load(tmp_path, ["0", "1"]))


def test_seed_of_before_columns_could_be_shuffled_counts_where_they_are_not(tmp_path):
    run(tmp_path / "rows", "1", 60.0, shuffle_columns=False)
    run(tmp_path / "rows", "2", 60.0, shuffle_columns=True)
    for row in ("1", "2"):
        run(tmp_path / "seeds" / "1", row, 64.0)
    rows = table1.load(tmp_path / "rows")
    assert rows["seeds"].to_list() == [2, 1]
    assert table1.recipe_table(rows)["columns"].to_list() == ["the table's order", "shuffled"]
    assert "columns" not in table1.recipe_table(rows[:1])


def test_a_difference_is_one_where_the_interval_says_so(tmp_path):
    right = PREDICTIONS.replace("blues,metal", "blues,blues")
    run(tmp_path, "1", 100.0, paper={**PAPER, "accuracy": 99.0}, predictions=right)
    run(tmp_path, "2", 50.0, paper={**PAPER, "accuracy": 99.0})
    text = table1.findings(table1.load(tmp_path))
    assert "the paper's accuracy lies below it in row 1; within it in row 2." in text


def failed(folder, name, *, paper=PAPER):
    given = {"epochs": 90, "batch_size": 220, "learning_rate": 0.001, "paper": paper}
    write_json(folder / name / "failed.json", {"parameters": given, "error": "MemoryError"})


def test_row_that_failed_is_shown_with_its_reason(tmp_path):
    run(tmp_path, "1", 60.0, paper=PAPER)
    failed(tmp_path, "2")
    rows = table1.load(tmp_path, ["1", "2"])
    table = table1.accuracy_table(rows)
    assert list(table["note"]) == ["", "failed: MemoryError"]
    assert list(table["paper"]) == [91.78, 91.78]
    assert table["ours"].isna().to_list() == [False, True]
    assert "Row 2 could not be trained" in table1.findings(rows)
    assert table1.recipe_table(rows)["batch size"].to_list() == [220, 220]


def test_all_rows_failed_is_an_error(tmp_path):
    failed(tmp_path, "1")
    with pytest.raises(InputError, match="every row in .* failed, the first so: MemoryError"):
        table1.load(tmp_path, ["1"])
