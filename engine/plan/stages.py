"""Where a network is cut into the stages of a pipeline. Pure.

A pipeline is as fast as its slowest stage, so of all ways to cut, the one whose slowest stage is
fastest is taken: exactly, by dynamic programming, for there are at most some fifty layers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from itertools import accumulate

from engine.errors import SettingError

Balance = tuple[int, ...]
"""How many layers each stage has, in order."""


def split(
    seconds: Sequence[float], sizes: Sequence[int], learns: Sequence[bool], stages: int
) -> Balance:
    """The best balance for layers that take ``seconds`` and hold ``sizes`` bytes.

    Among those whose slowest stage is fastest, one whose largest stage has fewest bytes, and among
    these the one that cuts first. Every stage has a layer that ``learns``: one without weights has
    nothing to do but wait. Raises ``SettingError`` where there are too few of them.
    """
    check_count(learns, stages)

    def slow(first: int, end: int) -> float:
        return math.fsum(seconds[first:end])

    def large(first: int, end: int) -> int:
        return sum(sizes[first:end])

    def learning(first: int, end: int) -> bool:
        return any(learns[first:end])

    layers = len(seconds)
    fastest = _least_worst(layers, stages, slow, learning)

    def in_time(first: int, end: int) -> bool:
        return learning(first, end) and slow(first, end) <= fastest

    smallest = _least_worst(layers, stages, large, in_time)

    def best(first: int, end: int) -> bool:
        return in_time(first, end) and large(first, end) <= smallest

    return _earliest(layers, stages, best)


def given(balance: Balance, learns: Sequence[bool], stages: int) -> Balance:
    """A balance that the user chose, if it fits; raises ``SettingError``."""
    shown = ",".join(map(str, balance))
    if len(balance) != stages:
        raise SettingError(
            "balance",
            f"--balance {shown} has {len(balance)} stages and the pipeline {stages}; "
            f"give {stages} numbers",
        )
    if sum(balance) != len(learns):
        raise SettingError(
            "balance",
            f"--balance {shown} adds up to {sum(balance)} layers and the network has "
            f"{len(learns)}; give {stages} numbers that add up to {len(learns)}",
        )
    for number, end in enumerate(accumulate(balance)):
        if not any(learns[end - balance[number] : end]):
            raise SettingError(
                "balance",
                f"--balance {shown}: stage {number + 1} has no weights, only layers like pooling; "
                "give it a layer more",
            )
    return balance


def check_count(learns: Sequence[bool], stages: int) -> None:
    """Raises ``SettingError`` where the network cannot be cut into so many stages."""
    most = sum(learns)
    if stages > most:
        raise SettingError(
            "stages",
            f"stages (--stages) is {stages}, and this network can be cut into {most} at most; "
            "choose fewer, or a deeper network",
        )


def _least_worst(
    layers: int,
    stages: int,
    cost: Callable[[int, int], float],
    allowed: Callable[[int, int], bool],
) -> float:
    """The least possible cost of the costliest stage, a stage being the layers ``first`` to
    ``end`` (exclusive) where that is ``allowed``."""

    @cache
    def worst(first: int, left: int) -> float:
        if left == 1:
            return cost(first, layers) if allowed(first, layers) else math.inf
        return min(
            (
                max(cost(first, end), worst(end, left - 1))
                for end in range(first + 1, layers - left + 2)
                if allowed(first, end)
            ),
            default=math.inf,
        )

    return worst(0, stages)


def _earliest(layers: int, stages: int, allowed: Callable[[int, int], bool]) -> Balance:
    """Of all balances whose stages are all ``allowed``, the one that cuts first."""

    @cache
    def possible(first: int, left: int) -> bool:
        if left == 1:
            return allowed(first, layers)
        ends = range(first + 1, layers - left + 2)
        return any(allowed(first, end) and possible(end, left - 1) for end in ends)

    balance: list[int] = []
    first = 0
    for left in range(stages, 1, -1):
        ends = range(first + 1, layers - left + 2)
        end = next(end for end in ends if allowed(first, end) and possible(end, left - 1))
        balance.append(end - first)
        first = end
    return (*balance, layers - first)
