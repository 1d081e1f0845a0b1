"""Which processes belong to an experiment, for "nothing is left behind"."""

from __future__ import annotations

import time
from pathlib import Path

import psutil


def of_experiment(directory: Path) -> list[psutil.Process]:
    """Every living process whose command line names the experiment, and all their children."""
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            if any(str(directory) in word for word in process.cmdline()):
                found[process.pid] = process
                found.update({child.pid: child for child in process.children(recursive=True)})
        except psutil.Error:
            continue
    return list(found.values())


def wait_until_gone(processes: list[psutil.Process], seconds: float = 10) -> list[str]:
    """Waits for all to end; returns the command lines of those that did not."""
    end = time.monotonic() + seconds
    left = processes
    while left and time.monotonic() < end:
        left = [each for each in left if _lives(each)]
        time.sleep(0.1)
    return [f"{each.pid}: {' '.join(each.cmdline())}" for each in left if _lives(each)]


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
