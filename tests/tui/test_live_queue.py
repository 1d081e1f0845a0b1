"""When what waits is expected to begin: known answers, and when nothing can be said."""

from __future__ import annotations

import time

import pytest

from engine.journal import events
from engine.journal.commands import TAKEN_OUT
from engine.report.progress import Progress
from tests.tui.queues import NOW, snapshot
from tui.feed import Snapshot
from tui.screens.live_model import Look, entries, state_of
from tui.screens.live_queue import Expected, expected, hour, place, waiting
from tui.screens.live_tabs import tabs
from tui.widgets import summary

PACE = Progress(phase="training", eta_seconds=5.0)
TWO = ("single", "amp")


def told(made: Snapshot, running: Progress | None = PACE) -> Expected:
    all_ = entries(made)
    return expected(made, all_, waiting(made, all_), running, NOW)


def look(made: Snapshot, shown: int = 0, running: Progress | None = PACE) -> Look:
    all_ = entries(made)
    return Look(
        snapshot=made,
        entries=all_,
        shown=all_[shown],
        state=state_of(all_[shown], made, False),
        stopping=frozenset(),
        stop_asked=None,
        overlay=False,
        stages=None,
        metric="loss",
        progress=None,
        running=running,
        now=NOW,
    )


def test_a_strategy_takes_as_long_as_its_repeats_took() -> None:
    # Rotated: single amp | amp single | single amp.
    made = snapshot(TWO, [10.0, 40.0, 44.0], repeats=3, running=2.0)
    found = told(made)
    assert found.end == NOW + 5
    # The single that trains takes 2 + 5 s; with the one before, 8.5 s on average.
    assert dict(found.starts) == {"05-single": NOW + 5, "06-amp": NOW + 13.5}
    assert found.all_done == NOW + 13.5 + 42


def test_before_a_strategy_was_done_once_all_that_is_known_counts() -> None:
    made = snapshot(("single", "amp", "ddp"), [10.0], running=15.0)
    found = told(made)
    assert dict(found.starts) == {"03-ddp": NOW + 5}
    assert found.all_done == NOW + 5 + (10 + 20) / 2


def test_what_failed_took_less_than_it_would_have() -> None:
    made = snapshot(TWO, [10.0, 0.5], repeats=2, failed=[1], running=0.0)
    # What runs is amp again, for 5 s more: it is all that is known of amp.
    assert dict(told(made).starts) == {"04-single": NOW + 5}
    assert told(made).all_done == NOW + 15


def test_a_run_that_makes_no_steps_yet_ends_when_its_repeats_did() -> None:
    made = snapshot(TWO, [10.0, 40.0], repeats=2, running=15.0)
    starting = Progress(phase="importing torch")
    assert told(made, starting).end == NOW + 25
    late = snapshot(TWO, [10.0, 40.0], repeats=2, running=60.0)
    assert told(late, starting).end == NOW, "never in the past"


def test_nothing_is_said_where_nothing_is_known() -> None:
    starting = Progress(phase="importing torch")
    assert told(snapshot(TWO, [], running=1.0), starting) == Expected()
    assert told(snapshot(TWO, [10.0], running=1.0, state="crashed")) == Expected()
    preparing = [events.Preparing(t=NOW, what="reading 9 images into memory")]
    assert told(snapshot(TWO, [10.0], more=preparing), None) == Expected()


def test_searches_that_are_to_come_add_runs() -> None:
    one = [events.BatchFound(t=NOW, strategy="single", batch_size=128)]
    found = told(snapshot(TWO, [10.0], running=1.0, find_batch=True, more=one))
    assert found.all_done is None
    both = [*one, events.BatchFound(t=NOW, strategy="amp", batch_size=64)]
    assert told(snapshot(TWO, [10.0], running=1.0, find_batch=True, more=both)).all_done


def test_the_order_of_what_waits_is_the_supervisors() -> None:
    order = [events.QueueOrdered(t=NOW, runs=("04-single", "03-amp"))]
    made = snapshot(TWO, [10.0], repeats=2, running=1.0, more=order)
    assert [each.name for each in waiting(made, entries(made))] == ["04-single", "03-amp"]
    starts = told(made).starts
    assert starts["04-single"] < starts["03-amp"]


def test_the_words_say_run_only_where_there_are_repeats() -> None:
    at = hour(NOW + 5)
    assert place(look(snapshot(("single",), [], running=1.0))) == ""
    single = look(snapshot(TWO, [], running=5.0), shown=1)
    assert place(single) == f"strategy 2 of 2, starts about {at}"
    repeated = snapshot(TWO, [10.0], repeats=2, running=1.0)
    assert place(look(repeated, shown=3)).startswith("run 4 of 4, starts about ")
    assert place(look(repeated)).startswith("run 1 of 4, all done about ")
    done = snapshot(TWO, [10.0, 10.0], state="done")
    assert place(look(done, running=None)) == "strategy 1 of 2"


def test_turns_are_counted_in_the_order_in_which_they_come() -> None:
    dropped = events.RunEnded(t=NOW, run="04-single", attempt=0, state="stopped", reason=TAKEN_OUT)
    order = events.QueueOrdered(t=NOW, runs=("06-amp", "05-single", "03-amp"))
    made = snapshot(TWO, [10.0], repeats=3, running=1.0, more=[dropped, order])
    turns = [place(look(made, shown=number)).partition(",")[0] for number in range(6)]
    assert turns == ["run 1 of 5", "run 2 of 5", "run 5 of 5", "", "run 4 of 5", "run 3 of 5"]


def test_what_is_prepared_is_told_wherever_the_user_looks() -> None:
    preparing = [events.Preparing(t=NOW - 3, what="reading 397 images into memory")]
    made = snapshot(TWO, [10.0], more=preparing)
    assert place(look(made, running=None)) == (
        "strategy 1 of 2, reading 397 images into memory, 3 s"
    )


@pytest.mark.parametrize("width", [58, 78, 158])
def test_a_hundred_tabs_show_the_neighbours_of_the_shown_one(width: int) -> None:
    names = ("single", "amp", "gradient-checkpointing", "ddp")
    made = snapshot(names, [1.0] * 40, repeats=25)
    line = summary.tabs(tabs(look(made, shown=57)), width)
    assert line.cell_length <= width
    # The repeats are rotated: the 58th run is the second of the fifteenth.
    assert "▌58 ddp 15/25 ◌" in line.plain
    assert line.plain.strip().startswith("+")
    assert line.plain.rstrip().rpartition("+")[2].isdigit()


def test_an_overlay_has_the_runs_of_the_same_repeat() -> None:
    shown = look(snapshot(TWO, [1.0] * 6, repeats=3, state="done"), 2)
    beside = [each.name for each in shown.entries if shown.is_beside(each)]
    assert beside == ["04-single"]


def test_titles_tell_repeats_apart() -> None:
    made = snapshot(TWO, [], repeats=3)
    assert [each.title for each in entries(made)][:2] == [
        "single · repeat 1 of 3",
        "amp · repeat 1 of 3",
    ]
    assert [each.title for each in entries(snapshot(TWO, []))] == ["single", "amp"]


def test_hours_are_of_this_place() -> None:
    assert hour(NOW) == time.strftime("%H:%M", time.localtime(NOW))
