"""Samples of a machine added up: sums and counts, however many there were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from engine.journal.events import GpuFacts, GpuReading, GpuSample, HostSample
from engine.journal.machine_view import Conditions, GpuConditions

Floats = NDArray[np.float64]

_MEASURES = 4
"""SM clock, utilisation, power, and whether it was slowed down."""


@dataclass(frozen=True, slots=True)
class _Mean:
    """The mean of what was known."""

    sum: float = 0.0
    count: int = 0

    def plus(self, values: Sequence[float]) -> _Mean:
        return _Mean(self.sum + sum(values), self.count + len(values))

    @property
    def value(self) -> float | None:
        return self.sum / self.count if self.count else None


@dataclass(frozen=True, slots=True, eq=False)
class _Gpu:
    """One GPU; a measure that was never known has a count of 0."""

    facts: GpuFacts
    samples: int
    sums: Floats
    counts: NDArray[np.int64]
    others: float
    """The most bytes that others held; NaN where that was never known."""

    def plus(self, other: _Gpu) -> _Gpu:
        return _Gpu(
            other.facts,
            self.samples + other.samples,
            self.sums + other.sums,
            self.counts + other.counts,
            float(np.fmax(self.others, other.others)),
        )

    def view(self) -> GpuConditions:
        clock, utilization, power, throttled = (
            total / count if count else None
            for total, count in zip(self.sums.tolist(), self.counts.tolist(), strict=True)
        )
        return GpuConditions(
            name=self.facts.name,
            uuid=self.facts.uuid,
            samples=self.samples,
            sm_clock=clock,
            utilization=utilization,
            power=power,
            throttled=throttled,
            others_memory=None if np.isnan(self.others) else int(self.others),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """What a machine was like over some samples. Never changes: adding to it makes another."""

    samples: int = 0
    cpu: _Mean = _Mean()
    other: _Mean = _Mean()
    """Cores busy with something else; below 0 where two clocks disagree by a little."""
    gpus: Mapping[str, _Gpu] = field(default_factory=dict)
    """By UUID, or by number where the driver tells none."""

    def plus_host(self, samples: Sequence[HostSample], cores: int | None) -> Tally:
        """``cores``: what ``cpu`` is a share of, where no control group allows less."""
        other = [
            each.cpu * share_of - each.tree_cpu
            for each in samples
            if each.tree_cpu is not None and (share_of := each.allowed or cores)
        ]
        return replace(
            self,
            samples=self.samples + len(samples),
            cpu=self.cpu.plus([each.cpu for each in samples]),
            other=self.other.plus(other),
        )

    def plus_gpus(self, samples: Sequence[GpuSample], facts: Sequence[GpuFacts]) -> Tally:
        """Each sample has a reading of every GPU in ``facts``, in this order."""
        gpus = dict(self.gpus)
        for each in _added(samples, facts):
            name = each.facts.uuid or str(each.facts.index)
            before = gpus.get(name)
            gpus[name] = each if before is None else before.plus(each)
        return replace(self, gpus=gpus)

    def view(self) -> Conditions:
        other = self.other.value
        return Conditions(
            samples=self.samples,
            cpu=self.cpu.value,
            # Floored here and not sample by sample, which would make load of mere noise.
            other_cores=None if other is None else max(0.0, other),
            gpus=tuple(each.view() for each in self.gpus.values()),
        )


def _added(samples: Sequence[GpuSample], facts: Sequence[GpuFacts]) -> list[_Gpu]:
    """Each GPU's readings together: all at once, for one at a time costs four times as much."""
    table = [_row(reading) for sample in samples for reading in sample.readings]
    values = np.array(table, np.float64).reshape(len(samples), len(facts), _MEASURES + 1)
    known = ~np.isnan(values)
    sums = np.nansum(values[:, :, :_MEASURES], axis=0)
    counts = known[:, :, :_MEASURES].sum(axis=0)
    others = np.fmax.reduce(values[:, :, _MEASURES], axis=0)
    return [
        # Whether it was slowed down is known wherever anything is.
        _Gpu(each, int(counts[at, -1]), sums[at], counts[at], float(others[at]))
        for at, each in enumerate(facts)
    ]


def _row(reading: GpuReading) -> tuple[float | None, ...]:
    """The measures, and the bytes of others; ``None`` is not known, and NaN in the table."""
    clock, utilization, power = reading.sm_clock, reading.utilization, reading.power
    used, ours = reading.memory_used, reading.memory_ours
    silent = clock is None and utilization is None and power is None and used is None
    others = None if used is None or ours is None else max(0, used - ours)
    return clock, utilization, power, None if silent else bool(reading.throttled), others
