from __future__ import annotations

from pathlib import Path

from engine.plan.config import Settings
from engine.plan.runs import RunPlan, plan_runs
from engine.plan.strategies import strategy
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


def test_only_what_is_done_is_not_done_again() -> None:
    queue = Queue(RUNS, {"01-single": "done", "02-amp": "failed", "03-amp": "stopped"})
    assert queue.waiting == ("02-amp", "03-amp", "04-single")


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
