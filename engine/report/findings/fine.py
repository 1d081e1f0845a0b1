"""What is said where nothing is wrong, or nothing can be said yet."""

from __future__ import annotations

from engine.plan.roofline import Roof, roof
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
        finding=f"{steps} so far; the first one, which warms up, is left out",
    )


def fine(here: Situation) -> Verdict:
    """Nothing wrong: what bounds it then."""
    limit = _roof(here)
    finding = _bound(here)
    if limit is not None:
        reached, most = limit
        finding += f", and reaches {percent(reached / most.images_per_second)} of its roofline"
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


def _evidence(here: Situation, limit: tuple[float, Roof] | None) -> tuple[tuple[str, str], ...]:
    told = [("computing", percent(here.share(*WORK)))]
    if here.waits is not None:
        told.append(("waiting for data", percent(here.waits.share)))
    if exchanged := here.share("exchange"):
        told.append(("exchange", percent(exchanged)))
    told.append(("step", ms(here.step_seconds)))
    if here.images_per_second is not None:
        told.append(("throughput", f"{count(here.images_per_second)} images/s"))
    if limit is not None:
        _, most = limit
        told.append(("roofline, estimated", f"{count(most.images_per_second)} images/s a device"))
    return tuple(told)


def _roof(here: Situation) -> tuple[float, Roof] | None:
    """What one device reached in images per second, and its limit; ``None`` where unknown."""
    ready, reached = here.run.ready, here.images_per_second
    if ready is None or reached is None:
        return None
    settings = here.plan.settings
    most = roof(
        ready.device_name, ready.precision, ready.model, settings.image_size, settings.compile
    )
    devices = len(here.run.devices) if here.run.world_size > 1 else len(set(here.run.devices))
    return (reached / max(1, devices), most) if most is not None else None
