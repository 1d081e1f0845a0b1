"""What is said where nothing is wrong, or nothing can be said yet."""

from __future__ import annotations

from engine.report.findings.words import count, ms, percent, several
from engine.report.roofline import Reached, reached
from engine.report.situation import Situation
from engine.report.verdict import Verdict

ENOUGH_STEPS = 5
"""Fewer say nothing about the next ones."""
ENOUGH_SECONDS = 1.0
"""So long a running training is watched at least, however fast its steps."""

WORK = ("copy", "forward", "backward", "pipeline", "update")


def measuring(here: Situation) -> Verdict | None:
    """Where too little was measured; a run that has ended is told by what there is."""
    if here.steps >= ENOUGH_STEPS and (here.over or here.seconds >= ENOUGH_SECONDS):
        return None
    if here.run.state == "queued":
        return Verdict(kind="measuring", title="queued", finding="it has not begun yet")
    steps = several(here.steps, "step")
    if here.over:
        return Verdict(
            kind="measuring",
            title="too short",
            finding=f"it ended with {steps} after its first, too few to tell where the time goes",
        )
    return Verdict(
        kind="measuring",
        title="measuring",
        finding=f"{steps} so far; the first one, which warms up, is left out",
    )


def fine(here: Situation) -> Verdict:
    """Nothing wrong: what bounds it then."""
    limit = reached(here)
    finding = _bound(here)
    if limit is not None:
        finding += f", and reaches {percent(limit.share)} of its roofline"
    return Verdict(
        kind="fine", title="nothing wrong", finding=finding, evidence=_evidence(here, limit)
    )


def _bound(here: Situation) -> str:
    pipeline, computing = here.run.pipeline, percent(here.share(*WORK))
    whose = "CPU" if here.on_cpu else "device"
    if pipeline is not None and not pipeline.overlaps:
        return (
            f"the {whose} computes {computing} of the time, one stage after another: they share it"
        )
    if pipeline is not None and pipeline.bubble is not None:
        return f"each stage computes {percent(1 - pipeline.bubble)} of the time, on average"
    # Some strategies exchange while they compute, and nobody can tell the two apart.
    mixed = len(here.times) > 1 and not here.share("exchange")
    return f"the {whose} computes{' and exchanges' if mixed else ''} {computing} of the time"


def _evidence(here: Situation, limit: Reached | None) -> tuple[tuple[str, str], ...]:
    told = [("computing", percent(here.share(*WORK)))]
    if here.waits is not None:
        told.append(("waiting for data", percent(here.waits.share)))
    if exchanged := here.share("exchange"):
        told.append(("exchange", percent(exchanged)))
    told.append(("step", ms(here.step_seconds)))
    if here.images_per_second is not None:
        told.append(("throughput", f"{count(here.images_per_second)} images/s"))
    if limit is not None:
        most = count(limit.most.images_per_second)
        told.append(("roofline, estimated", f"{most} images/s a device"))
    return tuple(told)
