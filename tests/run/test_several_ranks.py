"""What becomes of a run of two ranks, launched by torchrun, when something happens to them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
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


def attempt(directory: Path, deed: str, wishes: tuple[str, ...]) -> dict[str, Any]:
    began = time.monotonic()
    answer = subprocess.run(
        command(directory, deed, *wishes),
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        timeout=60,
        check=True,
    )
    told: dict[str, Any] = json.loads(answer.stdout)
    return {**told, "seconds": time.monotonic() - began}


@pytest.fixture(scope="module")
def attempts(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[dict[str, Any]]]]:
    """What the tests that were chosen ask for, by deed: two at a time, for half of each is waiting
    for one process to start."""
    marks = [item.get_closest_marker("attempt") for item in request.session.items]
    asked = {mark.args[0]: mark.args[1:] for mark in marks if mark is not None}
    with ThreadPoolExecutor(2) as pool:
        yield {
            deed: pool.submit(attempt, tmp_path_factory.mktemp(deed), deed, wishes)
            for deed, wishes in asked.items()
        }


@pytest.fixture
def told(
    request: pytest.FixtureRequest, attempts: dict[str, Future[dict[str, Any]]]
) -> dict[str, Any]:
    """The verdict on the attempt that the test is marked with."""
    verdict = attempts[request.node.get_closest_marker("attempt").args[0]].result()
    assert verdict["left"] == 0
    return verdict


@pytest.mark.attempt("fails")
def test_the_rank_that_failed_is_blamed_though_it_cannot_end(told: dict[str, Any]) -> None:
    assert (told["state"], told["reason"]) == ("failed", "rank 1 failed: ValueError: the cause")
    assert told["detail"].startswith("Traceback")
    assert told["detail"].endswith("ValueError: the cause")


@pytest.mark.attempt("is_killed")
def test_the_rank_that_was_killed_is_blamed(told: dict[str, Any]) -> None:
    assert told["seconds"] < 30, "torchrun alone waits so long for the other rank"
    assert told["state"] == "failed"
    assert told["reason"].startswith("rank 1 was killed by signal 9 (SIGKILL): by hand, or")
    assert told["detail"] == "last words"


@pytest.mark.attempt("exits")
def test_a_rank_that_ends_without_a_word(told: dict[str, Any]) -> None:
    assert told["reason"] == "rank 1 ended with exit code 3: last words"
    assert told["exit_code"] == 3


@pytest.mark.attempt("kills_torchrun")
def test_torchrun_is_killed(told: dict[str, Any]) -> None:
    assert told["state"] == "failed"
    assert told["reason"].startswith("torchrun was killed by signal 9 (SIGKILL)")


@pytest.mark.attempt("hangs", "--hang-timeout", "2")
def test_a_rank_that_hangs(told: dict[str, Any]) -> None:
    assert told["state"] == "failed"
    assert told["reason"] == "rank 1 stood still in step 17 (waiting for data) for 2 s"


@pytest.mark.attempt("freezes", "--hang-timeout", "2")
def test_a_rank_that_is_frozen(told: dict[str, Any]) -> None:
    assert told["state"] == "failed"
    assert told["reason"].startswith("rank 1 stood still and said nothing for 2 s; rank 0 waited")
    assert told["reason"].endswith("the process of rank 1 is stopped (SIGSTOP)")


@pytest.mark.attempt("leaves_early", "stop")
def test_a_stop_that_finds_one_rank_waiting_for_the_other(told: dict[str, Any]) -> None:
    assert told["state"] == "stopped"
    assert told["reason"] == "stopped before the first step, as asked"


@pytest.mark.attempt("stops", "stop")
def test_a_gentle_stop(told: dict[str, Any]) -> None:
    assert (told["state"], told["reason"]) == ("stopped", "stopped after 3 steps, as asked")


@pytest.mark.attempt("is_told_to_end")
def test_a_gentle_stop_because_somebody_ends_torchrun(told: dict[str, Any]) -> None:
    assert (told["state"], told["reason"]) == ("stopped", "stopped after 3 steps, as asked")


@pytest.mark.attempt("is_given_nonsense")
def test_what_is_wrong_for_all_is_nobodys_fault(told: dict[str, Any]) -> None:
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
