"""The live view under a Pilot: frames as text, keys, questions, hostile names."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from engine.experiment import Experiment, write_atomically
from engine.journal import commands, events, layout
from engine.journal.files import Appender, boot_id
from engine.journal.lock import Lock
from engine.summary import Summary
from tests.journal.writing import RankWriter, Shape, write_experiment
from tests.tui.driving import SIZES, Driver, drive
from tui.screens.live import LiveScreen
from tui.start import Start
from tui.widgets.chart import Chart

WIDE, SMALL = SIZES


def started(made: Experiment) -> Start:
    return Start(experiments_directory=made.directory.parent, experiment=made.directory)


def live(driver: Driver) -> LiveScreen:
    screen = driver.app.screen
    assert isinstance(screen, LiveScreen)
    return screen


def written(tmp_path: Path, **more: object) -> Experiment:
    """Three hundred steps. It has a summary, as its supervisor would have left it."""
    shape = Shape(total_steps=300, steps_per_epoch=50)
    made = write_experiment(tmp_path, Path("/data/ants"), shape=shape, **more)  # type: ignore[arg-type]
    summary = Summary(
        state=more.get("state", "done") or "running",  # type: ignore[arg-type]
        host=os.uname().nodename,
        boot=boot_id(),
        pid=1,
        updated=events.now(),
    )
    write_atomically(made.directory / layout.SUMMARY, msgspec.json.encode(summary))
    return made


@pytest.mark.parametrize("size", SIZES)
async def test_a_finished_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    made = written(tmp_path)
    async with drive(monkeypatch, size, started(made)) as driver:
        await driver.until_seen("Top-1 accuracy %")
        rows = driver.frame.splitlines()
        assert rows[0].startswith(" ✓ done")
        assert "ants" in rows[0]
        assert "resnet18" in rows[0]
        assert "epoch 6/6" in driver.frame
        assert "100 %" in driver.frame
        assert "◆ validation" in driver.frame or size == SMALL
        assert rows[-1].endswith("quit")
        assert all(len(row) <= size[0] for row in rows)
        assert len(rows) == size[1]
        loss = driver.app.screen.query_one("#loss", Chart)
        assert any("⠤" in row or "⠒" in row or "⣀" in row for row in loss.rows)


async def test_wide_has_small_charts_and_panes_and_small_has_one_line_of_devices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = written(tmp_path)
    async with drive(monkeypatch, WIDE, started(made)) as driver:
        await driver.until_seen("Learning rate")
        for title in (
            "Images/s",
            "Waiting for data %",
            "Step time ms",
            "Time per step",
            "Devices",
            "Log",
            "CPU",
        ):
            assert title in driver.frame
        await driver.pilot.resize_terminal(*SMALL)
        await driver.until(lambda: "Learning rate" not in driver.frame)
        assert "Loss" in driver.frame
        assert "CPU" in driver.frame
        await driver.pilot.resize_terminal(*WIDE)
        await driver.until_seen("Learning rate")


async def test_a_failed_run_says_why_and_offers_to_retry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = written(
        tmp_path,
        state="failed",
        reason="RuntimeError: the loss is no number",
        detail="  in fit\nRuntimeError: [red]nan[/nope]",
    )
    async with drive(monkeypatch, SMALL, started(made)) as driver:
        await driver.until_seen("RuntimeError: the loss is no number")
        await driver.until_seen("[red]nan[/nope]")
        await driver.until(lambda: "R retry" in driver.frame.splitlines()[-1])
        await driver.press("R")
        await driver.until_seen("Try single again?")


async def test_strategies_are_tabs_and_keys_pin_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = written(tmp_path, strategies=("single", "amp"), state="failed", reason="it broke")
    async with drive(monkeypatch, WIDE, started(made)) as driver:
        await driver.until_seen("▌2 amp ✗")
        assert "1 single ✓" in driver.frame
        await driver.press("1")
        await driver.until_seen("▌1 single ✓")
        assert "f follow" in driver.frame
        await driver.press("f")
        await driver.until_seen("▌2 amp ✗")
        await driver.press("n")
        await driver.until_seen("▌1 single ✓")
        await driver.press("a")
        await driver.until_seen("━━ 1 single")
        assert "╍╍ 2 amp" in driver.frame


async def test_a_run_that_was_asked_for_before_the_first_look_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = written(tmp_path, strategies=("single", "amp"))
    async with drive(monkeypatch, (160, 48), started(made)) as driver:
        await driver.until_seen("▌2 amp")
        live(driver).look = None  # As if another screen had been opened before there was one.
        driver.app.show_run("01-single")
        await driver.until_seen("▌1 single")


async def test_the_keys_of_the_charts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = written(tmp_path)
    async with drive(monkeypatch, WIDE, started(made)) as driver:
        await driver.until_seen("━━ train")
        loss = driver.app.screen.query_one("#loss", Chart)
        newest = loss.rows[0]
        await driver.press("left", "left", "left", "left")
        await driver.until(lambda: loss.rows[0] != newest)
        assert any("│" in row[8:] for row in loss.rows[1:-1])
        await driver.press("home")
        await driver.until(lambda: "train 2.28" in loss.rows[0])
        await driver.press("backspace")
        await driver.until(lambda: loss.rows[0] == newest)
        await driver.press("plus")
        await driver.until(lambda: "└150" in loss.rows[-1].replace("─", ""))
        await driver.press("0")
        await driver.until(lambda: "└0" in loss.rows[-1])
        await driver.press("x")
        await driver.until(lambda: loss.rows[-1].endswith(" time"))
        await driver.press("x")
        await driver.until(lambda: loss.rows[-1].endswith(" epoch"))
        await driver.press("g")
        await driver.until(lambda: loss.rows[0].endswith(" log"))
        await driver.press("m")
        await driver.until_seen("Top-5 accuracy %")


async def test_before_anything_is_written_it_says_what_it_waits_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = written(tmp_path)
    for path in (made.directory / "01-single").rglob("*.jsonl"):
        path.unlink()
    (made.directory / layout.SUMMARY).unlink()
    (made.directory / layout.SUPERVISOR_JOURNAL).write_bytes(
        events.encode(
            events.SupervisorStarted(t=events.now(), journal="j", host="h", pid=1, boot="b")
        )
    )
    async with drive(monkeypatch, WIDE, started(made)) as driver:
        await driver.until_seen("waiting for the first step")
        assert "starting" in driver.frame.splitlines()[0]
        assert "loss      –" in driver.frame
        writer = RankWriter(made.directory, "01-single", events.now())
        writer.begin()
        await driver.until_seen("importing torch")
        shape = Shape(total_steps=100)
        writer.ready(shape.ready(writer.t))
        writer.steps(40)
        await driver.until(lambda: "waiting for the first step" not in driver.frame)
        writer.close()


async def test_stopping_asks_which_and_a_second_time_kills(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = written(tmp_path, strategies=("single", "amp"), state=None)
    lock = Lock(made.directory / layout.LOCK)
    try:
        async with drive(monkeypatch, WIDE, started(made)) as driver:
            await driver.until_seen("● running")
            await driver.press("K")
            await driver.until_seen("Stop training?")
            await driver.press("s")
            await driver.until((made.directory / layout.COMMANDS).is_dir)
            await driver.until_seen("K again kills")
            assert [each.action for each in commands.receive(made.directory)] == ["stop"]
            await driver.press("K")
            await driver.until_seen("kill it now")
            await driver.press("k")
            await driver.until(
                lambda: [each.action for each in commands.receive(made.directory)] == ["kill"]
            )
    finally:
        lock.release()


async def test_a_stop_asked_for_elsewhere_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = written(tmp_path, state=None)
    lock = Lock(made.directory / layout.LOCK)
    try:
        async with drive(monkeypatch, SMALL, started(made)) as driver:
            await driver.until_seen("● running")
            supervisor = Appender(made.directory / layout.SUPERVISOR_JOURNAL)
            supervisor.append(events.Acknowledged(command="x", action="stop"))
            await driver.until_seen("◒ stopping: ")
            assert " left" not in driver.frame
            await driver.press("K")
            await driver.until_seen("Kill it?")
            supervisor.close()
    finally:
        lock.release()


async def test_leaving_tells_what_would_end_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "1")
    made = written(tmp_path, state=None)
    lock = Lock(made.directory / layout.LOCK)
    try:
        async with drive(monkeypatch, WIDE, started(made)) as driver:
            await driver.until_seen("● running")
            await driver.until(lambda: driver.app.risks)
            await driver.press("q")
            await driver.until_seen("But this shell is inside a Slurm job")
    finally:
        lock.release()


async def test_a_crashed_run_is_not_running_in_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = written(tmp_path, strategies=("single", "amp"), state=None)
    async with drive(monkeypatch, SMALL, started(made)) as driver:
        await driver.until_seen("✗ crashed")
        await driver.press("c")
        await driver.until_seen("images/s")
        await driver.press("down")
        await driver.until_seen("amp crashed")
        assert "✗ 2 amp" in driver.frame
        assert "● 2 amp" not in driver.frame


async def test_leaving_asks_while_something_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = written(tmp_path, state=None)
    lock = Lock(made.directory / layout.LOCK)
    try:
        async with drive(monkeypatch, SMALL, started(made)) as driver:
            await driver.until_seen("● running")
            await driver.press("q")
            await driver.until_seen("leave it running")
            await driver.press("q")
            await driver.until(lambda: "leave it running" not in driver.frame)
            await driver.press("ctrl+c")
            await driver.until_seen("leave it running")
            await driver.press("enter")
        assert driver.app.return_value is not None
        assert f"resnet-tui attach {made.name}" in driver.app.return_value.message
        assert f"resnet-tui stop {made.name}" in driver.app.return_value.message
    finally:
        lock.release()


async def test_leaving_ends_at_once_where_nothing_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = written(tmp_path)
    async with drive(monkeypatch, SMALL, started(made)) as driver:
        await driver.until_seen("✓ done")
        await driver.press("q")
    assert driver.app.return_value is not None
    assert driver.app.return_value.code == 0
    assert driver.app.return_value.message == ""


async def test_hostile_names_are_shown_and_do_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path("/data/[red]x[nope]\x1b]2;evil\x07\u202e")
    made = write_experiment(
        tmp_path, folder, shape=Shape(total_steps=50), state="failed", reason="[b]no[/c] \x1b[2J"
    )
    appender = RankWriter(made.directory, "01-single", events.now(), attempt=1)
    appender.write(events.Notice(level="warning", text="\x1b[31m[red]photo[/nope].jpg"))
    appender.close()
    async with drive(monkeypatch, WIDE, started(made)) as driver:
        await driver.until_seen("[red]x[nope]")
        await driver.until_seen("[red]photo[/nope].jpg")
        assert "[b]no[/c]" in driver.frame
        assert not any(ord(each) < 32 for row in driver.frame.splitlines() for each in row)
        assert "\u202e" not in driver.frame


async def test_no_color_leaves_everything_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    made = written(tmp_path, strategies=("single", "amp"))
    async with drive(monkeypatch, WIDE, started(made)) as driver:
        await driver.until_seen("✓ done")
        await driver.press("a")
        await driver.until_seen("╍╍")
        strips = driver.app.screen._compositor.render_strips()
        for strip in strips:
            for segment in strip:
                colour = segment.style.color if segment.style else None
                if colour is not None and colour.triplet is not None:
                    assert len(set(colour.triplet)) == 1, segment


async def test_ascii_where_the_locale_has_no_braille(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    made = written(tmp_path)
    async with drive(monkeypatch, WIDE, started(made)) as driver:
        await driver.until_seen("This locale is not UTF-8")
        loss = driver.app.screen.query_one("#loss", Chart)
        await driver.until(lambda: loss.rows)
        assert all(row.isascii() for row in loss.rows)


async def test_compare_and_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = written(tmp_path, strategies=("single", "amp"))
    async with drive(monkeypatch, SMALL, started(made)) as driver:
        await driver.until_seen("✓ done")
        await driver.press("c")
        await driver.until_seen("images/s")
        assert "amp" in driver.frame
        await driver.press("enter")
        await driver.until_seen("look at the run")
        await driver.press("v")
        await driver.until_seen("▌1 single")
        await driver.press("l")
        await driver.until_seen("lines")
        await driver.press("l")
        await driver.until_seen("▌1 single")


async def test_an_experiment_that_is_gone_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = Start(experiments_directory=tmp_path, experiment=tmp_path / "nothing")
    async with drive(monkeypatch, WIDE, start) as driver:
        await driver.until_told("nothing is no experiment")
