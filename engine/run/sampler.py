"""Samples of this node: cores, memory, disk, this experiment's own share, and its GPUs."""

from __future__ import annotations

import math
import os
import shutil
import time
from collections.abc import Collection, Mapping
from pathlib import Path

import psutil

from engine import cgroup
from engine.errors import JournalError
from engine.journal import layout
from engine.journal.events import Event, GpuFacts, GpuSample, HostSample, NodeStarted, Notice
from engine.journal.files import Appender, writer_fields
from engine.plan.text import clean
from engine.run import host
from engine.run.busy import Busy
from engine.run.gpu_alarms import GpuAlarms
from engine.run.gpus import Gpus
from engine.run.ownership import Ownership, numbered_otherwise
from engine.run.tree import Tree

PERIOD = "RESNET_TUI_SAMPLE_SECONDS"
"""Environment variable: seconds between two samples of host and GPUs, 0.2 to 60 (default 1)."""

TIGHT = 0.8
"""Share of the memory in use from which on it matters how much of it is really ours."""
_SPLIT_EVERY = 60.0
"""Seconds between two looks at that, which disturb the training: see ``tree``."""


def period(environment: Mapping[str, str]) -> float:
    """Seconds between two samples: what the user set, within bounds; 1 where it is no number."""
    try:
        seconds = float(environment.get(PERIOD, "1"))
    except ValueError:
        return 1.0
    return min(60.0, max(0.2, seconds)) if math.isfinite(seconds) else 1.0


def unusable(environment: Mapping[str, str]) -> list[Notice]:
    """Says so where the user's period is not what is taken."""
    asked = environment.get(PERIOD, "1")
    try:
        if float(asked) == period(environment):
            return []
    except ValueError:
        pass
    text = (
        f"{PERIOD}={clean(asked)} is no number from 0.2 to 60; "
        f"GPUs and the machine are sampled every {period(environment):g} s"
    )
    return [Notice(level="warning", text=text, code="setup")]


class Sampler:
    """Appends to the node's journal. Shares are measured from one sample to the next."""

    def __init__(self, experiment: Path, node: int = 0) -> None:
        """To be made in the main thread: the process that reads GPUs ends with that."""
        self._directory = experiment
        self._journal = Appender(layout.node_journal(experiment, node))
        self._period = period(os.environ)
        self._tree = Tree()
        self._busy = Busy()
        self._limit = cgroup.memory_limit()
        self._last = self._split_next = time.monotonic()
        self.disk_free: int | None = None
        self._alarms = GpuAlarms()
        self._ownership = Ownership(numbered_otherwise())
        self._notices: list[Notice] = unusable(os.environ)
        self._append(
            NodeStarted(
                **writer_fields(),
                node=node,
                cores=host.cores(),
                memory_total=self._memory()[1],
                machine=host.machine_name(),
            )
        )
        self._gpus = Gpus(experiment, self._period)

    @property
    def due(self) -> bool:
        return time.monotonic() - self._last >= self._period

    @property
    def gpus(self) -> tuple[GpuFacts, ...]:
        """Those that are sampled."""
        return self._gpus.facts

    def listen(self, training: Collection[str], *, running: bool) -> None:
        """Appends what has been read of GPUs; never waits for it.

        ``training``: the UUIDs of GPUs that ranks train on; ``running``: whether there are ranks.
        """
        events = self._gpus.poll()
        self._notices += self._alarms.driver(self._gpus.problem)
        for event in events:
            told = event
            if isinstance(event, GpuSample):
                facts = self._gpus.facts
                told = self._ownership.settle(facts, event, training, running=running)
                self._notices += self._alarms.sample(facts, event, training)
            self._append(told)

    def notices(self) -> list[Notice]:
        """What is to be warned of since the last call."""
        notices, self._notices = self._notices, []
        return notices

    def sample(self) -> None:
        """Measures and appends one sample of the host."""
        self._last = time.monotonic()
        used, total = self._memory()
        use = self._tree.look(split=self._must_split(used / total))
        self.disk_free = _disk_free(self._directory)
        shared = host.shared_memory()
        self._append(
            HostSample(
                cpu=self._busy.share(),
                memory_used=used,
                memory_total=total,
                tree_cpu=use.cpu,
                tree_rss=use.rss,
                disk_free=self.disk_free,
                tree_pss=use.pss,
                shm_free=None if shared is None else shared[0],
                shm_total=None if shared is None else shared[1],
                tree_read=use.read,
                allowed=self._busy.limit,
            )
        )

    def close(self) -> None:
        self._gpus.close()
        self._journal.close()

    def _must_split(self, used: float) -> bool:
        if used < TIGHT or self._last < self._split_next:
            return False
        self._split_next = self._last + _SPLIT_EVERY
        return True

    def _append(self, event: Event) -> None:
        """Without a disk to write to, a sample is lost."""
        try:
            self._journal.append(event)
        except JournalError:
            return

    def _memory(self) -> tuple[int, int]:
        """Used and total bytes; of the control group where that is what limits us."""
        memory = psutil.virtual_memory()
        if self._limit is not None and self._limit < memory.total:
            used = cgroup.memory_used()
            if used is not None:
                return used, self._limit
        return memory.total - memory.available, memory.total


def _disk_free(directory: Path) -> int | None:
    try:
        return shutil.disk_usage(directory).free
    except OSError:
        return None
