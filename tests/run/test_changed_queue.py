"""Runs are added, moved and taken out while others train."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import ExperimentError
from engine.experiment import Experiment, open_directory
from engine.journal import commands
from engine.journal.events import Acknowledged, QueueOrdered, RunQueued, RunStarted
from engine.plan.runs import RunPlan, plan_added
from engine.plan.strategies import strategy
from engine.run import control, past
from engine.run.spawn import start_supervisor
from tests.run.making import eventually, make_experiment, processes, supervisor_events

SECONDS = 90.0


def planned(made: Experiment, *names: str, **settings: object) -> tuple[RunPlan, ...]:
    plan = open_directory(made.directory).plan
    asked = replace(plan.settings, **settings)  # type: ignore[arg-type]
    return plan_added(plan, [strategy(name) for name in names], asked)


def waiting(made: Experiment) -> tuple[str, ...]:
    """The order as it was last told."""
    events = past.events(made.directory)
    return next((each.runs for each in reversed(events) if isinstance(each, QueueOrdered)), ())


def test_a_queue_is_changed_while_it_runs_and_afterwards(squares: Path, parent: Path) -> None:
    made = make_experiment(parent, squares, "single", "amp", epochs=10_000, lr=0.001)
    pid = start_supervisor(made)
    eventually(lambda: "RunStarted" in supervisor_events(made))

    # Added: the plan has them before the journal, and the supervisor gives the names.
    more = planned(made, "gradient-checkpointing", "ddp", max_steps=1)
    control.add(made, [replace(run, run="../99-mine") for run in more])
    names = [run.run for run in open_directory(made.directory).plan.runs]
    assert names == ["01-single", "02-amp", "03-gradient-checkpointing", "04-ddp"]
    assert [e.run for e in past.events(made.directory) if isinstance(e, RunQueued)] == names

    # Moved and taken out.
    control.move(made, "04-ddp", 0)
    control.move(made, "01-single", 0)
    control.drop(made, "02-amp")
    refused = "01-single does not wait in the queue"
    eventually(lambda: "02-amp" in past.ended(made.directory))
    assert waiting(made) == ("04-ddp", "02-amp", "03-gradient-checkpointing")
    answers = [e for e in past.events(made.directory) if isinstance(e, Acknowledged)]
    assert [(e.action, e.refused) for e in answers if e.refused] == [("move-run", refused)]
    assert past.ended(made.directory)["02-amp"].reason == commands.TAKEN_OUT

    # What cannot be added is refused with a sentence, by us and by the supervisor.
    with pytest.raises(ExperimentError, match="planned for /elsewhere, and this experiment is"):
        control.add(made, [replace(run, dataset="/elsewhere") for run in more])
    with pytest.raises(ExperimentError, match="checkpointing is in this experiment already"):
        control.add(made, more)
    nonsense = commands.send(made.directory, "add-runs", plans=b'[{"run": 1}]')
    eventually(lambda: any(nonsense == e.command for e in acknowledged(made)))
    assert "cannot be read" in acknowledged(made)[-1].refused

    # The order outlives a supervisor that is killed, and what was taken out stays out.
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not processes(made.directory), 10)
    assert control.retry(made) == ("01-single", "03-gradient-checkpointing", "04-ddp")
    order = ("01-single", "04-ddp", "03-gradient-checkpointing")
    eventually(lambda: waiting(made) == order)

    # To an experiment that is over one is added: nothing else is done again.
    control.stop(made, firmly=True)
    assert control.wait(made, SECONDS) == "stopped"
    with pytest.raises(ExperimentError, match="not running but stopped"):
        control.drop(made, "04-ddp")
    before = len(past.events(made.directory))
    control.add(made, planned(made, "amp", max_steps=1))
    assert control.wait(made, SECONDS) == "stopped"
    done = past.events(made.directory)[before:]
    assert [e.run for e in done if isinstance(e, RunStarted)] == ["05-amp-2"]
    assert past.ended(made.directory)["05-amp-2"].state == "done"
    assert control.retry(made, "02-amp") == ("02-amp",)
    control.stop(made, firmly=True)
    control.wait(made, SECONDS)


def acknowledged(made: Experiment) -> list[Acknowledged]:
    return [each for each in past.events(made.directory) if isinstance(each, Acknowledged)]
