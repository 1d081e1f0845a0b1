"""What the control group (container, cluster job) of this process allows and has counted.

Both hierarchies of Linux are read; elsewhere, and where nothing is limited, all answers are
"no limit". The smallest limit on the way up to the root counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_UNLIMITED = 1 << 60
"""Version 1 writes "no limit" as a number about this large."""


def cpu_limit(root: Path = _ROOT, own: str | None = None) -> float | None:
    """Cores' worth of time per second; ``None`` without a limit."""
    limits = []
    for directory in _directories(root, "cpu", own):
        words = _words(directory / "cpu.max") or [
            *_words(directory / "cpu.cfs_quota_us"),
            *_words(directory / "cpu.cfs_period_us"),
        ]
        if len(words) == 2 and words[0] not in ("max", "-1"):
            limits.append(float(words[0]) / float(words[1]))
    return min(limits, default=None)


def cpu_seconds(root: Path = _ROOT, own: str | None = None) -> float | None:
    """Core seconds that this group has used since it was made; ``None`` where nobody counts."""
    for directory in _directories(root, "cpu", own):
        if used := _counter(directory / "cpu.stat", "usage_usec"):
            return used / 1e6
    for directory in _directories(root, "cpuacct", own):
        if words := _words(directory / "cpuacct.usage"):
            return int(words[0]) / 1e9
    return None


def memory_limit(root: Path = _ROOT, own: str | None = None) -> int | None:
    """Bytes; ``None`` without a limit."""
    limits = (
        int(word)
        for directory in _directories(root, "memory", own)
        for name in ("memory.max", "memory.limit_in_bytes")
        for word in _words(directory / name)
        if word != "max"
    )
    return min((limit for limit in limits if limit < _UNLIMITED), default=None)


def memory_used(root: Path = _ROOT, own: str | None = None) -> int | None:
    """Bytes that count against the limit, without file cache that can be dropped."""
    for directory in _directories(root, "memory", own):
        for name, cache in (
            ("memory.current", "inactive_file"),
            ("memory.usage_in_bytes", "total_inactive_file"),
        ):
            if words := _words(directory / name):
                return max(0, int(words[0]) - _counter(directory / "memory.stat", cache))
    return None


def oom_kills(root: Path = _ROOT, own: str | None = None) -> int:
    """How often the system killed a process of this group, because memory ran out."""
    return max(
        (
            _counter(directory / name, "oom_kill")
            for directory in _directories(root, "memory", own)
            for name in ("memory.events", "memory.oom_control")
        ),
        default=0,
    )


def whole_cores(limit: float | None, schedulable: int) -> int:
    """Cores to plan with: what may be scheduled on, cut to a time limit rounded up."""
    if limit is None:
        return max(1, schedulable)
    return max(1, min(schedulable, math.ceil(limit)))


def _directories(root: Path, controller: str, own: str | None) -> Iterator[Path]:
    """The directories of this process's group and those above it, the nearest first."""
    if own is None:
        own = _read(Path("/proc/self/cgroup"))
    for line in own.splitlines():
        _, controllers, place = (*line.split(":", 2), "", "")[:3]
        if controllers and controller not in controllers.split(","):
            continue
        base = root / controller if controllers else root
        inside = base / place.lstrip("/")
        # In a container the path is often that of the host, and only the root is there.
        yield from dict.fromkeys([inside, *_parents(inside, base), base])


def _parents(path: Path, base: Path) -> list[Path]:
    return [each for each in path.parents if each.is_relative_to(base)]


def _words(path: Path) -> list[str]:
    return _read(path).split()


def _counter(path: Path, name: str) -> int:
    for line in _read(path).splitlines():
        key, _, value = line.partition(" ")
        if key == name and value.strip().isdigit():
            return int(value)
    return 0


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
