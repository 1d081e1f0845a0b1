"""How busy the cores are that we may use, from one look to the next."""

from __future__ import annotations

import os
import time

import psutil

from engine import cgroup


class Busy:
    """Where a control group allows less time than its cores have, the share is of what it allows:
    what others do on the same cores takes nothing away from it."""

    def __init__(self) -> None:
        self._cpus = _schedulable()
        limit = cgroup.cpu_limit()
        less = limit is not None and limit < len(self._cpus)
        self._spent = cgroup.cpu_seconds() if less else None
        self.limit = limit if self._spent is not None else None
        """Cores' worth of time that a control group allows, where that is less than all and it
        counts what was used."""
        self._looked = time.monotonic()
        psutil.cpu_percent(percpu=True)

    def share(self) -> float:
        """Since the last look, 0..1."""
        now = time.monotonic()
        seconds, self._looked = now - self._looked, now
        if self.limit is not None and self._spent is not None:
            spent = cgroup.cpu_seconds() or self._spent
            used, self._spent = spent - self._spent, spent
            return min(1.0, max(0.0, used / (self.limit * max(seconds, 1e-3))))
        percent = psutil.cpu_percent(percpu=True)
        ours = [percent[cpu] for cpu in self._cpus if cpu < len(percent)] or percent
        return min(1.0, sum(ours) / len(ours) / 100) if ours else 0.0


def _schedulable() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))
