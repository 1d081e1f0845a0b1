"""Whether a device waits for the host to hand over its work."""

from __future__ import annotations

from engine.plan.config import Settings
from engine.plan.strategies import Strategy
from engine.report.findings.words import ms, percent
from engine.report.situation import Situation, median
from engine.report.verdict import Verdict

CLOSE = 0.1
"""Of a step: so soon after the host's last word the device is done only if it waited for it."""
BUSY = 0.7
"""Of the host's time goes to handing over work. Otherwise something else holds both up."""


def launches(here: Situation) -> Verdict | None:
    """A host that needs as long to launch a step as the device to compute it."""
    step = here.step_seconds
    lag = median(each.lag for each in here.times)
    share = median(each.host.share("launch") for each in here.times) or 0.0
    if here.on_cpu or step is None or lag is None or lag > CLOSE * step or share < BUSY:
        return None
    launching = share * step
    return Verdict(
        kind="launches",
        title="launching holds it up",
        finding=(
            f"the host takes {ms(launching)} to launch a step of {ms(step)}, and the device is "
            f"done {ms(lag)} later: it waits for its work"
        ),
        change=_change(here.plan.strategy, here.plan.settings),
        evidence=(
            ("launching", f"{percent(share)} of the host's time"),
            ("device behind the host", ms(lag)),
            ("step", ms(step)),
        ),
    )


def _change(strategy: Strategy, settings: Settings) -> str:
    """A compiled network has fewer and larger launches; larger batches have as many for more."""
    able = strategy.parallelism in ("none", "ddp", "fsdp") and strategy.compile is None
    if able and not settings.compile and not settings.gradient_checkpointing:
        return "add --compile"
    return f"raise --batch-size from {settings.batch_size} to {2 * settings.batch_size}"
