"""The table of an experiment as a file that other programs read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import astuple, fields
from pathlib import Path

from engine.errors import ExperimentError
from engine.report.rows import Row

HEADER: tuple[str, ...] = tuple(field.name for field in fields(Row))
"""The columns: names and order are stable, new ones come last."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet runs text that begins so; an apostrophe in front keeps it text."""


def to_csv(rows: Iterable[Row]) -> str:
    """RFC 4180 with a header; raw numbers in SI units, an unknown value is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    writer.writerows([_cell(value) for value in astuple(row)] for row in rows)
    return text.getvalue()


def write_csv(rows: Iterable[Row], path: Path) -> Path:
    """Writes the table as UTF-8 and returns the full path; raises ``ExperimentError``."""
    path = path.absolute()
    try:
        path.write_bytes(to_csv(rows).encode("utf-8", errors="replace"))
    except OSError as error:
        raise ExperimentError(f"cannot write {path}: {error.strerror}") from error
    return path


def _cell(value: str | int | float | None) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return repr(value)
