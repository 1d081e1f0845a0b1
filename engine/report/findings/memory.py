"""Whether memory is so short that it costs time, or nearly so."""

from __future__ import annotations

from engine.journal.events import Memory
from engine.report.findings.words import percent, several, size
from engine.report.situation import Situation, UsedGpu
from engine.report.verdict import Verdict

FULL = 0.95
"""Of a GPU, kept by torch: the next larger batch, or library, fails."""
OFTEN = 0.01
"""Of the steps found it full: each of them takes some ten milliseconds longer by it."""
SWAPPING = 0.9
"""Of the machine's memory: the system itself and what it caches need the rest."""


def short(here: Situation) -> Verdict | None:
    """Memory that was asked for in vain, or a machine without any left: both make steps slow."""
    return _retried(here) or _swapping(here)


def nearly_full(here: Situation) -> Verdict | None:
    """A GPU that is as good as full. It costs hardly any time yet."""
    # A process with several tells of the one that is fullest, and not which: they are of a kind.
    total = {gpu.rank: gpu for gpu in reversed(here.gpus) if gpu.facts.memory_total}
    shares = [
        (memory.reserved / whole, gpu, memory.reserved)
        for rank, memory in here.run.rank_memory
        if (gpu := total.get(rank)) and (whole := gpu.facts.memory_total) and memory.reserved
    ]
    share, gpu, reserved = max(shares, key=lambda each: each[0], default=(0.0, None, 0))
    if gpu is None or share < FULL:
        return None
    assert gpu.facts.memory_total is not None
    return Verdict(
        kind="memory",
        title="memory nearly full",
        finding=(
            f"torch keeps {size(reserved)} of the {size(gpu.facts.memory_total)} of {gpu.name}, "
            f"{percent(share)}"
        ),
        change=_smaller(here),
        evidence=_evidence(here, gpu.rank),
    )


def _retried(here: Situation) -> Verdict | None:
    first = dict(here.run.first_memory)
    again = [
        (memory.retries - _before(first.get(rank)), rank)
        for rank, memory in here.run.rank_memory
        if memory.retries is not None
    ]
    most, rank = max(again, default=(0, 0))
    if most <= OFTEN * here.own_steps:
        return None
    times = "once" if most == 1 else several(most, "time")
    return Verdict(
        kind="memory",
        title="memory too short",
        finding=(
            f"rank {rank} found its GPU full {times}, gave back what it kept for later and asked "
            "again, which stops the device"
        ),
        change=_smaller(here),
        evidence=_evidence(here, rank),
    )


def _before(first: Memory | None) -> int:
    """Warming up tries things out; what it asked for in vain costs no step."""
    return (first.retries or 0) if first is not None else 0


def _swapping(here: Situation) -> Verdict | None:
    """This training alone fills the machine: what a system counts as used may be cached files."""
    sample = next((each for each in reversed(here.host) if each.tree_pss is not None), None)
    if sample is None or sample.tree_pss is None or sample.memory_total <= 0:
        return None
    if sample.tree_pss < SWAPPING * sample.memory_total:
        return None
    workers = here.run.ready.workers if here.run.ready else 0
    return Verdict(
        kind="memory",
        title="memory too short",
        finding=(
            f"this training takes {size(sample.tree_pss)} of the {size(sample.memory_total)} "
            "of this machine, which begins to write memory out, or to end processes"
        ),
        change=f"lower --workers from {workers} to {workers // 2}" if workers else _smaller(here),
        evidence=(
            ("this training", size(sample.tree_pss)),
            ("used in all", size(sample.memory_used)),
            ("this machine has", size(sample.memory_total)),
        ),
    )


def _smaller(here: Situation) -> str:
    """Gradient checkpointing keeps the batch as it is; where it cannot be had, or is there
    already, a batch in more parts does."""
    settings, strategy = here.plan.settings, here.plan.strategy
    if strategy.parallelism in ("none", "dp", "ddp", "fsdp"):
        if not settings.gradient_checkpointing and not settings.compile:
            if strategy.gradient_checkpointing is None:
                return "add --gradient-checkpointing"
            return f"train with gradient-checkpointing instead of {strategy.name}"
    elif settings.recompute != "always" and strategy.parallelism == "gpipe":
        return f"give --recompute always instead of {settings.recompute}"
    if (here.run.ready.device_batch if here.run.ready else 0) == 1:
        return f"lower --image-size from {settings.image_size} to {settings.image_size * 3 // 4}"
    return f"raise --accumulate from {settings.accumulate} to {2 * settings.accumulate}"


def _evidence(here: Situation, rank: int) -> tuple[tuple[str, str], ...]:
    memory = dict(here.run.rank_memory)[rank]
    told = [
        ("allocated", memory.allocated),
        ("reserved", memory.reserved),
        ("peak reserved", memory.peak_reserved),
    ]
    gpu: UsedGpu | None = next((each for each in here.gpus if each.rank == rank), None)
    told.append(("the GPU has", gpu.facts.memory_total if gpu else None))
    counted = () if memory.retries is None else (("asked again", several(memory.retries, "time")),)
    return (*((name, size(value)) for name, value in told if value is not None), *counted)
