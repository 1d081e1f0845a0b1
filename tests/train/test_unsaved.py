"""Where the last checkpoint cannot be written, the end of a training says so, on every rank."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import pytest

from engine.journal import layout
from engine.journal.checkpoints import newest, read_header
from engine.journal.events import AttemptEnded, AttemptStarted
from engine.journal.files import parse
from engine.train import fit
from tests.train.interrupting import Interrupted
from tests.train.making import arguments, images, journal, lay_out, plan
from tests.train.nursery import Nursery


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More than a hundred steps an epoch."""
    return images(tmp_path_factory.mktemp("many"), train=150, val=2)


def _stopped(run: Interrupted, after: int) -> list[AttemptEnded]:
    """The last words of all ranks that are stopped when the first one cannot write large files any
    more, as on a full disk."""

    def stop() -> None:
        begun = run.events()[0]
        assert isinstance(begun, AttemptStarted)
        resource.prlimit(begun.pid, resource.RLIMIT_FSIZE, (2**20, resource.RLIM_INFINITY))
        (run.run / "attempt-1" / fit.STOP_FILE).touch()

    assert run.train(then=(after, stop)) == 0, run.log()
    ends: list[AttemptEnded] = []
    for rank in range(run.world):
        path = layout.rank_journal(run.directory, run.plan.run, 1, rank)
        last = parse(path.read_bytes())[0][-1]
        assert isinstance(last, AttemptEnded)
        assert last.state == "stopped"
        ends.append(last)
    return ends


def test_a_stop_that_could_not_save_says_what_is_left(
    many: Path, nursery: Nursery, tmp_path: Path
) -> None:
    run = Interrupted(nursery, tmp_path / "run", plan(many, batch_size=4, epochs=9, save_steps=3))
    (end,) = _stopped(run, after=4)
    kept = read_header(run.run / "checkpoints" / "last.pt").step
    assert 3 <= kept <= end.step
    assert end.reason.startswith(f"stopped after {end.step} steps, as asked, but it could not be ")
    assert "File too large" in end.reason
    assert end.reason.endswith(f"; the newest checkpoint is of step {kept}")


def test_all_ranks_say_that_there_is_none(many: Path, nursery: Nursery, tmp_path: Path) -> None:
    run = Interrupted(nursery, tmp_path / "run", plan(many, "ddp", nproc=2, batch_size=4), 2)
    first, second = _stopped(run, after=1)
    assert newest(run.run) is None
    assert first.reason == second.reason
    assert "File too large" in first.reason
    assert first.reason.endswith("; there is no checkpoint of it")


@pytest.mark.parametrize(
    ("limits", "said"),
    [({}, "its last checkpoint"), ({"max_steps": 1}, "after 1 step, as asked, but it")],
    ids=("all", "limit"),
)
@pytest.mark.usefixtures("signals")
def test_one_that_is_done_says_it_as_well(
    pictures: Path, tmp_path: Path, limits: dict[str, Any], said: str
) -> None:
    made = lay_out(tmp_path, plan(pictures, epochs=1, **limits))
    # A folder is in the way of the file that is written.
    (tmp_path / made.run / "checkpoints" / ".last.pt.unfinished").mkdir(parents=True)
    assert fit.main(arguments(tmp_path, made)) == 0
    end = journal(tmp_path, made)[-1]
    assert isinstance(end, AttemptEnded)
    assert end.state == "done"
    assert end.reason.startswith(f"{said} could not be saved: ")
    assert end.reason.endswith("; there is no checkpoint of it")
