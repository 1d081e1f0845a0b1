"""The lock: held by one, seen by all, gone with its process."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.errors import ExperimentError
from engine.journal.lock import OFD_LOCKS, Lock, is_held

pytestmark = pytest.mark.skipif(not OFD_LOCKS, reason="this system has no open-file locks")

HOLDER = """
import sys, time
from pathlib import Path
from engine.journal.lock import Lock
lock = Lock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def test_one_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert is_held(path) is False
    lock = Lock(path)
    assert is_held(path) is True
    with pytest.raises(ExperimentError, match="already being run"):
        Lock(path)
    lock.release()
    assert is_held(path) is False
    Lock(path).release()


def test_it_ends_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    assert is_held(path) is True
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    assert is_held(path) is False


def test_many_who_ask_at_once_never_see_each_other(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    Lock(path).release()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: is_held(path), range(4000)))
    assert answers == [False] * 4000
