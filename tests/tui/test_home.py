"""Home: the experiments on disk."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from engine.experiment import Experiment, write_atomically
from engine.journal import commands, layout
from engine.journal.commands import TAKEN_OUT
from engine.journal.lock import Lock
from engine.plan.strategies import strategy
from tests.tui.driving import SIZES, Driver, drive
from tests.tui.on_disk import write_experiment
from tests.tui.queues import write_queue
from tui import experiments
from tui.screens.home import HomeScreen
from tui.start import Start
from tui.widgets.experiment_list import ExperimentList

WIDE, NARROW = SIZES


def listed(driver: Driver) -> ExperimentList:
    return driver.app.screen.query_one(ExperimentList)


@pytest.mark.parametrize("size", SIZES, ids=["160x48", "80x24"])
async def test_the_list_says_what_is_known_newest_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, size: tuple[int, int]
) -> None:
    data = Path("/data")
    write_experiment(tmp_path, data / "[red]x[", "failed", age=9000, seconds=7, reason="no disk")
    write_experiment(
        tmp_path, data / "digits", "done", strategies=("single", "amp"), best=0.989, age=60
    )
    async with drive(monkeypatch, size, Start(experiments_directory=tmp_path)) as driver:
        await driver.until_seen("digits")
        rows = [" ".join(row.split()) for row in driver.frame.split("\n")]
        assert rows[0] == "experiments 2"
        assert rows[2].endswith("✓ done digits resnet18 single, amp 98.9 % 1 min 00 s")
        assert rows[3].endswith("✗ failed [red]x[ resnet18 single – 7.0 s")
        await driver.press("down")
        assert "no disk · " in driver.frame


async def test_with_nothing_on_disk_setup_opens(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with drive(monkeypatch, NARROW, Start(experiments_directory=tmp_path)) as driver:
        await driver.until_seen("no dataset chosen")
        await driver.press("h")
        await driver.until_seen("No experiment yet.")
        assert "Press s to set one up" in driver.frame


async def test_the_one_that_trains_is_offered_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    running = write_experiment(tmp_path, Path("/data/birds"), "running")
    lock = Lock(running.directory / layout.LOCK)
    shown = note_shown(monkeypatch)
    async with drive(monkeypatch, NARROW, Start(experiments_directory=tmp_path)) as driver:
        await driver.until_seen("Training now")
        assert f"{running.name} is running." in driver.frame
        await driver.press("enter")
        await driver.until(lambda: shown == [running.directory])
    lock.release()


async def test_the_cursor_stays_on_its_experiment_when_another_begins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    old = write_experiment(tmp_path, Path("/data/old"), "done", age=500)
    write_experiment(tmp_path, Path("/data/new"), "done", age=50)
    shown = note_shown(monkeypatch)
    async with drive(monkeypatch, NARROW, Start(experiments_directory=tmp_path)) as driver:
        await driver.until_seen("old")
        await driver.press("down")
        write_experiment(tmp_path, Path("/data/newest"), "done", age=5)
        await driver.until_seen("newest")
        await driver.press("enter")
        await driver.until(lambda: shown == [old.directory])


async def test_the_filter_finds_and_is_dropped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write_experiment(tmp_path, Path("/data/cats"), "done", age=500)
    write_experiment(tmp_path, Path("/data/dogs"), "failed", age=50)
    async with drive(monkeypatch, NARROW, Start(experiments_directory=tmp_path)) as driver:
        await driver.until_seen("cats")
        await driver.press("slash")
        await driver.type("failed")
        await driver.until(lambda: "cats" not in driver.frame)
        assert "1 of 2" in driver.frame and "dogs" in driver.frame
        await driver.press("enter", "backspace")
        await driver.until_seen("cats")


async def test_delete_asks_and_deletes_only_what_does_not_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    running = write_experiment(tmp_path, Path("/data/cats"), "running", age=50)
    done = write_experiment(tmp_path, Path("/data/dogs"), "done", age=500)
    lock = Lock(running.directory / layout.LOCK)
    async with drive(monkeypatch, NARROW, Start(experiments_directory=tmp_path)) as driver:
        await driver.until_seen("Training now")
        await driver.press("h", "D")
        assert "Delete this experiment?" not in driver.frame
        await driver.press("down", "D")
        await driver.until_seen("Delete this experiment?")
        await driver.press("enter")
        await driver.until(lambda: isinstance(driver.app.screen, HomeScreen))
        assert done.directory.exists()
        await driver.press("D", "d")
        await driver.until(lambda: not done.directory.exists())
        await driver.until(lambda: listed(driver).shown == 1)
    assert running.directory.exists()
    lock.release()


async def test_stop_asks_and_leaves_a_request(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    running = write_experiment(tmp_path, Path("/data/cats"), "running", age=50)
    lock = Lock(running.directory / layout.LOCK)
    async with drive(monkeypatch, NARROW, Start(experiments_directory=tmp_path)) as driver:
        await driver.until_seen("Training now")
        await driver.press("h", "K", "enter")
        assert not commands.receive(running.directory)
        await driver.press("K", "s")
        await driver.until(lambda: list((running.directory / layout.COMMANDS).glob("*.json")))
        requests = [each.action for each in commands.receive(running.directory)]
        await driver.until_seen("was asked to")
    assert requests == ["stop"]
    lock.release()


async def test_what_was_asked_to_stop_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    running = write_experiment(tmp_path, Path("/data/cats"), "running", age=50)
    summary = running.summary()
    assert summary is not None
    told = msgspec.structs.replace(summary, stopping=True)
    write_atomically(running.directory / layout.SUMMARY, msgspec.json.encode(told))
    lock = Lock(running.directory / layout.LOCK)
    async with drive(monkeypatch, NARROW, Start(experiments_directory=tmp_path)) as driver:
        await driver.until_seen("is stopping.")
        await driver.press("h")
        await driver.until_seen("◒ stopping")
        await driver.press("K")
        await driver.until_seen("Stop this experiment?")
    lock.release()


async def test_two_hundred_experiments_are_listed_from_their_summaries_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for number in range(200):
        write_experiment(tmp_path, Path(f"/data/set{number}"), "done", best=0.5, age=number * 60)

    def no_journals(*_: object) -> None:
        pytest.fail("a list opened a journal")

    monkeypatch.setattr("engine.journal.files.Tail.read", no_journals)
    assert len(experiments.rows(tmp_path)) == 200
    async with drive(monkeypatch, NARROW, Start(experiments_directory=tmp_path)) as driver:
        await driver.until_seen("experiments   200")
        await driver.press("end")
        assert "set199" in driver.frame


def test_a_crashed_experiment_with_no_summary_is_unknown_not_zero(tmp_path: Path) -> None:
    made: Experiment = write_experiment(tmp_path, Path("/data/cats"), "done", age=50)
    (made.directory / layout.SUMMARY).unlink()
    (row,) = experiments.rows(tmp_path)
    assert (row.state, row.best_top1, row.seconds) == ("crashed", None, None)


def note_shown(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Notes what is opened instead of opening it."""
    shown: list[Path] = []
    monkeypatch.setattr(
        "tui.app.ResnetTuiApp.show_experiment", lambda _app, directory: shown.append(directory)
    )
    return shown


async def test_an_experiment_with_repeats_counts_what_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = write_queue(tmp_path, (strategy("single"), strategy("amp")), repeats=3, done=2)
    summary = msgspec.json.decode((made.directory / layout.SUMMARY).read_bytes())
    summary["runs"] = [
        {"run": each.run, "strategy": each.strategy.name, "state": "done" if n < 2 else "queued"}
        for n, each in enumerate(made.plan.runs)
    ]
    summary["runs"][5] |= {"state": "stopped", "reason": TAKEN_OUT}
    write_atomically(made.directory / layout.SUMMARY, msgspec.json.encode(summary))
    (row,) = experiments.rows(tmp_path)
    assert (row.done, row.runs, row.strategies, row.reason) == (2, 6, ("single", "amp"), "")
    async with drive(monkeypatch, WIDE, Start(experiments_directory=tmp_path)) as driver:
        await driver.until_seen("2 of 6 done · single, amp")
        await driver.pilot.resize_terminal(*NARROW)
        await driver.until_seen("2/6 single")
