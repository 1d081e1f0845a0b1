"""A network split into stages, frozen: how it was split, and how busy the stages were.

Times in seconds (absolute ones Unix), sizes in bytes, shares in 0..1; ``None`` is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class StagesView:
    """What the stages of a pipeline did in an epoch's training steps, over all ranks."""

    epoch: int
    end_step: int
    busy: tuple[float, ...]
    """Seconds in which each stage computed."""
    seconds: float
    """Wall time of the same steps, waiting for data left out."""
    peak_bytes: tuple[int | None, ...]
    """Peak memory of each stage's device."""
    t: float

    @property
    def shares(self) -> tuple[float, ...]:
        """The share of the time in which each stage computed."""
        return tuple(min(1.0, each / self.seconds) for each in self.busy)

    @property
    def bubble(self) -> float:
        """The share of the time in which a stage idled, over all stages."""
        return max(0.0, 1.0 - sum(self.busy) / (len(self.busy) * self.seconds))


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineView:
    """How a network was split into stages, and how busy they were."""

    schedule: Literal["gpipe", "1f1b"]
    micro_batches: int
    balance: tuple[int, ...]
    """Layers of each stage, in order."""
    layers: tuple[str, ...]
    stage_seconds: tuple[float, ...]
    """What each stage was measured to take for one micro-batch, before the first step; empty
    where the split was given."""
    stage_bytes: tuple[int, ...]
    devices: tuple[str, ...]
    overlaps: bool
    """Whether stages can work at the same time: not where they share one device."""
    given: bool
    """The user gave the balance."""
    t: float
    measured: tuple[StagesView, ...] = ()
    """Of each epoch that every stage has finished."""

    @property
    def stages(self) -> int:
        return len(self.balance)

    @property
    def bubble_in_theory(self) -> float:
        """Where all stages take equally long and sending takes no time."""
        return (self.stages - 1) / (self.micro_batches + self.stages - 1)

    @property
    def bubble(self) -> float | None:
        """Measured in the last epoch; ``None`` before the first has ended."""
        return self.measured[-1].bubble if self.measured else None
