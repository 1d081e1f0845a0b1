"""What a machine was like while each run lasted, from its samples: in little memory, however long.

Samples and the supervisor's word on starts and ends are in different files. Whoever reads both
reads the supervisor's first, but a run may end between the two looks: so the newest samples stay
at hand, and are dealt out again where a start or an end turns out to lie among them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from engine.journal.events import GpuFacts, GpuSample, HostSample
from engine.journal.machine_view import Conditions
from engine.journal.tally import Tally
from engine.journal.timeline import Attempt, Timeline

KEPT = 600
"""Samples at hand, at least, and fewer than twice as many: some minutes."""

Tallies = dict[Attempt, Tally]


class _OfHost(NamedTuple):
    sample: HostSample
    cores: int | None


class _OfGpus(NamedTuple):
    sample: GpuSample
    gpus: tuple[GpuFacts, ...]


_Taken = _OfHost | _OfGpus
"""A sample, and what has to be known to read it."""


@dataclass(slots=True)
class ConditionsFold:
    """Deals the samples of one machine out to the attempts that they were taken in."""

    timeline: Timeline
    _older: list[_Taken] = field(default_factory=list)
    _newer: list[_Taken] = field(default_factory=list)
    _uncounted: list[_Taken] = field(default_factory=list)
    """The last of ``_newer``, which are not in ``_now`` yet."""
    _before_older: Tallies = field(default_factory=dict)
    _before_newer: Tallies = field(default_factory=dict)
    _now: Tallies = field(default_factory=dict)

    def host(self, sample: HostSample, cores: int | None) -> str | None:
        """Takes a sample; the run that it is of."""
        return self._take(_OfHost(sample, cores))

    def gpus(self, sample: GpuSample, gpus: tuple[GpuFacts, ...]) -> str | None:
        """Takes a sample with a reading of each of ``gpus``; the run that it is of."""
        return self._take(_OfGpus(sample, gpus))

    def of(self, attempt: Attempt) -> Conditions | None:
        """``None`` before its first sample."""
        self._count()
        tally = self._now.get(attempt)
        return None if tally is None else tally.view()

    def runs(self) -> set[str]:
        """Those that some samples are of."""
        self._count()
        return {run for run, _ in self._now}

    def deal_again(self, since: float) -> set[str]:
        """The timeline has changed from ``since`` on; the runs that have other samples now."""
        self._count()
        if not any(each.sample.t >= since for each in (*self._older, *self._newer)):
            return set()
        before, self._now = self._now, dict(self._before_older)
        self._deal(self._older)
        self._before_newer = dict(self._now)
        self._deal(self._newer)
        touched = (
            each for each in before | self._now if before.get(each) is not self._now.get(each)
        )
        return {run for run, _ in touched}

    def forget(self, run: str, before: int) -> None:
        """Attempts of the run with a lower number, which nobody asks for any more."""
        for tallies in (self._before_older, self._before_newer, self._now):
            for attempt in [each for each in tallies if each[0] == run and each[1] < before]:
                del tallies[attempt]

    def _take(self, taken: _Taken) -> str | None:
        if len(self._newer) == KEPT:
            self._count()
            self._older, self._newer = self._newer, []
            self._before_older, self._before_newer = self._before_newer, dict(self._now)
        self._newer.append(taken)
        self._uncounted.append(taken)
        attempt = self.timeline.at(taken.sample.t)
        return None if attempt is None else attempt[0]

    def _count(self) -> None:
        uncounted, self._uncounted = self._uncounted, []
        self._deal(uncounted)

    def _deal(self, taken: list[_Taken]) -> None:
        """Adds to ``_now``. Many at a time, as adding has its price."""
        whose = ((self.timeline.at(each.sample.t), each) for each in taken)
        for attempt, some in groupby(whose, key=lambda pair: pair[0]):
            if attempt is not None:
                tally = self._now.get(attempt, Tally())
                self._now[attempt] = _plus(tally, [each for _, each in some])


def _plus(tally: Tally, taken: list[_Taken]) -> Tally:
    """Those of the host and those of the GPUs apart, each with what they were taken under."""
    hosts = (each for each in taken if isinstance(each, _OfHost))
    for cores, some in groupby(hosts, key=lambda each: each.cores):
        tally = tally.plus_host([each.sample for each in some], cores)
    readings = (each for each in taken if isinstance(each, _OfGpus))
    for gpus, told in groupby(readings, key=lambda each: each.gpus):
        tally = tally.plus_gpus([each.sample for each in told], gpus)
    return tally
