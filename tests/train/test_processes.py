"""What only a process of its own can show: signals, deaths, exit codes, and what is imported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import psutil
import pytest
import torch

from engine.journal.events import AttemptEnded, AttemptStarted, Phase
from engine.plan.machine import Machine
from engine.plan.runs import RunPlan
from tests.train.making import arguments, column, journal, lay_out, plan

ENDLESS = 100_000
"""More epochs than any test has time for."""

Popen = subprocess.Popen[bytes]
Start = Callable[..., Popen]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts ranks; none of them outlives the test."""
    started: list[Popen] = []

    def run(made: RunPlan, *, through: tuple[str, ...] = ()) -> Popen:
        command = [sys.executable, *through, "-m", "engine.train", "fit"]
        environment = {**os.environ, "RESNET_TUI_PARENT": str(os.getpid())}
        if through:
            environment.pop("RESNET_TUI_PARENT")
        process = subprocess.Popen(
            [*command, *arguments(tmp_path, made)],
            env=environment,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def _until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def _end(experiment: Path, made: RunPlan) -> AttemptEnded:
    last = journal(experiment, made)[-1]
    assert isinstance(last, AttemptEnded)
    return last


@pytest.mark.parametrize("way", ["signal", "file"])
def test_a_stop_saves_and_ends_well(tmp_path: Path, pictures: Path, start: Start, way: str) -> None:
    made = lay_out(tmp_path, plan(pictures, epochs=ENDLESS, workers=1))
    rank = start(made)
    _until(lambda: len(column(journal(tmp_path, made), "loss")) >= 3)
    children = psutil.Process(rank.pid).children()
    assert children
    if way == "signal":
        rank.send_signal(signal.SIGTERM)
    else:
        (tmp_path / made.run / "attempt-1" / "stop").touch()
    assert rank.wait(30) == 0
    end = _end(tmp_path, made)
    assert end.state == "stopped"
    rows = column(journal(tmp_path, made), "loss")
    assert sorted(rows) == list(range(end.step))
    saved = torch.load(tmp_path / made.run / "checkpoints" / "last.pt", weights_only=True)
    assert saved["step"] == end.step
    _until(lambda: not any(each.is_running() for each in children), 10)


def test_a_stop_in_start_up_ends_at_once(tmp_path: Path, pictures: Path, start: Start) -> None:
    made = lay_out(tmp_path, plan(pictures))
    rank = start(made)
    _until(lambda: any(isinstance(each, Phase) for each in journal(tmp_path, made)))
    first = journal(tmp_path, made)[0]
    assert isinstance(first, AttemptStarted)
    assert first.pid == rank.pid
    rank.send_signal(signal.SIGTERM)
    assert rank.wait(20) == 0
    end = _end(tmp_path, made)
    assert (end.state, end.step) == ("stopped", 0)
    assert end.reason == "stopped before the first step, as asked"


_LAUNCHER = """
import os, subprocess, sys, time
environment = {**os.environ, "RESNET_TUI_PARENT": str(os.getpid())}
subprocess.Popen([sys.executable, *sys.argv[1:]], env=environment, start_new_session=True)
time.sleep(600)
"""


def test_nothing_outlives_a_killed_supervisor(tmp_path: Path, pictures: Path, start: Start) -> None:
    made = lay_out(tmp_path, plan(pictures, epochs=ENDLESS, workers=2))
    supervisor = start(made, through=("-c", _LAUNCHER))
    _until(lambda: len(column(journal(tmp_path, made), "loss")) >= 1)
    family = psutil.Process(supervisor.pid).children(recursive=True)
    assert len(family) == 3  # the rank and its two workers
    supervisor.kill()
    _until(lambda: not any(each.is_running() for each in family), 10)


def test_a_rank_whose_supervisor_is_gone_does_not_begin(tmp_path: Path, pictures: Path) -> None:
    made = lay_out(tmp_path, plan(pictures))
    command = [sys.executable, "-m", "engine.train", "fit", *arguments(tmp_path, made)]
    gone = subprocess.run(
        command,
        env={**os.environ, "RESNET_TUI_PARENT": "1"},
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert gone.returncode == 1
    assert b"is not my parent" in gone.stderr
    assert journal(tmp_path, made) == []


def test_wrong_input_prints_one_sentence(tmp_path: Path, start: Start) -> None:
    made = lay_out(tmp_path, plan(tmp_path / "nowhere"))
    rank = start(made)
    _, errors = rank.communicate(timeout=60)
    assert rank.returncode == 2
    assert "nowhere" in errors.decode()
    assert "Traceback" not in errors.decode()
    assert _end(tmp_path, made).state == "failed"


def test_the_probe_answers_in_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "engine.train", "probe"], capture_output=True, timeout=60, check=True
    )
    machine = msgspec.json.decode(done.stdout.splitlines()[-1], type=Machine)
    assert machine.torch == torch.__version__
    assert machine.problem == ""
    assert machine.cores >= 1
    assert machine.cpu_name


def test_a_broken_torch_is_a_problem_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise OSError('libcudart.so.99: no such file')")
    done = subprocess.run(
        [sys.executable, "-m", "engine.train", "probe"],
        capture_output=True,
        timeout=60,
        check=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    answer = json.loads(done.stdout)
    assert "libcudart.so.99: no such file" in answer["problem"]
    assert answer["devices"] == []


def test_no_torch_before_the_first_lines_of_the_journal() -> None:
    code = "import sys, engine.train.__main__, engine.train.fit; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
