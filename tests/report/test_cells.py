"""What stands in the cells of a table that people read."""

from __future__ import annotations

import math
from typing import get_args

import pytest

from engine.report.cells import marks, speedup, spelled
from engine.report.column import Unit, Value
from engine.report.columns import COLUMNS
from engine.report.compare import compare
from engine.report.difference import Difference
from engine.report.spelling import UNKNOWN
from tests.report.comparisons import row
from tests.report.tables import source


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        ("am\x1bp", "text", "am\ufffdp"),
        (12345, "count", "12,345"),
        (True, "flag", "yes"),
        (False, "flag", "no"),
        (0.7272, "share", "72.7 %"),
        (0.032, "change", "+3.2 %"),
        (-0.0004, "change", "0.0 %"),
        (200.0, "seconds", "3 min 20 s"),
        (0.5, "hours", "0.50 h"),
        (3 << 29, "bytes", "1.5 GiB"),
        (1234.0, "rate", "1,234"),
        (1.42, "ratio", "1.42"),
        (0.1, "ratio", "0.10"),
        (0.0314, "ratio", "0.031"),
        (0.00042, "ratio", "0.00042"),
        (0.0042, "seconds", "4.2 ms"),
        (0.69312, "loss", "0.6931"),
        (1234.5, "money", "1,234.50"),
        (0, "count", "0"),
    ],
)
def test_known_words(value: Value, unit: Unit, expected: str) -> None:
    assert spelled(value, unit) == expected


@pytest.mark.parametrize("unit", get_args(Unit))
def test_what_is_unknown_is_a_dash(unit: Unit) -> None:
    assert spelled(None, unit) == UNKNOWN
    if unit not in ("text", "flag"):
        assert spelled(math.nan, unit) == spelled(math.inf, unit) == UNKNOWN


def test_what_broke_off_is_not_the_best() -> None:
    column = next(each for each in COLUMNS if each.name == "train_seconds")
    rows = [
        row("single", train_seconds=20.0),
        row("amp", train_seconds=15.0),
        row("ddp", train_seconds=1.0, repeats=0, state="failed"),
    ]
    assert marks(column, rows) == {"bees/amp": "best", "bees/single": "worst"}
    assert marks(column, rows[1:]) == {}


def test_a_speed_up_that_may_be_none_is_neither_the_best_nor_the_worst() -> None:
    rates = {"single": [100.0] * 3, "amp": [150.0, 130.0, 170.0], "ddp": [50.0, 50.0, 50.0]}
    rows = compare([source(rates)]).rows
    column = next(each for each in COLUMNS if each.name == "speedup")
    assert [row.difference.call for row in rows] == ["baseline", "undecided", "slower"]
    # Nor is the baseline the best while another may be faster.
    assert marks(column, rows) == {"first/ddp": "worst"}
    assert marks(column, [rows[0], rows[2]]) == {"first/single": "best", "first/ddp": "worst"}


@pytest.mark.parametrize(
    ("ratio", "low", "high", "expected"),
    [
        (1.42, 1.31, 1.54, "1.42x (1.31–1.54)"),
        (1.0, 0.001, 1000.0, "1.00x (0.0010–1,000)"),
        (0.3, 2e-22, 4.1e20, "0.30x (<0.001–>1,000)"),
        (0.58, 0.0101, 1000.5, "0.58x (0.010–>1,000)"),
    ],
)
def test_an_interval_that_says_nothing_has_no_digits_that_do(
    ratio: float, low: float, high: float, expected: str
) -> None:
    assert speedup(Difference(ratio=ratio, low=low, high=high, call="undecided")) == expected
