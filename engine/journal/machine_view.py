"""What the machine was like, frozen: its GPUs of late, and its conditions while a run lasted.

Shares are in 0..1, sizes in bytes; ``None`` is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.journal.events import GpuFacts, GpuSample


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuConditions:
    """One GPU of the node, over the samples that were taken while a run lasted."""

    name: str
    uuid: str
    samples: int
    """That said anything."""
    sm_clock: float | None = None
    """MHz, on average."""
    utilization: float | None = None
    """0..1, on average."""
    power: float | None = None
    """Watts, on average."""
    throttled: float | None = None
    """Share of the samples in which it was slowed down."""
    others_memory: int | None = None
    """The most that other processes than this experiment's held, in bytes; ``None`` where it cannot
    be told whose memory it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What the machine was like while a run lasted, its starting up included."""

    samples: int
    cpu: float | None = None
    """Share of the cores' time that was used, on average."""
    other_cores: float | None = None
    """Cores busy with something else than this experiment, on average."""
    gpus: tuple[GpuConditions, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GpusView:
    """The GPUs of a node, and what was sampled of them in the latest ten minutes."""

    found: tuple[GpuFacts, ...] = ()
    samples: tuple[GpuSample, ...] = ()
    """Oldest first; each has a reading of every GPU in ``found``, in this order."""
    problem: str = ""
    """Why there are none: a sentence."""
    driver: str = ""
