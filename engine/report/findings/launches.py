"""Whether a device waits for its host."""

from __future__ import annotations

from engine.plan.config import Settings
from engine.plan.strategies import Strategy
from engine.report.findings.words import ms, percent
from engine.report.situation import Situation, median
from engine.report.verdict import Verdict

CLOSE = 0.1
"""Of a step: so soon after the host's last word the device is done only if it waited for it."""
BUSY = 0.7
"""Of the host's time goes to launching and to what it does besides; the rest to waiting."""


def launches(here: Situation) -> Verdict | None:
    """A host that needs as long for a step as the device."""
    step = here.step_seconds
    lag = median(each.lag for each in here.times)
    busy = median(each.host.share("launch", "other") for each in here.times) or 0.0
    if here.on_cpu or step is None or lag is None or busy < here.least("launches", BUSY):
        return None
    # The other way round: this one says little where it is large.
    if here.least("launches", lag) > CLOSE * step:
        return None
    launching = median(each.host.share("launch") for each in here.times) or 0.0
    return Verdict(
        kind="launches",
        title="launching holds it up",
        finding=(
            f"the host is busy for {ms(busy * step)} of a step of {ms(step)}, "
            f"{ms(launching * step)} of them with launching, and the device is done {ms(lag)} "
            "later: it waits for its work"
        ),
        change=_change(here.plan.strategy, here.plan.settings, launching),
        evidence=(
            ("launching", f"{percent(launching)} of the host's time"),
            ("other", f"{percent(busy - launching)} of the host's time"),
            ("device behind the host", ms(lag)),
            ("step", ms(step)),
        ),
    )


def _change(strategy: Strategy, settings: Settings, launching: float) -> str:
    """A compiled network has fewer and larger launches; larger batches have as many for more."""
    able = strategy.parallelism in ("none", "ddp", "fsdp") and strategy.compile is None
    compiles = able and not settings.compile and not settings.gradient_checkpointing
    if compiles and launching >= BUSY:
        return "add --compile"
    return f"raise --batch-size from {settings.batch_size} to {2 * settings.batch_size}"
