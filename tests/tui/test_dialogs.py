"""Questions and help."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets._toast import Toast

from tests.tui.driving import SIZES, Driver, drive
from tui.app import ResnetTuiApp
from tui.screens.question import Question
from tui.start import Start

WIDE, NARROW = SIZES
CHOICES = [("d", "delete", "delete [it]"), ("c", "cancel", "keep it")]


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (("enter",), "cancel"),
        (("up", "enter"), "delete"),
        (("tab", "enter"), "delete"),
        (("d",), "delete"),
        (("backspace",), "cancel"),
        (("q",), "cancel"),
        (("ctrl+c",), "cancel"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, tuple) else value,
)
async def test_a_question_is_answered_with_keys(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, keys: tuple[str, ...], answer: str
) -> None:
    answers: list[str | None] = []
    async with drive(monkeypatch, NARROW, Start(experiments_directory=tmp_path)) as driver:
        question = Question("Delete [red]x[/nope]?", "All of [b]it[/nope].", CHOICES)
        driver.app.push_screen(question, answers.append)
        await driver.until_seen("Delete [red]x[/nope]?")
        assert "All of [b]it[/nope]." in driver.frame and "delete [it]" in driver.frame
        await driver.press(*keys)
        await driver.until(lambda: answers)
        assert driver.app.is_running
    assert answers == [answer]


@pytest.mark.parametrize("size", SIZES, ids=["160x48", "80x24"])
async def test_help_names_the_keys_of_every_pane_and_closes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, size: tuple[int, int]
) -> None:
    start = Start(experiments_directory=tmp_path, dataset=tmp_path)
    async with drive(monkeypatch, size, start) as driver:
        await driver.press("question_mark")
        await driver.until_seen("Backspace closes")
        seen = await driver.pages(12)
        for words in (
            "start training",
            "find folder",
            "tick strategy by its number",
            "quit",
            "all commands",
        ):
            assert words in seen
        await driver.press("q")
        await driver.until(lambda: "Backspace closes" not in driver.frame)
        assert driver.app.is_running


@pytest.mark.parametrize("size", SIZES, ids=["160x48", "80x24"])
async def test_toasts_wait_until_a_question_is_answered(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, size: tuple[int, int]
) -> None:
    monkeypatch.setattr(ResnetTuiApp, "NOTIFICATION_TIMEOUT", 60.0)
    why = "single failed: the loss is no number " * 4
    async with drive(monkeypatch, size, Start(experiments_directory=tmp_path)) as driver:
        driver.app.tell(why, severity="error")
        await driver.until_told(why)
        driver.app.push_screen(Question("Go on with single?", "Its curves go on.", CHOICES))
        await driver.until_seen("Go on with single?")
        await driver.until_seen("keep it")
        # Behind the question as well: what is dimmed there is on the screen.
        await driver.until(lambda: not every_toast(driver))
        driver.app.tell("amp is done")
        await driver.pilot.pause(0.1)
        assert every_toast(driver) == []
        await driver.press("c")
        await driver.until(lambda: len(driver.toasts) == 2)
        assert driver.toasts == [why, "amp is done"]
        assert driver.app.screen.query("Toast.-error")


async def test_a_toast_that_was_seen_does_not_come_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ResnetTuiApp, "NOTIFICATION_TIMEOUT", 1.5)
    async with drive(monkeypatch, NARROW, Start(experiments_directory=tmp_path)) as driver:
        driver.app.tell("amp is done")
        await driver.until_told("amp is done")
        await driver.pilot.pause(0.7)
        driver.app.push_screen(Question("Stop?", "", CHOICES))
        await driver.until_seen("keep it")
        driver.app.tell("fsdp is done")
        await driver.press("c")
        await driver.until_told("fsdp is done")
        assert driver.toasts == ["fsdp is done"]


def every_toast(driver: Driver) -> list[str]:
    """What toasts of all screens say, those below a question included."""
    found = (screen.query(Toast) for screen in driver.app.screen_stack)
    return [str(each._notification.message) for toasts in found for each in toasts]
