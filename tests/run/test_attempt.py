"""Attempts whose rank is a few lines of Python that behave badly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

REPOSITORY = Path(__file__).parents[2]

CLOSES = """
import sys
from pathlib import Path
from engine.journal import layout
from engine.journal.events import AttemptEnded
from engine.journal.files import Appender
def close(state, **more):
    journal = Appender(layout.rank_journal(Path(sys.argv[1]), "01-single", 1, 0))
    journal.append(AttemptEnded(state=state, step=3, **more))
"""
LEAVES_A_PROCESS = """
import subprocess
child = subprocess.Popen(["sleep", "300"], start_new_session=True)
(Path(sys.argv[1]) / "child").write_text(str(child.pid))
"""
IGNORES = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
(pathlib.Path(sys.argv[1]) / "ready").touch()
time.sleep(300)
"""


def attempt(directory: Path, code: str, *wishes: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.run.one_attempt", str(directory), code, *wishes]
    answer = subprocess.run(command, cwd=REPOSITORY, capture_output=True, timeout=60, check=True)
    told: dict[str, Any] = json.loads(answer.stdout)
    return told


def test_a_process_that_a_rank_left_behind_is_ended(tmp_path: Path) -> None:
    told = attempt(tmp_path, CLOSES + LEAVES_A_PROCESS + "close('done')")
    assert told == {"state": "done", "reason": "", "detail": "", "exit_code": None, "left": 0}
    assert not psutil.pid_exists(int((tmp_path / "child").read_text()))


def test_a_rank_that_hangs_after_its_last_word_is_ended(tmp_path: Path) -> None:
    told = attempt(tmp_path, CLOSES + "close('done')\nimport time; time.sleep(300)")
    assert told["state"] == "done"


def test_a_rank_that_does_not_listen_is_ended(tmp_path: Path) -> None:
    told = attempt(tmp_path, IGNORES, "stop", "--patience", "0.5")
    assert told["state"] == "stopped"
    assert told["reason"] == "killed: it had not ended 0.5 s after it was asked to"


def test_a_rank_that_dies_without_a_word(tmp_path: Path) -> None:
    told = attempt(tmp_path, "import os; print('last words', flush=True); os.abort()")
    assert told["state"] == "failed"
    assert "signal 6 (SIGABRT)" in told["reason"]
    assert told["detail"] == "last words"


@pytest.mark.skipif(os.uname().sysname != "Linux", reason="the system's help is Linux's")
def test_a_rank_dies_with_its_supervisor(tmp_path: Path) -> None:
    code = IGNORES + "# and its supervisor is killed"
    command = [sys.executable, "-m", "tests.run.one_attempt", str(tmp_path), code]
    supervisor = psutil.Popen(command, cwd=REPOSITORY)
    while not (tmp_path / "ready").exists():
        assert supervisor.poll() is None
    (rank,) = supervisor.children()
    supervisor.kill()
    supervisor.wait(10)
    assert psutil.wait_procs([rank], timeout=10)[1] == []
