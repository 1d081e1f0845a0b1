"""Whether ranks wait for each other: for gradients, or to begin a step together."""

from __future__ import annotations

from engine.report.findings.words import count, ms, percent
from engine.report.situation import Situation
from engine.report.verdict import Verdict

WAITING = 0.2
"""From this share of the time on: gradients of a small batch take a tenth on common machines."""

_WAITING = ("exchange", "peers")


def exchange(here: Situation) -> Verdict | None:
    """The time that even the last rank to come waits: the others wait for it as well.

    Where images come too late, another finding says so before this one.
    """
    if len(here.times) < 2:
        return None
    last = min(here.times, key=lambda each: each.device.share(*_WAITING))
    share = last.device.share(*_WAITING)
    if share < here.least("exchange", WAITING):
        return None
    settings = here.plan.settings
    each = sum(map(last.device.of, _WAITING)) / last.steps
    return Verdict(
        kind="exchange",
        title="waiting for ranks",
        finding=(
            f"{percent(share)} of the time goes to meeting and exchanging gradients between "
            f"{len(here.times)} ranks: {ms(each)} a step, and {ms(last.work)} of computing"
        ),
        # One exchange for each batch: of twice the size there are half as many.
        change=f"raise --batch-size from {settings.batch_size} to {2 * settings.batch_size}",
        evidence=(
            *(
                (f"rank {one.rank} waits", percent(one.device.share(*_WAITING)))
                for one in here.times
            ),
            ("images per step", count(here.images_per_step)),
        ),
    )
