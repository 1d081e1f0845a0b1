"""CSV: what pandas reads with its defaults is the table, whatever the names are."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.report.columns import COLUMNS
from engine.report.comparison import Comparison
from engine.report.export import write
from engine.report.exports.csv import cell, encoded, to_csv
from tests.report.comparisons import comparison, row, usual

NAMES = [column.name for column in COLUMNS]


def reread(table: Comparison) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(encoded(to_csv(table))))


def assert_equal(table: Comparison) -> None:
    """The frame has the values of the table, to the last bit."""
    frame = reread(table)
    assert list(frame.columns) == NAMES
    assert len(frame) == len(table.rows)
    for column in COLUMNS:
        for read, each in zip(frame[column.name].tolist(), table.rows, strict=True):
            value: Any = column.value(each)
            if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
                assert pd.isna(read), column.name
            elif isinstance(value, str):
                assert str(read) == cell(value), column.name
            else:
                assert read == value, column.name


def test_known_text() -> None:
    lines = to_csv(usual()).split("\r\n")
    assert lines[0] == ",".join(NAMES)
    single = dict(zip(NAMES, lines[1].split(","), strict=True))
    assert (single["experiment"], single["name"], single["repeats"]) == ("bees", "single", "3")
    assert single["gradient_checkpointing"] == single["data_parallel"] == "False"
    assert (single["images_per_second"], single["peak_memory"]) == ("128.0", "1610612736")
    assert single["epoch_seconds_error"] == "0.05"
    assert single["top5"] == single["gpu_hours"] == single["reason"] == ""
    assert lines[3:] == [""]


def test_pandas_reads_the_table() -> None:
    assert_equal(usual())
    frame = reread(usual())
    assert frame["batch_size"].dtype == frame["peak_memory"].dtype == "int64"
    assert frame["images_per_second"].dtype == frame["top5"].dtype == "float64"
    assert frame["gradient_checkpointing"].dtype == "bool"
    assert frame["call"].tolist() == ["baseline", "faster"]
    assert frame["parallelism"].tolist() == ["none", "none"]


def test_numbers_are_exact_and_may_be_no_number() -> None:
    assert_equal(
        comparison(
            row("a", epoch_seconds_error=-0.05, images_per_second=0.1 + 0.2, train_loss=math.nan),
            row("b", val_loss=math.inf, train_loss=1e-300, peak_memory=2**53 + 1),
        )
    )


@pytest.mark.parametrize(
    "name",
    ["=1+1", "+a", "-2", "@sum", "\ttab", "\rreturn", "\nline", "NA", "null", "＝1"],
)
def test_text_that_would_become_something_else_is_kept_text(name: str) -> None:
    assert cell(name) == f"'{name}"
    table = comparison(row("single", reason=name, comment=name), row("amp"))
    assert_equal(table)
    assert reread(table)["reason"][0] == f"'{name}"


def test_numbers_are_no_formulas() -> None:
    assert cell(-0.05) == "-0.05"
    assert (cell(True), cell(None), cell(math.nan), cell(-math.inf)) == ("True", "", "nan", "-inf")


HOSTILE = ['say "no"', "a,b", "two\nlines", "über 🐝", "half \ud800 a pair", "nul\0", "'", "a\rb"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_read_back(name: str) -> None:
    table = comparison(row(name, reason=name, comment=name), row("amp"))
    assert_equal(table)
    cells = list(
        csv.DictReader(io.StringIO(encoded(to_csv(table)).decode("utf-8-sig"), newline=""))
    )
    assert cells[0]["name"] == name.replace("\ud800", "\ufffd").replace("\0", "\ufffd")


text = st.text(st.characters(codec=None), max_size=12)
numbers = st.none() | st.floats() | st.floats(0, 1)


@given(names=st.lists(text, min_size=1, max_size=4), value=numbers, flag=st.none() | st.booleans())
def test_any_table_is_read_back(names: list[str], value: float | None, flag: bool | None) -> None:
    rows = [
        row("single", comment=f"a {name}", images_per_second=value, gradient_checkpointing=flag)
        for name in names
    ]
    assert_equal(comparison(*rows))


def test_an_empty_table_is_a_header() -> None:
    assert to_csv(comparison()) == ",".join(NAMES) + "\r\n"


def test_a_byte_order_mark_only_where_a_spreadsheet_needs_it(tmp_path: Path) -> None:
    path = write(usual(), tmp_path / "table.csv", "csv")
    assert path.read_bytes().isascii()
    assert path.read_bytes() == to_csv(usual()).encode()
    rows = (replace(usual().rows[0], key="k"), row("über"))
    path = write(comparison(*rows), path, "csv")
    assert path.read_bytes().startswith(b"\xef\xbb\xbfexperiment,name,")
    frame = pd.read_csv(path)
    assert frame.columns[0] == "experiment"
    assert frame["name"].tolist() == ["single", "über"]
