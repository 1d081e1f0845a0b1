"""Samples of this node, once a second: cores, memory, disk, and this experiment's own share."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import psutil

from engine import cgroup
from engine.errors import JournalError
from engine.journal import layout
from engine.journal.events import HostSample, NodeStarted
from engine.journal.files import Appender, writer_fields
from engine.run import host

PERIOD = 1.0


class Sampler:
    """Appends to the node's journal. Shares are measured from one sample to the next."""

    def __init__(self, experiment: Path, node: int = 0) -> None:
        self._directory = experiment
        self._journal = Appender(layout.node_journal(experiment, node))
        self._supervisor = psutil.Process()
        self._cpus = _schedulable()
        self._limit = cgroup.memory_limit()
        self._spent: dict[tuple[int, float], float] = {}
        self._last = time.monotonic()
        self.disk_free: int | None = None
        psutil.cpu_percent(percpu=True)
        self._journal.append(
            NodeStarted(
                **writer_fields(),
                node=node,
                cores=host.cores(),
                memory_total=self._memory()[1],
                machine=host.machine_name(),
            )
        )

    @property
    def due(self) -> bool:
        return time.monotonic() - self._last >= PERIOD

    def sample(self) -> None:
        """Measures and appends one sample; without a disk to write to, it is lost."""
        now = time.monotonic()
        seconds, self._last = now - self._last, now
        used, total = self._memory()
        tree_cpu, tree_rss = self._tree(seconds)
        self.disk_free = _disk_free(self._directory)
        sample = HostSample(
            cpu=self._cpu(),
            memory_used=used,
            memory_total=total,
            tree_cpu=tree_cpu,
            tree_rss=tree_rss,
            disk_free=self.disk_free,
        )
        try:
            self._journal.append(sample)
        except JournalError:
            return

    def close(self) -> None:
        self._journal.close()

    def _cpu(self) -> float:
        """Share of the cores that this process may use which were busy."""
        percent = psutil.cpu_percent(percpu=True)
        ours = [percent[cpu] for cpu in self._cpus if cpu < len(percent)] or percent
        return min(1.0, sum(ours) / len(ours) / 100) if ours else 0.0

    def _memory(self) -> tuple[int, int]:
        """Used and total bytes; of the control group where that is what limits us."""
        memory = psutil.virtual_memory()
        if self._limit is not None and self._limit < memory.total:
            used = cgroup.memory_used()
            if used is not None:
                return used, self._limit
        return memory.total - memory.available, memory.total

    def _tree(self, seconds: float) -> tuple[float, int]:
        """Cores busy with, and memory resident in, the supervisor and all that comes from it."""
        spent: dict[tuple[int, float], float] = {}
        rss = 0
        for process in (self._supervisor, *self._supervisor.children(recursive=True)):
            try:
                with process.oneshot():
                    times = process.cpu_times()
                    rss += process.memory_info().rss
                    spent[process.pid, process.create_time()] = times.user + times.system
            except psutil.Error:
                continue
        # A process that is new here spent all its time since the last sample.
        busy = sum(after - self._spent.get(key, 0.0) for key, after in spent.items())
        first = not self._spent
        self._spent = spent
        return (0.0 if first else max(0.0, busy) / max(seconds, 1e-3)), rss


def _disk_free(directory: Path) -> int | None:
    try:
        return shutil.disk_usage(directory).free
    except OSError:
        return None


def _schedulable() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))
