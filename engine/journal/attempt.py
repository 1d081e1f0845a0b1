"""One attempt of a run as its ranks told it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from engine.journal.events import (
    AnyEvent,
    AttemptEnded,
    CheckpointSaved,
    Dropped,
    EpochEnded,
    EpochEstimated,
    EpochStarted,
    Memory,
    Phase,
    PipelinePlanned,
    Ready,
    StagesMeasured,
    Steps,
    Validated,
)
from engine.journal.judged import Judgements
from engine.journal.stages import PipelineEvents
from engine.journal.sums import epoch_view
from engine.journal.views import EpochView, PhaseView

CHECKPOINTS = 300
PHASES = 100


@dataclass(slots=True)
class Attempt:
    """One attempt as its ranks told it."""

    number: int
    started: float | None = None
    from_step: int | None = None
    world_size: int = 1
    versions: dict[int, dict[str, str]] = field(default_factory=dict)
    """Of each rank."""
    readies: dict[int, Ready] = field(default_factory=dict)
    """Of each rank."""
    phases: dict[int, list[PhaseView]] = field(default_factory=dict)
    """Of each rank."""
    epochs_begun: dict[int, int] = field(default_factory=dict)
    """The epoch each rank is in."""
    epochs: dict[int, dict[int, EpochEnded]] = field(default_factory=dict)
    """By epoch, then rank."""
    validations: dict[int, Validated] = field(default_factory=dict)
    checkpoints: deque[CheckpointSaved] = field(default_factory=lambda: deque(maxlen=CHECKPOINTS))
    estimates: dict[int, EpochEstimated] = field(default_factory=dict)
    """The newest of each rank."""
    memory: dict[int, Memory] = field(default_factory=dict)
    """The newest of each rank."""
    first_memory: dict[int, Memory] = field(default_factory=dict)
    ends: dict[int, AttemptEnded] = field(default_factory=dict)
    pipeline: PipelineEvents = field(default_factory=PipelineEvents)
    judgements: Judgements = field(default_factory=Judgements)
    dropped: int = 0

    @property
    def ready(self) -> Ready | None:
        """Of the first rank that told it."""
        return self.readies[min(self.readies)] if self.readies else None

    @property
    def devices(self) -> int:
        """GPUs by UUID, which ranks may share; else what ranks call their devices, where stages of
        one process may share one and processes have one each. 0 before any rank is ready."""
        if uuids := {uuid for each in self.readies.values() for uuid in each.uuids}:
            return len(uuids)
        named = [name for each in self.readies.values() for name in each.devices or (each.device,)]
        return len(set(named) if self.world_size == 1 else named)

    def apply(self, rank: int, event: AnyEvent) -> None:
        match event:
            case Phase():
                self.phase(rank, event)
            case EpochStarted():
                self.epochs_begun[rank] = event.epoch
            case EpochEstimated():
                self.estimates[rank] = event
            case EpochEnded():
                self.epochs.setdefault(event.epoch, {})[rank] = event
            case Validated():
                self.validations[event.epoch] = event
            case CheckpointSaved():
                self.checkpoints.append(event)
            case Memory():
                self.first_memory.setdefault(rank, event)
                self.memory[rank] = event
            case PipelinePlanned() | StagesMeasured():
                self.pipeline.apply(rank, event)
            case Dropped():
                self.dropped += max(0, event.count)
            case AttemptEnded():
                self.end_phase(rank, event.t)
                self.ends[rank] = event
            case _:
                # A heartbeat, which is for the supervisor; or an event of another writer in this
                # file: damage of no consequence.
                return

    def phase(self, rank: int, event: Phase) -> None:
        phases = self.phases.setdefault(rank, [])
        self.end_phase(rank, event.t)
        phases.append(PhaseView(name=event.name, started=event.t, seconds=None))
        if len(phases) > PHASES:
            # Those of starting up come first, and stay; what is left out are validations.
            del phases[PHASES // 2]

    def end_phase(self, rank: int, t: float) -> None:
        phases = self.phases.get(rank)
        if phases and phases[-1].seconds is None:
            open_one = phases[-1]
            phases[-1] = PhaseView(
                name=open_one.name,
                started=open_one.started,
                seconds=max(0.0, t - open_one.started),
            )

    def steps(self, rank: int, event: Steps) -> None:
        """Ends a phase at the first step that began after it."""
        phases = self.phases.get(rank)
        if phases and phases[-1].seconds is None:
            begun = _first_after(event, phases[-1].started)
            if begun is not None:
                self.end_phase(rank, begun)

    def epoch_views(self) -> list[EpochView]:
        """The epochs that every rank has finished."""
        return [
            epoch_view(ranks)
            for _, ranks in sorted(self.epochs.items())
            if len(ranks) >= self.world_size
        ]


def _first_after(event: Steps, t: float) -> float | None:
    """When the first of these steps began that began after ``t``; ``None`` where none did."""
    if event.since >= t or "step_seconds" not in event.names:
        return event.since if event.since >= t else None
    column = event.columns[event.names.index("step_seconds")]
    if len(column) != 4 * event.count:
        return None
    seconds = np.nan_to_num(np.frombuffer(column, "<f4").astype(np.float64))
    begun = event.since + np.cumsum(seconds)[:-1]
    later = begun[begun >= t]
    return float(later[0]) if len(later) else None
