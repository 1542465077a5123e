"""Rows are put beside the paper's, in order, and never mixed across tables."""

import pytest

from music_genre import summary
from music_genre.errors import InputError
from music_genre.provenance import write_json

PAPER = {"precision": 91.81, "recall": 91.78, "f1": 91.70, "accuracy": 91.78}


def run(folder, name, accuracy, *, paper=None, sha256="a" * 64, train=80.0, diverged=False):
    scores = {"precision": 50.0, "recall": 50.0, "f1": 50.0}
    (folder / name).mkdir(parents=True)
    for table in ("history", "predictions"):
        (folder / name / f"{table}.csv").write_text("epoch\n1\n")
    write_json(
        folder / name / "metrics.json",
        {
            "parameters": {
                "epochs": 120, "batch_size": 220, "learning_rate": 0.001, "activation": "tanh",
                "dropout": 0.0, "split": "segment", "scale_on": "all",
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
    assert list(summary.load(tmp_path).index) == ["1", "9", "10", "b"]
    assert list(summary.load(tmp_path, ["9", "10"]).index) == ["9", "10"]


def test_difference_is_ours_minus_the_papers(tmp_path):
    run(tmp_path, "7", 64.9, paper=PAPER, train=94.1)
    line = summary.accuracy_table(summary.load(tmp_path)).iloc[0]
    assert (line["paper"], line["ours"]) == (91.78, 64.9)
    assert line["difference"] == pytest.approx(-26.88)


def test_findings_quote_the_figures(tmp_path):
    run(tmp_path, "1", 40.0, paper={**PAPER, "accuracy": 33.45}, train=41.0)
    run(tmp_path, "6", 10.0, diverged=True, train=10.0)
    run(tmp_path, "7", 64.9, paper=PAPER, train=94.1)
    rows = summary.load(tmp_path)
    text = summary.findings(rows)
    assert "by 6.5 percentage points (row 1) to 26.9 (row 7)" in text
    assert "In row 7 the model knows 94.1 %" in text
    assert "stopped being finite in row 6" in text
    assert "sample" not in text
    assert "between 10.00 and 64.90 %; the paper's Table I has 33.45 to 91.78 %" in (
        summary.headline(rows)
    )


def test_rows_without_the_papers_figures_are_summed_up_too(tmp_path):
    run(tmp_path, "mine", 70.0)
    rows = summary.load(tmp_path)
    assert "Size" not in summary.findings(rows)
    assert summary.accuracy_table(rows)["difference"].isna().all()


def test_rows_of_different_tables_are_not_mixed(tmp_path):
    run(tmp_path, "1", 50.0)
    run(tmp_path, "2", 50.0, sha256="b" * 64)
    with pytest.raises(InputError, match="rows measured on 2 different tables"):
        summary.load(tmp_path)


def test_empty_folder(tmp_path):
    with pytest.raises(InputError, match="holds no finished run"):
        summary.load(tmp_path)
