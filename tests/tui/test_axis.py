"""Axes: round numbers, limits that hold still, labels that can be told apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.widgets.axis import Limits, clock_label, grown, sticky, ticks


def labels(low: float, high: float, at_most: int, scale: str = "linear") -> list[str]:
    return [each.label for each in ticks(Limits(low, high), at_most, scale)]  # type: ignore[arg-type]


def test_ticks_are_round_numbers() -> None:
    assert labels(0, 10, 6) == ["0", "2", "4", "6", "8", "10"]
    assert labels(0, 1, 5) == ["0", "0.25", "0.50", "0.75", "1.00"]
    assert labels(0, 20_000, 5) == ["0", "5k", "10k", "15k", "20k"]
    assert labels(0, 2_000_000, 5) == ["0", "500k", "1.0M", "1.5M", "2.0M"]
    assert labels(0, 5000, 6) == ["0", "1k", "2k", "3k", "4k", "5k"]


def test_ticks_of_small_numbers_keep_their_digits() -> None:
    assert labels(0, 0.002, 3) == ["0", "0.001", "0.002"]
    assert labels(0, 0.0004, 3) == ["0", "2e-4", "4e-4"]


def test_log_ticks() -> None:
    assert labels(0.1, 10, 8, "log") == ["0.1", "0.2", "0.5", "1", "2", "5", "10"]
    assert labels(1e-4, 1, 5, "log") == ["1e-4", "0.001", "0.01", "0.1", "1"]


def test_steps_are_counted_in_whole_numbers() -> None:
    assert labels(0, 2, 11, "count") == ["0", "1", "2"]
    assert labels(0, 10, 4, "count") == ["0", "5", "10"]
    assert labels(0.2, 0.8, 11, "count") == []
    assert labels(0, 20_000, 5, "count") == labels(0, 20_000, 5)


def test_time_ticks_are_of_the_clock() -> None:
    assert labels(0, 300, 6, "seconds") == ["0s", "1:00", "2:00", "3:00", "4:00", "5:00"]
    assert clock_label(5400) == "1h30"


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(1, 12))
def test_there_are_never_too_many_ticks(low: float, span: float, at_most: int) -> None:
    limits = Limits(low, low + span)
    found = ticks(limits, at_most)
    assert len(found) <= at_most
    slack = span * 1e-6
    assert all(limits.low - slack <= each.value <= limits.high + slack for each in found)


def test_limits_hold_still_while_the_data_fits() -> None:
    first = sticky(None, 0.2, 2.9)
    assert first.low <= 0.2
    assert first.high >= 2.9
    assert sticky(first, 0.15, 2.8) is first


def test_limits_move_when_the_data_leaves_or_shrinks() -> None:
    first = sticky(None, 0.0, 10.0)
    assert sticky(first, 0.0, 11.0).high >= 11.0
    assert sticky(first, 4.0, 5.0).span < 0.5 * first.span


def test_limits_of_a_constant_are_not_empty() -> None:
    assert sticky(None, 3.0, 3.0).span > 0
    assert sticky(None, 0.0, 0.0).span > 0


@given(st.floats(1e-6, 1e6), st.floats(1.0, 1e6))
def test_log_limits_hold_the_data(low: float, factor: float) -> None:
    limits = sticky(None, low, low * factor, "log")
    assert 0 < limits.low <= low * 1.000001
    assert limits.high >= low * factor * 0.999999


@pytest.mark.parametrize(("high", "expected"), [(0, 1.0), (95, 100.0), (101, 120.0), (4100, 5000)])
def test_a_growing_axis_ends_at_a_round_number(high: float, expected: float) -> None:
    assert grown(high) == pytest.approx(expected)


def test_a_growing_axis_ends_where_the_plan_does() -> None:
    assert grown(4100, at_most=4600) == 4600
    assert grown(130, at_most=4600) == pytest.approx(140)
