"""Why is it slow: the verdict, the panes and the screens of Live under a Pilot, at both sizes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec import structs

from engine.experiment import Experiment
from engine.journal import events, layout
from engine.journal.files import Appender
from engine.journal.lock import Lock
from tests.journal.writing import write_experiment
from tests.tui.driving import SIZES, drive
from tests.tui.measured import gpus, reading, write_measured
from tui.start import Start

WIDE, SMALL = SIZES


def started(made: Experiment) -> Start:
    return Start(experiments_directory=made.directory.parent, experiment=made.directory)


@contextmanager
def alive(made: Experiment) -> Iterator[None]:
    """As if its supervisor still ran."""
    lock = Lock(made.directory / layout.LOCK)
    try:
        yield
    finally:
        lock.release()


def says(made: Experiment, code: str, text: str, level: events.Level = "warning") -> None:
    """The supervisor writes a notice."""
    appender = Appender(made.directory / layout.SUPERVISOR_JOURNAL)
    appender.append(events.Notice(t=events.now(), level=level, code=code, text=text))
    appender.close()


async def test_the_panes_show_time_and_devices_and_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = gpus(8, {5: reading(5, throttled=("heat",))})
    made = write_measured(tmp_path, view=view, ranks=2, slower=0.010)
    async with drive(monkeypatch, WIDE, started(made)) as driver:
        await driver.until_seen("mean of 2 ranks, 99 steps")
        for words in (
            # Of 100 and 110 ms: 40 and 50 ms, and 42 and 52.
            "░ waiting for data 45 %  47 ms  █ launching 48 %  50 ms",
            "░ waiting for data 43 %  45 ms  ▌ copy  2 % 2.0 ms",
            "█ forward 19 %  20 ms  ▓ backward 29 %  30 ms  ▄ update  4 % 4.0 ms",
            "43 % median  worst 45 % rank 1",
            "2 workers · 1.8 of 4 batches ready per rank · decode 3.1 ms per image",
            "step 110 ms median · 110 ms p95",
            "epoch 2 took 5.5 s, estimated 6.1 s (+10 %)",
            # Rank 0 trains on the second GPU.
            "0 r1 ━━",
            "1 r0 ━━",
            "7    ━━",
            "▼ 5: heat",
            "Waiting for data %  ━━ device",
        ):
            await driver.until_seen(words)
        rows = driver.frame.splitlines()
        assert all(len(row) <= 160 for row in rows)
        assert "Log ─" in driver.frame


@pytest.mark.parametrize("size", [(120, 40), (90, 32)])
async def test_sizes_between_have_time_and_log_and_devices_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    async with drive(monkeypatch, size, started(write_measured(tmp_path, view=gpus(8)))) as driver:
        await driver.until_seen("Time per step")
        await driver.until_seen("8 GPUs ▄▅")
        rows = driver.frame.splitlines()
        assert "Log ─" in driver.frame
        assert "Loss" in driver.frame
        assert len(rows) == size[1]
        assert all(len(row) <= size[0] for row in rows)


@pytest.mark.parametrize("size", SIZES)
async def test_a_line_says_what_is_wrong_and_i_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    made = write_measured(tmp_path, ranks=2, slower=0.010)
    async with drive(monkeypatch, size, started(made)) as driver:
        await driver.until_seen("▲ waiting for data")
        (line,) = (row for row in driver.frame.splitlines() if "▲ waiting for data" in row)
        assert "→" in line
        assert line.endswith("i why")
        assert len(line) <= size[0]
        assert "45 %" in line or size == SMALL
        await driver.press("i")
        await driver.until_seen("Diagnosis of ddp")
        await driver.until_seen("step without waiting")
        seen = await driver.pages(3 if size == SMALL else 1)
        lines = [" ".join(row.rstrip("▁▂▃▄▅▆▇█ ").split()) for row in seen.splitlines()]
        for words in (
            "0 100 ms 100 ms 42 ms 0.0 ms 50 ms 8.0 ms",
            "1 110 ms 110 ms 52 ms 0.0 ms 50 ms 8.0 ms",
            "1 50 ms 2.0 ms 20 ms 30 ms 4.0 ms 4.0 ms",
            "0 133 MiB 1.0 GiB 1.1 GiB 2.0 GiB 3 0",
            "2 6.1 s 5.5 s +10 % 43 % 40 % 45 %",
        ):
            assert words in lines, seen
        await driver.press("backspace")
        await driver.until_seen("Loss")
        await driver.press("i")
        await driver.until_seen("Diagnosis of ddp")
        await driver.press("i")
        await driver.until_seen("Loss")


@pytest.mark.parametrize("size", SIZES)
async def test_d_shows_every_gpu_and_goes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    async with drive(monkeypatch, size, started(write_measured(tmp_path, view=gpus(8)))) as driver:
        await driver.until_seen("d devices")
        if size == SMALL:
            await driver.until_seen("8 GPUs ▄▅▅▆▆▆▇▇  68 % · fullest 47 of 80 GiB · hottest 67 °C")
            assert "Time per step" not in driver.frame
        await driver.press("d")
        await driver.until_seen("driver 570.1")
        assert "0 NVIDIA H100 80GB HBM3 · rank 0" in driver.frame
        assert "400 of 700 W" in driver.frame
        await driver.press("end")
        await driver.until_seen("Host ─")
        assert "━ this run  ▒ others  ─ free" in driver.frame
        await driver.press("d")
        await driver.until_seen("Loss")


async def test_the_keys_are_in_the_help_and_the_palette(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with drive(monkeypatch, WIDE, started(write_measured(tmp_path))) as driver:
        await driver.until_seen("i why")
        await driver.press("question_mark")
        await driver.until_seen("diagnosis: what holds it up, and why")
        assert "d  devices" in driver.frame
        await driver.press("backspace")
        screen = driver.app.screen
        told = {each.title: each.help for each in driver.app.get_system_commands(screen)}
        assert told["Diagnosis: what holds it up, and why"] == "key i"
        assert told["Devices"] == "key d"


async def test_older_journals_say_what_they_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = write_experiment(tmp_path, Path("/data/ants"))
    async with drive(monkeypatch, WIDE, started(made)) as driver:
        await driver.until_seen("Time per step")
        await driver.until_seen("Waiting for data %  ━━ now")
        assert "decode – per image" in driver.frame
        assert "– of the roofline" in driver.frame
        await driver.press("i")
        await driver.until_seen("Epochs, newest first")


async def test_a_new_warning_is_a_toast_once_and_an_old_one_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = write_measured(tmp_path, state=None)
    says(made, "disk", "the disk was nearly full an hour ago")
    with alive(made):
        async with drive(monkeypatch, SMALL, started(made)) as driver:
            await driver.until_seen("● running")
            says(made, "throttled", "GPU 0 is slowed down by heat")
            await driver.until(lambda: driver.toasts)
            says(made, "corrupt-image", "no alert")
            says(made, "silent", "only told", level="info")
            # Also while another screen is open.
            await driver.press("i")
            await driver.until_seen("Diagnosis of single")
            says(made, "gpu-lost", "GPU 1 does not answer")
            await driver.until(lambda: "GPU 1 does not answer" in driver.toasts)
            await driver.press("i")
            await driver.until_seen("Loss")
            await driver.pilot.pause(0.6)
            assert driver.toasts == ["GPU 0 is slowed down by heat", "GPU 1 does not answer"]


async def test_what_a_rank_warns_of_is_a_toast_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = write_measured(tmp_path, state=None)
    with alive(made):
        async with drive(monkeypatch, WIDE, started(made)) as driver:
            await driver.until_seen("● running")
            appender = Appender(layout.rank_journal(made.directory, "01-single", 1, 0))
            for code in ("starving", "checkpoint", "not-finite"):
                told = events.Notice(t=events.now(), level="error", code=code, text=f"[x] {code}")
                appender.append(told)
            # Another rank, which waits as long.
            appender.append(structs.replace(told, t=told.t + 1.0))
            appender.close()
            every = ["[x] starving", "[x] checkpoint", "[x] not-finite"]
            await driver.until(lambda: driver.toasts == every)
            await driver.pilot.pause(0.6)
            assert driver.toasts == every


async def test_without_colour_the_parts_can_still_be_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with drive(monkeypatch, WIDE, started(write_measured(tmp_path, view=gpus(2)))) as driver:
        await driver.until_seen("Time per step")
        rows = driver.frame.splitlines()
        (bar,) = (row for row in rows if row.startswith(" device  "))
        assert [each for each in "░▌█▓▄·" if each in bar[:71]] == list("░▌█▓▄·")
        await driver.until_seen("━━━▒")
