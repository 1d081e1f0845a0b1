"""Properties of the part that is held out for validation."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.plan.split import hold_out

some_names = st.lists(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8),
    unique=True,
    max_size=60,
)
fractions = st.floats(0.01, 0.9)
seeds = st.integers(0, 2**31 - 1)


@given(some_names, fractions, seeds)
def test_every_image_is_on_one_side(names: list[str], fraction: float, seed: int) -> None:
    train, val = hold_out(names, fraction, seed)

    assert sorted((*train, *val)) == sorted(names)


@given(some_names, fractions, seeds)
def test_the_share_is_kept_and_neither_side_is_empty(
    names: list[str], fraction: float, seed: int
) -> None:
    train, val = hold_out(names, fraction, seed)

    if len(names) >= 2:
        assert train
        assert val
        assert abs(len(val) - fraction * len(names)) <= 1
    else:
        assert list(train) == names


@given(some_names, fractions, seeds, st.randoms(use_true_random=False))
def test_the_order_of_the_file_system_is_nothing_to_it(
    names: list[str], fraction: float, seed: int, random: Random
) -> None:
    shuffled = names[:]
    random.shuffle(shuffled)

    assert hold_out(shuffled, fraction, seed) == hold_out(names, fraction, seed)


@given(some_names.filter(bool), fractions, seeds)
def test_a_new_image_moves_at_most_one_other(names: list[str], fraction: float, seed: int) -> None:
    _, before = hold_out(names, fraction, seed)
    _, after = hold_out([*names, "a new name, long"], fraction, seed)

    assert len(set(before) - set(after)) <= 1


def of(names: Sequence[str], seed: int) -> set[str]:
    return set(hold_out(names, 0.2, seed)[1])


def test_seeds_hold_different_images_out() -> None:
    names = [f"{number}.png" for number in range(100)]
    assert len({frozenset(of(names, seed)) for seed in range(20)}) == 20


def test_over_seeds_every_image_has_its_turn() -> None:
    names = [f"{number}.png" for number in range(20)]
    counts = {name: sum(name in of(names, seed) for seed in range(500)) for name in names}
    # 500 draws of one in five: 100 each, standard deviation 9.
    assert min(counts.values()) > 60
    assert max(counts.values()) < 140


def test_the_split_of_today_is_the_split_of_tomorrow() -> None:
    """A resumed or repeated training must see the same validation images, in every version."""
    assert hold_out([f"{number}.png" for number in range(8)], 0.25, 7)[1] == KNOWN


KNOWN = ("1.png", "2.png")


@pytest.mark.parametrize("name", ["caf\udce9.png", "\udcff\n.png"])
def test_names_that_are_no_text(name: str) -> None:
    train, val = hold_out([name, "a.png"], 0.5, 0)

    assert {*train, *val} == {name, "a.png"}
