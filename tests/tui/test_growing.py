"""Runs that are added while an experiment is followed: every screen sees them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.experiment import Experiment, extend
from engine.journal import events, layout
from engine.journal.lock import Lock
from engine.journal.reader import JournalReader
from engine.plan.runs import plan_added
from engine.plan.strategies import strategy
from tests.tui.driving import SIZES, drive
from tests.tui.queues import tell, write_queue
from tests.tui.test_feed import read
from tui import growing
from tui.feed import Feed
from tui.growing import GrowingPlan
from tui.start import Start

TWO = (strategy("single"), strategy("amp"))


def add(made: Experiment, name: str, number: int) -> Experiment:
    """As its supervisor would: first the plan, then the journal."""
    (added,) = plan_added(made.plan, (strategy(name),), made.plan.settings)
    run = f"{number:02d}-{name}"
    grown = extend(made, [replace(added, run=run)])
    tell(made.directory, events.RunQueued(run=run, strategy=name, seed=0))
    return grown


def test_the_feed_reads_the_plan_again(tmp_path: Path) -> None:
    made = write_queue(tmp_path, TWO)
    feed = read(Feed(made.directory))
    before = feed.latest()
    assert before is not None and before.experiment.plan == made.plan
    grown = add(made, "gradient-checkpointing", 3)
    after = read(feed).latest()
    assert after is not None
    assert after.experiment.plan == grown.plan
    assert [each.run for each in after.view.runs] == [each.run for each in grown.plan.runs]


def test_a_plan_that_lags_behind_is_read_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = write_queue(tmp_path, TWO)
    plans = GrowingPlan()
    tell(made.directory, events.RunQueued(run="03-gradient-checkpointing", strategy="x", seed=0))
    view = JournalReader(made.directory).read_all()
    assert plans.newest(made, view) is made, "the plan on the disk is no newer"
    (added,) = plan_added(made.plan, (strategy("gradient-checkpointing"),), made.plan.settings)
    grown = extend(made, [replace(added, run="03-gradient-checkpointing")])
    assert plans.newest(made, view) is made, "it was only just read"
    monkeypatch.setattr(growing, "_AGAIN", 0.0)
    assert plans.newest(made, view).plan == grown.plan


def test_a_plan_that_cannot_be_read_is_no_end(tmp_path: Path) -> None:
    made = write_queue(tmp_path, TWO)
    tell(made.directory, events.RunQueued(run="03-x", strategy="x", seed=0))
    view = JournalReader(made.directory).read_all()
    (made.directory / layout.PLAN).write_text("{")
    assert GrowingPlan().newest(made, view) is made


async def test_live_keeps_to_the_pinned_run_and_has_another_tab(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = write_queue(tmp_path, TWO)
    lock = Lock(made.directory / layout.LOCK)
    try:
        start = Start(experiments_directory=tmp_path, experiment=made.directory)
        async with drive(monkeypatch, SIZES[1], start) as driver:
            await driver.until_seen("strategy 1 of 2")
            await driver.press("2")
            await driver.until_seen("▌2 amp ◌")
            add(made, "gradient-checkpointing", 3)
            await driver.until_seen("3 gradient-checkpointing ◌")
            assert "▌2 amp ◌" in driver.frame
    finally:
        lock.release()
