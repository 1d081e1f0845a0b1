"""A checkpoint that could not be read for a while is not gone on from once its steps are undone:
the curve would have a gap."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from engine.journal import undone
from engine.journal.attempts import RankEvents
from engine.journal.checkpoints import newest, read_header
from tests.train.interrupting import Interrupted, differences
from tests.train.making import images, journal, plan
from tests.train.nursery import Nursery

STEPS = 60
"""Of an epoch: 240 images in batches of 4."""
LIMIT = 118
"""Far enough from the kill, just after the first epoch, for it to come before."""


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return images(tmp_path_factory.mktemp("many"), train=80, val=2)


def _counted(run: Interrupted, attempts: int) -> list[tuple[int, int]]:
    """The steps that count after so many attempts, from each to before each."""
    folded = RankEvents()
    for attempt in range(1, attempts + 1):
        for event in journal(run.directory, run.plan, attempt):
            folded.apply(attempt, 0, event)
    return [(each.track.base, each.track.end) for each in folded.history.freeze().segments[None]]


def test_one_that_is_whole_again_leaves_no_gap(
    nursery: Nursery, many: Path, tmp_path: Path
) -> None:
    made = plan(many, batch_size=4, epochs=2, lr=0.001, backup_epochs=1)
    whole = Interrupted(nursery, tmp_path / "whole", made)
    assert whole.train() == 0, whole.log()

    limited = replace(made, settings=replace(made.settings, max_steps=LIMIT))
    run = Interrupted(nursery, tmp_path / "run", limited)
    assert run.train() == 0, run.log()
    place = run.run / "checkpoints"
    last = place / "last.pt"
    assert (read_header(last).step, read_header(last).attempt) == (LIMIT, 1)
    there = last.read_bytes()
    # A disk that does not answer, and one backup on another.
    for path in place.iterdir():
        if path.name != "epoch-001.pt":
            path.unlink()
            path.write_bytes(b"")
    run.change(made, 1)
    run.train(kill_after=STEPS + 1)
    assert undone.cuts(run.run) == {1: STEPS, 2: math.inf}
    (_, reached) = _counted(run, 2)[-1]
    assert STEPS < reached < LIMIT
    assert undone.missing(run.run, LIMIT) == (reached, LIMIT - 1)
    assert undone.missing(run.run, STEPS) is None

    # It answers again.
    last.write_bytes(there)
    found = newest(run.run)
    assert found is not None
    assert found[0].name == "epoch-001.pt"
    assert run.train() == 0, run.log()
    assert _counted(run, 3) == [(0, STEPS), (STEPS, 2 * STEPS)]
    assert differences(run.outcome(), whole.outcome()) == []
