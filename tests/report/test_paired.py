from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy import stats

from engine.report.difference import Difference
from engine.report.paired import geometric_mean, paired, unpaired


def rates(*values: float) -> dict[int, float]:
    return dict(enumerate(values))


def noisy(random: np.random.Generator, rate: float, noise: float, count: int) -> dict[int, float]:
    return rates(*(rate * np.exp(random.normal(0.0, noise, count))).tolist())


def test_a_worked_example() -> None:
    # Ratios 1.40, 1.42, 1.44: logs 0.33647, 0.35066, 0.36464, mean 0.35059, s 0.014086.
    told = paired(rates(140, 142, 144), rates(100, 100, 100))
    assert told.ratio == pytest.approx((1.40 * 1.42 * 1.44) ** (1 / 3))
    half = 4.30265 * 0.0140856 / math.sqrt(3)
    assert told.low == pytest.approx(math.exp(0.350590 - half), rel=1e-4)
    assert told.high == pytest.approx(math.exp(0.350590 + half), rel=1e-4)
    assert (told.call, told.pairs, told.repeats_to_settle) == ("faster", 3, None)


def test_the_interval_is_scipys_and_widens_with_the_comparisons() -> None:
    ours, theirs = rates(97, 103, 99, 104), rates(100, 101, 98, 102)
    logs = np.log([97, 103, 99, 104]) - np.log([100, 101, 98, 102])
    for comparisons in (1, 5, 19):
        told = paired(ours, theirs, comparisons)
        expected = stats.t.interval(1 - 0.05 / comparisons, 3, logs.mean(), stats.sem(logs))
        assert (told.low, told.high) == pytest.approx(tuple(np.exp(expected)), rel=1e-9)


def test_what_drifts_for_both_does_not_count() -> None:
    # Each repeat is 10 % slower than the one before, for both: the pairs know nothing of it.
    theirs = rates(100, 90, 81)
    ours = rates(110, 99, 89.1)
    told = paired(ours, theirs)
    assert told.call == "faster"
    assert told.low == pytest.approx(1.1)
    assert unpaired(ours, theirs).call == "undecided"


def test_within_one_percent_is_a_tie_however_sure() -> None:
    assert paired(rates(100.5, 100.5, 100.5), rates(100, 100, 100)).call == "tie"
    assert paired(rates(100.5, 100.6, 100.4), rates(100, 100, 100)).call == "tie"
    assert paired(rates(102, 102, 102), rates(100, 100, 100)).call == "faster"
    assert paired(rates(98, 98, 98), rates(100, 100, 100)).call == "slower"
    assert paired(rates(100, 100, 100), rates(100, 100, 100)).call == "tie"


def test_few_repeats_decide_nothing_and_two_show_their_interval() -> None:
    one = paired(rates(200), rates(100))
    assert (one.call, one.pairs, one.low, one.repeats_to_settle) == ("undecided", 1, None, None)
    assert one.ratio == pytest.approx(2.0)
    two = paired(rates(200, 202), rates(100, 100))
    assert (two.call, two.pairs) == ("undecided", 2)
    assert two.low is not None
    assert two.high is not None
    assert two.low < 2.01 < two.high
    assert two.repeats_to_settle == 3


def test_only_repeats_that_both_have_are_pairs() -> None:
    ours = {0: 110.0, 1: math.nan, 2: 111.0, 3: 0.0, 4: math.inf, 7: 109.0}
    theirs = {0: 100.0, 1: 100.0, 2: 100.0, 3: 100.0, 4: 100.0, 5: 1.0, 7: 100.0}
    told = paired(ours, theirs)
    assert told.pairs == 3
    assert told.ratio == pytest.approx((1.10 * 1.11 * 1.09) ** (1 / 3))
    nothing = Difference(call="unknown")
    assert paired({0: 1.0}, {1: 1.0}) == paired({}, theirs) == unpaired({}, theirs) == nothing
    assert geometric_mean({0: math.nan, 1: 0.0}) is None


def test_rows_of_different_experiments_are_compared_by_welch() -> None:
    ours, theirs = rates(120, 123, 118, 121), {4: 100.0, 9: 104.0, 11: 98.0}
    told = unpaired(ours, theirs, 3)
    one, other = np.log(list(ours.values())), np.log(list(theirs.values()))
    welch = stats.ttest_ind(one, other, equal_var=False)
    expected = welch.confidence_interval(1 - 0.05 / 3)
    assert (told.low, told.high) == pytest.approx(
        (math.exp(expected.low), math.exp(expected.high)), rel=1e-8
    )
    assert (told.call, told.pairs) == ("faster", 3)
    assert told.ratio == pytest.approx(math.exp(one.mean() - other.mean()))
    few = unpaired(rates(120, 121), rates(100, 101, 102))
    assert (few.call, few.pairs) == ("undecided", 2)
    assert unpaired(rates(120), rates(100, 101)).low is None


