from __future__ import annotations

from pathlib import Path

import msgspec

from engine.journal import layout
from engine.journal.commands import TAKEN_OUT
from engine.journal.events import EndState, QueueOrdered, RunEnded, RunQueued, RunStarted
from engine.journal.files import Appender
from engine.plan.config import Settings
from engine.plan.runs import RunPlan, plan_runs
from engine.plan.strategies import strategy
from engine.run import past
from engine.run.queue import Queue

RUNS = plan_runs(Path("/data"), Settings(repeats=2), (strategy("single"), strategy("amp")))
NAMES = tuple(run.run for run in RUNS)


def name(run: RunPlan | None) -> str | None:
    return run.run if run else None


def test_runs_come_in_the_order_of_the_plan() -> None:
    queue = Queue(RUNS, {})
    assert queue.waiting == NAMES == ("01-single", "02-amp", "03-amp", "04-single")
    assert name(queue.take()) == "01-single"
    assert queue.places["01-single"].state == "running"
    queue.end("01-single", "done")
    assert name(queue.take()) == "02-amp"


def ends(**states: EndState) -> dict[str, RunEnded]:
    """``a01_single="failed"``: so ended the first run."""
    names = {name: name[1:].replace("_", "-") for name in states}
    return {
        names[name]: RunEnded(run=names[name], attempt=1, state=state)
        for name, state in states.items()
    }


def test_what_is_done_or_was_taken_out_is_not_done_again_unasked() -> None:
    before = ends(a01_single="done", a02_amp="failed", a03_amp="stopped", a04_single="stopped")
    before["04-single"] = msgspec.structs.replace(before["04-single"], reason=TAKEN_OUT)
    assert Queue(RUNS, past.over(before, None)).waiting == ("02-amp", "03-amp")
    assert Queue(RUNS, past.over(before, ["01-single", "04-single"])).waiting == ("04-single",)
    nothing_more = Queue(RUNS, past.over(before, []))
    assert nothing_more.waiting == ()
    assert nothing_more.places["02-amp"].state == "failed"


def test_runs_are_moved_and_what_does_not_wait_is_not() -> None:
    queue = Queue(RUNS, {})
    assert queue.take() is not None
    assert queue.move("01-single", 0) == "01-single does not wait in the queue"
    assert queue.move("04-single", 0) == ""
    assert queue.waiting == ("04-single", "02-amp", "03-amp")
    assert queue.move("04-single", 99) == ""
    assert queue.move("02-amp", 1) == ""
    assert queue.waiting == ("03-amp", "02-amp", "04-single")


def test_what_was_taken_out_is_no_stop_of_the_experiment() -> None:
    queue = Queue(RUNS[:2], {})
    queue.end("02-amp", "stopped", TAKEN_OUT)
    queue.end("01-single", "done")
    assert queue.outcome() == "done"
    queue.end("01-single", "stopped", TAKEN_OUT)
    assert queue.outcome() == "stopped"


def test_the_order_survives_the_supervisor(tmp_path: Path) -> None:
    journal = Appender(tmp_path / layout.SUPERVISOR_JOURNAL)
    for run in RUNS:
        journal.append(
            RunQueued(run=run.run, strategy=run.strategy.name, seed=0, repeat=run.repeat)
        )
    journal.append(RunStarted(run="01-single", attempt=1, argv=(), pid=1))
    journal.append(QueueOrdered(runs=("04-single", "02-amp", "03-amp")))
    journal.append(RunEnded(run="04-single", attempt=0, state="stopped"))
    journal.close()
    order = past.order(tmp_path)
    assert order == ("01-single", "04-single", "02-amp", "03-amp")
    assert Queue(RUNS, ends(a01_single="done"), order).waiting == order[1:]
    assert Queue(RUNS, {}, ("03-amp",)).waiting == ("03-amp", "01-single", "02-amp", "04-single")


def test_again() -> None:
    queue = Queue(RUNS, {})
    queue.take()
    assert queue.again("01-single") == "01-single is running"
    queue.end("01-single", "failed", "why")
    assert queue.again("01-single") == ""
    assert queue.waiting == (*NAMES[1:], "01-single")
    assert queue.places["01-single"].reason == ""
    assert "no run" in queue.again("09-none")


def test_a_run_taken_out_of_the_queue_is_not_started() -> None:
    queue = Queue(RUNS[:2], {})
    queue.end("01-single", "stopped", "why")
    assert name(queue.take()) == "02-amp"
    assert queue.take() is None


def test_the_outcome_is_the_worst_of_all() -> None:
    queue = Queue(RUNS[:2], {})
    for run in NAMES[:2]:
        queue.end(run, "done")
    assert queue.outcome() == "done"
    queue.end(NAMES[0], "stopped")
    assert queue.outcome() == "stopped"
    queue.end(NAMES[1], "failed")
    assert queue.outcome() == "failed"
