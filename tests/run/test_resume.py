"""Runs that are cut off and go on: real supervisors and ranks, ended by SIGKILL."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import msgspec
import numpy as np
import pytest

from engine.errors import ExperimentError
from engine.experiment import Experiment, open_directory
from engine.journal import checkpoints, layout
from engine.journal.reader import JournalReader
from engine.journal.views import ExperimentView
from engine.plan import resuming
from engine.plan.runs import RunPlan
from engine.plan.space import checkpoint_bytes
from engine.plan.strategies import strategy
from engine.report.compare import compare
from engine.report.sources import read as source
from engine.run import control, past, resume
from engine.run.spawn import start_supervisor
from tests.run.making import eventually, has_trained, make_experiment, processes, rank_of

RUN = "01-single"
SECONDS = 120.0


def crash(made: Experiment) -> None:
    """The supervisor is killed, and its ranks die with it."""
    summary = made.summary()
    assert summary is not None
    os.kill(summary.pid, signal.SIGKILL)
    eventually(lambda: not processes(made.directory), 10)
    assert made.state() == "crashed"


def saved_step(made: Experiment) -> int:
    newest = checkpoints.newest(made.directory / RUN)
    return newest[1].step if newest is not None else 0


def view(made: Experiment) -> ExperimentView:
    return JournalReader(made.directory).read_all()


def losses(made: Experiment) -> np.ndarray:
    """Of every step, in order."""
    (run,) = view(made).runs
    rows = np.asarray(run.history.rows("loss", 0, run.history.steps))
    assert len(rows) == run.history.steps, "no step is missing, none stands there twice"
    return rows


def test_a_run_goes_on_after_crashes_and_in_another_way(squares: Path, parent: Path) -> None:
    made = make_experiment(parent, squares, epochs=1000, lr=0.001, momentum=0.0, save_steps=6)
    start_supervisor(made)
    with pytest.raises(ExperimentError, match="it is running"):
        resume.resume(made)
    eventually(lambda: saved_step(made) >= 6)
    crash(made)
    first = saved_step(made)

    # In the middle of an epoch: what was trained after the checkpoint is trained again.
    (found,) = resume.resumable(made)
    assert (found.plan.run, found.step, found.of) == (RUN, first, 4000)
    assert resume.resume(made) == (RUN,)
    eventually(lambda: saved_step(made) > first and has_trained(made, RUN, 2))
    (run,) = view(made).runs
    assert [each.from_step for each in run.attempts] == [0, first]
    control.save(made)
    journal = layout.attempt_directory(made.directory, RUN, 2)
    eventually(lambda: not (journal / "save").exists())
    rank_of(made).kill()
    assert control.wait(made, SECONDS) == "failed"
    second = saved_step(made)
    assert second > first
    before = losses(made)
    assert len(before) >= second
    assert np.isfinite(before).all()
    size = (made.directory / RUN / layout.CHECKPOINTS / layout.LAST).stat().st_size
    assert checkpoint_bytes(made.plan.runs[0], 2) == pytest.approx(size, rel=0.01)

    # With another strategy: the same run, the same curve, another row.
    (plan,) = resuming.replanned(
        made.plan.runs,
        made.plan.settings,
        {"nproc": 2, "max_steps": second + 3},
        chosen=strategy("ddp"),
    )
    assert resume.resume(made, (RUN,), [plan]) == (RUN,)
    assert control.wait(made, SECONDS) == "done"
    after = losses(made)
    assert len(after) == second + 3
    assert np.array_equal(before[:second], after[:second])
    (run,) = view(made).runs
    assert [each.strategy for each in run.attempts] == ["single", "single", "ddp"]
    (row,) = compare([source(open_directory(made.directory))]).rows
    assert (row.figures.name, row.figures.ranks) == ("ddp", 2)
    assert row.figures.earlier_ways == (("single", second),)
    kept = [
        msgspec.json.decode((directory / layout.RUN_CONFIG).read_bytes(), type=RunPlan)
        for _, directory in layout.attempts(made.directory / RUN)
    ]
    assert [each.strategy.name for each in kept] == ["single", "single", "ddp"]
    assert past.ended(made.directory)[RUN].state == "done"
    with pytest.raises(ExperimentError, match="nothing of"):
        resume.resume(made)
    eventually(lambda: not processes(made.directory), 10)
    shutil.rmtree(made.directory)
