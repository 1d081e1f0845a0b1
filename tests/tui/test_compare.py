"""The comparison on the screen: keys, pop-ups, and what stays where it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from engine.experiment import Experiment, open_directory
from engine.journal import events, layout
from engine.journal.files import Appender, writer_fields
from engine.journal.layout import rank_journal
from engine.plan.strategies import strategy
from tests.journal import writing
from tests.journal.writing import Shape, write_experiment
from tests.tui.driving import SIZES, Driver, drive
from tui.chosen_columns import remembered
from tui.screens.compare import CompareScreen
from tui.screens.compare_goal import read_target
from tui.start import Start

WIDE, SMALL = SIZES
DATA = Path("/data/ants")
SHORT = Shape(total_steps=50)


def written(parent: Path, *names: str, **more: object) -> Experiment:
    return write_experiment(parent, DATA, strategies=names, shape=SHORT, **more)  # type: ignore[arg-type]


def started(made: Experiment) -> Start:
    return Start(experiments_directory=made.directory.parent, experiment=made.directory)


async def compared(driver: Driver) -> CompareScreen:
    """Goes to the comparison; the screen once the table is there."""
    await driver.until(lambda: driver.app.feed and driver.app.current_mode == "live")
    await driver.press("c")
    await driver.until(lambda: getattr(driver.app.screen, "comparison", None) is not None)
    await driver.until_seen("images/s")
    screen = driver.app.screen
    assert isinstance(screen, CompareScreen)
    return screen


def names(screen: CompareScreen) -> list[str]:
    return [row.figures.name for row in screen.rows()]


@pytest.mark.parametrize("size", SIZES)
async def test_what_differs_by_construction_is_said_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    shape = Shape(total_steps=50, device_batch=4, norm_batch=4)
    made = write_experiment(tmp_path, DATA, strategies=("gpipe",), shape=shape)
    async with drive(monkeypatch, size, started(made)) as driver:
        await compared(driver)
        await driver.until_seen("gpipe: batch normalisation sees 4 of 32 images")


async def test_runs_on_different_kinds_of_devices_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = written(tmp_path, "single", "ddp", "amp")
    # As no run of one experiment could be: the second says that it trained on a GPU.
    path = rank_journal(made.directory, "02-ddp", 1, 0)
    lines = path.read_bytes().replace(b'"device":"cpu"', b'"device":"cuda:0"')
    path.unlink()
    path.write_bytes(lines)
    appender = Appender(path)
    appender.append(events.Notice(level="info", text="on a GPU"))
    appender.close()
    async with drive(monkeypatch, WIDE, started(made)) as driver:
        screen = await compared(driver)
        await driver.until_seen("measured on cuda")
        assert names(screen) == ["single", "amp", "ddp"]
        await driver.press("end", "enter")
        await driver.until_seen("look at the run")
        await driver.press("v")
        await driver.until_seen("▌2 ddp")


async def test_sorting_keeps_the_cursor_and_columns_are_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = written(tmp_path, "single", "amp", "ddp")
    async with drive(monkeypatch, WIDE, started(made)) as driver:
        screen = await compared(driver)
        await driver.press("down", "o")
        await driver.until_seen("Sort by")
        await driver.press("enter")
        await driver.until(lambda: names(screen) == ["ddp", "amp", "single"])
        assert screen.row is not None and screen.row.figures.name == "amp"
        await driver.press("t")
        await driver.until_seen("[x] images/s")
        await driver.press("down", "space", "enter")
        await driver.until(lambda: "images/s" not in driver.frame)
        await driver.until(lambda: remembered().hidden == ("images_per_second",))
        await driver.press("t", "d", "enter")
        await driver.until(lambda: remembered().hidden == ())
        assert screen.row.figures.name == "amp"


async def test_another_baseline_and_another_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = written(tmp_path, "single", "amp")
    async with drive(monkeypatch, WIDE, started(made)) as driver:
        screen = await compared(driver)
        assert screen.comparison is not None and screen.comparison.baseline.endswith("single")
        await driver.press("down", "b")
        await driver.until(lambda: screen.comparison and screen.comparison.baseline.endswith("amp"))
        await driver.press("f")
        await driver.until_seen("Target and price")
        await driver.type("900")
        await driver.press("enter")
        await driver.until_seen("900")
        await driver.press("backspace", "backspace", "backspace")
        await driver.type("12.5")
        await driver.press("enter", "2", "enter")
        await driver.until(lambda: screen.comparison and screen.comparison.target == 0.125)
        assert screen.comparison is not None and screen.comparison.price == 2.0


@pytest.mark.parametrize(
    ("text", "share"), [("0.9", 0.9), ("90 %", 0.9), ("90", 0.9), ("", None), ("auto", None)]
)
def test_a_target_is_a_share_or_a_percentage(text: str, share: float | None) -> None:
    assert read_target(text) == pytest.approx(share)


async def test_bars_and_curves_below_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = written(tmp_path, "single", "amp")
    async with drive(monkeypatch, WIDE, started(made)) as driver:
        await compared(driver)
        await driver.until_seen("Loss  ━━ single")
        await driver.press("m")
        await driver.until_seen("Top-1 accuracy %")
        await driver.press("x", "m", "m")
        await driver.until_seen("Images/s ──")
        await driver.until_seen("Peak memory, GiB")
        await driver.press("m")
        await driver.until(lambda: driver.frame.index("Peak memory, G") < 3000)
        assert "single 954 MiB ┤━" in driver.frame
        await driver.press("m", "m")
        await driver.until_seen("Loss  ━━ single")
        # The keys stayed with the table.
        await driver.press("enter")
        await driver.until_seen("look at the run")


async def test_the_table_is_copied_and_so_is_the_command_of_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    made = written(tmp_path, "single", "amp")
    async with drive(monkeypatch, WIDE, started(made)) as driver:
        await compared(driver)
        await driver.press("y", "m")
        await driver.until(lambda: driver.app.clipboard.startswith("| strategy"))
        await driver.press("y", "c")
        await driver.until(lambda: driver.app.clipboard.startswith("experiment,name,"))
        await driver.press("down", "y", "y")
        await driver.until(lambda: driver.app.clipboard.startswith("resnet-tui train /data/ants"))
        assert "--strategy amp" in driver.app.clipboard


async def test_a_file_of_every_format_is_written_beside_the_journals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = written(tmp_path, "single", "amp")
    async with drive(monkeypatch, SMALL, started(made)) as driver:
        await compared(driver)
        for key, ending in (("m", "md"), ("j", "json"), ("h", "html")):
            await driver.press("e", key)
            path = made.directory / f"compare.{ending}"
            await driver.until(path.exists)
            assert "amp" in path.read_text()


async def test_runs_of_another_experiment_are_added_and_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = written(tmp_path, "ddp")
    made = written(tmp_path, "single", "amp")
    async with drive(monkeypatch, WIDE, started(made)) as driver:
        screen = await compared(driver)
        await driver.press("a")
        await driver.until_seen("Add runs of other experiments")
        assert made.name not in driver.frame.partition("Add runs")[2].partition("╰")[0]
        await driver.press("space", "enter")
        await driver.until(lambda: len(screen.rows()) == 3)
        await driver.until_seen(f"B {older.name}")
        # It has no number: Live shows another experiment.
        assert screen.check_action("pick", (2,))
        assert not screen.check_action("pick", (3,))
        await driver.press("a")
        await driver.until_seen("[x]")
        await driver.press("space", "enter")
        await driver.until(lambda: len(screen.rows()) == 2)


async def test_details_of_a_failed_row_say_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    why = {"state": "failed", "reason": "out of memory", "detail": "RuntimeError: alloc"}
    made = written(tmp_path, "single", "amp", **why)
    async with drive(monkeypatch, WIDE, started(made)) as driver:
        await compared(driver)
        await driver.press("down")
        await driver.until_seen("amp failed: out of memory")
        await driver.press("enter")
        await driver.until_seen("RuntimeError: alloc")
        for part in ("Settings that differ from single", "Starting up", "importing torch"):
            assert part in driver.frame
        row = next(line for line in driver.frame.splitlines() if "precision" in line)
        assert row.split()[-1] == "fp32"
        await driver.press("backspace", "i")
        await driver.until_seen("Held constant")
        await driver.press("i")
        await driver.until(lambda: isinstance(driver.app.screen, CompareScreen))


def repeated(parent: Path, strategies: int, repeats: int) -> Experiment:
    """So many of each, on disk as a real experiment is."""
    made = write_experiment(
        parent, DATA, strategies=("single",), shape=Shape(total_steps=20, steps_per_epoch=10)
    )
    plan = made.plan
    (only,) = plan.runs
    ways = [replace(strategy("single"), name=f"way-{n:02d}") for n in range(strategies)]
    runs = [
        replace(only, run=f"{place:03d}-{way.name}", strategy=way, repeat=repeat)
        for place, (repeat, way) in enumerate(
            ((repeat, way) for repeat in range(repeats) for way in ways), start=1
        )
    ]
    settings = replace(plan.settings, repeats=repeats)
    (made.directory / layout.PLAN).write_bytes(
        msgspec.json.encode(replace(plan, runs=tuple(runs), settings=settings))
    )
    path = made.directory / layout.SUPERVISOR_JOURNAL
    path.unlink()
    supervisor = Appender(path)
    t = events.now() - 1000
    supervisor.append(events.SupervisorStarted(t=t, version="0", **writer_fields()))
    whole = Shape(total_steps=20, steps_per_epoch=10)
    for run in runs:
        name, repeat = run.strategy.name, run.repeat
        queued = events.RunQueued(t=t, run=run.run, strategy=name, seed=repeat, repeat=repeat)
        supervisor.append(queued)
        supervisor.append(events.RunStarted(t=t, run=run.run, attempt=1, argv=("x",), pid=1))
        writing.write_rank(made.directory, run.run, t, whole)
        supervisor.append(events.RunEnded(t=t + 2, run=run.run, attempt=1, state="done"))
    supervisor.append(events.SupervisorEnded(t=t + 3, state="done"))
    supervisor.close()
    return open_directory(made.directory)


async def test_twenty_strategies_with_five_repeats_on_a_small_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = repeated(tmp_path, 20, 5)
    async with drive(monkeypatch, SMALL, started(made)) as driver:
        screen = await compared(driver)
        assert len(screen.rows()) == 20
        await driver.until_seen("1 way-00 ▸5")
        lines = driver.frame.splitlines()
        assert len(lines) == 24
        assert sum("way-" in line and "▸5" in line for line in lines) >= 12
        await driver.press("end")
        await driver.until_seen("20 way-19 ▸5")
        # The chart takes the place of most rows, and leaves the one with the cursor.
        await driver.press("tab")
        await driver.until_seen("Loss, mean of repeats")
        await driver.until_seen("20 way-19 ▸5")
        await driver.press("enter")
        await driver.until_seen("together")
        await driver.press("backspace")
        await driver.until_seen("Loss, mean of repeats")
        await driver.press("tab")
        await driver.until(lambda: "Loss, mean" not in driver.frame)
        await driver.press("m")
        await driver.until_seen("Loss, mean")
        await driver.press("backspace")
        await driver.until(lambda: "Loss, mean" not in driver.frame)
        await driver.press("enter")
        await driver.until_seen("together")
