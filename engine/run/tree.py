"""What the supervisor and all that comes from it use: loader workers included."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import psutil

_Key = tuple[int, float]
"""Pid and time of birth: pids come again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Since the last look, or now."""

    cpu: float
    """Cores busy."""
    rss: int
    """Resident bytes, summed over processes: what several share counts once for each."""
    pss: int | None
    """The same with shared pages split between those that share them; ``None``: not looked at."""
    read: float | None
    """Bytes per second read from disks; ``None`` where the system does not tell, or at first."""


class Tree:
    """The processes from this one on. Rates are from one look to the next.

    What a process does between the last look and its end is missed; one that is new is charged with
    all it did since it began.

    To split shared pages between processes (PSS), the system walks all of them, and meanwhile the
    process can map no memory. For a rank with 2 GB that took 45 ms of a core, and an mmap of a
    process of 1.5 GB waited 80 ms and more instead of 0.1: the step waits for its observer.
    """

    def __init__(self) -> None:
        self._root = psutil.Process()
        self._spent: dict[_Key, float] = {}
        self._read: dict[_Key, int] = {}
        self.looked: float | None = None
        """When, by the monotonic clock."""

    def look(self, *, split: bool = False) -> Use:
        """``split``: shared pages are told apart as well, which costs: see above."""
        now = time.monotonic()
        spent: dict[_Key, float] = {}
        read: dict[_Key, int] = {}
        rss, pss = 0, 0
        for process in (self._root, *self._root.children(recursive=True)):
            try:
                with process.oneshot():
                    key = process.pid, process.create_time()
                    times = process.cpu_times()
                    rss += process.memory_info().rss
                    spent[key] = times.user + times.system
            except psutil.Error:
                continue
            if (counted := _read_bytes(process)) is not None:
                read[key] = counted
            if split:
                pss += _pss(process)
        seconds = None if self.looked is None else max(now - self.looked, 1e-3)
        busy = sum(after - self._spent.get(key, 0.0) for key, after in spent.items())
        grown = sum(after - self._read.get(key, 0) for key, after in read.items())
        known = seconds is not None and bool(read)
        use = Use(
            cpu=max(0.0, busy) / seconds if seconds else 0.0,
            rss=rss,
            pss=pss or None,
            read=max(0, grown) / seconds if known and seconds else None,
        )
        self._spent, self._read, self.looked = spent, read, now
        return use


def _read_bytes(process: psutil.Process) -> int | None:
    """What the disks gave it, without what was in the page cache."""
    if not hasattr(process, "io_counters"):
        return None
    try:
        return int(process.io_counters().read_bytes)
    except (psutil.Error, OSError, NotImplementedError):
        return None


def _pss(process: psutil.Process) -> int:
    """Bytes; 0 where the system does not tell."""
    try:
        told = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0
    words = (line.split() for line in told.splitlines() if line.startswith("Pss:"))
    return sum(1024 * int(number) for _, number, *_ in words)
