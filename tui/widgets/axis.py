"""Axes: limits that hold still while a curve grows, and round numbers along them. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Scale = Literal["linear", "log", "seconds", "count"]
"""``count`` is linear, and only whole numbers stand on it."""

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_CLOCK = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_GROWTH = (1.0, 1.2, 1.4, 1.6, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0)


@dataclass(frozen=True, slots=True)
class Tick:
    value: float
    label: str


@dataclass(frozen=True, slots=True)
class Limits:
    """A stretch of an axis; ``low < high``, and both above 0 on a log scale."""

    low: float
    high: float

    @property
    def span(self) -> float:
        return self.high - self.low


def grown(high: float, at_most: float | None = None) -> float:
    """A round number a little above ``high``, so that a growing axis moves only now and then."""
    if high <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(high))
    chosen = next(step * power for step in (*_GROWTH, 12.0) if step * power >= high * (1 - 1e-9))
    if at_most is not None and high <= at_most:
        return min(chosen, at_most)
    return chosen


def sticky(previous: Limits | None, low: float, high: float, scale: Scale = "linear") -> Limits:
    """Limits that hold ``low..high``: the previous ones where they still fit well.

    They fit while they hold everything and the data fills more than 60 % of them.
    """
    if scale == "log":
        return _sticky_log(previous, low, high)
    if not high > low:
        pad = abs(low) * 0.05 or 0.5
        low, high = low - pad, high + pad
    fits = previous is not None and previous.low <= low and high <= previous.high
    if previous is not None and fits and (high - low) > 0.6 * previous.span:
        return previous
    step = _step((high - low) / 8)
    return Limits(math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step)


def _sticky_log(previous: Limits | None, low: float, high: float) -> Limits:
    low = max(low, 1e-12)
    high = max(high, low * 1.05)
    if previous is not None and 0 < previous.low <= low and high <= previous.high:
        filled = math.log(high / low) / math.log(previous.high / previous.low)
        return previous if filled > 0.6 else _rounded_log(low, high)
    return _rounded_log(low, high)


def _rounded_log(low: float, high: float) -> Limits:
    return Limits(_round_log(low, down=True), _round_log(high, down=False))


def _round_log(value: float, down: bool) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    steps = [each * power for each in (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)]
    if down:
        return max(each for each in steps if each <= value * (1 + 1e-9))
    return min(each for each in steps if each >= value * (1 - 1e-9))


def ticks(limits: Limits, at_most: int, scale: Scale = "linear") -> list[Tick]:
    """Round numbers within the limits, at most so many, ascending."""
    if at_most < 1 or not limits.span > 0:
        return []
    if scale == "log":
        return _log_ticks(limits, at_most)
    if scale == "seconds":
        step = _clock_step(limits.span / at_most)
    else:
        step = _fitting_step(limits, at_most)
    if scale == "count" and step != round(step):
        step = max(1.0, 5.0 * (step == 2.5))
    first = math.ceil(limits.low / step - 1e-9)
    last = math.floor(limits.high / step + 1e-9)
    values = [number * step for number in range(first, last + 1)]
    label = clock_label if scale == "seconds" else (lambda value: number_label(value, step))
    return [Tick(value, label(value)) for value in values]


def _fitting_step(limits: Limits, at_most: int) -> float:
    step = _step(limits.span / at_most)
    while math.floor(limits.high / step + 1e-9) - math.ceil(limits.low / step - 1e-9) >= at_most:
        step = _step(step * 1.01)
    return step


def _log_ticks(limits: Limits, at_most: int) -> list[Tick]:
    low, high = math.floor(math.log10(limits.low)), math.ceil(math.log10(limits.high))
    for steps in ((1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        values = [step * 10.0**power for power in range(low, high + 1) for step in steps]
        inside = [each for each in values if limits.low * 0.999 <= each <= limits.high * 1.001]
        if len(inside) <= at_most:
            return [Tick(each, number_label(each, each)) for each in inside]
    every = math.ceil(len(inside) / at_most)
    return [Tick(each, number_label(each, each)) for each in inside[::every]]


def number_label(value: float, step: float) -> str:
    """As many decimals as neighbouring ticks need; thousands as k, millions as M."""
    if abs(value) < step * 1e-6:
        return "0"
    size = max(abs(value), abs(step))
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size >= unit * 0.9999999 and (unit > 1e3 or abs(value) >= 10_000 or step >= 1000):
            return f"{value / unit:.{_decimals(step / unit)}f}{name}"
    if size < 1e-3:
        return (
            f"{value:.0e}".replace("e-0", "e-")
            if step >= size * 0.5
            else f"{value:.1e}".replace("e-0", "e-")
        )
    return f"{value:.{_decimals(step)}f}"


def clock_label(value: float) -> str:
    """Seconds as ``45s``, ``2:30``, ``1h20``, ``2d``."""
    whole = round(value)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d}"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours}h{minutes:02d}"
    return f"{hours / 24:g}d"


def _step(smallest: float) -> float:
    """The round number at or above ``smallest``."""
    if not smallest > 0 or not math.isfinite(smallest):
        return 1.0
    power = 10.0 ** math.floor(math.log10(smallest))
    return next(each * power for each in (*_STEPS, 20.0) if each * power >= smallest * (1 - 1e-9))


def _clock_step(smallest: float) -> float:
    return float(
        next((each for each in _CLOCK if each >= smallest), _step(smallest / 86400) * 86400)
    )


def _decimals(step: float) -> int:
    """How many decimals tell ``step`` from 0 and from its neighbours."""
    for decimals in range(7):
        if abs(step * 10**decimals - round(step * 10**decimals)) < 1e-6 * 10**decimals * step:
            return decimals
    return 6
