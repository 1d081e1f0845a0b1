"""A real training of two ranks: killed, retried and gently stopped."""

from __future__ import annotations

from pathlib import Path

from engine.experiment import Experiment
from engine.journal import layout
from engine.journal.events import AttemptEnded, RunStarted
from engine.run import control, past
from engine.run.spawn import start_supervisor
from tests.run.making import eventually, has_trained, make_experiment, processes, rank_of, read

RUN = "01-ddp"
SECONDS = 120.0
GONE = 10.0


def last_words(made: Experiment, attempt: int) -> list[object]:
    """The last event of each rank."""
    return [read(layout.rank_journal(made.directory, RUN, attempt, rank))[-1] for rank in (0, 1)]


def test_killed_retried_and_stopped(squares: Path, parent: Path) -> None:
    made = make_experiment(
        parent, squares, "ddp", nproc=2, epochs=10_000, lr=0.001, workers=2, hang_timeout=60.0
    )
    start_supervisor(made)
    eventually(lambda: has_trained(made, RUN), SECONDS)
    launched = [each for each in past.events(made.directory) if isinstance(each, RunStarted)]
    assert "--nproc-per-node=2" in launched[0].argv
    torchrun = rank_of(made)
    assert torchrun.pid == launched[0].pid

    # One rank is killed: it is blamed, not the one that lost it.
    rank, worker = torchrun.children()[0], torchrun.children()[1].children()[0]
    assert worker.is_running()
    rank.kill()
    assert control.wait(made, SECONDS) == "failed"
    end = past.ended(made.directory)[RUN]
    number = next(n for n in (0, 1) if not isinstance(last_words(made, 1)[n], AttemptEnded))
    assert end.reason.startswith(f"rank {number} was killed by signal 9 (SIGKILL)")
    assert end.exit_code == -9
    eventually(lambda: not processes(made.directory), GONE)
    assert not worker.is_running()

    # Again, and stopped: agreed by both ranks after the same step, with a checkpoint.
    control.retry(made)
    eventually(lambda: has_trained(made, RUN, 2), SECONDS)
    control.stop(made)
    assert control.wait(made, SECONDS) == "stopped"
    first, second = last_words(made, 2)
    assert isinstance(first, AttemptEnded)
    assert isinstance(second, AttemptEnded)
    assert (first.state, second.state) == ("stopped", "stopped")
    assert first.step == second.step > 0
    assert past.ended(made.directory)[RUN].reason == f"stopped after {first.step} steps, as asked"
    assert (made.directory / RUN / layout.CHECKPOINTS / "last.pt").is_file()
    eventually(lambda: not processes(made.directory), GONE)
