"""The comparison on the screen: columns that fit, remarks, and devices that are never mixed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.journal import events
from engine.journal.files import Appender
from engine.journal.layout import rank_journal
from engine.report.rows import Row
from tests.journal.writing import Shape, write_experiment
from tests.tui.driving import SIZES, drive
from tests.tui.test_table import ROWS, made
from tui.screens.compare_columns import columns, widths
from tui.start import Start
from tui.widgets.summary import Tab, tabs

WIDE, SMALL = SIZES
NAMES = ["single", "amp", "gradient-checkpointing", "dp", "ddp", "fsdp", "gpipe", "pipeline"]


def titles(rows: list[Row], room: int) -> list[str]:
    return [column.title for column in columns(rows, room)]


@pytest.mark.parametrize("room", [40, 78, 100, 158, 300])
def test_columns_fit_and_hold_every_name_and_number_whole(room: int) -> None:
    chosen = columns(ROWS, room)
    cells = [[column.cell(row) for column in chosen] for row in ROWS]
    wide = widths(cells, chosen)
    assert sum(wide) + 2 * len(wide) <= room
    assert chosen[0].title == "strategy"
    for row in cells:
        assert all(len(cell) <= width for cell, width in zip(row, wide, strict=True))


def test_a_wide_screen_shows_how_runs_were_spread() -> None:
    pipelined = [*ROWS, made("pipeline", bubble=0.25, bubble_in_theory=1 / 9)]
    assert titles(pipelined, 158)[-3:] == ["bubble", "per device", "precision"]
    bubble = next(each for each in columns(pipelined, 158) if each.title == "bubble")
    assert bubble.cell(pipelined[-1]) == "25 % (11 %)"
    assert bubble.cell(replace(pipelined[-1], bubble=None)) == "– (11 %)"


def test_kinds_of_devices_get_a_column_where_there_are_several() -> None:
    cpu, cuda = made("single", device_kind="cpu"), made("ddp", device_kind="cuda")
    assert "device" not in titles([cpu], 158)
    assert titles([cpu, cuda], 158)[1] == "device"


@pytest.mark.parametrize("size", SIZES)
async def test_what_differs_by_construction_is_said_below(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    shape = Shape(total_steps=50, device_batch=4, norm_batch=4)
    written = write_experiment(tmp_path, Path("/data/ants"), strategies=("gpipe",), shape=shape)
    start = Start(experiments_directory=tmp_path, experiment=written.directory)
    async with drive(monkeypatch, size, start) as driver:
        await driver.until_seen("✓ done")
        await driver.press("c")
        await driver.until_seen("gpipe: batch normalisation sees 4 of 32 images.")
        await driver.until_seen("images/s")
        assert ("4 of 32  " in driver.frame) == (size == WIDE)


async def test_runs_on_different_kinds_of_devices_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = Shape(total_steps=50)
    written = write_experiment(
        tmp_path, Path("/data/ants"), strategies=("single", "ddp", "amp"), shape=shape
    )
    # As no run of one experiment could be: the second says that it trained on a GPU.
    path = rank_journal(written.directory, "02-ddp", 1, 0)
    lines = path.read_bytes().replace(b'"device":"cpu"', b'"device":"cuda:0"')
    path.unlink()
    path.write_bytes(lines)
    appender = Appender(path)
    appender.append(events.Notice(level="info", text="on a GPU"))
    appender.close()
    start = Start(experiments_directory=tmp_path, experiment=written.directory)
    async with drive(monkeypatch, WIDE, start) as driver:
        await driver.until_seen("✓ done")
        await driver.press("c")
        await driver.until_seen("Measured on different kinds of devices (cpu, cuda)")
        order = [row.split()[:2] for row in driver.frame.splitlines()[3:6]]
        assert order == [["single", "cpu"], ["amp", "cpu"], ["ddp", "cuda"]]
        await driver.press("down", "down", "enter")
        await driver.until_seen("▌2 ddp")


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
