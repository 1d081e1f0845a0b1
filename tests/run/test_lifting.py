"""A run that a limit ended goes on where the limit is lifted: real supervisors and ranks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import ExperimentError
from engine.experiment import open_directory
from engine.journal import layout
from engine.journal.reader import JournalReader
from engine.plan import resuming
from engine.run import adding, control, past, resume
from engine.run.docket import Docket
from engine.run.spawn import start_supervisor
from engine.run.teller import Teller
from tests.run.making import make_experiment

RUN = "01-single"
SECONDS = 120.0


def test_a_run_that_is_done_goes_on_beyond_its_limit(squares: Path, parent: Path) -> None:
    made = make_experiment(parent, squares, epochs=2, max_steps=3, lr=0.001)
    start_supervisor(made)
    assert control.wait(made, SECONDS) == "done"
    others: tuple[dict[str, Any], ...] = ({}, {"max_steps": 3}, {"max_time": 9.0}, {"workers": 0})
    for each in others:
        with pytest.raises(ExperimentError, match=f"nothing of .*; a limit ended {RUN}: a higher"):
            resume.resumable(made, (), each)
    given = {"max_steps": None}
    (found,) = resume.resumable(made, (), given)
    assert (found.plan.run, found.step, found.of) == (RUN, 3, 8)
    plans = resuming.replanned([found.plan], made.plan.settings, given)
    # One that was killed before its turn came; the next supervisor does the same.
    resume._replanned(made, plans)
    Docket(
        open_directory(made.directory),
        Teller(made.directory / layout.SUPERVISOR_JOURNAL),
        [RUN],
        resume=True,
    ).announce()
    assert RUN not in past.ended(made.directory)
    assert resume.resume(made) == (RUN,)
    assert control.wait(made, SECONDS) == "done"

    (run,) = JournalReader(made.directory).read_all().runs
    assert run.state == "done"
    assert [each.from_step for each in run.attempts] == [0, 3]
    losses = np.asarray(run.history.rows("loss", 0, 99))
    assert len(losses) == run.history.steps == 8
    assert np.isfinite(losses).all()
    assert [(each.epoch, each.images) for each in run.epochs] == [(0, 32), (1, 32)]
    assert [each.step for each in run.validations] == [4, 8]
    # Now nothing of it is left to train.
    with pytest.raises(ExperimentError, match=r"failed or was stopped$"):
        resume.resumable(made, (), given)


def test_a_supervisor_that_lives_takes_it_up_as_well(tmp_path: Path) -> None:
    made = make_experiment(tmp_path, tmp_path / "no data", max_steps=3)
    docket = Docket(made, Teller(made.directory / layout.SUPERVISOR_JOURNAL))
    docket.queue.take()
    docket.queue.end(RUN, "done")
    assert docket.resume(RUN) == "01-single is done"
    (plan,) = made.plan.runs
    further = replace(plan, settings=replace(plan.settings, max_steps=9))
    assert docket.resume(RUN, adding.encoded([further])) == ""
    assert docket.waiting == (RUN,)
    assert open_directory(made.directory).plan.runs[0].settings.max_steps == 9
