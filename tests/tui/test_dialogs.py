"""Questions and help."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.driving import SIZES, drive
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
        seen = driver.frame
        for _ in range(12):
            await driver.press("pagedown")
            seen += driver.frame
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
