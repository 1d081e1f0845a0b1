"""The table as CSV (RFC 4180): a header, raw numbers in SI units, an unknown value an empty cell.

What pandas makes of it with its defaults is the table: numbers exactly (the shortest digits that
read back as the same float), ``True`` and ``False``, and ``nan`` where a loss was not finite.
"""

from __future__ import annotations

import csv
import io
import math
import re

from engine.report.column import Value
from engine.report.columns import COLUMNS
from engine.report.comparison import Comparison

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A spreadsheet runs text that begins so; an apostrophe in front keeps it text."""

_MISSING = frozenset(
    (
        "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
        "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
    )
)  # fmt: skip
"""Text that pandas takes for a missing value; kept text in the same way."""

_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")
"""What UTF-8 cannot hold, and what ends a cell for some readers."""


def to_csv(comparison: Comparison) -> str:
    """A row of ``COLUMNS`` per strategy, in the order of the table; lines end in CR LF."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([column.name for column in COLUMNS])
    for row in comparison.rows:
        writer.writerow([cell(column.value(row)) for column in COLUMNS])
    return text.getvalue()


def encoded(text: str) -> bytes:
    """As a file holds it: UTF-8, with a byte order mark only where not all of it is ASCII.

    A spreadsheet takes a file without the mark for one in the system's own code page, and shows
    other letters; pandas passes over it. Tools that would stumble over it get plain ASCII as long
    as that is enough.
    """
    return text.encode("ascii" if text.isascii() else "utf-8-sig")


def cell(value: Value) -> str:
    """One value. Text from outside is kept text, whatever a reader would like to make of it."""
    if value is None:
        return ""
    if isinstance(value, str):
        told = _UNWRITABLE.sub("\ufffd", value)
        return f"'{told}" if told.startswith(_FORMULA) or told in _MISSING else told
    if isinstance(value, float) and math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return repr(value)
