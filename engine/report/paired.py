"""How much faster one strategy is than another, paired by repeat, and what is made of it. Pure.

A pair are two runs of one experiment with the same repeat number: the same seed, minutes apart, so
that most of what disturbs one disturbs the other. Their ratio is taken as a logarithm, so that 2
times as fast and half as fast are as far from 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from engine.report.difference import LEAST_REPEATS, TIE, Call, Difference
from engine.report.statistics import Estimate, difference_of, mean, mean_of, variance, welch

MOST_REPEATS = 1000
"""More are nobody's answer to a question."""

_TIE_LOW, _TIE_HIGH = math.log(1 - TIE), math.log(1 + TIE)

Rates = Mapping[int, float]
"""Throughputs by repeat; those that are not above 0, or not finite, count as not there."""


def paired(ours: Rates, theirs: Rates, comparisons: int = 1) -> Difference:
    """How much faster ``ours`` are than ``theirs``, of the repeats that both have.

    The interval is one of ``comparisons`` that hold together with 95 %.
    """
    logs = [
        math.log(rate) - math.log(theirs[repeat])
        for repeat, rate in sorted(ours.items())
        if is_rate(rate) and repeat in theirs and is_rate(theirs[repeat])
    ]
    if not logs:
        return Difference(call="unknown")
    estimate = mean_of(logs)
    if estimate is None:
        return Difference(call="undecided", ratio=_exp(logs[0]), pairs=1)
    spread = variance(logs)

    def after(repeats: int) -> Estimate:
        return Estimate(estimate.mean, math.sqrt(spread / repeats), repeats - 1.0)

    return _difference(estimate, len(logs), comparisons, after)


def unpaired(ours: Rates, theirs: Rates, comparisons: int = 1) -> Difference:
    """The same of runs that have no partners: of different experiments, made at different times.

    ``pairs`` is the smaller number of repeats.
    """
    one, other = _logs(ours), _logs(theirs)
    if not one or not other:
        return Difference(call="unknown")
    pairs = min(len(one), len(other))
    estimate = difference_of(one, other)
    if estimate is None:
        return Difference(call="undecided", ratio=_exp(mean(one) - mean(other)), pairs=pairs)
    spreads = variance(one), variance(other)

    def after(repeats: int) -> Estimate:
        return welch(estimate.mean, spreads[0], repeats, spreads[1], repeats)

    return _difference(estimate, pairs, comparisons, after)


def geometric_mean(values: Rates) -> float | None:
    """``None`` where there is no rate."""
    logs = _logs(values)
    return math.exp(mean(logs)) if logs else None


def is_rate(value: float) -> bool:
    return math.isfinite(value) and value > 0


def _logs(rates: Rates) -> list[float]:
    return [math.log(rate) for rate in rates.values() if is_rate(rate)]


def _exp(value: float) -> float:
    """Of two wild repeats an interval has no end that a float could hold."""
    return math.exp(value) if value < 700 else math.inf


def _difference(
    estimate: Estimate, pairs: int, comparisons: int, after: Callable[[int], Estimate]
) -> Difference:
    low, high = estimate.interval(comparisons)
    call = _call(low, high) if pairs >= LEAST_REPEATS else "undecided"
    settled = None
    if call == "undecided":
        settled = _settled(pairs + 1, lambda repeats: after(repeats).interval(comparisons))
    return Difference(
        call=call,
        ratio=_exp(estimate.mean),
        low=_exp(low),
        high=_exp(high),
        pairs=pairs,
        repeats_to_settle=settled,
    )


def _call(low: float, high: float) -> Call:
    """Of an interval of logarithms; what is within a tie is one, however surely it differs."""
    if low >= _TIE_LOW and high <= _TIE_HIGH:
        return "tie"
    if low <= 0.0 <= high:
        return "undecided"
    return "faster" if low > 0.0 else "slower"


def _settled(least: int, interval: Callable[[int], tuple[float, float]]) -> int | None:
    """The fewest repeats whose interval would decide: it only shrinks, so halving finds them."""
    low, high = max(least, LEAST_REPEATS), MOST_REPEATS
    if low > high or _call(*interval(high)) == "undecided":
        return None
    while low < high:
        middle = (low + high) // 2
        if _call(*interval(middle)) == "undecided":
            low = middle + 1
        else:
            high = middle
    return low
