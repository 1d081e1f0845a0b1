"""The search for a batch size: real trainings, a memory budget, failures, and what is added."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from engine.errors import ExperimentError
from engine.experiment import Experiment, open_directory, write_atomically
from engine.journal import layout
from engine.journal.events import (
    AnyEvent,
    AttemptEnded,
    BatchFound,
    BatchTried,
    EpochEnded,
    Event,
    Preparing,
    QueueOrdered,
    RunQueued,
)
from engine.journal.files import Appender, parse, writer_fields
from engine.journal.node_events import SupervisorStarted
from engine.run import control, past
from engine.run.docket import Docket
from engine.run.preparations import Preparations
from engine.run.search import DIRECTORY, BatchSearch
from engine.run.spawn import start_supervisor
from engine.run.teller import Teller
from tests.run.making import (
    eventually,
    kind_of,
    make_dataset,
    make_experiment,
    processes,
    read,
)

MIB = 1 << 20


def searched(made: Experiment, run: str = "01-single", *more: str) -> list[AnyEvent]:
    """All that a search tells; nothing of it is left afterwards."""
    answer = subprocess.run(
        [sys.executable, "-m", "tests.run.one_search", str(made.directory), run, *more],
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert answer.stderr == b"left 0\n"
    events, skipped = parse(answer.stdout)
    assert skipped == 0
    return events


def tries(events: list[AnyEvent]) -> list[BatchTried]:
    return [each for each in events if isinstance(each, BatchTried)]


def test_a_search_that_really_trains(parent: Path, tmp_path: Path) -> None:
    """Four images, of which normalisation at 32 px takes two or more at once: two sizes."""
    data = make_dataset(tmp_path / "data", images=2)
    made = make_experiment(parent, data, find_batch=True)
    events = searched(made)
    tried, found = tries(events), events[-1]
    # That the batch of the start is larger than the dataset is learned on the way.
    assert [each.batch_size for each in tried] == [2, 4]
    assert all(each.fits and not each.reason for each in tried)
    assert all((each.images_per_second or 0) > 0 for each in tried)
    assert all(100 * MIB < (each.peak_memory or 0) < 4096 * MIB for each in tried)
    assert isinstance(found, BatchFound)
    assert found.batch_size in (2, 4)
    assert found.reason == "the dataset has 4 images for training"
    told = [each.what for each in events if isinstance(each, Preparing)]
    assert told == [f"finding the best batch of single: {size}" for size in (2, 4)]

    # Only journals are kept: nothing was validated, nothing was saved.
    tries_of = made.directory / DIRECTORY
    assert {each.name for each in tries_of.iterdir()} == {"single-2", "single-4"}
    journal = read(layout.rank_journal(tries_of, "single-4", 1, 0))
    assert {"Steps", "EpochEnded", "AttemptEnded"} <= set(map(kind_of, journal))
    assert not {"Validated", "CheckpointSaved"} & set(map(kind_of, journal))
    assert all(each.images == 4 for each in journal if isinstance(each, EpochEnded))
    assert isinstance(journal[-1], AttemptEnded)
    assert not list(tries_of.rglob("*.pt"))
    assert layout.rank_journals(made.directory) == []


def test_memory_ends_it_and_so_does_a_stop(squares: Path, parent: Path) -> None:
    """ResNet-18 at 224 px holds 1439 MiB of tensors for 64 images, 762 for 32 and 255 for 8."""
    made = make_experiment(
        parent, squares, batch_size=256, image_size=224, memory_budget=1.2, find_batch=True
    )
    events = searched(made, "01-single", "--tries", "3")
    foreseen, ended, fits, *more = tries(events)
    assert (foreseen.batch_size, foreseen.fits) == (64, False)
    assert foreseen.reason.startswith("it would take about 1.4 GiB (an estimate), more than the")
    assert not (made.directory / DIRECTORY / "single-64").exists()
    assert (ended.batch_size, ended.fits, ended.images_per_second) == (32, False, None)
    assert ended.reason.endswith("more than the 1.2 GiB of the memory budget (--memory-budget)")
    # A quarter of the dataset, whose size is known by now.
    assert (fits.batch_size, fits.fits) == (8, True)
    assert (fits.peak_memory or 0) <= 1.2 * 1024 * MIB
    # By then a size between may have been foreseen not to fit; how much each takes is the system's.
    assert [each.batch_size for each in more] == [16][: len(more)]
    assert all("(an estimate)" in each.reason and not each.fits for each in more)
    # What was under way when all of it was stopped says nothing.
    assert events[-1] == next(each for each in reversed(events) if isinstance(each, Preparing))


def test_a_strategy_whose_try_fails_has_no_best_batch(squares: Path, parent: Path) -> None:
    made = make_experiment(parent, squares, find_batch=True)
    (run,) = made.plan.runs
    broken = replace(run, settings=replace(run.settings, device="cuda"))
    plan = replace(made.plan, runs=(broken,))
    write_atomically(made.directory / layout.PLAN, msgspec.json.encode(plan))
    *_, tried, found = searched(made)
    assert isinstance(tried, BatchTried)
    assert (tried.fits, tried.images_per_second) == (True, None)
    assert "--device cuda" in tried.reason
    assert isinstance(found, BatchFound)
    assert found.batch_size is None
    assert found.reason == f"a batch of 2 could not be tried: {tried.reason}"


def test_a_stop_reaches_the_try_and_leaves_nothing(squares: Path, parent: Path) -> None:
    made = make_experiment(parent, squares, find_batch=True)
    start_supervisor(made)
    journal = layout.rank_journal(made.directory / DIRECTORY, "single-2", 1, 0)
    eventually(journal.exists)
    control.stop(made)
    assert control.wait(made, 90.0) == "stopped"
    assert not [each for each in past.events(made.directory) if isinstance(each, BatchFound)]
    eventually(lambda: not processes(made.directory), 10.0)


# Without processes


def journalled(made: Experiment, *events: Event) -> None:
    appender = Appender(made.directory / layout.SUPERVISOR_JOURNAL)
    for each in events:
        appender.append(each)
    appender.close()


def prepared(made: Experiment) -> tuple[Docket, list[AnyEvent]]:
    """What a supervisor has done when its first run can begin, and told."""
    docket = Docket(
        open_directory(made.directory), Teller(made.directory / layout.SUPERVISOR_JOURNAL)
    )
    docket.announce()
    told = len(past.events(made.directory))
    preparations = Preparations(docket)
    preparations._warmed = True
    assert preparations.due() is None
    return docket, past.events(made.directory)[told:]


def tried(size: int, rate: float) -> BatchTried:
    return BatchTried(
        strategy="single", batch_size=size, fits=True, images_per_second=rate, spread=0.0
    )


def test_a_search_that_was_interrupted_goes_on_where_it_was(squares: Path, parent: Path) -> None:
    made = make_experiment(parent, squares, batch_size=64, find_batch=True)
    before = (
        tried(16, 100.0),
        tried(32, 100.0),
        tried(64, 90.0),
        tried(8, 50.0),
        BatchTried(strategy="amp", batch_size=4, fits=False),
    )
    told: list[Event] = []
    search = BatchSearch(made, made.plan.runs[0], told.append, before)
    assert search.poll()
    (found,) = told
    assert isinstance(found, BatchFound)
    assert (found.batch_size, found.reason) == (16, "batches up to 64 are no faster")


def test_runs_at_the_best_batches_join_their_repeats(squares: Path, parent: Path) -> None:
    """Three strategies: one has another best batch, one the batch that was asked for, one none."""
    made = make_experiment(
        parent, squares, "single", "amp", "gradient-checkpointing", repeats=2, find_batch=True
    )
    journalled(
        made,
        SupervisorStarted(**writer_fields()),
        BatchFound(strategy="single", batch_size=32, images_per_second=10.0),
        BatchFound(strategy="amp", batch_size=8, images_per_second=10.0),
        BatchFound(strategy="gradient-checkpointing", reason="a batch of 2 does not fit"),
    )
    docket, told = prepared(made)
    added = {each.run: each for each in docket.experiment.plan.runs if each.view == "best"}
    assert {run: (each.settings.batch_size, each.repeat) for run, each in added.items()} == {
        "07-single": (32, 0),
        "08-single": (32, 1),
    }
    assert [kind_of(each) for each in told] == ["RunQueued", "RunQueued", "QueueOrdered"]
    order = (
        *("01-single", "02-amp", "03-gradient-checkpointing", "07-single"),
        *("04-amp", "05-gradient-checkpointing", "06-single", "08-single"),
    )
    assert docket.waiting == order
    assert [each.runs for each in told if isinstance(each, QueueOrdered)] == [order]
    assert added["07-single"].settings.seed == made.plan.runs[0].settings.seed

    # Another supervisor finds it as it is, and searches nothing again.
    again, told = prepared(made)
    assert again.waiting == order
    assert not [each for each in told if isinstance(each, RunQueued)]


def test_an_order_that_somebody_chose_stays(squares: Path, parent: Path) -> None:
    made = make_experiment(parent, squares, "single", "amp", find_batch=True, repeats=2)
    journalled(
        made,
        SupervisorStarted(**writer_fields()),
        *(RunQueued(run=each.run, strategy="", seed=0) for each in made.plan.runs),
        QueueOrdered(runs=("04-single", "01-single", "02-amp", "03-amp")),
        BatchFound(strategy="single", batch_size=32),
        BatchFound(strategy="amp", batch_size=16),
    )
    docket, _ = prepared(made)
    assert docket.waiting[:4] == ("04-single", "01-single", "02-amp", "03-amp")
    assert len(docket.waiting) == 8


def test_what_cannot_be_launched_is_no_try(
    squares: Path, parent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_experiment(parent, squares, find_batch=True)

    def refuse(*_: object) -> None:
        raise ExperimentError("cannot launch single-2: no more processes")

    monkeypatch.setattr("engine.run.training.launch", refuse)
    told: list[Event] = []
    assert BatchSearch(made, made.plan.runs[0], told.append).poll()
    assert [kind_of(each) for each in told] == ["Preparing", "BatchTried", "BatchFound"]
    assert "no more processes" in msgspec.json.encode(told[-1]).decode()
