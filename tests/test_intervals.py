"""Intervals against bootstrap distributions worked out by hand or by counting every draw."""

import math
from itertools import product

import numpy as np
import pytest

from music_genre.exceptions import InputError
from music_genre.metrics import intervals

# Four groups, one of them wrong: a draw holds it k times with the binomial probabilities of four
# in four, 0.316, 0.422, 0.211, 0.047, 0.004. So 2.5 % of the draws lie below k = 3, none at the
# other end reach beyond k = 0.
GROUPS = ["a", "b", "c", "d"]
ONE_WRONG = [1, 1, 1, 0]


def test_interval_worked_out_by_hand():
    assert intervals.interval(ONE_WRONG, GROUPS) == (25, 100)


def test_more_segments_of_the_same_tracks_make_no_interval_narrower():
    assert intervals.interval(ONE_WRONG * 50, GROUPS * 50) == (25, 100)


def test_groups_weigh_by_their_segments():
    # Three right groups of two segments, a wrong one of one: k = 3 leaves 2 of 5 right.
    groups, correct = ["a", "a", "b", "b", "c", "c", "d"], [1, 1, 1, 1, 1, 1, 0]
    assert intervals.interval(correct, groups) == (40, 100)


def test_runs_are_averaged_draw_by_draw():
    assert intervals.interval([ONE_WRONG, [1, 1, 1, 1]], GROUPS) == (62.5, 100)


def test_runs_that_tested_different_segments_against_all_draws_counted():
    correct = np.array(
        [[1, 1, 0, 0, 1, math.nan, 0], [math.nan, math.nan, math.nan, 1, 0, 1, math.nan]]
    )
    groups = ["a", "a", "b", "b", "c", "c", "d"]
    members = {name: [i for i, group in enumerate(groups) if group == name] for name in "abcd"}
    every = []
    for draw in product("abcd", repeat=4):
        accuracies = []
        for run in correct:
            tested = [run[i] for name in draw for i in members[name] if not math.isnan(run[i])]
            if tested:
                accuracies.append(100 * sum(tested) / len(tested))
        every.append(sum(accuracies) / len(accuracies))
    low, high = intervals.interval(correct, groups, draws=100_000)
    every = np.sort(every)
    # Between the neighbouring shares: the draws are a sample of the 256.
    assert np.percentile(every, 2) <= low <= np.percentile(every, 3)
    assert np.percentile(every, 97) <= high <= np.percentile(every, 98)


def test_many_groups_of_one_segment_give_the_textbook_interval():
    correct = np.arange(1000) % 5 > 0  # 80 %
    half = 1.96 * 100 * math.sqrt(0.8 * 0.2 / 1000)
    low, high = intervals.interval(correct, np.arange(1000), draws=10_000)
    assert (low, high) == pytest.approx((80 - half, 80 + half), abs=0.2)  # accuracy's step: 0.1


def test_segments_that_were_never_tested_do_not_count():
    correct, groups = [*ONE_WRONG] + [math.nan] * 13, [*GROUPS, *"aefghijklmnop"]
    assert intervals.interval(correct, groups) == (25, 100)


def test_difference_worked_out_by_hand():
    # a is right everywhere: the difference is k of four, which reaches 3 in over 2.5 % of draws.
    assert intervals.paired_difference([1, 1, 1, 1], ONE_WRONG, GROUPS) == (0, 75)
    assert intervals.paired_difference(ONE_WRONG, [1, 1, 1, 1], GROUPS) == (-75, 0)


def test_difference_is_paired():
    assert intervals.paired_difference(ONE_WRONG, ONE_WRONG, GROUPS) == (0, 0)
    assert intervals.paired_difference([ONE_WRONG] * 3, ONE_WRONG, GROUPS) == (0, 0)


def test_difference_of_separate_groups_worked_out_by_hand():
    # b is right everywhere, so the difference is -k of four: as above, seen from below.
    assert intervals.unpaired_difference(ONE_WRONG, GROUPS, [1, 1], ["e", "f"]) == (-75, 0)
    assert intervals.unpaired_difference([1, 1], ["e", "f"], ONE_WRONG, GROUPS) == (0, 75)


def test_separate_groups_are_drawn_on_their_own():
    half_right, groups = np.arange(400) % 2, np.arange(400)
    half = 1.96 * 100 * math.sqrt(2 * 0.5 * 0.5 / 400)  # the textbook's; drawn as one: 0
    ends = intervals.unpaired_difference(half_right, groups, half_right, groups, draws=5000)
    assert ends == pytest.approx((-half, half), abs=0.4)


def test_seed_decides():
    correct, groups = np.arange(300) % 3 > 0, np.arange(300) // 7
    assert intervals.interval(correct, groups) == intervals.interval(correct, groups)
    assert intervals.interval(correct, groups) != intervals.interval(correct, groups, seed=1)


def test_where_a_group_is_not_known_no_interval_is():
    some = ["a", "b", "c", None]
    for ends in (
        intervals.interval(ONE_WRONG, some),
        intervals.paired_difference(ONE_WRONG, ONE_WRONG, some),
        intervals.unpaired_difference(ONE_WRONG, GROUPS, ONE_WRONG, some),
    ):
        assert all(map(math.isnan, ends))


def test_input_without_an_interval_is_an_error():
    with pytest.raises(InputError, match="1 group was tested"):
        intervals.interval([1, 0, math.nan], ["a", "a", "b"])
    with pytest.raises(InputError, match="4 segments have 3 groups"):
        intervals.interval(ONE_WRONG, GROUPS[:3])
    with pytest.raises(InputError, match="not tested on the same segments"):
        intervals.paired_difference([1, 1, 0, math.nan], ONE_WRONG, GROUPS)
