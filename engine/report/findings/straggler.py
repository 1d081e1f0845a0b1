"""Whether one rank is slower than the others, who wait for it in every step."""

from __future__ import annotations

from engine.report.findings.throttled import conditions
from engine.report.findings.words import ms
from engine.report.ledger import Times
from engine.report.situation import Situation, UsedGpu, median
from engine.report.verdict import Verdict

SLOWER = 1.2
"""Times the work of the others: what differs by less is chance, or an image more in its share."""
LEAST = 0.002
"""Seconds per step: below it the difference is one of clocks."""

CLOCK = 1.1
"""Times its clock: GPUs of one kind differ by less from chip to chip."""


def straggler(here: Situation) -> Verdict | None:
    """The rank whose own work per step takes longest. Stages of a pipeline are no equals."""
    if here.plan.strategy.parallelism not in ("ddp", "fsdp") or len(here.times) < 2:
        return None
    worst = max(here.times, key=lambda each: each.work)
    others = [each for each in here.times if each is not worst]
    usual = median(each.work for each in others) or 0.0
    slower = 1.0 + here.least("straggler", SLOWER - 1.0)
    if usual <= 0 or worst.work < slower * usual or worst.work - usual < LEAST:
        return None
    if not _slow_per_image(worst, others, slower) or not _slow_alone(worst, others, slower):
        return None
    gpu = next((each for each in here.gpus if each.rank == worst.rank), None)
    why, change = _cause(here, gpu, worst.rank)
    return Verdict(
        kind="straggler",
        title=f"rank {worst.rank} is slow",
        finding=(
            f"its own work takes {ms(worst.work)} a step, that of the others {ms(usual)}: "
            f"{worst.work / usual:.2f} times as long, and they wait for it{why}"
        ),
        change=change,
        evidence=_evidence(here, gpu),
    )


def _slow_per_image(worst: Times, others: list[Times], slower: float) -> bool:
    """Whether it is not simply given more images than the others."""
    usual = median(each.work * each.steps / each.images for each in others if each.images > 0)
    if usual is None or usual <= 0 or worst.images <= 0:
        return True
    return worst.work * worst.steps / worst.images >= slower * usual


def _slow_alone(worst: Times, others: list[Times], slower: float) -> bool:
    """Whether it is slow where nothing is exchanged as well.

    While ranks of a CPU exchange, threads of one take cores from the other's backward pass: which
    of the two looks slow is chance, and neither waits for less than the other (seen).
    """
    usual = median(_alone(each) for each in others) or 0.0
    return usual <= 0 or _alone(worst) >= slower * usual


def _alone(rank: Times) -> float:
    """Seconds per step before its first gradient is there."""
    return (rank.device.of("copy") + rank.device.of("forward")) / max(1, rank.steps)


def _cause(here: Situation, gpu: UsedGpu | None, rank: int) -> tuple[str, str]:
    """What is known of its GPU that the others' have not; and what to do about it."""
    if gpu is None:
        where = "on the cores" if here.on_cpu else "on the GPU"
        return "", f"see what else runs {where} of rank {rank}"
    clock = gpu.typical("sm_clock")
    usual = median(each.typical("sm_clock") for each in here.gpus if each is not gpu)
    if clock is not None and usual is not None and clock * CLOCK < usual:
        why = f"; {gpu.name} runs at {clock:,.0f} MHz, the others at {usual:,.0f}"
        return why, f"check the cooling and power supply of {gpu.name}"
    return "", f"leave {gpu.name} out (--gpus)"


def _evidence(here: Situation, gpu: UsedGpu | None) -> tuple[tuple[str, str], ...]:
    told = tuple((f"rank {each.rank}, own work", ms(each.work)) for each in here.times)
    return told + (conditions(gpu) if gpu is not None else ())
