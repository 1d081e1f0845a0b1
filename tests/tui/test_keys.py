"""The footer: which keys it names, in which words, and that they are those of now."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tui.driving import SIZES, Driver, drive
from tests.tui.test_live import started, written
from tui.start import Start
from tui.widgets.keys import Key, fitting

KEYS = [
    Key("Enter", "start training", "start"),
    Key("l", "learning rate", "rate"),
    Key("h", "home", "show"),
    Key("?", "help", "help"),
    Key("q", "quit", "leave"),
]
SHORT = {"start": "start", "rate": "rate"}


def told(width: int) -> list[str]:
    return [f"{key.names} {key.about}" for key in fitting(KEYS, ("start", "rate"), SHORT, width)]


def footer(driver: Driver) -> str:
    return driver.frame.splitlines()[-1]


def test_words_are_short_only_where_the_first_keys_do_not_fit_otherwise() -> None:
    whole = ["Enter start training", "l learning rate", "h home", "? help", "q quit"]
    assert told(len("  ".join(whole))) == whole
    assert told(len("  ".join(whole)) - 1) == [*whole[:2], *whole[3:]]
    narrow = ["Enter start", "l rate", "? help", "q quit"]
    assert told(len("  ".join([*whole[:2], *whole[3:]])) - 1)[:2] == narrow[:2]
    assert told(len("  ".join(narrow))) == narrow
    assert told(len("  ".join(narrow)) - 1) == ["Enter start", "? help", "q quit"]
    assert told(3) == ["? help", "q quit"]


@pytest.mark.parametrize("size", SIZES, ids=["160x48", "80x24"])
async def test_q_closes_a_page_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    made = written(tmp_path, strategies=("single", "amp"), state="failed", reason="it broke")
    async with drive(monkeypatch, size, started(made)) as driver:
        await driver.until_seen("it broke")

        async def look(key: str, home: str) -> None:
            await driver.until(lambda: footer(driver).endswith("q quit"))
            await driver.press(*key.split())
            await driver.until(lambda: len(driver.app.screen_stack) > 1)
            await driver.until(lambda: footer(driver).endswith("q close"))
            assert "quit" not in footer(driver)
            await driver.press("q")
            await driver.until(lambda: driver.app.screen.id == home or home in driver.frame)
            await driver.until(lambda: len(driver.app.screen_stack) == 1)

        for page in ("l", "d", "i", "r", "j", "u"):
            await look(page, "it broke")
        await driver.press("c")
        await driver.until_seen("Compare ──")
        for page in ("enter", "i", "r"):
            await look(page, "Compare ──")
        await driver.press("s")
        await driver.until_seen("/ find")
        for page in ("l", "i"):
            await look(page, "/ find")
        assert driver.app.is_running


async def test_the_footer_follows_what_nobody_tells_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = Start(experiments_directory=tmp_path, dataset=tmp_path)
    async with drive(monkeypatch, SIZES[0], start) as driver:
        await driver.until_seen("l learning rate")
        screen = driver.app.screen
        before: Callable[..., bool | None] = screen.check_action

        def check(action: str, parameters: tuple[object, ...]) -> bool | None:
            return action != "learning_rate" and before(action, parameters)

        monkeypatch.setattr(screen, "check_action", check)
        await driver.until(lambda: "l learning rate" not in driver.frame)
        assert "i network" in driver.frame


async def test_setup_names_its_keys_on_a_narrow_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = Start(experiments_directory=tmp_path, dataset=tmp_path)
    async with drive(monkeypatch, SIZES[1], start) as driver:
        for first in (
            "Enter start  Space tick  Tab pane",
            "← → change  Enter edit  m more  Tab pane",
            "Enter choose  → ← fold  Tab pane",
        ):
            await driver.until(lambda first=first: footer(driver).startswith(f" {first}"))  # type: ignore[misc]
            assert "l rate  i network" in footer(driver)
            assert footer(driver).endswith("? help  q quit")
            assert len(footer(driver)) <= SIZES[1][0]
            await driver.press("tab")
        await driver.until(lambda: footer(driver).startswith(" Tab next pane  l learning rate"))
