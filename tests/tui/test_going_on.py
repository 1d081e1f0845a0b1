"""R asks from where a run goes on; what is answered reaches a supervisor."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.experiment import Experiment
from engine.plan.strategies import strategy
from engine.run import control, disk, resume
from engine.run.resume import Resumable
from engine.run.saved import Found
from tests.journal.saving import save
from tests.tui.driving import SIZES, drive
from tests.tui.on_disk import write_experiment, write_images
from tests.tui.queues import snapshot, write_queue
from tests.tui.test_live import started, written
from tui.screens.resume_question import question
from tui.screens.setup_space import Space, in_words
from tui.start import Start

WIDE, SMALL = SIZES
RUN = "01-single"


def resumable(step: int | None, age: float = 0.0, of: int | None = None) -> Resumable:
    plan = snapshot(["single"], []).experiment.plan.runs[0]
    found = None if step is None else Found("checkpoints/last.pt", step, 1000.0 - age)
    return Resumable(plan, found, of)


def said(*found: Resumable) -> list[str]:
    asked = question("single", found, 1000.0)
    return [asked._heading, *(each.label for each in asked.choices)]


def test_what_is_asked() -> None:
    assert said(resumable(1200, 180.0, 9000))[:2] == [
        "Go on with single?",
        "go on from step 1,200 of 9,000, saved 3 min 00 s ago",
    ]
    assert said(resumable(7))[1] == "go on from step 7, saved just now"
    assert said(resumable(None)) == ["Try single again?", "try again", "leave it"]
    several = question("ants", [resumable(3, of=9), resumable(None)], 1000.0)
    assert several._body.plain.endswith("single: step 3 of 9\nsingle: the beginning")
    assert several.choices[several.picked].id == "resume"
    many = question("ants", [resumable(each) for each in range(9)], 1000.0)
    assert many._body.plain.endswith("and 3 more")
    given = replace(resumable(7), given={"workers": "--workers 1", "nproc": "--nproc 2"})
    body = question("ants", [given], 1000.0)._body.plain
    assert body.endswith("It goes on as it did last: --workers 1, --nproc 2.")


class Calls:
    """What a supervisor would have been started with."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[tuple[tuple[str, ...], bool]] = []
        for module in (control, resume):
            monkeypatch.setattr(module, "start_supervisor", self._start)

    def _start(self, _: Experiment, again: Any = (), *, resume: bool = False) -> int:
        self.made.append((tuple(again), resume))
        return 1


@pytest.mark.parametrize(("size", "key", "goes_on"), [(WIDE, "enter", True), (SMALL, "b", False)])
async def test_a_failed_run_goes_on(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
    key: str,
    goes_on: bool,
) -> None:
    calls = Calls(monkeypatch)
    made = written(tmp_path, state="failed", reason="it broke")
    save(made.directory / RUN, 250, saved=time.time() - 65.0)
    async with drive(monkeypatch, size, started(made)) as driver:
        await driver.until_seen("it broke")
        await driver.until(lambda: driver.frame.count("R go on") == 2)  # panel and footer
        assert "R retry" not in driver.frame
        await driver.press("R")
        await driver.until_seen("Go on with single?")
        await driver.until_seen("go on from step 250 of 300, saved 1 min 0")
        await driver.until_seen("from the beginning")
        await driver.press(key)
        await driver.until(lambda: calls.made)
        assert calls.made == [((RUN,), goes_on)]
        await driver.until_seen("single is queued again")


async def test_compare_goes_on_with_the_row_under_the_cursor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Calls(monkeypatch)
    made = written(tmp_path, strategies=("single", "amp"), state="failed", reason="it broke")
    async with drive(monkeypatch, WIDE, started(made)) as driver:
        await driver.until_seen("it broke")
        await driver.press("c")
        await driver.until_seen("Compare ──")
        await driver.until(lambda: driver.app.screen.check_action("retry", ()) is False)
        await driver.press("down")
        await driver.until_seen("R retry")
        await driver.press("R")
        await driver.until_seen("Try amp again?")
        await driver.press("enter")
        await driver.until(lambda: calls.made)
        assert calls.made == [(("02-amp",), False)]


@pytest.mark.parametrize("size", SIZES, ids=["160x48", "80x24"])
async def test_r_says_go_on_where_there_is_something_to_go_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    made = write_queue(tmp_path, (strategy("single"), strategy("amp")), done=1)
    save(made.directory / "02-amp", 250)
    async with drive(monkeypatch, size, started(made)) as driver:
        await driver.until_seen("The supervisor is gone without a word")
        await driver.until(lambda: driver.frame.count("R go on") == 2)
        await driver.press("u")
        await driver.until_seen("Queue ──")
        await driver.press("end")
        await driver.until_seen("R go on")
        await driver.press("c")
        await driver.until_seen("Compare ──")
        await driver.press("down")
        await driver.until_seen("R go on")
        await driver.press("question_mark")
        await driver.until_seen("Backspace closes")
        seen = await driver.pages(8)
        assert "R  go on from its checkpoint, or begin anew" in seen
        inside = [row.split("│")[1] for row in seen.splitlines() if row.count("│") == 2]
        assert inside
        assert not any("…" in row for row in inside), "nothing that help says is cut"


async def test_an_experiment_goes_on_from_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Calls(monkeypatch)
    made = write_experiment(
        tmp_path, Path("/data/ants"), "stopped", strategies=("single", "amp"), best=0.5
    )
    save(made.directory / RUN, 12)
    async with drive(monkeypatch, SMALL, Start(experiments_directory=tmp_path)) as driver:
        await driver.until_seen("ants")
        await driver.until_seen("R go on")
        await driver.press("R")
        await driver.until_seen("single: step 12")
        assert "amp: the beginning" in driver.frame
        await driver.press("r")
        await driver.until(lambda: calls.made)
        assert calls.made == [((RUN, "02-amp"), True)]


async def test_a_full_disk_is_told_before_anything_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Calls(monkeypatch)
    made = written(tmp_path, state="failed", reason="it broke")
    save(made.directory / RUN, 250)
    monkeypatch.setattr(disk, "free_bytes", lambda _: 1 << 20)
    async with drive(monkeypatch, WIDE, started(made)) as driver:
        await driver.until_seen("it broke")
        await driver.press("R")
        await driver.until_seen("Go on with single?")
        await driver.press("r")
        await driver.until_seen("the checkpoints will take up to")
        assert calls.made == []


@pytest.mark.parametrize("size", SIZES)
async def test_setup_asks_where_the_disk_may_fill_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    folder = write_images(tmp_path / "ants", {"a": 5, "b": 5})
    monkeypatch.setattr(disk, "free_bytes", lambda _: 1 << 20)
    start = Start(experiments_directory=tmp_path / "x", dataset=folder)
    async with drive(monkeypatch, size, start) as driver:
        await driver.until_seen("Enter starts single")
        await driver.until_seen("1 MiB free")
        await driver.press("enter")
        await driver.until_seen("The disk may become full")
        await driver.until_seen("--backup-epochs 0")
        await driver.press("c")
        assert driver.started == []
        await driver.press("enter")
        await driver.until_seen("The disk may become full")
        await driver.press("y")
        await driver.until(lambda: driver.started)


def test_what_setup_says_of_checkpoints() -> None:
    gib = 1 << 30
    assert in_words(Space(need=3 * gib, free=52 * gib)).plain == (
        " · checkpoints: up to 3.0 GiB; 52.0 GiB free"
    )
    assert in_words(Space(need=3 * gib, free=None)).plain == " · checkpoints: up to 3.0 GiB"
    assert in_words(None).plain == ""
