"""What is said where nothing is wrong, or nothing can be said yet."""

from __future__ import annotations

from engine.report.findings.words import count, ms, percent, several
from engine.report.situation import Situation
from engine.report.verdict import Verdict

ENOUGH_STEPS = 5
"""Fewer say nothing about the next ones."""
ENOUGH_SECONDS = 1.0
"""So long a running training is watched at least, however fast its steps."""

WORK = ("copy", "forward", "backward", "pipeline", "update")


def measuring(here: Situation) -> Verdict | None:
    """Where too little was measured; a run that has ended is told by what there is."""
    over = here.run.state in ("done", "failed", "stopped")
    if here.steps >= ENOUGH_STEPS and (over or here.seconds >= ENOUGH_SECONDS):
        return None
    steps = several(here.steps, "step")
    if over:
        return Verdict(
            kind="measuring",
            title="too short",
            finding=f"it ended with {steps} after its first, too few to tell where the time goes",
        )
    if here.run.state == "queued":
        return Verdict(kind="measuring", title="queued", finding="it has not begun yet")
    return Verdict(
        kind="measuring",
        title="measuring",
        finding=f"{steps} of {ENOUGH_STEPS} so far, {ms(here.seconds)} in all",
    )


def fine(here: Situation) -> Verdict:
    """Nothing wrong: what bounds it then."""
    whose = "CPU" if here.on_cpu else "device"
    finding = f"the {whose} computes {percent(here.share(*WORK))} of the time"
    told = [("computing", percent(here.share(*WORK)))]
    if here.waits is not None:
        told.append(("waiting for data", percent(here.waits.share)))
    if len(here.times) > 1:
        told.append(("exchange", percent(here.share("exchange"))))
    told.append(("step", ms(here.step_seconds)))
    if here.images_per_second is not None:
        told.append(("throughput", f"{count(here.images_per_second)} images/s"))
    return Verdict(kind="fine", title="nothing wrong", finding=finding, evidence=tuple(told))
