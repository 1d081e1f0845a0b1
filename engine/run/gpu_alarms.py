"""What the supervisor warns of its GPUs: one that is slowed down, and readings that stop. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence

from engine.journal.events import GpuFacts, GpuReading, GpuSample, Notice
from engine.plan.uuids import is_among

WINDOW = 30.0
"""Seconds over which throttling is judged: short bursts of it are normal under load."""
MOST = 0.5
LITTLE = 0.1
"""Shares of the samples of a window from which on it is told, and under which all is well again."""

_SLOWED = {"heat", "power brake", "slowdown"}
"""Not the power cap: a GPU at full load lives at it."""

_WHY = {
    "heat": "it is too hot: look after its cooling",
    "power brake": "its power supply brakes it: look after the cabling and the supplies",
    "slowdown": "its hardware slowed it down, for heat or power",
}


class GpuAlarms:
    """Each warning is given once, and again only after all was well in between."""

    def __init__(self) -> None:
        self._given: set[tuple[str, str]] = set()
        self._slowed: dict[str, deque[tuple[float, str]]] = {}
        self._failed: dict[str, float] = {}
        """When each GPU last did not answer."""

    def driver(self, problem: str) -> list[Notice]:
        """The warning that is due where ``problem`` (else empty) keeps the readings away."""
        if not self._due(("driver", ""), bool(problem), not problem):
            return []
        text = f"no readings of GPUs for now: {problem}; training goes on, and it is asked again"
        return [Notice(level="warning", text=text, code="gpu-lost")]

    def sample(
        self, facts: Sequence[GpuFacts], sample: GpuSample, training: Collection[str]
    ) -> list[Notice]:
        """The warnings that are due after ``sample``; of throttling for GPUs in ``training``."""
        notices = []
        # Where the driver does not answer for any, that was told already.
        silent = all(each.problem for each in sample.readings) and ("driver", "") in self._given
        for gpu, reading in zip(facts, sample.readings, strict=False):
            notices += [] if silent else self._lost(gpu, reading, sample.t)
            notices += self._throttled(gpu, reading, sample.t, is_among(gpu.uuid, training))
        return notices

    def _lost(self, gpu: GpuFacts, reading: GpuReading, t: float) -> list[Notice]:
        key, wrong = _key(gpu), bool(reading.problem)
        if wrong:
            self._failed[key] = t
        # One that answers now and then is one that does not.
        well = t - self._failed.get(key, t) >= WINDOW
        if not self._due(("lost", key), wrong, well):
            return []
        text = (
            f"{_name(gpu)} does not answer ({reading.problem}); what trains on it will fail, "
            "or hang: 'nvidia-smi' and the system's log tell more"
        )
        return [Notice(level="warning", text=text, code="gpu-lost")]

    def _throttled(
        self, gpu: GpuFacts, reading: GpuReading, t: float, trains: bool
    ) -> list[Notice]:
        key = _key(gpu)
        seen = self._slowed.setdefault(key, deque())
        if not trains:
            seen.clear()
            self._given.discard(("throttled", key))
            return []
        if not reading.problem:
            seen.append((t, next((why for why in reading.throttled if why in _SLOWED), "")))
        while len(seen) > 1 and t - seen[1][0] >= WINDOW:
            seen.popleft()
        slowed = [why for _, why in seen if why]
        share = len(slowed) / max(1, len(seen))
        known = bool(seen) and t - seen[0][0] >= WINDOW
        if not self._due(("throttled", key), known and share >= MOST, share < LITTLE):
            return []
        warm = "" if reading.temperature is None else f" at {reading.temperature:.0f} °C"
        text = (
            f"{_name(gpu)} was slowed down for {100 * share:.0f} % of the last {WINDOW:.0f} s"
            f"{warm}: {_WHY[slowed[-1]]}"
        )
        return [Notice(level="warning", text=text, code="throttled")]

    def _due(self, key: tuple[str, str], wrong: bool, well: bool) -> bool:
        if well:
            self._given.discard(key)
        if not wrong or key in self._given:
            return False
        self._given.add(key)
        return True


def _key(gpu: GpuFacts) -> str:
    return gpu.uuid or f"{gpu.index}/{gpu.slice}"


def _name(gpu: GpuFacts) -> str:
    part = "" if gpu.slice is None else f" slice {gpu.slice}"
    return f"GPU {gpu.index}{part} ({gpu.name})"
