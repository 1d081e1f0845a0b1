"""The learning rate and the network on Setup, before anything is trained."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from engine.plan.config import Settings
from engine.plan.learning_rate import Schedule
from tests.tui.driving import SIZES, drive
from tests.tui.on_disk import write_images
from tui.screens.setup_words import setting
from tui.start import Start
from tui.widgets.line import Line
from tui.widgets.plot import draw
from tui.widgets.schedule import schedule_plot
from tui.widgets.series import Curve, Marks, Plot
from tui.widgets.settings_form import SettingsForm

WIDE, SMALL = SIZES


@pytest.fixture
def start(tmp_path: Path) -> Start:
    pets = write_images(tmp_path / "data" / "pets", {"cat": 50, "dog": 50})
    given = {"batch_size": 16, "epochs": 10, "lr": 0.4, "val_fraction": 0.2}
    return Start(experiments_directory=tmp_path / "e", dataset=pets, given=given)


def parts(plot: Plot) -> tuple[Curve, list[Marks]]:
    (curve,) = [each for each in plot.series if isinstance(each, Curve)]
    return curve, [each for each in plot.series if isinstance(each, Marks)]


def test_the_curve_is_the_schedule_that_training_obeys() -> None:
    plot = schedule_plot(Settings(lr=0.4, epochs=20, batch_size=10, lr_floor=0.01), 1000)
    curve, (peak, last) = parts(plot)
    wanted = Schedule(peak=0.4, warmup_steps=200, total_steps=2000, start=0.1, floor=0.01)
    steps = np.rint(curve.buckets.x * 100).astype(int)
    assert {0, 200, 1999} <= set(steps.tolist()) <= set(range(2000))
    assert curve.buckets.mean == pytest.approx([wanted(step) for step in steps.tolist()], rel=1e-6)
    assert (peak.x.tolist(), peak.y.tolist()) == ([2.0], [0.4])
    assert (last.x.tolist(), last.y.tolist()) == ([19.99], [wanted(1999)])
    assert (plot.x.low, plot.x.high, plot.x_name) == (0.0, 20.0, "epoch")


def test_where_a_training_is_cut_off_is_marked() -> None:
    _, marks = parts(schedule_plot(Settings(epochs=10, batch_size=10, max_steps=500), 1000))
    assert [(each.name, each.x.tolist()) for each in marks] == [
        ("peak", [1.0]),
        ("ended at", [4.99]),
    ]
    _, marks = parts(schedule_plot(Settings(epochs=10, batch_size=10, max_steps=1000), 1000))
    assert [each.name for each in marks] == ["peak", "last"]


def test_it_is_drawn_with_its_peak_and_its_end_and_waits_for_a_dataset() -> None:
    made = Settings(lr=0.1, scale_lr=True, batch_size=1024, epochs=90)
    rows = [
        "".join(text for text, _ in row) for row in draw(schedule_plot(made, 50_000), 60, 12).rows
    ]
    # 49 steps an epoch: the cosine has 4165, and its end is nearly a parabola.
    last = 0.4 * (math.pi / 4165) ** 2 / 4
    assert rows[0].startswith(f"Learning rate  ◆ peak 0.4  ● last {last:.3g}  ━━ planned ")
    assert rows[-1].rstrip("─").endswith("epoch")
    for images in (None, 0):
        rows = [
            "".join(text for text, _ in row)
            for row in draw(schedule_plot(made, images), 60, 12).rows
        ]
        assert any("once a dataset is chosen" in row for row in rows)


@pytest.mark.parametrize("epochs", [1, 2, 1000])
@pytest.mark.parametrize("images", [1, 7, 10**7])
def test_any_length_is_drawn(epochs: int, images: int) -> None:
    for warmup in (0.0, None, 5000.0):
        plot = schedule_plot(Settings(epochs=epochs, warmup_epochs=warmup), images)
        title = "".join(text for text, _ in draw(plot, 60, 12).rows[0])
        assert "◆ peak " in title
        # A warm-up that is longer than the training never comes to the peak of the settings.
        assert warmup == 5000 or "◆ peak 0.05 " in title or images < 10


def test_a_setting_says_which_key_shows_what_follows_from_it() -> None:
    assert setting("lr", "none") == "peak learning rate · l draws the learning rate"
    assert setting("model", "none").endswith("i lists its layers")
    assert setting("recipe", "quick").startswith("quick: a first look")
    assert setting("recipe", "none").startswith("a known way of training")
    assert setting("flip", "none") == "mirror half of the training images"
    assert setting("", "none") == ""


async def test_on_a_large_screen_it_is_always_there_and_follows_the_settings(
    monkeypatch: pytest.MonkeyPatch, start: Start
) -> None:
    async with drive(monkeypatch, WIDE, start) as driver:
        await driver.until_seen("lr 0.4: warm-up 1 epoch from 0.04, cosine to 0 ")
        await driver.until_seen("over 10 epochs, 50 steps ")
        assert "◆ peak 0.4" in driver.frame
        await driver.press("tab")
        driver.app.screen.query_one(SettingsForm).go_to("scale_lr")
        await driver.press("right")
        await driver.until_seen("lr 0.025 = 0.4 x 16 / 256: ")
        line = driver.app.screen.query_one("SchedulePane > Line", Line)
        told = line.render().plain
        # As long as a sentence gets, and all of it is in sight.
        assert " ".join(told.split()).endswith("50 steps")
        assert len(told.splitlines()) <= line.size.height
        assert "◆ peak 0.025" in driver.frame


async def test_on_a_small_screen_both_pages_are_a_key_away(
    monkeypatch: pytest.MonkeyPatch, start: Start
) -> None:
    async with drive(monkeypatch, SMALL, start) as driver:
        await driver.until_seen("2 classes · 80 + 20 images")
        assert "◆ peak" not in driver.frame
        await driver.press("l")
        await driver.until_seen("◆ peak 0.4  ● last ")
        await driver.until_seen("5 steps an epoch: 80 images in batches of 16")
        await driver.press("l")
        await driver.until_seen("Strategies")
        await driver.press("i")
        # Of two classes, and of the batch that there is.
        await driver.until_seen("23.5 M (23,512,130)")
        await driver.until_seen("for a batch of 16 images in 32 bits")
        await driver.until_seen("layer1.0     256 x 56 x 56       75,008  0.46 GFLOP")
        await driver.press("end")
        await driver.until_seen("fc               2 x 1 x 1        4,098")
        await driver.press("backspace")
        await driver.until_seen("Strategies")
