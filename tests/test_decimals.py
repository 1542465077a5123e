"""What the decimals of Table I tell, worked out by hand."""

import numpy as np
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


def test_gap_of_recall_and_accuracy_on_all_segments_is_limited_by_what_recall_lacks():
    # Country has 997 of 9,990: 0.0002002 below a tenth. Recall 91.47 lacks 85.3 points in sum; all
    # of them in country make the accuracy 85.3 x 0.0002002 larger than the recall.
    paper = pd.DataFrame({"recall": [91.47], "accuracy": [91.51]}, index=["6"])
    gaps = decimals.recall_gaps(paper).loc["6"]
    assert gaps["limit"] == pytest.approx(85.3 * (0.1 - 997 / 9990))
    assert gaps["gap"] == pytest.approx(0.04)
    assert gaps["excluded"]  # 0.03 at least, as both are rounded
    shares = decimals.PUBLISHED_SEGMENTS / 9990 - 0.1
    assert gaps["spread"] == pytest.approx(0.03 / (shares**2).sum() ** 0.5 / 10**0.5)


def test_no_recalls_drawn_at_random_exceed_the_limit():
    random = np.random.default_rng(0)
    shares = (decimals.PUBLISHED_SEGMENTS / 9990).to_numpy()
    for _ in range(200):
        recalls = 100 * random.random(10) ** random.choice([0.1, 1, 10])
        paper = pd.DataFrame({"recall": [recalls.mean()], "accuracy": [shares @ recalls]})
        assert abs(shares @ recalls - recalls.mean()) <= decimals.recall_gaps(paper)["limit"][0]


def test_printed_recall_excludes_all_segments_in_rows_1_to_4_and_6(paper):
    gaps = decimals.recall_gaps(paper)
    assert gaps["gap"].to_list() == pytest.approx([0.29, -0.44, -0.25, -0.13, -0.04, 0.04, 0.0])
    assert list(gaps.index[gaps["excluded"]]) == ["1", "2", "3", "4", "6"]


def test_a_third_that_keeps_the_genres_shares_is_excluded_where_all_segments_are(paper):
    sizes = decimals.stratified_third()
    assert sizes.sum() == decimals.THIRD
    assert set(sizes) == {329, 330}  # 997 to 1,000 x 0.33
    gaps = decimals.recall_gaps(paper, sizes)
    assert list(gaps.index[gaps["excluded"]]) == ["1", "2", "3", "4", "6"]


def test_recall_that_is_not_printed_tells_nothing():
    paper = pd.DataFrame({"recall": [float("nan")], "accuracy": [50.0]}, index=["1"])
    assert not decimals.recall_gaps(paper)["excluded"].any()


def test_accuracies_of_the_text_fit_all_segments_and_no_third():
    # 46.26 % of 3,297 is 1,525.2: 1,525 is 46.254 and 1,526 is 46.284. 58.67 % is 1,934.3: 58.659.
    found = decimals.by_value(decimals.IN_TEXT)
    assert found["printed"].to_list() == [46.26, 58.67]
    assert not found["third"].any()
    assert found["all"].all()
