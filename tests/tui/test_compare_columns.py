"""Which columns of the comparison are shown, and in which order its rows stand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.report.column import Column
from engine.report.columns import COLUMNS
from engine.report.comparison import Row
from engine.report.difference import Difference
from tests.report.comparisons import BASELINE, faster, row
from tui import chosen_columns
from tui.chosen_columns import Kept
from tui.screens.compare_cells import cell, on_screen, speedup
from tui.screens.compare_columns import Order, Ticks, chosen, groups, ordered, told
from tui.screens.compare_room import LEAST, share
from tui.widgets.summary import Tab, tabs

NAMES = ["single", "amp", "gradient-checkpointing", "dp", "ddp", "fsdp", "gpipe", "pipeline"]
ROWS = [
    row("single", BASELINE),
    row("amp", faster(1.5), images_per_second=192.0),
    row("ddp", images_per_second=None, state="failed", repeats=0),
]


def column(name: str) -> Column:
    return next(each for each in COLUMNS if each.name == name)


def names(rows: tuple[Row, ...]) -> list[str]:
    return [each.figures.name for each in rows]


@pytest.mark.parametrize(
    ("difference", "expected"),
    [
        (Difference(call="unknown"), "–"),
        (BASELINE, "baseline"),
        (faster(1.42, low=1.31, high=1.54), "1.42x (1.31–1.54)"),
        (Difference(call="tie", ratio=1.0, low=0.994, high=1.004), "tie (0.99–1.00)"),
        (
            Difference(call="undecided", ratio=1.05, pairs=2, repeats_to_settle=99),
            "1.05x undecided",
        ),
        (
            Difference(
                call="undecided", ratio=1.05, low=0.9, high=1.2, pairs=3, repeats_to_settle=5
            ),
            "1.05x undecided (needs 5)",
        ),
    ],
)
def test_a_speed_up_says_what_is_known_of_it(difference: Difference, expected: str) -> None:
    assert speedup(difference) == expected


def test_what_no_row_has_needs_no_column_unless_it_is_asked_for() -> None:
    shown = [each.name for each in chosen(COLUMNS, ROWS, Ticks())]
    assert shown[:3] == ["state", "images_per_second", "speedup"]
    assert "bubble" not in shown
    ticked = Ticks().turned(column("bubble")).turned(column("device_kind"))
    asked = [each.name for each in chosen(COLUMNS, ROWS, ticked)]
    assert {"bubble", "device_kind"} <= set(asked)
    assert "state" not in [each.name for each in chosen(COLUMNS, ROWS, Ticks(), narrow=True)]


@given(st.lists(st.sampled_from(on_screen(COLUMNS)), max_size=30))
def test_ticking_twice_changes_nothing(turned: list[Column]) -> None:
    ticks = Ticks()
    for each in turned:
        once = ticks.turned(each)
        assert once.wants(each) != ticks.wants(each)
        assert once.turned(each) == ticks
        ticks = once


def test_columns_are_remembered() -> None:
    assert chosen_columns.remembered() == Kept()
    kept = Kept(("bubble",), ("top1",))
    chosen_columns.remember(kept)
    assert chosen_columns.remembered() == kept


def test_rows_are_sorted_with_the_best_first_and_the_unknown_last() -> None:
    rate = Order("images_per_second")
    assert names(ordered(ROWS, COLUMNS, rate)) == ["amp", "single", "ddp"]
    assert names(ordered(ROWS, COLUMNS, replace(rate, reverse=True))) == ["single", "amp", "ddp"]
    assert names(ordered(ROWS, COLUMNS, Order())) == ["single", "amp", "ddp"]
    assert names(ordered(ROWS, COLUMNS, Order("", True))) == ["ddp", "amp", "single"]
    assert told(rate, COLUMNS) == "sorted by images/s, best first"
    assert told(Order("batch_size", True), COLUMNS) == "sorted by batch, highest first"


def test_rows_of_one_kind_of_device_stand_together() -> None:
    rows = [row("single"), row("ddp", device_kind="cuda"), row("amp", device_kind=None)]
    found = groups(rows)
    assert [(kind, names(part)) for kind, part in found] == [
        ("cpu", ["single", "amp"]),
        ("cuda", ["ddp"]),
    ]
    assert [kind for kind, _ in groups(rows[:1])] == [""]


@pytest.mark.parametrize(
    ("name", "more", "expected"),
    [
        ("state", {}, "✓ done"),
        ("peak_memory", {}, "1.5 GiB"),
        ("epoch_seconds_error", {}, "+5.0 %"),
        ("gradient_checkpointing", {}, "no"),
        ("cost", {"cost": 1.5}, "1.50"),
        ("cost", {}, "–"),
        ("reason", {"reason": "\x1b[2Jgone"}, "\ufffd[2Jgone"),
    ],
)
def test_cells(name: str, more: dict[str, Any], expected: str) -> None:
    assert cell(column(name), row("single", **more)) == expected


@given(st.integers(1, 200), st.integers(0, 100), st.booleans())
def test_every_row_of_the_screen_is_given_away_once(free: int, rows: int, on_chart: bool) -> None:
    room = share(free, rows, on_chart)
    assert room.table + room.chart <= free
    assert room.chart == 0 or room.chart >= LEAST or on_chart
    assert room.table >= min(rows, 1)
    if free > rows + LEAST:
        assert room == (rows, free - rows)


@pytest.mark.parametrize("width", [60, 78, 158])
@pytest.mark.parametrize("shown", range(8))
def test_the_shown_strategy_is_always_among_the_tabs(width: int, shown: int) -> None:
    entries = [
        Tab(number, name, "done", 0.5, number == shown + 1, overlaid=False)
        for number, name in enumerate(NAMES, start=1)
    ]
    line = tabs(entries, width).plain
    assert len(line) <= width
    assert f"▌{shown + 1} {NAMES[shown]} ✓ 50.0 %" in line
    there = sum(f"{number} {name} ✓" in line for number, name in enumerate(NAMES, start=1))
    counted = sum(int(word) for word in line.split() if word.startswith("+"))
    assert there + counted == len(NAMES)
