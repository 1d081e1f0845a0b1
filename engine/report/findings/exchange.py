"""Whether ranks wait for each other's gradients."""

from __future__ import annotations

from engine.report.findings.words import count, ms, percent
from engine.report.situation import Situation
from engine.report.verdict import Verdict

WAITING = 0.2
"""From this share of the time on: gradients of a small batch take a tenth on common machines."""


def exchange(here: Situation) -> Verdict | None:
    """The time that even the last rank to come waits: the others wait for it as well."""
    if len(here.times) < 2:
        return None
    last = min(here.times, key=lambda each: each.device.share("exchange"))
    share = last.device.share("exchange")
    if share < WAITING:
        return None
    settings = here.plan.settings
    each = last.device.of("exchange") / last.steps
    return Verdict(
        kind="exchange",
        title="waiting for gradients",
        finding=(
            f"{percent(share)} of the time goes to exchanging gradients between "
            f"{len(here.times)} ranks: {ms(each)} a step, and {ms(last.work)} of computing"
        ),
        # One exchange for each batch: of twice the size there are half as many.
        change=f"raise --batch-size from {settings.batch_size} to {2 * settings.batch_size}",
        evidence=(
            *(
                (f"rank {one.rank}, exchange", percent(one.device.share("exchange")))
                for one in here.times
            ),
            ("images per step", count(here.images_per_step)),
        ),
    )
