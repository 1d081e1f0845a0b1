"""The feed: what it leaves in its slot."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import ExperimentError
from engine.journal import events, layout
from engine.journal.files import Appender, writer_fields
from engine.journal.lock import Lock
from engine.plan.strategies import strategy
from tests.journal.saving import save
from tests.journal.writing import Shape, write_experiment
from tests.tui.queues import tell, write_queue
from tui import feed as feeds
from tui.feed import Feed


def until(met: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def read(feed: Feed) -> Feed:
    for _ in range(1000):
        if feed.look():
            return feed
    raise AssertionError("never read to the end")


def test_a_written_experiment_is_read_whole(tmp_path: Path) -> None:
    made = write_experiment(tmp_path, Path("/data/x"), shape=Shape(total_steps=200))
    snapshot = read(Feed(made.directory)).latest()
    assert snapshot is not None
    assert snapshot.caught_up
    assert snapshot.view.runs[0].history.steps == 200
    assert snapshot.view.runs[0].state == "done"


def test_the_number_grows_only_when_something_changed(tmp_path: Path) -> None:
    made = write_experiment(tmp_path, Path("/data/x"), shape=Shape(total_steps=50))
    feed = read(Feed(made.directory))
    first = feed.latest()
    feed.look()
    assert feed.latest() is first
    appender = Appender(made.directory / layout.SUPERVISOR_JOURNAL)
    appender.append(events.Notice(level="warning", text="a word"))
    appender.close()
    feed.look()
    second = feed.latest()
    assert first is not None
    assert second is not None
    assert second.number > first.number
    assert second.lines[-1].text == "a word"
    assert second.lines[-1].level == "warning"


def test_what_ranks_print_is_harmless_and_notices_come_once(tmp_path: Path) -> None:
    made = write_experiment(tmp_path, Path("/data/x"), shape=Shape(total_steps=50))
    log = layout.rank_log(made.directory, "01-single", 1, 0)
    log.write_bytes(b"\x1b]2;evil\x07[red]x[/nope] \xff\xe2\x80\xaetxt\nhalf a line")
    feed = Feed(made.directory)
    for _ in range(5):
        read(feed)
    snapshot = feed.latest()
    assert snapshot is not None
    printed = [each.text for each in snapshot.lines if each.source == "rank 0"]
    assert len(printed) == 1
    assert "[red]x[/nope]" in printed[0]
    assert not any(ord(each) < 32 or each == "\u202e" for each in printed[0])


def test_of_a_long_log_only_the_end_is_read(tmp_path: Path) -> None:
    made = write_experiment(tmp_path, Path("/data/x"), shape=Shape(total_steps=50))
    log = layout.rank_log(made.directory, "01-single", 1, 0)
    log.write_text("".join(f"line {number}\n" for number in range(100_000)))
    feed = Feed(made.directory)
    for _ in range(10):
        read(feed)
    snapshot = feed.latest()
    assert snapshot is not None
    assert snapshot.lines[-1].text == "line 99999"
    assert len(snapshot.lines) <= 2000


def test_the_thread_follows_and_stops(tmp_path: Path) -> None:
    made = write_experiment(tmp_path, Path("/data/x"), shape=Shape(total_steps=50))
    feed = Feed(made.directory, interval=0.01)
    feed.start()
    deadline = time.monotonic() + 10
    while (snapshot := feed.latest()) is None or not snapshot.caught_up:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    feed.stop()
    feed.join(5)
    assert not feed.is_alive()


def test_a_folder_that_is_no_experiment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="is no experiment"):
        Feed(tmp_path)


def test_a_disk_that_does_not_answer_is_asked_again(tmp_path: Path) -> None:
    made = write_experiment(tmp_path, Path("/data/x"), shape=Shape(total_steps=50))
    loop = made.directory / "07-loop"
    loop.symlink_to(loop)
    feed = Feed(made.directory, interval=0.01)
    feed.start()
    until(lambda: feed.error)
    assert "07-loop" in feed.error
    loop.unlink()
    until(lambda: not feed.error and feed.latest() is not None)
    snapshot = feed.latest()
    assert snapshot is not None
    assert snapshot.view.runs[0].history.steps == 50
    feed.stop()
    feed.join(5)


@pytest.mark.parametrize("first", [layout.SUMMARY, layout.LOCK, layout.PLAN, "01-single", ""])
def test_a_directory_that_goes_piece_by_piece_is_gone_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    monkeypatch.setattr(feeds, "_STATE_EVERY", 0.0)
    made = write_queue(tmp_path, (strategy("single"),))
    (made.directory / layout.LOCK).touch()
    (made.directory / "01-single").mkdir()
    feed = read(Feed(made.directory))
    if first:
        piece = made.directory / first
        shutil.rmtree(piece) if piece.is_dir() else piece.unlink()
        read(feed)
        snapshot = feed.latest()
        assert snapshot is not None
        assert not snapshot.gone
    shutil.rmtree(made.directory)
    read(feed)
    snapshot = feed.latest()
    assert snapshot is not None
    assert (snapshot.gone, snapshot.state, snapshot.alive) == (True, "crashed", False)


def test_runs_that_can_be_gone_on_with_are_known_as_soon_as_they_end(tmp_path: Path) -> None:
    shape = Shape(total_steps=50)
    made = write_experiment(
        tmp_path,
        Path("/data/x"),
        strategies=("single", "amp", "fsdp"),
        shape=shape,
        state="failed",
        reason="it broke",
    )
    for run in ("01-single", "03-fsdp"):
        save(made.directory / run, 50)
    snapshot = read(Feed(made.directory)).latest()
    assert snapshot is not None
    assert [run.state for run in snapshot.view.runs] == ["done", "done", "failed"]
    assert snapshot.kept == {"03-fsdp"}, "what is done is not gone on with"


def test_what_goes_on_is_not_called_dead_on_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "_STATE_EVERY", 3600.0)
    made = write_queue(tmp_path, (strategy("single"),))
    feed = Feed(made.directory)
    # The first state is asked for whatever the clock says: it has never been.
    feed._state_asked = -3600.0
    snapshot = read(feed).latest()
    assert snapshot is not None
    assert snapshot.state == "crashed"
    lock = Lock(made.directory / layout.LOCK)
    again = events.RunStarted(run="01-single", attempt=2, argv=(), pid=1)
    tell(made.directory, events.SupervisorStarted(**writer_fields()), again)
    read(feed)
    snapshot = feed.latest()
    lock.release()
    assert snapshot is not None
    assert (snapshot.view.runs[0].attempt, snapshot.state) == (2, "running")
