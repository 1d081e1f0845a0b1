"""Experiments that are really run: supervisor, ranks, torch."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import ExperimentError
from engine.experiment import Experiment
from engine.journal import layout
from engine.journal.events import Acknowledged
from engine.journal.lock import is_held
from engine.run import control, past
from engine.run.spawn import start_supervisor
from engine.summary import Summary
from tests.run.making import (
    eventually,
    has_trained,
    kind_of,
    make_experiment,
    processes,
    rank_of,
    read,
    supervisor_events,
)

SECONDS = 90.0
"""More than any of these experiments takes on a busy machine."""

GONE = 10.0
"""No process is left so many seconds after an end of any kind."""


def last_end(made: Experiment, run: str = "01-single") -> tuple[str, str, str]:
    end = past.ended(made.directory)[run]
    return end.state, end.reason, end.detail


def summary_of(made: Experiment) -> Summary:
    summary = made.summary()
    assert summary is not None
    return summary


def test_killed_retried_crashed_and_stopped(squares: Path, parent: Path) -> None:
    """One experiment through every kind of end."""
    made = make_experiment(parent, squares, epochs=10_000, lr=0.001, workers=2)
    pid = start_supervisor(made)
    assert made.state() == "running"
    assert os.getsid(pid) == pid != os.getsid(0)

    # A second one on the same directory is refused, by us and by the lock.
    with pytest.raises(ExperimentError, match="is running already"):
        start_supervisor(made)
    command = [sys.executable, "-m", "engine.run.supervise", str(made.directory)]
    second = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert second.returncode == 2
    assert "already being run by another process" in second.stderr

    # A rank that is killed: failed, with its signal named, and nothing left.
    eventually(lambda: has_trained(made, "01-single"))
    rank_of(made).kill()
    assert control.wait(made, SECONDS) == "failed"
    assert "signal 9 (SIGKILL)" in last_end(made)[1]
    assert control.exit_code(made) == 1
    eventually(lambda: not processes(made.directory), GONE)

    # Retried, and now the supervisor is killed: crashed, and its ranks die with it.
    assert control.retry(made) == ("01-single",)
    eventually(lambda: has_trained(made, "01-single", 2))
    with pytest.raises(ExperimentError, match="nothing of"):
        control.retry(made)
    eventually(lambda: summary_of(made).runs[0].epochs == 10_000, GONE)
    os.kill(summary_of(made).pid, signal.SIGKILL)
    eventually(lambda: not processes(made.directory), GONE)
    assert made.state() == "crashed"
    with pytest.raises(ExperimentError, match="not running but crashed"):
        control.stop(made)

    # Retried again, a hang-up ignored, and gently stopped: the checkpoint is there.
    control.retry(made)
    eventually(lambda: has_trained(made, "01-single", 3))
    os.kill(summary_of(made).pid, signal.SIGHUP)
    control.stop(made)
    assert control.wait(made, SECONDS) == "stopped"
    assert (made.directory / "01-single" / layout.CHECKPOINTS / "last.pt").is_file()
    journal = read(layout.rank_journal(made.directory, "01-single", 3, 0))
    assert kind_of(journal[-1]) == "AttemptEnded"
    assert control.exit_code(made) == 130
    assert not is_held(made.directory / layout.LOCK)
    eventually(lambda: not processes(made.directory), GONE)
    assert [number for number, _ in layout.attempts(made.directory / "01-single")] == [1, 2, 3]


def test_a_second_stop_is_firm_and_the_queue_is_stopped(squares: Path, parent: Path) -> None:
    made = make_experiment(parent, squares, "single", "amp", epochs=10_000)
    start_supervisor(made)
    eventually(lambda: "RunStarted" in supervisor_events(made))
    control.stop(made)
    control.stop(made)
    assert control.wait(made, SECONDS) == "stopped"
    assert last_end(made, "02-amp")[:2] == ("stopped", "its turn had not come")
    assert last_end(made)[0] == "stopped"
    assert supervisor_events(made).count("RunStarted") == 1
    eventually(lambda: not processes(made.directory), GONE)


def test_one_run_is_stopped_and_the_other_goes_on(squares: Path, parent: Path) -> None:
    names = ("single", "amp", "gradient-checkpointing")
    made = make_experiment(parent, squares, *names, epochs=10_000, max_steps=2)
    start_supervisor(made)
    eventually(lambda: "RunStarted" in supervisor_events(made))
    control.stop_run(made, "02-amp")
    control.stop_run(made, "01-single")
    control.stop_run(made, "09-none")
    assert control.wait(made, SECONDS) == "stopped"
    states = {run: end.state for run, end in past.ended(made.directory).items()}
    assert states == {
        "01-single": "stopped",
        "02-amp": "stopped",
        "03-gradient-checkpointing": "done",
    }
    events = past.events(made.directory)
    answers = [event.refused for event in events if isinstance(event, Acknowledged)]
    assert answers == ["", "", "09-none does not wait in the queue"]


def test_nothing_trains_on_without_the_experiment_s_folder(squares: Path, parent: Path) -> None:
    made = make_experiment(parent, squares, epochs=10_000)
    start_supervisor(made)
    eventually(lambda: "RunStarted" in supervisor_events(made))

    def is_removed() -> bool:
        # While it is removed, whoever trains may still put a file into it.
        shutil.rmtree(made.directory, ignore_errors=True)
        return not made.directory.exists()

    eventually(is_removed, GONE)
    assert made.state() == "crashed"
    eventually(lambda: not processes(made.directory), GONE)


def test_wrong_input_is_told_from_failure(parent: Path, tmp_path: Path) -> None:
    made = make_experiment(parent, tmp_path / "gone", "single")
    start_supervisor(made)
    assert control.wait(made, SECONDS) == "failed"
    assert "gone" in last_end(made)[1]
    assert control.exit_code(made) == 2


def test_a_supervisor_that_does_not_come_up_says_why(parent: Path, tmp_path: Path) -> None:
    made = make_experiment(parent, tmp_path)
    (made.directory / layout.PLAN).write_text("{}")
    with pytest.raises(ExperimentError, match=r"did not start: .*damaged or of another version"):
        start_supervisor(made)


def test_the_supervisor_imports_neither_torch_nor_a_screen() -> None:
    code = (
        "import sys, engine.run.supervise, engine.run.control, engine.run.host\n"
        "print([name for name in ('torch', 'textual', 'rich', 'numpy') if name in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"
