"""What is told about the time when nobody looked."""

from __future__ import annotations

from pathlib import Path

from engine.journal.reader import JournalReader
from tests.journal.writing import Shape, write_experiment
from tests.tui.test_feed import read
from tui import seen
from tui.feed import Feed


def test_what_ended_meanwhile_is_told_once(tmp_path: Path) -> None:
    made = write_experiment(
        tmp_path, Path("/data/x"), strategies=("single", "amp"), shape=Shape(total_steps=50)
    )
    view = JournalReader(made.directory).read_all()
    before = seen.Seen(at=1000.0, states={"01-single": "running", "02-amp": "queued"})
    titles = {"02-amp": "amp · repeat 2 of 3"}
    words = seen.since(before, view, titles, 1000.0 + 840)
    assert words == (
        "Since you left, 14 min 00 s ago: single is done (14.0 %), "
        "amp · repeat 2 of 3 is done (14.0 %)"
    )
    assert seen.last_look(made.directory) is None
    seen.remember(made.directory, view)
    after = seen.last_look(made.directory)
    assert after is not None
    assert seen.since(after, view, titles, after.at + 5) == ""


def test_the_feed_notes_what_was_seen_when_it_ends(tmp_path: Path) -> None:
    made = write_experiment(tmp_path, Path("/data/x"), shape=Shape(total_steps=50))
    feed = read(Feed(made.directory))
    feed.start()
    feed.stop()
    feed.join(5)
    found = seen.last_look(made.directory)
    assert found is not None
    assert found.states == {"01-single": "done"}


def test_a_damaged_note_is_no_note(tmp_path: Path) -> None:
    made = write_experiment(tmp_path, Path("/data/x"), shape=Shape(total_steps=50))
    seen.remember(made.directory, JournalReader(made.directory).read_all())
    file = next(Path(seen._file(made.directory)).parent.iterdir())
    file.write_bytes(b"{")
    assert seen.last_look(made.directory) is None
