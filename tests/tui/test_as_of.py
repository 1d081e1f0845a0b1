"""An experiment that has ended: its machine may do anything now, and says when it was looked at."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec
import pytest

from engine.experiment import Experiment, write_atomically
from engine.journal import layout
from engine.journal.files import boot_id
from engine.journal.lock import Lock
from engine.journal.reader import JournalReader
from engine.summary import Summary
from tests.tui.driving import SIZES, drive
from tests.tui.measured import gpus, write_measured
from tui.start import Start

WIDE, SMALL = SIZES


async def test_figures_of_a_machine_nobody_looks_at_any_more_have_their_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = write_measured(tmp_path, view=gpus(8))
    start = Start(experiments_directory=tmp_path, experiment=made.directory)
    lock = Lock(made.directory / layout.LOCK)  # As if its supervisor still ran.
    try:
        async with drive(monkeypatch, WIDE, start) as driver:
            await driver.until_seen("8 x NVIDIA H100 80GB HBM3")
            assert "as of" not in driver.frame
    finally:
        lock.release()
    over = Summary(state="done", host=os.uname().nodename, boot=boot_id(), pid=1, updated=1.0)
    write_atomically(made.directory / layout.SUMMARY, msgspec.json.encode(over))
    sampled = time.strftime("%H:%M:%S", time.localtime(last_sample(made)))
    async with drive(monkeypatch, WIDE, start) as driver:
        await driver.until_seen(f"─ as of {sampled}")
        await driver.press("d")
        await driver.until_seen(f"driver 570.1 · as of {sampled}")
        await driver.press("d")
        await driver.pilot.resize_terminal(*SMALL)
        await driver.until_seen(f"as of {sampled}  8 GPUs ")


def last_sample(made: Experiment) -> float:
    return JournalReader(made.directory).read_all().gpus.samples[-1].t
