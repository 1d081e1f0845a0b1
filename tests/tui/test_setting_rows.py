"""The settings form: groups that fold, what their lines say, and the form on both screens."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.plan.config import declarations
from tests.tui.driving import SIZES, Driver, drive
from tests.tui.on_disk import write_images
from tui.draft import Draft, look_up
from tui.start import Start
from tui.widgets.setting_lines import SettingLines
from tui.widgets.setting_rows import GROUPS, head, rows
from tui.widgets.settings_form import SettingsForm
from tui.widgets.value_input import Field

WIDE, SMALL = SIZES


@pytest.fixture
def start(tmp_path: Path) -> Start:
    pets = write_images(tmp_path / "data" / "pets", {"cat": 5, "dog": 7})
    return Start(experiments_directory=tmp_path / "e", dataset=pets)


def fields(**flags: object) -> list[Field]:
    draft = Draft(dict(flags))
    assert draft.take(look_up(*draft.question()))
    return draft.fields()


def test_every_setting_is_in_the_first_lines_or_in_a_group_that_folds() -> None:
    assert {each.group for each in declarations().values()} == {"main", *GROUPS}
    found = fields()
    closed = rows(found, set(), 60)
    assert [row.head for row in closed if row.head] == list(GROUPS)
    assert {row.field.group for row in closed if row.field is not None} == {"main"}
    opened = rows(found, set(GROUPS), 60)
    assert len(opened) == len(declarations()) + len(GROUPS)
    names = [row.field.name for row in opened if row.field is not None]
    assert sorted(names) == sorted(declarations())


def test_a_closed_group_says_how_many_it_has_and_what_was_changed() -> None:
    plain = head("recipe", fields(), opened=False, label_width=24).plain
    count = sum(each.group == "recipe" for each in declarations().values())
    assert plain.rstrip() == f"{'▸ learning':<24}{count}"
    found = fields(momentum=0.5, clip_grad=1.0)
    told = head("recipe", found, opened=False, label_width=24).plain
    assert told.endswith("momentum 0.5, clip gradient 1.0")
    assert "momentum" not in head("recipe", found, opened=True, label_width=24).plain
    # What a recipe brings stands behind what was asked for.
    told = head("recipe", fields(recipe="imagenet", ema=0.9), False, 24).plain
    assert told.split("  ")[-1].lstrip().startswith("EMA 0.9, ")
    assert "label smoothing 0.1" in told


def test_what_is_wrong_stands_below_its_field_in_lines_that_fit() -> None:
    wrong = Field(name="lr", label="learning rate", text="fast", problem="word " * 20, group="main")
    made = rows([wrong], set(), 40)
    assert [row.problem for row in made][1:] == ["word " * 7 + "word"] * 2 + ["word " * 3 + "word"]


def lines(driver: Driver) -> SettingLines:
    return driver.app.screen.query_one(SettingLines)


async def test_one_group_opens_at_a_time_and_stays_usable_on_a_small_screen(
    monkeypatch: pytest.MonkeyPatch, start: Start
) -> None:
    async with drive(monkeypatch, SMALL, start) as driver:
        await driver.until_seen("2 classes")
        await driver.press("tab", "end")
        assert lines(driver).field is None
        await driver.press("up", "up", "up")
        await driver.until_seen("▌ ▸ learning")
        await driver.press("enter")
        # As much of it as fits, its head first.
        await driver.until_seen("▌ ▾ learning")
        for label in ("optimizer", "momentum", "Nesterov", "weight decay"):
            assert f"  {label} " in driver.frame
        assert lines(driver).opened == {"recipe"}
        await driver.press("down", "down", "0", ".", "5", "enter")
        await driver.until(lambda: "0.5 " in driver.frame and " you" in driver.frame)
        driver.app.screen.query_one(SettingsForm).go_to("optimizer")
        await driver.press("up", "left")
        await driver.until_seen("momentum 0.5")
        assert "▸ learning" in driver.frame
        # Into a group that is closed: it opens.
        driver.app.screen.query_one(SettingsForm).go_to("mixup")
        await driver.until_seen("▌ MixUp")
        assert lines(driver).opened == {"images"}


async def test_another_recipe_changes_what_was_not_typed(
    monkeypatch: pytest.MonkeyPatch, start: Start
) -> None:
    async with drive(monkeypatch, WIDE, start) as driver:
        await driver.until_seen("2 classes")
        await driver.press("tab")
        driver.app.screen.query_one(SettingsForm).go_to("batch_size")
        await driver.press("1", "6", "enter")
        driver.app.screen.query_one(SettingsForm).go_to("recipe")
        await driver.press("left")
        await driver.until_seen("‹quick›")
        await driver.until_seen("5 epochs")
        rows = driver.frame.splitlines()
        (epochs,) = [row for row in rows if "  epochs  " in row]
        assert "recipe quick" in epochs
        (batch,) = [row for row in rows if "  batch size  " in row]
        assert " 16 " in batch
        assert " you" in batch
        await driver.press("delete")
        await driver.until_seen("90 epochs")
