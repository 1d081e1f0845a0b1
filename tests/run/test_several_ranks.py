"""What becomes of a run of two ranks, launched by torchrun, when something happens to them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.run.making import eventually

REPOSITORY = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(
    os.uname().sysname != "Linux", reason="that no process is left is the work of Linux"
)


def command(directory: Path, deed: str, *wishes: str) -> list[str]:
    module = [sys.executable, "-m", "tests.run.one_attempt", "--ranks", "2"]
    return [*module, str(directory), deed, *wishes]


def attempt(directory: Path, deed: str, *wishes: str) -> dict[str, Any]:
    answer = subprocess.run(
        command(directory, deed, *wishes),
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        timeout=60,
        check=True,
    )
    told: dict[str, Any] = json.loads(answer.stdout)
    assert told.pop("left") == 0
    return told


def test_the_rank_that_failed_is_blamed_though_it_cannot_end(tmp_path: Path) -> None:
    told = attempt(tmp_path, "fails")
    assert (told["state"], told["reason"]) == ("failed", "rank 1 failed: ValueError: the cause")
    assert told["detail"].startswith("Traceback")
    assert told["detail"].endswith("ValueError: the cause")


def test_the_rank_that_was_killed_is_blamed(tmp_path: Path) -> None:
    began = time.monotonic()
    told = attempt(tmp_path, "is_killed")
    assert time.monotonic() - began < 30, "torchrun alone waits so long for the other rank"
    assert told["state"] == "failed"
    assert told["reason"].startswith("rank 1 was killed by signal 9 (SIGKILL): by hand, or")
    assert told["detail"] == "last words"


def test_a_rank_that_ends_without_a_word(tmp_path: Path) -> None:
    told = attempt(tmp_path, "exits")
    assert told["reason"] == "rank 1 ended with exit code 3: last words"
    assert told["exit_code"] == 3


def test_torchrun_is_killed(tmp_path: Path) -> None:
    told = attempt(tmp_path, "kills_torchrun")
    assert told["state"] == "failed"
    assert told["reason"].startswith("torchrun was killed by signal 9 (SIGKILL)")


def test_a_rank_that_hangs(tmp_path: Path) -> None:
    told = attempt(tmp_path, "hangs", "--hang-timeout", "2")
    assert told["state"] == "failed"
    assert told["reason"] == "rank 1 stood still in step 17 (waiting for data) for 2 s"


def test_a_rank_that_is_frozen(tmp_path: Path) -> None:
    told = attempt(tmp_path, "freezes", "--hang-timeout", "2")
    assert told["state"] == "failed"
    assert told["reason"].startswith("rank 1 stood still and said nothing for 2 s; rank 0 waited")
    assert told["reason"].endswith("the process of rank 1 is stopped (SIGSTOP)")


def test_a_stop_that_finds_one_rank_waiting_for_the_other(tmp_path: Path) -> None:
    told = attempt(tmp_path, "leaves_early", "stop")
    assert told["state"] == "stopped"
    assert told["reason"] == "stopped before the first step, as asked"


@pytest.mark.parametrize(("deed", "wishes"), [("stops", ["stop"]), ("is_told_to_end", [])])
def test_a_gentle_stop(tmp_path: Path, deed: str, wishes: list[str]) -> None:
    """On request, or because somebody ends torchrun."""
    told = attempt(tmp_path, deed, *wishes)
    assert (told["state"], told["reason"]) == ("stopped", "stopped after 3 steps, as asked")


def test_what_is_wrong_for_all_is_nobodys_fault(tmp_path: Path) -> None:
    told = attempt(tmp_path, "is_given_nonsense")
    assert (told["state"], told["reason"]) == ("failed", "there are no images in /nowhere")
    assert told["exit_code"] == 2


def test_nothing_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    supervisor = psutil.Popen(command(tmp_path, "waits"), cwd=REPOSITORY)
    eventually(lambda: len(list(tmp_path.glob("worker-*"))) == 2)
    family = supervisor.children(recursive=True)
    assert len(family) == 5  # torchrun, its ranks, and a worker of each
    supervisor.kill()
    supervisor.wait(10)
    assert psutil.wait_procs(family, timeout=10)[1] == []
