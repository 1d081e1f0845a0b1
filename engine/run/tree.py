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


def resident(root: int, *, split: bool = False) -> int:
    """Bytes that a process and all that comes from it hold now; ``split``: see ``Tree.look``."""
    return sum(_pss(each) if split else _rss(each) for each in _all(root))


def fullest(root: int) -> int:
    """Bytes that these processes held at most, as far as that can be told: the sum of what each
    held at its own fullest moment, less what they share now."""
    found = 0
    for each in _all(root):
        told = _told(each, "smaps_rollup")
        most = _told(each, "status").get("VmHWM") or _rss(each)
        found += max(0, most - told.get("Rss", 0) + told.get("Pss", 0))
    return found


def _all(root: int) -> list[psutil.Process]:
    try:
        first = psutil.Process(root)
        return [first, *first.children(recursive=True)]
    except psutil.Error:
        return []


def _rss(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


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
    return _told(process, "smaps_rollup").get("Pss", 0)


def _told(process: psutil.Process, file: str) -> dict[str, int]:
    """The sizes in a file that Linux has of a process, in bytes; none where it has not."""
    try:
        told = Path(f"/proc/{process.pid}/{file}").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    found = (line.split() for line in told.splitlines() if line.endswith(" kB"))
    return {name.rstrip(":"): 1024 * int(number) for name, number, _ in found}
