"""The queue under a Pilot: its rows, what is asked of the supervisor, and what it answers."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from engine.experiment import Experiment, extend
from engine.journal import commands, events, layout
from engine.journal.lock import Lock
from engine.plan.runs import plan_added
from engine.plan.strategies import strategy
from engine.run import host
from tests.tui.driving import HERE, SIZES, Driver, drive
from tests.tui.queues import strategies, tell, write_queue
from tui.start import Start
from tui.widgets.queue_list import QueueList

WIDE, SMALL = SIZES
TWO = (strategy("single"), strategy("amp"))


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Experiment]:
    """Six runs, of which the first is done and the second trains; the lock is held."""
    made = write_queue(tmp_path, TWO, repeats=3, done=1)
    lock = Lock(made.directory / layout.LOCK)
    yield made
    lock.release()


@asynccontextmanager
async def queue(
    monkeypatch: pytest.MonkeyPatch, made: Experiment, size: tuple[int, int] = SMALL
) -> AsyncIterator[Driver]:
    start = Start(experiments_directory=made.directory.parent, experiment=made.directory)
    async with drive(monkeypatch, size, start) as driver:
        await driver.until_seen("u queue")
        await driver.press("u")
        await driver.until_seen("Queue ──")
        yield driver


def rows(driver: Driver) -> list[str]:
    return [each for each in driver.frame.splitlines() if " of 3 " in each]


def names(driver: Driver) -> list[str]:
    return [each.removeprefix(" ▌").split()[0] for each in rows(driver)]


async def request(driver: Driver, made: Experiment) -> commands.Command:
    """The one that is left next; it goes, as with a supervisor."""
    found: list[commands.Command] = []

    def look() -> bool:
        found.extend(commands.receive(made.directory))
        return bool(found)

    await driver.until(look)
    (only,) = found
    return only


def answer(made: Experiment, asked: commands.Command, refused: str = "") -> None:
    tell(
        made.directory,
        events.Acknowledged(command=asked.id, action=asked.action, run=asked.run, refused=refused),
    )


async def test_every_run_in_its_order_with_its_repeat(
    held: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with queue(monkeypatch, held) as driver:
        assert names(driver) == ["1", "2", "3", "4", "5", "6"]
        found = rows(driver)
        assert found[0].split()[1:] == ["single", "1", "of", "3", "✓", "done", "took", "10", "s"]
        assert found[1].startswith(" ▌  2  amp "), "the cursor begins at what trains"
        assert "2 of 3  ◌ queued" in found[2]
        assert "1 of 6 done" in driver.frame
        assert "Shift+↑ ↓ move" not in driver.frame
        await driver.press("down")
        await driver.until_seen("Shift+↑ ↓ move")


async def test_a_run_is_moved_and_marked_until_the_answer(
    held: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with queue(monkeypatch, held) as driver:
        await driver.press("down", "shift+down", "shift+down")
        await driver.until(lambda: names(driver) == ["1", "2", "4", "5", "3", "6"])
        assert "moving …" in rows(driver)[4]
        assert rows(driver)[4].startswith(" ▌"), "the cursor goes with it"
        first = await request(driver, held)
        assert (first.action, first.run, first.place) == ("move-run", "03-amp", 1)
        answer(held, first)
        second = await request(driver, held)
        assert second.place == 2, "left after the answer to the first"
        order = ("04-single", "05-single", "03-amp", "06-amp")
        tell(held.directory, events.QueueOrdered(runs=order))
        answer(held, second)
        await driver.until(lambda: "moving" not in driver.frame)
        assert names(driver) == ["1", "2", "4", "5", "3", "6"]


async def test_a_refusal_is_told_and_the_run_stands_where_it_was(
    held: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with queue(monkeypatch, held, WIDE) as driver:
        await driver.press("end", "shift+up")
        await driver.until(lambda: names(driver)[-2:] == ["6", "5"])
        answer(held, await request(driver, held), refused="the experiment is being stopped")
        await driver.until_seen("the experiment is being stopped")
        await driver.until(lambda: names(driver)[-2:] == ["5", "6"])


async def test_what_waits_of_a_strategy_can_be_dropped_at_once(
    held: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with queue(monkeypatch, held) as driver:
        await driver.press("down", "D")
        await driver.until_seen("drop all 2 that wait of amp")
        await driver.press("c")
        assert not commands.receive(held.directory), "it asks first"
        await driver.press("D", "a")
        for run in ("03-amp", "06-amp"):
            asked = await request(driver, held)
            assert (asked.action, asked.run) == ("drop-run", run)
            end = events.RunEnded(run=run, attempt=0, state="stopped", reason=commands.TAKEN_OUT)
            tell(held.directory, end)
            answer(held, asked)
        await driver.until(lambda: names(driver) == ["1", "2", "4", "5", "3", "6"])
        await driver.until(lambda: rows(driver)[-1].endswith("dropped"))
        assert "1 of 4 done" in driver.frame


async def test_a_strategy_is_added_and_its_runs_are_seen(
    held: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "probe", lambda: HERE)
    async with queue(monkeypatch, held) as driver:
        await driver.press("A")
        await driver.until_seen("dp ")
        await driver.until_seen("cannot: DataParallel needs 2 GPUs")
        assert "single" not in "".join(each for each in driver.frame.splitlines() if "│" in each), (
            "it is in already"
        )
        await driver.press("enter")
        asked = await request(driver, held)
        assert asked.action == "add-runs"
        added = plan_added(held.plan, (strategy("gradient-checkpointing"),), held.plan.settings)
        more = [
            replace(each, run=f"{n:02d}-{each.strategy.name}") for n, each in enumerate(added, 7)
        ]
        extend(held, more)
        tell(
            held.directory,
            *(
                events.RunQueued(run=each.run, strategy=each.strategy.name, seed=0, repeat=nth)
                for nth, each in enumerate(more)
            ),
        )
        answer(held, asked)
        await driver.until_seen("gradient-checkpointing is queued")
        await driver.until_seen("  9  gradient-checkpointing  3 of 3")


async def test_a_hundred_runs_scroll(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = write_queue(tmp_path, strategies(20), repeats=5, done=60, failed=[7])
    lock = Lock(made.directory / layout.LOCK)
    try:
        async with queue(monkeypatch, made) as driver:
            listed = driver.app.screen.query_one(QueueList)
            await driver.until(lambda: listed.scroll_y > 0)
            assert any(each.startswith(" ▌ 61 ") for each in driver.frame.splitlines())
            await driver.press("end")
            await driver.until_seen("▌100 ")
            await driver.press("home")
            await driver.until_seen(" ▌  1 ")
            assert "#  strategy" in driver.frame, "the heading comes with the first"
            await driver.press(*["down"] * 7)
            await driver.until(lambda: driver.frame.splitlines()[-2].strip() == "it broke")
            assert all(len(each) <= 80 for each in driver.frame.splitlines())
            await driver.pilot.resize_terminal(60, 20)
            await driver.until_seen(" ▌  8 ")
            assert all(len(each) <= 60 for each in driver.frame.splitlines())
            await driver.press("enter")
            await driver.until_seen("▌8 accumulate-8 1/5 ✗")
    finally:
        lock.release()


async def test_without_repeats_there_is_no_word_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = write_queue(tmp_path, TWO, done=1)
    lock = Lock(made.directory / layout.LOCK)
    try:
        async with queue(monkeypatch, made) as driver:
            assert "repeat" not in driver.frame
            assert "amp" in driver.frame
            await driver.press("u")
            await driver.until_seen("strategy 2 of 2")
            assert "repeat" not in driver.frame
            assert "1/1" not in driver.frame
    finally:
        lock.release()


async def test_what_waits_for_a_supervisor_that_is_gone_can_be_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = write_queue(tmp_path, TWO, repeats=3, done=1)
    async with queue(monkeypatch, made) as driver:
        await driver.press("end")
        await driver.until_seen("R retry")
        assert "D drop" not in driver.frame
        await driver.press("enter")
        await driver.until_seen("nothing of the experiment runs any more")
        await driver.until_seen("R retry")
        await driver.press("p", "p", "p", "p")
        await driver.until_seen("The supervisor is gone without a word")
        # Deleted under whoever looks at it: there is nothing to retry, and nobody was killed.
        shutil.rmtree(made.directory)
        await driver.until_seen("The directory of the experiment was deleted")
        await driver.until(lambda: "R retry" not in driver.frame)


async def test_from_a_page_every_screen_is_one_key_away(
    held: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with queue(monkeypatch, held) as driver:
        await driver.press("c")
        await driver.until_seen("Compare ──")
        await driver.press("u")
        await driver.until_seen("Queue ──")
        await driver.press("v")
        await driver.until_seen("Log ──")
        assert len(driver.app.screen_stack) == 1
        # A question keeps its keys: `c` is one of its answers.
        await driver.press("u")
        await driver.until_seen("Queue ──")
        await driver.press("end")
        await driver.until_seen("D drop")
        await driver.press("D")
        await driver.until_seen("keep it")
        await driver.press("c")
        await driver.until(lambda: "keep it" not in driver.frame)
        assert "Queue ──" in driver.frame
