"""What the decimals of Table I tell, worked out by hand."""

import pandas as pd
import pytest

from music_genre.analysis import decimals, recipes
from music_genre.paths import ROOT


@pytest.fixture(scope="module")
def paper():
    return recipes.paper_rows(ROOT / "params" / "table1")


def test_accuracies_that_a_number_of_segments_can_give():
    # Of 3 segments 0, 1, 2 or 3 are correct: 0, 33.33, 66.67 or 100 %.
    printed = [0.0, 33.33, 33.34, 50.0, 66.67, 100.0]
    assert decimals.possible(printed, 3).tolist() == [True, True, False, False, True, True]


def test_published_table_has_9990_segments_and_a_third_of_them_fits_the_paper(paper):
    assert decimals.PUBLISHED_SEGMENTS.sum() == 9990
    parts = decimals.granularity(paper["accuracy"]).set_index(["part", "held_out"])
    # 33.45 % of 3,297 is 1,103 correct: 33.4547. Of 1,998: 668 is 33.4334, 669 is 33.4835.
    assert parts.loc[("test", 33), ["segments", "possible"]].to_list() == [3297, 7]
    assert not decimals.possible([33.45], 1998)[0]
    assert list(parts.index[parts["telling"]]) == [("test", 33)]
    assert parts.loc[("all", 0), ["segments", "possible"]].to_list() == [9990, 7]
    assert parts.loc[("training", 20), "segments"] + parts.loc[("test", 20), "segments"] == 9990
    assert parts["segments"].is_monotonic_increasing


def test_accuracies_that_any_size_gives_tell_nothing():
    parts = decimals.granularity([0.0, 100.0])
    assert (parts["possible"] == 2).all()
    assert (parts["chance"] == 100).all()
    assert not parts["telling"].any()


def test_recall_and_accuracy_lie_close_where_genres_are_nearly_equal():
    # Five genres have 1,000 of 9,990: 0.0001001 above a tenth each, and rock's 998 below.
    limit = decimals.widest_recall_gap()
    assert limit == pytest.approx(100 * 5 * (1000 / 9990 - 0.1), abs=1e-9)


def test_printed_recall_lies_further_from_accuracy_in_the_first_four_rows(paper):
    gaps = decimals.recall_gaps(paper)
    assert gaps["2"] == gaps.max() == pytest.approx(0.44)
    assert gaps.index[gaps > decimals.widest_recall_gap()].to_list() == ["1", "2", "3", "4"]


def test_recall_that_is_not_printed_tells_nothing():
    paper = pd.DataFrame({"recall": [float("nan")], "accuracy": [50.0]}, index=["1"])
    assert not (decimals.recall_gaps(paper) > decimals.widest_recall_gap()).any()
