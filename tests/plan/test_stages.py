from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from engine.errors import SettingError
from engine.plan.stages import Balance, given, split


def _balances(layers: int, stages: int) -> list[Balance]:
    """Every way to cut, the one that cuts first first."""
    ways = []
    for cuts in combinations(range(1, layers), stages - 1):
        ends = (0, *cuts, layers)
        ways.append(tuple(end - first for first, end in pairwise(ends)))
    return sorted(ways)


def _worst(balance: Balance, costs: list[int]) -> int:
    firsts = [sum(balance[:number]) for number in range(len(balance))]
    return max(
        sum(costs[first : first + count]) for first, count in zip(firsts, balance, strict=True)
    )


@st.composite
def layers(draw: st.DrawFn) -> tuple[list[int], list[int], list[bool], int]:
    count = draw(st.integers(1, 9))
    small = st.lists(st.integers(0, 5), min_size=count, max_size=count)
    learns = draw(st.lists(st.booleans(), min_size=count, max_size=count).filter(any))
    return draw(small), draw(small), learns, draw(st.integers(1, sum(learns)))


@examples(layers())
def test_no_other_split_is_better(chosen: tuple[list[int], list[int], list[bool], int]) -> None:
    seconds, sizes, learns, stages = chosen
    able = [each for each in _balances(len(seconds), stages) if _all_learn(each, learns)]
    # ``min`` takes the first of equals: the one that cuts first.
    best = min(able, key=lambda each: (_worst(each, seconds), _worst(each, sizes)))
    assert split(seconds, sizes, learns, stages) == best


def _all_learn(balance: Balance, learns: list[bool]) -> bool:
    firsts = [sum(balance[:number]) for number in range(len(balance))]
    return all(
        any(learns[first : first + count]) for first, count in zip(firsts, balance, strict=True)
    )


def test_the_slowest_stage_counts_and_not_the_spread() -> None:
    # 4 | 3 3 3 has the smaller variance of counts; 4 3 | 3 3 is the faster pipeline.
    assert split([4.0, 3.0, 3.0, 3.0], [1] * 4, [True] * 4, 2) == (2, 2)


def test_fractions_of_seconds_are_added_up_exactly() -> None:
    assert split([0.1] * 10, [1] * 10, [True] * 10, 5) == (2, 2, 2, 2, 2)


@pytest.mark.parametrize(
    ("balance", "words"),
    [
        ((2, 3), "2 stages and the pipeline 3"),
        ((1, 1, 1), "adds up to 3 layers and the network has 5"),
        ((2, 1, 2), "stage 2 has no weights"),
    ],
)
def test_a_balance_that_does_not_fit_is_refused_in_words(balance: Balance, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        given(balance, [True, True, False, True, True], 3)


def test_a_balance_that_fits_is_taken_as_it_is() -> None:
    assert given((1, 3, 1), [True, True, False, True, True], 3) == (1, 3, 1)


def test_more_stages_than_layers_with_weights_are_refused() -> None:
    with pytest.raises(SettingError, match="can be cut into 2 at most"):
        split([1.0, 1.0, 1.0], [1, 1, 1], [True, False, True], 3)
