"""What a rank tells of a network that is split into stages: how, and how busy they were."""

from __future__ import annotations

from typing import Literal

from engine.journal.event import Count, Event


class PipelinePlanned(Event, frozen=True, kw_only=True, tag="pipeline-planned"):
    """How a network was split into stages, from the first rank, before the first step.

    ``layer_seconds`` (forward and backward of one micro-batch) and ``layer_bytes`` (parameters,
    gradients, momentum and activations of one micro-batch) were measured layer by layer; both are
    empty where the split was given.
    """

    schedule: Literal["gpipe", "1f1b"]
    micro_batches: Count
    balance: tuple[Count, ...]
    """Layers of each stage, in order."""
    layers: tuple[str, ...]
    layer_seconds: tuple[float, ...] = ()
    layer_bytes: tuple[Count, ...] = ()
    devices: tuple[str, ...] = ()
    """Of each stage."""
    given: bool = False
    """The user gave the balance."""
    overlaps: bool = True
    """Whether stages can work at the same time: not where they share one device."""


class StagesMeasured(Event, frozen=True, kw_only=True, tag="stages-measured"):
    """What the stages of this rank did in an epoch's training steps.

    ``busy`` are seconds in which each stage computed, of ``seconds`` of wall time in steps without
    the waiting for data. Over all stages of a run, the bubble is 1 - sum(busy) / (n x seconds).
    """

    epoch: Count
    step: Count
    """The next step's number."""
    stages: tuple[Count, ...]
    busy: tuple[float, ...]
    seconds: float
    peak_bytes: tuple[Count | None, ...] = ()
    """Peak memory of each stage's device in bytes, where it can be told."""
