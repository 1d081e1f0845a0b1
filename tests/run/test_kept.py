"""What the supervisor leaves for others: summary, samples, requests, a past that it takes up."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from engine.experiment import open_directory
from engine.journal import commands, layout
from engine.journal.events import (
    AttemptEnded,
    AttemptStarted,
    EpochStarted,
    HostSample,
    NodeStarted,
    Ready,
    RunEnded,
    RunQueued,
    RunStarted,
    Validated,
)
from engine.journal.files import Appender, writer_fields
from engine.run import past
from engine.run.board import Board
from engine.run.queue import Queue
from engine.run.sampler import Sampler
from engine.run.watch import Watch
from engine.summary import Summary
from tests.run.making import make_experiment, read

RUN = "01-single"


def started(from_step: int = 0) -> AttemptStarted:
    return AttemptStarted(**writer_fields(), rank=0, world_size=1, from_step=from_step)


def validated(epoch: int, top1: int) -> Validated:
    return Validated(epoch=epoch, step=10, images=8, loss_sum=1.0, top1=top1, top5=8, seconds=0.1)


def ready(epochs: int) -> Ready:
    return Ready(
        model="resnet18",
        parameters=1,
        classes=("a", "b"),
        train_images=8,
        val_images=8,
        epochs=epochs,
        steps_per_epoch=1,
        total_steps=epochs,
        batch_size=8,
        device="cpu",
        device_name="",
        precision="fp32",
        workers=0,
        threads=1,
    )


def test_a_watch_keeps_the_few_facts_that_count(tmp_path: Path) -> None:
    journal = Appender(layout.rank_journal(tmp_path, RUN, 1, 0))
    watch = Watch(tmp_path, RUN, 1)
    journal.append(started())
    journal.append(ready(5))
    watch.poll()
    assert (watch.epochs, watch.epoch, watch.best_top1, watch.closed) == (5, None, None, False)
    journal.append(EpochStarted(epoch=2, step=20))
    journal.append(validated(1, top1=6))
    journal.append(validated(2, top1=4))
    journal.append(AttemptEnded(state="done", step=30))
    watch.poll()
    assert (watch.epoch, watch.best_top1, watch.closed) == (2, 0.75, True)


def test_the_board_remembers_the_best_of_what_was_resumed(tmp_path: Path) -> None:
    made = make_experiment(tmp_path, tmp_path / "data")
    queue = Queue(made.plan.runs, {})
    for attempt, from_step, top1 in ((1, 0, 6), (2, 5, 4), (3, 0, 2)):
        journal = Appender(layout.rank_journal(made.directory, RUN, attempt, 0))
        journal.append(started(from_step))
        journal.append(validated(0, top1))
        watch = Watch(made.directory, RUN, attempt)
        watch.poll()
        board = Board(made.directory, made.summary())
        board.note(RUN, "single", watch)
        board.write("running", queue)
        summary = made.summary()
        assert isinstance(summary, Summary)
        # The third began from nothing: what the first reached is no longer its own.
        assert summary.runs[0].best_top1 == {1: 0.75, 2: 0.75, 3: 0.25}[attempt]


def test_the_past_of_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    made = make_experiment(tmp_path, tmp_path / "data", "single", "amp", "gradient-checkpointing")
    journal = Appender(made.directory / layout.SUPERVISOR_JOURNAL)
    for run in made.plan.runs:
        journal.append(RunQueued(run=run.run, strategy=run.strategy.name, seed=0))
    journal.append(RunEnded(run=RUN, attempt=1, state="done"))
    journal.append(RunEnded(run="02-amp", attempt=1, state="failed"))
    journal.append(RunStarted(run="02-amp", attempt=2, argv=("x",), pid=1))
    assert list(past.ended(made.directory)) == [RUN]
    # The rank had finished, and nobody was left to say so.
    rank = Appender(layout.rank_journal(made.directory, "02-amp", 2, 0))
    rank.append(started())
    assert past.unjudged(made.directory, "02-amp", 1) is None
    rank.append(AttemptEnded(state="done", step=1))
    assert past.unjudged(made.directory, "02-amp", 1) == "done"
    assert past.unjudged(made.directory, "02-amp", 2) is None
    second = Appender(layout.rank_journal(made.directory, "02-amp", 2, 1))
    second.append(AttemptEnded(state="done", step=1))
    assert past.unjudged(made.directory, "02-amp", 2) == "done"
    assert past.attempts(made.directory, "02-amp") == 2
    assert past.unjudged(made.directory, "03-gradient-checkpointing", 1) is None


def test_the_sampler_measures_this_node(tmp_path: Path) -> None:
    sampler = Sampler(tmp_path)
    sampler.sample()
    deadline = time.monotonic() + 0.3
    while time.monotonic() < deadline:
        pass  # Keep a core busy, so that there is something to measure.
    sampler.sample()
    sampler.close()
    node, first, second = read(layout.node_journal(tmp_path, 0))
    assert isinstance(node, NodeStarted)
    assert isinstance(first, HostSample)
    assert isinstance(second, HostSample)
    assert first.tree_cpu == 0.0
    assert second.tree_cpu is not None
    assert second.tree_cpu > 0.2
    assert second.tree_rss is not None
    assert 10 << 20 < second.tree_rss < second.memory_total == node.memory_total
    assert 0.0 <= second.cpu <= 1.0
    assert 0 < second.memory_used < second.memory_total
    assert second.disk_free


def test_requests_to_a_dead_supervisor_are_void(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.run import spawn

    made = make_experiment(tmp_path, tmp_path)
    commands.send(made.directory, "stop")
    monkeypatch.setattr(spawn, "python", lambda *_: ("false",))
    with pytest.raises(Exception, match="did not start"):
        spawn.start_supervisor(open_directory(made.directory))
    assert commands.receive(made.directory) == []
