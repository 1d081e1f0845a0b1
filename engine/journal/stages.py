"""What the ranks of a pipeline told of its stages, put together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise

from engine.journal.events import PipelinePlanned, StagesMeasured
from engine.journal.pipeline_view import PipelineView, StagesView


class PipelineEvents:
    """Those of one attempt."""

    def __init__(self) -> None:
        self.planned: PipelinePlanned | None = None
        self.measured: dict[int, dict[int, StagesMeasured]] = {}
        """By epoch, then rank."""

    def apply(self, rank: int, event: PipelinePlanned | StagesMeasured) -> None:
        if isinstance(event, StagesMeasured):
            self.measured.setdefault(event.epoch, {})[rank] = event
        elif event.micro_batches and event.balance and all(event.balance):
            # Anything else is damage: a pipeline has stages, and they have work.
            self.planned = self.planned or event


def pipeline_view(attempts: Sequence[tuple[PipelineEvents, float]]) -> PipelineView | None:
    """Attempts, oldest first, each with the step from which on it no longer counts.

    The newest split is shown, and what was measured of it; ``None`` before one is known.
    """
    known = [(told, told.planned, cut) for told, cut in attempts if told.planned is not None]
    if not known:
        return None
    planned = known[-1][1]
    measured: dict[int, StagesView] = {}
    for told, other, cut in known:
        if other.balance == planned.balance and other.schedule == planned.schedule:
            for ranks in told.measured.values():
                view = stages_view(ranks, len(planned.balance))
                if view is not None and view.end_step <= cut:
                    measured[view.epoch] = view
    return PipelineView(
        schedule=planned.schedule,
        micro_batches=planned.micro_batches,
        balance=planned.balance,
        layers=planned.layers,
        stage_seconds=_by_stage(planned.balance, planned.layer_seconds),
        stage_bytes=tuple(map(int, _by_stage(planned.balance, planned.layer_bytes))),
        devices=planned.devices,
        overlaps=planned.overlaps,
        given=planned.given,
        t=planned.t,
        measured=tuple(view for _, view in sorted(measured.items())),
    )


def stages_view(ranks: dict[int, StagesMeasured], stages: int) -> StagesView | None:
    """One epoch from what each rank told; ``None`` while a stage is missing.

    The wall time is that of the rank with the least: each leaves out its own waiting for data,
    and the others spent that time waiting for it.
    """
    busy: dict[int, float] = {}
    peaks: dict[int, int | None] = {}
    for event in ranks.values():
        busy.update(zip(event.stages, event.busy, strict=False))
        peaks.update(zip(event.stages, event.peak_bytes, strict=False))
    seconds = min((event.seconds for event in ranks.values()), default=0.0)
    known = all(math.isfinite(busy.get(stage, math.nan)) for stage in range(stages))
    if not known or not 0.0 < seconds < math.inf:
        return None
    events = list(ranks.values())
    return StagesView(
        epoch=events[0].epoch,
        end_step=max(event.step for event in events),
        busy=tuple(busy[stage] for stage in range(stages)),
        seconds=seconds,
        peak_bytes=tuple(peaks.get(stage) for stage in range(stages)),
        t=max(event.t for event in events),
    )


def _by_stage(balance: Sequence[int], layers: Sequence[float]) -> tuple[float, ...]:
    """Sums over the layers of each stage; empty where they were not measured."""
    if len(layers) != sum(balance):
        return ()
    return tuple(sum(layers[a:b]) for a, b in pairwise(accumulate(balance, initial=0)))
