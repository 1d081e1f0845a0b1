from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from engine.report.against import compared
from engine.report.comparison import Row
from engine.report.winner import verdict
from tests.report.tables import row


def said(*rows: Row, baseline: int = 0, over: bool = True) -> str:
    found = compared(rows, rows[baseline])
    return verdict(found, found[baseline], over=over)


def test_the_fastest_against_the_baseline_with_its_interval() -> None:
    two = said(row("single", [100, 100, 100]), row("ddp", [140, 142, 144]))
    assert two == ("ddp is fastest: 1.42 times single (95 % interval 1.37 to 1.47, 3 repeats)")


def test_and_against_the_next_where_that_is_another() -> None:
    three = said(
        row("single", [100, 100, 100]), row("amp", [120, 120, 120]), row("ddp", [140, 142, 144])
    )
    # Against the baseline as in the table (one of two intervals), against the next by its own.
    assert three == (
        "ddp is fastest: 1.42 times single (95 % interval 1.35 to 1.49, 3 repeats), and "
        "1.18 times amp, the next (95 % interval 1.14 to 1.23, 3 repeats)"
    )


def test_the_baseline_itself_may_win() -> None:
    found = said(row("single", [140, 142, 144]), row("ddp", [100, 100, 100]))
    assert found == "single is fastest: 1.42 times ddp (95 % interval 1.37 to 1.47, 3 repeats)"


def test_what_is_within_a_percent_ties() -> None:
    equal = [100.0, 100.0, 100.0]
    assert said(row("single", equal), row("amp", [100.2] * 3)) == "amp and single tie, within 1 %"
    assert said(row("a", equal), row("b", equal), row("c", equal)) == (
        "a, b and c tie: within 1 % of a"
    )
    found = said(row("single", equal), row("amp", [150.0] * 3), row("ddp", [150.3] * 3))
    assert found == (
        "ddp and amp tie as the fastest: 1.50 times single (95 % interval 1.50 to 1.50, 3 repeats)"
    )


def test_one_and_two_repeats_decide_nothing() -> None:
    assert said(row("single", [100]), row("amp", [100.4])) == (
        "undecided: amp and single were as fast within 1 %, but one repeat tells nothing of noise; "
        "--repeats 3 would give an interval"
    )
    assert said(row("single", [100]), row("amp", [150])) == (
        "undecided: amp had 1.50 times the throughput of single, but one repeat tells nothing of "
        "noise; --repeats 3 would give an interval"
    )
    assert said(row("single", [100, 100]), row("amp", [150, 150])) == (
        "undecided: amp had 1.50 times the throughput of single, but with two repeats equal "
        "strategies look different one time in three; --repeats 3 can decide"
    )


def test_a_lead_that_may_be_noise_is_no_win() -> None:
    found = said(
        row("single", [50, 50, 50]), row("amp", [100, 104, 98]), row("ddp", [101, 100, 102])
    )
    assert found == (
        "undecided: ddp is ahead of single, but amp may be as fast (1.00 times, 95 % interval 0.91 "
        "to 1.11, 3 repeats); 154 repeats would settle it"
    )


def test_a_row_with_too_few_repeats_may_be_as_fast() -> None:
    found = said(row("single", [100, 100, 100]), row("amp", [90, 0, 0]))
    # Three were asked for.
    assert found == (
        "undecided: single had 1.11 times the throughput of amp, but one repeat tells nothing of "
        "noise; 3 repeats would give an interval"
    )
    found = said(row("single", [50, 50, 50]), row("ddp", [100, 100, 100]), row("amp", [90, 0, 0]))
    assert found == (
        "undecided: ddp is ahead of single, but amp may be as fast (1.11 times, 1 repeat); it "
        "takes 3 repeats of each to tell"
    )
    none = said(row("single", [100, 0, 0]), row("amp", [0, 100, 0]))
    assert none == "undecided: no two strategies have a repeat in common that is done"


def test_while_it_runs_it_is_said_to_be_so_far() -> None:
    rows = row("single", [100, 100, 100]), row("ddp", [140, 142, 144])
    assert said(*rows, over=False).startswith("so far ddp is fastest: 1.42 times single")
    waiting = row("single", [100]), row("ddp", [0])
    assert said(*waiting, over=False) == "only single has been trained to its end so far"
    assert said(*waiting) == "only single has been trained to its end"
    nothing = row("single", [0]), row("ddp", [0])
    assert said(*nothing, over=False) == "no strategy has been trained to its end so far"


def test_one_strategy_is_not_compared() -> None:
    assert said(row("single", [100, 100, 100])) == ""
    assert verdict([], None, over=True) == ""


def test_many_are_counted_not_named() -> None:
    random = np.random.default_rng(3)
    rows = [row(f"s{number}", noisy(random, 100.0, 5)) for number in range(20)]
    found = said(*rows)
    assert "and 11 others may be as fast" in found
    assert len(found) < 200


def noisy(random: np.random.Generator, rate: float, repeats: int) -> Sequence[float]:
    return (rate * np.exp(random.normal(0.0, 0.03, repeats))).tolist()  # type: ignore[no-any-return]


@pytest.mark.parametrize("slower", [0, 3])
@pytest.mark.parametrize("equal", [2, 5])
def test_of_equal_strategies_none_wins_but_by_the_chance_that_is_allowed(
    equal: int, slower: int
) -> None:
    # Two that are equally best, and others far behind, are the worst case.
    random = np.random.default_rng(equal)
    wins = 0
    for _ in range(300):
        rows = [row(f"a{each}", noisy(random, 10, 3)) for each in range(slower)]
        rows += [row(f"b{each}", noisy(random, 100, 3)) for each in range(equal)]
        wins += "is fastest" in said(*rows)
    # 15 are allowed; 11 more are three standard deviations.
    assert wins <= 26


def test_a_strategy_that_is_ten_percent_faster_wins() -> None:
    random = np.random.default_rng(9)
    for _ in range(50):
        rows = [row(f"s{each}", [100 * x for x in steady(random)]) for each in range(3)]
        rows.append(row("fast", [110 * x for x in steady(random)]))
        assert said(*rows).startswith("fast is fastest")


def steady(random: np.random.Generator) -> Sequence[float]:
    return np.exp(random.normal(0.0, 0.002, 3)).tolist()  # type: ignore[no-any-return]
