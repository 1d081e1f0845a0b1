"""Ties between a process and its children: who ends with whom, and who takes over orphans.

Linux only; elsewhere these do nothing, and a rank notices by itself that its parent is gone.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

import psutil

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

# Looked up before any fork: between fork and exec only the call itself may happen.
_prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None


def adopt_orphans() -> None:
    """Makes this process the parent of its descendants whose own parent ends."""
    if _prctl is not None:
        _prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with(parent: int) -> None:
    """For a child before its exec: SIGKILL when the launching thread of ``parent`` ends."""
    if _prctl is None:
        return
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


_spared: set[int] = set()


def spare(pid: int) -> None:
    """Takes a child of our own, which outlives runs, out of ``descendants`` until ``forget``."""
    _spared.add(pid)


def forget(pid: int) -> None:
    _spared.discard(pid)


def descendants() -> list[psutil.Process]:
    """Every living process that comes from this one, but those that are spared."""
    found = psutil.Process().children(recursive=True)
    return [each for each in found if each.pid not in _spared and _alive(each)]


def lives(pid: int) -> bool:
    """Whether there is such a process, and it has not ended: a zombie has."""
    try:
        return _alive(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return False


def condition(pid: int | None) -> str:
    """What keeps a process from running, as the end of a sentence; else nothing."""
    if pid is None:
        return ""
    try:
        status = psutil.Process(pid).status()
    except psutil.NoSuchProcess:
        return ""
    return {
        psutil.STATUS_STOPPED: "is stopped (SIGSTOP)",
        psutil.STATUS_TRACING_STOP: "is held by a debugger",
        psutil.STATUS_DISK_SLEEP: "waits for a disk or a device that does not answer",
    }.get(status, "")


def send(pid: int, number: signal.Signals) -> None:
    """A signal to a process that may be gone."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def kill(processes: list[psutil.Process]) -> None:
    for each in processes:
        try:
            each.kill()
        except psutil.Error:
            continue  # Gone already; or (macOS) a zombie, which nobody may kill.


def reap() -> None:
    """Takes the exit status of adopted orphans, so that none stays a zombie.

    Only for when no ``Popen`` of this process waits for a child whose exit status matters: it would
    lose it (and say 0).
    """
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
