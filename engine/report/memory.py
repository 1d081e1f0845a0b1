"""What memory a run takes by rank, and what had been estimated before it began. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.journal.events import Memory, Ready
from engine.journal.views import RunView
from engine.plan.footprint import Footprint, footprint
from engine.plan.runs import RunPlan

_PEAK = "peak allocated"
_GROWTH = "growth of resident memory"


@dataclass(frozen=True, slots=True, kw_only=True)
class RankMemory:
    """One rank. Bytes; ``None`` is unknown."""

    rank: int
    device: str
    """As torch calls it: ``cuda:0``, ``cpu``."""
    peak: int | None
    """Peak allocated on its fullest GPU since the warm-up; on a CPU the peak of its resident memory
    (RSS), Python and libraries included."""
    reserved: int | None
    """Peak reserved on that GPU; ``None`` on a CPU."""
    now: int | None
    """Allocated there now; on a CPU resident."""
    before: int | None
    """On a CPU, resident before the first step, or soon after it began."""
    weights: int | None
    gradients: int | None
    optimizer: int | None
    retries: int | None
    """How often the allocator had to give back what it kept for later, and try again."""
    failures: int | None
    """How often memory was refused."""
    averaged: int = 0

    @property
    def on_cpu(self) -> bool:
        return self.device == "cpu"

    @property
    def held(self) -> int | None:
        """Weights, gradients and optimiser, and averaged weights where there are some."""
        if self.weights is None or self.gradients is None or self.optimizer is None:
            return None
        return self.weights + self.gradients + self.optimizer + self.averaged

    @property
    def activations(self) -> int | None:
        """The rest of the peak on a GPU: activations and workspaces. Where gradients come while
        activations go, up to ``gradients`` less than there were. ``None`` on a CPU, where the
        resident memory has no such parts."""
        if self.on_cpu or self.peak is None or self.held is None:
            return None
        return max(0, self.peak - self.held)

    @property
    def grown(self) -> int | None:
        """On a CPU, by how much the resident memory grew since before the first step."""
        if not self.on_cpu or self.peak is None or self.before is None:
            return None
        return max(0, self.peak - self.before)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryReport:
    """Of all ranks that told; ``estimate`` is of the fullest device (see ``footprint``)."""

    ranks: tuple[RankMemory, ...]
    estimate: Footprint
    compared: str
    """What ``expected`` and ``came`` are: ``peak allocated``, or on a CPU ``growth of resident
    memory``, in which there are gradients and activations."""
    expected: int | None
    """Estimated before the start."""
    came: int | None
    """Of the fullest rank."""

    @property
    def beside(self) -> str:
        """What is in ``came`` and not in ``expected``."""
        if self.compared == _PEAK:
            return "workspaces of convolutions, and the one or other temporary tensor"
        return "torch's libraries, decoded images, and what malloc keeps for later"

    @property
    def error(self) -> float | None:
        """By how much the estimate was above what came (0.1: ten percent); negative: below."""
        if self.expected is None or not self.came:
            return None
        return self.expected / self.came - 1.0


def memory_report(run: RunView, plan: RunPlan) -> MemoryReport:
    """What is known so far; before there is a word of any rank it has no ranks."""
    readies, first = dict(run.readies), dict(run.first_memory)
    ranks = tuple(
        _of_rank(rank, newest, first.get(rank), readies.get(rank))
        for rank, newest in run.rank_memory
    )
    estimate = estimated(run, plan)
    if ranks and all(each.on_cpu for each in ranks):
        parts = (estimate.gradients, estimate.activations)
        known = [each for each in parts if each is not None]
        expected = sum(known) + estimate.gathered if len(known) == len(parts) else None
        compared, measured = _GROWTH, [each.grown for each in ranks]
    else:
        expected = estimate.total
        compared, measured = _PEAK, [each.peak for each in ranks]
    came = max((each for each in measured if each is not None), default=None)
    return MemoryReport(
        ranks=ranks, estimate=estimate, compared=compared, expected=expected, came=came
    )


def estimated(run: RunView, plan: RunPlan) -> Footprint:
    """The estimate as soon as the classes are known; a pipeline's once it is cut."""
    if run.ready is None:
        return Footprint(unknown="how many classes there are is not known yet")
    settings = plan.settings
    if run.ready.train_images:
        # No step has more than all of them.
        settings = replace(settings, batch_size=min(settings.batch_size, run.ready.train_images))
    if run.pipeline is not None:
        settings = replace(settings, balance=run.pipeline.balance)
    kind = run.ready.device.partition(":")[0]
    if settings.device == "auto" and kind in ("cuda", "mps", "cpu"):
        settings = replace(settings, device=kind)
    return footprint(replace(plan, settings=settings), len(run.ready.classes))


def _of_rank(rank: int, newest: Memory, first: Memory | None, ready: Ready | None) -> RankMemory:
    device = ready.device if ready is not None else ""
    on_cpu = device == "cpu"
    held = ready.held if ready is not None else {}
    return RankMemory(
        rank=rank,
        device=device,
        peak=newest.peak_rss if on_cpu else newest.peak_allocated,
        reserved=newest.peak_reserved,
        now=newest.rss if on_cpu else newest.allocated,
        before=first.rss if on_cpu and first is not None else None,
        weights=held.get("weights"),
        gradients=held.get("gradients"),
        optimizer=held.get("optimizer"),
        averaged=held.get("averaged", 0),
        retries=newest.retries,
        failures=newest.failures,
    )
