"""What the sampler of a node told, folded: its newest ten minutes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from engine.journal.events import AnyEvent, GpuSample, GpusFound, HostSample, NodeStarted
from engine.journal.views import GpusView

SAMPLES = 600
"""Samples that are kept of each kind: ten minutes, at one a second."""


@dataclass(slots=True)
class Node:
    """One machine: what it is, and how busy."""

    cores: int | None = None
    machine: str = ""
    samples: deque[HostSample] = field(default_factory=lambda: deque(maxlen=SAMPLES))
    _found: GpusFound = field(default_factory=GpusFound)
    _gpus: deque[GpuSample] = field(default_factory=lambda: deque(maxlen=SAMPLES))

    def apply(self, event: AnyEvent) -> None:
        match event:
            case NodeStarted():
                self.cores, self.machine = event.cores, event.machine
            case HostSample():
                self.samples.append(event)
            case GpusFound():
                if event.gpus != self._found.gpus:
                    # Samples of other GPUs, or in another order, no longer fit.
                    self._gpus.clear()
                self._found = event
            case GpuSample() if len(event.readings) == len(self._found.gpus):
                self._gpus.append(event)
            case _:
                # Of another journal, or of GPUs that are not known.
                return

    def gpus(self) -> GpusView:
        found = self._found
        return GpusView(
            found=found.gpus,
            samples=tuple(self._gpus),
            problem=found.problem,
            driver=found.driver,
        )
