"""The strategies on Setup: what the machine and the settings make of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.plan.config import Settings
from engine.plan.machine import Device, Machine
from engine.plan.strategies import STRATEGIES
from tests.tui.driving import HERE, SIZES, drive
from tests.tui.on_disk import write_images
from tui.screens.setup_strategies import choices
from tui.start import Start
from tui.widgets.settings_form import SettingsForm
from tui.widgets.strategy_list import Choice, StrategyList

WIDE, SMALL = SIZES
GPUS = Machine(
    torch="2.15.0",
    cores=8,
    devices=tuple(Device(kind="cuda", index=n, name="a card", bf16=True) for n in range(4)),
)


@pytest.fixture
def start(tmp_path: Path) -> Start:
    pets = write_images(tmp_path / "data" / "pets", {"cat": 5, "dog": 7})
    return Start(experiments_directory=tmp_path / "e", dataset=pets)


def judged(machine: Machine | None, **settings: Any) -> dict[str, Choice]:
    found = choices(STRATEGIES, Settings(batch_size=64, **settings), machine)
    return {each.name: each for each in found}


def test_each_strategy_is_judged_with_the_settings_as_they_are() -> None:
    found = judged(HERE)
    assert list(found) == [each.name for each in STRATEGIES]
    assert (found["single"].status, found["single"].batch) == ("available", "")
    assert found["dp"].status == "unavailable"
    assert found["gpipe"].status == "functional only"
    assert found["ddp"].batch == "64 = 2 x 32"
    assert judged(HERE, nproc=3)["ddp"].batch == "64 in parts of 22"
    found = judged(GPUS)
    assert found["dp"].status == found["gpipe"].status == "available"
    assert found["ddp"].batch == "64 = 4 x 16"


def test_before_the_machine_is_known_nothing_is_impossible() -> None:
    assert {(each.status, each.told, each.batch) for each in judged(None).values()} == {
        ("available", "", "")
    }


def test_what_cannot_be_combined_is_a_reason() -> None:
    found = judged(HERE, compile=True)
    assert found["gpipe"].status == "unavailable"
    assert found["gpipe"].reason.startswith("cannot be compiled")
    assert found["single"].status == "available"


async def test_all_strategies_are_in_sight_on_a_small_screen(
    monkeypatch: pytest.MonkeyPatch, start: Start
) -> None:
    async with drive(monkeypatch, SMALL, start) as driver:
        await driver.until_seen("functional only: on a CPU")
        for number, each in enumerate(STRATEGIES, start=1):
            await driver.until_seen(f"{number} [{'x' if number == 1 else ' '}] {each.name}")
        await driver.until_seen("256 = 2 x 128 · Dist")
        # Whole only for the strategy under the cursor.
        assert "no speed-up" not in driver.frame
        height = driver.frame.count("\n")
        await driver.press("7")
        await driver.until_seen("no speed-up")
        await driver.until_seen("Enter starts single, gpipe")
        assert driver.frame.count("\n") == height
        await driver.press("8")
        await driver.until_seen("Enter starts single, gpipe, pipeline")
        await driver.until(lambda: "no speed-up" not in driver.frame)
        await driver.press("4")
        await driver.until_seen("dp cannot run here: ")


async def test_reasons_stand_under_the_strategies_on_a_large_screen(
    monkeypatch: pytest.MonkeyPatch, start: Start
) -> None:
    async with drive(monkeypatch, WIDE, start) as driver:
        await driver.until_seen("functional only: on a CPU the stages take turns, no speed-up")
        await driver.until_seen("unavailable: DataParallel needs 2 GPUs")
        await driver.pilot.resize_terminal(*SMALL)
        await driver.until(lambda: driver.app.screen.query_one(StrategyList).compact)
        await driver.until(lambda: "no speed-up" not in driver.frame)
        await driver.pilot.resize_terminal(*WIDE)
        await driver.until_seen("no speed-up")


async def test_a_changed_setting_changes_what_can_run(
    monkeypatch: pytest.MonkeyPatch, start: Start
) -> None:
    async with drive(monkeypatch, WIDE, start) as driver:
        await driver.until_seen("256 = 2 x 128")
        await driver.press("7", "tab")
        form = driver.app.screen.query_one(SettingsForm)
        form.go_to("batch_size")
        await driver.press("3", "2", "enter")
        await driver.until_seen("32 = 2 x 16")
        form.go_to("compile")
        await driver.press("right")
        await driver.until_seen("unavailable: cannot be compiled")
        await driver.press("shift+tab")
        await driver.until_seen("cannot run here like this: gpipe")
        assert "[x] gpipe" in driver.frame
        assert "Enter starts" not in driver.frame
        await driver.press("enter")
        await driver.until_seen("gpipe cannot be compiled")
        await driver.press("8")
        await driver.until_seen("pipeline cannot be compiled")
        assert not driver.started


async def test_strategies_of_the_users_own_follow_the_presets(
    monkeypatch: pytest.MonkeyPatch, start: Start, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "resnet-tui.toml").write_text('[strategies.ddp-4]\nbase = "ddp"\nnproc = 4\n')
    async with drive(monkeypatch, SMALL, start) as driver:
        await driver.until_seen("9 [ ] ddp-4")
        await driver.until_seen("256 = 4 x 64")
        await driver.press("1", "9")
        await driver.until_seen("Enter starts ddp-4")
        await driver.until_seen("2 classes")
        await driver.press("enter")
        await driver.until(lambda: driver.started)
    assert driver.started[0].strategies == ("ddp-4",)


async def test_on_a_small_screen_the_report_is_on_the_first_page(
    monkeypatch: pytest.MonkeyPatch, start: Start
) -> None:
    async with drive(monkeypatch, SMALL, start) as driver:
        await driver.until_seen("2 classes")
        assert "What it holds" not in driver.frame
        await driver.press("shift+tab")
        await driver.until_seen("What it holds")
        await driver.press("tab")
        await driver.until(lambda: "What it holds" not in driver.frame)
        await driver.until_seen("Strategies")


async def test_what_is_wrong_with_a_dataset_is_in_sight_on_a_small_screen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lonely = write_images(tmp_path / "lonely", {"cat": 3})
    start = Start(experiments_directory=tmp_path / "e", dataset=lonely)
    async with drive(monkeypatch, SMALL, start) as driver:
        await driver.until_seen("What can be trained on:")
        await driver.until_seen("Strategies")
