"""Whether somebody else uses the GPU, or the cores, that this run trains on."""

from __future__ import annotations

from engine.report.findings.loading import STARVING
from engine.report.findings.words import count, percent, size
from engine.report.situation import Situation, UsedGpu, median
from engine.report.verdict import Verdict

FOREIGN = 2**30
"""Bytes of a GPU that others hold; less is what a driver keeps for itself."""
FULL = 0.9
"""Of the cores are busy: only then does another job take some away."""
THEIRS = 0.25
"""Of the cores are busy with others; a desktop, or a dashboard, takes less."""
_SAMPLES = 3
"""At least, so that a moment does not speak for all."""


def shared(here: Situation) -> Verdict | None:
    """Another job on a GPU of the run, or on cores that it needs."""
    held = [(bytes_, gpu) for gpu in here.gpus if (bytes_ := foreign(gpu)) is not None]
    most, gpu = max(held, key=lambda each: each[0], default=(0.0, None))
    if gpu is not None and most >= here.least("shared", FOREIGN):
        return _on_gpu(here, gpu, most)
    # Of a GPU's training they matter where its images come too late.
    starving = here.waits is not None and here.waits.share >= STARVING
    return _on_cores(here) if here.on_cpu or starving else None


def foreign(gpu: UsedGpu) -> float | None:
    """Bytes of its memory that are not this experiment's; ``None`` where nobody can tell."""
    return median(
        each.memory_used - each.memory_ours
        for each in gpu.readings
        if each.memory_used is not None and each.memory_ours is not None
    )


def _on_gpu(here: Situation, gpu: UsedGpu, held: float) -> Verdict:
    evidence = [(f"{gpu.name} memory of others", size(held))]
    if (ours := gpu.typical("memory_ours")) is not None:
        evidence.append((f"{gpu.name} memory of this run", size(ours)))
    if (busy := gpu.typical("utilization")) is not None:
        evidence.append((f"{gpu.name} busy", percent(busy)))
    return Verdict(
        kind="shared",
        title="another job on the GPU",
        finding=f"others hold {size(held)} of {gpu.name}, so times say little about this training",
        change=_alone(here) if len(here.around.gpus.found) < 2 else "train on another GPU (--gpus)",
        evidence=tuple(evidence),
    )


def _on_cores(here: Situation) -> Verdict | None:
    cores = here.cores
    known = [each for each in here.host if each.tree_cpu is not None]
    if not cores or len(known) < _SAMPLES or here.cpu is None or here.cpu < FULL:
        return None
    ours = here.tree_cpu or 0.0
    # Cores to plan with are whole ones, but a container may have one and a half.
    allowed = known[-1].allowed or cores
    theirs = here.cpu * allowed - ours
    if theirs < here.least("shared", THEIRS) * allowed:
        return None
    return Verdict(
        kind="shared",
        title="another job on this machine",
        finding=(
            f"others keep {theirs:.1f} of {count(allowed)} cores busy, this training {ours:.1f}"
        ),
        change=_alone(here),
        evidence=(
            ("cores busy", percent(here.cpu)),
            ("with this training", f"{ours:.1f} of {count(allowed)}"),
            ("with others", f"{theirs:.1f} of {count(allowed)}"),
        ),
    )


def _alone(here: Situation) -> str:
    return "train once more when nothing else runs" if here.over else "wait until it has ended"
