"""What a diagnosis looks at, put together once: a run, its plan, and the machine around it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from engine.journal.events import GpuFacts, GpuReading, HostSample
from engine.journal.machine_view import GpusView
from engine.journal.views import RunView
from engine.plan.runs import RunPlan
from engine.plan.uuids import bare
from engine.report.ledger import WINDOW, Times, recent
from engine.report.verdict import Kind
from engine.report.waits import Waits, waits

_AROUND = 2 * WINDOW
"""Seconds before the last step from which samples still count: steps of a window may have a
validation between them."""
_LATE = 2.0
"""Samples come once a second, so one that tells of the last step may come after it."""
_STAYS = 0.7
"""Of its threshold is enough for a verdict to stay: where figures hover about a threshold, the
verdict would change at every third look."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What was sampled of the machine, oldest first; ``cores`` are those to plan with."""

    host: Sequence[HostSample] = ()
    gpus: GpusView = field(default_factory=GpusView)
    cores: int | None = None
    alive: bool = True
    """Whether something of the experiment may still train: a run whose supervisor was killed does
    not say that it has ended."""


@dataclass(frozen=True, slots=True)
class UsedGpu:
    """A GPU that a rank trains on, and what was sampled of it while it did."""

    rank: int
    facts: GpuFacts
    readings: tuple[GpuReading, ...]

    @property
    def name(self) -> str:
        return f"GPU {self.facts.index}"

    def typical(self, field: str) -> float | None:
        """The median of a field of the readings; ``None`` where none has it."""
        return median(getattr(each, field) for each in self.readings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A run over the latest seconds of its training."""

    run: RunView
    plan: RunPlan
    around: Surroundings
    times: tuple[Times, ...]
    """Of each rank."""
    waits: Waits | None
    """For data, over all ranks."""
    host: tuple[HostSample, ...]
    """Samples of the same seconds."""
    gpus: tuple[UsedGpu, ...]
    before: Kind | None = None
    """The verdict at the last look."""

    def least(self, kind: Kind, threshold: float) -> float:
        """What a figure must reach for a verdict of ``kind``: less, where it was given already and
        more is to come."""
        return threshold * _STAYS if kind == self.before and not self.over else threshold

    @property
    def over(self) -> bool:
        """Whether the run has ended, however."""
        return not self.around.alive or self.run.state in ("done", "failed", "stopped")

    @property
    def cores(self) -> int | None:
        return self.around.cores

    @property
    def steps(self) -> int:
        return max((each.steps for each in self.times), default=0)

    @property
    def own_steps(self) -> int:
        """That the latest attempt has made, however long ago."""
        segments = self.run.history.segments.get(None, ())
        return self.run.history.steps - segments[-1].track.base if segments else 0

    @property
    def seconds(self) -> float:
        return max((each.device.seconds for each in self.times), default=0.0)

    @property
    def step_seconds(self) -> float | None:
        """Wall time per step, on average."""
        return self.seconds / self.steps if self.steps and self.seconds > 0 else None

    @property
    def images_per_step(self) -> float | None:
        """Of the global batch, on average."""
        images = sum(each.images for each in self.times)
        return images / self.steps if self.steps and images > 0 else None

    @property
    def images_per_second(self) -> float | None:
        images = sum(each.images for each in self.times)
        return images / self.seconds if images > 0 and self.seconds > 0 else None

    @property
    def on_cpu(self) -> bool:
        ready = self.run.ready
        return (ready.device if ready is not None else self.plan.settings.device) == "cpu"

    @property
    def loaders(self) -> int:
        """Ranks that load images, each a share of the global batch."""
        return self.plan.ranks if self.plan.strategy.parallelism in ("ddp", "fsdp") else 1

    @property
    def cpu(self) -> float | None:
        """The share of the machine's cores that was busy."""
        return median(each.cpu for each in self.host)

    @property
    def tree_cpu(self) -> float | None:
        """Cores busy with this experiment."""
        return median(each.tree_cpu for each in self.host)

    def share(self, *parts: str) -> float:
        """Of these parts of the device's time, the median over ranks."""
        return median(each.device.share(*parts) for each in self.times) or 0.0


def situation(
    run: RunView, plan: RunPlan, around: Surroundings, before: Kind | None = None
) -> Situation:
    """Samples count that were taken while the run trained its latest steps. ``before`` is the
    verdict at the last look at the same run."""
    since, until = _period(run)
    return Situation(
        run=run,
        plan=plan,
        around=around,
        times=recent(run),
        waits=waits(run),
        host=tuple(each for each in around.host if since <= each.t <= until),
        gpus=_used(run, around.gpus, since, until),
        before=before,
    )


def median(values: Iterable[float | None]) -> float | None:
    """Of the values that are known and finite."""
    known = [each for each in values if each is not None and math.isfinite(each)]
    return statistics.median(known) if known else None


def _period(run: RunView) -> tuple[float, float]:
    """From when to when its latest steps were trained; Unix seconds."""
    segments = run.history.segments.get(None, ())
    if not segments:
        return math.inf, -math.inf
    ended = segments[-1].track.ended
    return max(ended - _AROUND, run.started or 0.0), ended + _LATE


def _used(run: RunView, gpus: GpusView, since: float, until: float) -> tuple[UsedGpu, ...]:
    """Matched by UUID: torch and the driver may count GPUs in different orders."""
    place = {bare(facts.uuid): index for index, facts in enumerate(gpus.found) if facts.uuid}
    samples = [each for each in gpus.samples if since <= each.t <= until]
    return tuple(
        UsedGpu(
            rank=rank,
            facts=gpus.found[place[bare(uuid)]],
            readings=tuple(each.readings[place[bare(uuid)]] for each in samples),
        )
        for rank, ready in run.readies
        for uuid in ready.uuids
        if bare(uuid) in place
    )
