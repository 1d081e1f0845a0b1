"""The feed: what it leaves in its slot."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from engine.errors import ExperimentError
from engine.journal import events, layout
from engine.journal.files import Appender
from tests.journal.writing import Shape, write_experiment
from tui.feed import Feed


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
