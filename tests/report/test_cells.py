"""What stands in the cells of a table that people read."""

from __future__ import annotations

import math
from typing import get_args

import pytest

from engine.report.cells import spelled
from engine.report.columns import Unit, Value
from engine.report.spelling import UNKNOWN


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
