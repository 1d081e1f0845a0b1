"""Copying and exporting: what can be taken away from a screen."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.tui.driving import SIZES, drive
from tests.tui.test_live import started, written
from tui import clipboard
from tui.screens.compare import CompareScreen
from tui.start import Start

WIDE, NARROW = SIZES


async def test_the_table_is_written_and_never_written_over_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = written(tmp_path, strategies=("single", "amp"))
    target = made.directory / "compare.csv"
    async with drive(monkeypatch, WIDE, started(made)) as driver:
        await driver.until_seen("✓ done")
        await driver.press("c")
        await driver.until_seen("val loss")
        await driver.press("e")
        await driver.until_seen("Markdown, for an issue")
        await driver.press("c")
        await driver.until_told("written:")
        with target.open(newline="") as file:
            assert [row["name"] for row in csv.DictReader(file)] == ["single", "amp"]
        target.write_text("mine")
        await driver.press("e", "c")
        await driver.until_seen("Write over the older table?")
        await driver.press("enter")
        await driver.until(lambda: isinstance(driver.app.screen, CompareScreen))
        assert target.read_text() == "mine"
        await driver.press("e", "c")
        await driver.until_seen("Write over the older table?")
        await driver.press("o")
        await driver.until(lambda: target.read_text() != "mine")


async def test_outside_tmux_the_terminal_is_given_the_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    made = written(tmp_path)
    async with drive(monkeypatch, WIDE, started(made)) as driver:
        await driver.until_seen("✓ done")
        await driver.press("y")
        await driver.until_seen("copied the command to attach")
        assert driver.app.clipboard == f"resnet-tui attach {made.name}"


async def test_why_a_run_failed_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    made = written(tmp_path, state="failed", reason="no memory", detail="  in forward\nError")
    async with drive(monkeypatch, WIDE, started(made)) as driver:
        await driver.until_seen("✗ failed")
        await driver.press("y")
        await driver.until(lambda: driver.app.clipboard)
        assert driver.app.clipboard == "no memory\n  in forward\nError"


def test_inside_tmux_its_buffer_takes_the_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program of that name notes what it is told; the real one needs a server."""
    tmux = tmp_path / "tmux"
    tmux.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/arguments\ncat > {tmp_path}/text\n')
    tmux.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("TMUX", raising=False)
    assert not clipboard.copied_by_tmux("x")
    monkeypatch.setenv("TMUX", "/tmp/socket,1,0")
    assert clipboard.copied_by_tmux("über")
    assert (tmp_path / "text").read_text() == "über"
    assert (tmp_path / "arguments").read_text().strip() == "load-buffer -w -"


async def test_an_experiment_that_is_gone_is_said_and_home_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = Start(experiments_directory=tmp_path, experiment=tmp_path / "gone")
    async with drive(monkeypatch, NARROW, start) as driver:
        await driver.until_told("gone is no experiment")
        assert driver.app.feed is None
        await driver.until(lambda: driver.app.current_mode == "home")
