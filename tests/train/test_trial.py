"""A run that only measures a batch size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.journal.events import (
    AttemptEnded,
    CheckpointSaved,
    EpochEnded,
    Memory,
    Notice,
    Ready,
    Steps,
    Validated,
)
from engine.plan.config import Settings
from engine.plan.trials import LONGEST, trial_of
from engine.train import fit
from tests.train.making import TINY, arguments, column, journal, lay_out, plan


@pytest.mark.usefixtures("signals")
@pytest.mark.parametrize("workers", [0, 1])
def test_it_validates_and_saves_nothing(tmp_path: Path, pictures: Path, workers: int) -> None:
    """24 images in batches of 10: three steps an epoch, on and on. Here until the fifth."""
    run = plan(pictures, workers=workers, epochs=1, max_steps=2, max_time=1e-9, lr=1e6)
    trial = trial_of(run, 10, Settings(**TINY))
    assert trial.run == "single-10"
    assert trial.settings.max_time == LONGEST
    assert trial.settings.max_steps is None
    settings = replace(trial.settings, max_steps=5, max_time=None)
    made = lay_out(tmp_path, replace(trial, settings=settings))
    assert fit.main(arguments(tmp_path, made)) == 0
    events = journal(tmp_path, made)
    ended = events[-1]
    assert isinstance(ended, AttemptEnded)
    assert (ended.state, ended.reason) == ("done", "after 5 steps, as asked")
    kinds = {type(each) for each in events}
    assert {Ready, Steps, EpochEnded} <= kinds
    assert not {Validated, CheckpointSaved, Notice} & kinds
    assert not (tmp_path / made.run / "checkpoints").exists()
    assert list(column(events, "images").values()) == [10, 10, 4, 10, 10]
    # What it held to its end is told last.
    assert isinstance(events[-2], Memory)
    assert events[-2].room is None
