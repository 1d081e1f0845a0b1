"""The terminal's size, where the news of it got lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.driving import SIZES, drive
from tui import output
from tui.sizing import TerminalSize
from tui.start import Start

WIDE, NARROW = SIZES


async def test_a_size_that_nobody_told_of_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with drive(monkeypatch, WIDE, Start(experiments_directory=tmp_path)) as driver:
        watch = TerminalSize(driver.app)
        monkeypatch.setattr(output, "terminal_size", lambda: NARROW)
        watch.look()
        await driver.until(lambda: tuple(driver.app.screen.outer_size) == NARROW)
        assert len(driver.frame.splitlines()) == NARROW[1]


async def test_a_screen_that_kept_an_older_size_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with drive(monkeypatch, WIDE, Start(experiments_directory=tmp_path)) as driver:
        watch = TerminalSize(driver.app)
        monkeypatch.setattr(output, "terminal_size", lambda: WIDE)
        driver.app.screen._screen_resized(type(driver.app.size)(*NARROW))
        await driver.until(lambda: tuple(driver.app.screen.outer_size) == NARROW)
        watch.look()
        await driver.until(lambda: tuple(driver.app.screen.outer_size) == WIDE)


async def test_a_terminal_that_tells_no_size_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with drive(monkeypatch, WIDE, Start(experiments_directory=tmp_path)) as driver:
        monkeypatch.setattr(output, "terminal_size", lambda: None)
        TerminalSize(driver.app).look()
        await driver.pilot.pause(0.05)
        assert tuple(driver.app.screen.outer_size) == WIDE


async def test_an_application_that_has_ended_is_not_painted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with drive(monkeypatch, WIDE, Start(experiments_directory=tmp_path)) as driver:
        app = driver.app
        watch = TerminalSize(app)
    assert not app.screen_stack
    watch._repaint()
