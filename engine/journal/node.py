"""What the sampler of a node told, folded: its newest ten minutes, and what runs were under."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from engine.journal.conditions import ConditionsFold
from engine.journal.events import AnyEvent, GpuSample, GpusFound, HostSample, NodeStarted
from engine.journal.machine_view import GpusView
from engine.journal.timeline import Timeline

SAMPLES = 600
"""Samples that are kept of each kind: ten minutes, at one a second."""


@dataclass(slots=True)
class Node:
    """One machine: what it is, and how busy."""

    timeline: Timeline
    cores: int | None = None
    machine: str = ""
    samples: deque[HostSample] = field(default_factory=lambda: deque(maxlen=SAMPLES))
    _found: GpusFound = field(default_factory=GpusFound)
    _gpus: deque[GpuSample] = field(default_factory=lambda: deque(maxlen=SAMPLES))
    conditions: ConditionsFold = field(init=False)

    def __post_init__(self) -> None:
        self.conditions = ConditionsFold(self.timeline)

    def apply(self, event: AnyEvent) -> str | None:
        """The run that the event is a sample of, where it is one."""
        match event:
            case NodeStarted():
                self.cores, self.machine = event.cores, event.machine
            case HostSample():
                self.samples.append(event)
                return self.conditions.host(event, self.cores)
            case GpusFound():
                if event.gpus != self._found.gpus:
                    # Samples of other GPUs, or in another order, no longer fit.
                    self._gpus.clear()
                self._found = event
            case GpuSample() if len(event.readings) == len(self._found.gpus):
                self._gpus.append(event)
                return self.conditions.gpus(event, self._found.gpus)
            case _:
                # Of another journal, or of GPUs that are not known.
                pass
        return None

    def gpus(self) -> GpusView:
        found = self._found
        return GpusView(
            found=found.gpus,
            samples=tuple(self._gpus),
            problem=found.problem,
            driver=found.driver,
        )