def test_wild_repeats_have_an_interval_without_end() -> None:
    told = paired(rates(1e-9, 1e9), rates(1, 1), 19)
    assert told.high == math.inf
    assert told.low == 0.0
    assert told.call == "undecided"


def _decided(logs: list[float], repeats: int, comparisons: int) -> bool:
    """By scipy: whether so many repeats of the same mean and spread decide."""
    mean, spread = np.mean(logs), np.std(logs, ddof=1)
    t = stats.t.isf(0.05 / comparisons / 2, repeats - 1)
    low, high = mean - t * spread / repeats**0.5, mean + t * spread / repeats**0.5
    return bool(low > 0 or high < 0 or (low >= math.log(0.99) and high <= math.log(1.01)))


@pytest.mark.parametrize("ratio", [1.0, 1.004, 1.009, 1.012, 1.02, 1.05, 0.97])
def test_how_many_repeats_would_settle_it_is_the_fewest(ratio: float) -> None:
    for noise, comparisons in ((0.01, 1), (0.03, 7)):
        values = [ratio * math.exp(each * noise) for each in (-1.0, 0.0, 1.0)]
        told = paired(rates(*values), rates(1, 1, 1), comparisons)
        logs = [math.log(each) for each in values]
        first = next((n for n in range(3, 1001) if _decided(logs, n, comparisons)), None)
        if first == 3:
            assert told.call != "undecided"
            assert told.repeats_to_settle is None
        else:
            assert told.call == "undecided"
            assert told.repeats_to_settle == first


def test_what_no_thousand_repeats_would_settle_is_not_told() -> None:
    # Exactly at the edge of a tie: never inside, and never apart from 1 by more than its spread.
    told = paired(rates(0.5, 2.0, 1.003), rates(1, 1, 1))
    assert (told.call, told.repeats_to_settle) == ("undecided", None)


@given(
    some.lists(some.tuples(some.floats(1e-3, 1e6), some.floats(1e-3, 1e6)), min_size=2, max_size=8),
    some.integers(1, 190),
)
def test_turned_round_it_says_the_opposite(
    pairs: list[tuple[float, float]], comparisons: int
) -> None:
    ours, theirs = rates(*(a for a, _ in pairs)), rates(*(b for _, b in pairs))
    told, turned = paired(ours, theirs, comparisons), paired(theirs, ours, comparisons)
    opposite = {"faster": "slower", "slower": "faster"}
    assert told.ratio is not None
    assert turned.ratio == pytest.approx(1 / told.ratio)
    assert told.low is not None
    assert told.low <= told.ratio * (1 + 1e-12)
    if told.call in opposite:
        assert turned.call == opposite[told.call]
        assert turned.low is not None
        assert told.high == pytest.approx(1 / turned.low)


def test_ten_percent_slower_is_found_with_three_repeats() -> None:
    random = np.random.default_rng(10)
    calls = [
        paired(noisy(random, 90, 0.01, 3), noisy(random, 100, 0.002, 3)).call for _ in range(500)
    ]
    assert calls.count("slower") >= 495
    assert "faster" not in calls


def test_half_a_percent_slower_is_a_tie() -> None:
    random = np.random.default_rng(11)
    calls = [
        paired(noisy(random, 99.5, 0.0005, 3), noisy(random, 100, 0.0005, 3)).call
        for _ in range(500)
    ]
    assert calls.count("tie") >= 490
    assert "faster" not in calls


def test_equal_strategies_are_seldom_called_different() -> None:
    """At most 5 % of tables with several strategies that are all equal name one as different."""
    random = np.random.default_rng(12)
    for strategies, repeats in ((1, 3), (4, 3)):
        wrong = 0
        for _ in range(2000):
            baseline = noisy(random, 100, 0.03, repeats)
            calls = {
                paired(noisy(random, 100, 0.03, repeats), baseline, strategies).call
                for _ in range(strategies)
            }
            wrong += bool(calls & {"faster", "slower"})
        # 100 are expected at most; 30 more are three standard deviations.
        assert wrong <= 130, (strategies, repeats)


def test_two_repeats_never_decide() -> None:
    random = np.random.default_rng(13)
    for _ in range(2000):
        rate = random.uniform(1, 1000)
        told = paired(noisy(random, rate, 0.001, 2), noisy(random, 100, 0.001, 2))
        assert told.call == "undecided"
