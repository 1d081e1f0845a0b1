"""How ``train`` ends when things do not go well: exit codes, last words, nothing left behind."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.experiment import Experiment
from engine.lookup import known
from tests.cli.conftest import COMMAND, TINY, call
from tests.run.making import eventually, make_dataset, processes

LONG = ("--epochs", "10000", "--backup-epochs", "0", *TINY)


def only(parent: Path) -> Experiment:
    (experiment,) = known(parent)
    return experiment


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """Images with a sound header and nothing behind it."""
    folder = make_dataset(tmp_path / "[red]damaged[/nope]", images=4)
    for path in folder.glob("train/*/*.png"):
        path.write_bytes(path.read_bytes()[:60])
    return folder


def test_a_failed_training_on_a_terminal(damaged: Path, parent: Path) -> None:
    main, inner = pty.openpty()
    process = subprocess.Popen(
        [COMMAND, "train", str(damaged), *TINY],
        stdin=subprocess.DEVNULL,
        stdout=inner,
        stderr=inner,
    )
    os.close(inner)
    shown = b""
    try:
        while data := os.read(main, 65536):
            shown += data
    except OSError:
        pass  # The other side is closed.
    os.close(main)
    assert process.wait(30) == 1
    text = shown.decode()
    assert "importing torch" in text
    assert "\x1b[" in text, "a bar was drawn"
    assert "single failed: more than 1 % of the 8 training images cannot be decoded" in text
    assert "Traceback" not in text


def test_ctrl_c_stops_the_experiment(squares: Path, parent: Path) -> None:
    # The bare command trains as well where standard output is no terminal.
    command = [COMMAND, str(squares), "--strategy", "single,amp", *LONG]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Ctrl+C again stops at once" in rest
    assert "amp     stopped: its turn had not come" in rest
    assert only(parent).state() == "stopped"
    eventually(lambda: not processes(parent), 10)


@pytest.fixture
def hang_ups() -> Iterator[None]:
    """SIGHUP ends what is started here, also where the tests themselves run under ``nohup``."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hang_ups")
def test_a_hang_up_does_not_stop_it_and_stop_does(squares: Path, parent: Path) -> None:
    process = subprocess.Popen(
        [COMMAND, "train", str(squares), *LONG], stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    os.killpg(process.pid, signal.SIGHUP)
    process.wait(10)
    process.stdout.close()
    experiment = only(parent)
    assert experiment.state() == "running"
    assert call("status").stdout.startswith(f"{experiment.name} running: single (1 of 1)")

    # Whoever only looks on does not stop it either.
    onlooker = subprocess.Popen([COMMAND, "attach"], stdout=subprocess.PIPE, text=True)
    assert onlooker.stdout is not None
    onlooker.stdout.readline()
    onlooker.send_signal(signal.SIGINT)
    rest, _ = onlooker.communicate(timeout=30)
    assert onlooker.returncode == 130
    assert f"resnet-tui stop {experiment.name}" in rest
    assert experiment.state() == "running"

    answer = call("stop", cwd=parent.parent)
    assert answer.returncode == 0
    assert answer.stdout.splitlines()[-2:] == [
        f"{experiment.name} is stopped",
        f"  go on with it   resnet-tui resume {experiment.name}",
    ]
    eventually(lambda: not processes(parent), 10)


def test_json_is_plain_events_and_nothing_else(squares: Path, parent: Path) -> None:
    answer = call("train", squares, "--epochs", "1", "--max-steps", "3", *TINY, "--json")
    assert answer.returncode == 0, answer.stderr
    events = [json.loads(line) for line in answer.stdout.splitlines()]
    kinds = [event["type"] for event in events]
    assert kinds[0] == "supervisor-started"
    for kind in ("run-queued", "attempt-started", "phase", "ready", "validated", "run-ended"):
        assert kind in kinds
    steps = [event for event in events if event["type"] == "steps"]
    losses = [loss for event in steps for loss in event["metrics"]["loss"]]
    assert len(losses) == 3
    assert all(isinstance(loss, float) and 0 < loss < 100 for loss in losses)
    assert {(each["run"], each["attempt"], each["rank"]) for each in steps} == {("01-single", 1, 0)}


def test_detach_says_how_to_come_back(squares: Path, parent: Path) -> None:
    answer = call("train", squares, *LONG, "--detach")
    experiment = only(parent)
    assert answer.returncode == 0
    assert f"resnet-tui attach {experiment.name}" in answer.stdout
    assert call("stop", "--now").returncode == 0
    assert experiment.state() == "stopped"
