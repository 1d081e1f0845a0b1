"""Where the time and the memory of a run go, in one verdict: what to change first. Pure.

Every finding is a room of ``engine.report.findings`` and looks at the latest seconds of training.
The first that holds is the verdict. Those that make the figures of others meaningless come first:
a GPU that slows down makes every step look slow.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.journal.views import RunView
from engine.plan.runs import RunPlan
from engine.report.findings.bubble import bubble
from engine.report.findings.data import data
from engine.report.findings.exchange import exchange
from engine.report.findings.fine import fine, measuring
from engine.report.findings.launches import launches
from engine.report.findings.memory import nearly_full, short
from engine.report.findings.shared import shared
from engine.report.findings.shm import shm
from engine.report.findings.straggler import straggler
from engine.report.findings.throttled import throttled
from engine.report.situation import Situation, Surroundings, situation
from engine.report.verdict import Kind, Verdict

__all__ = ["Surroundings", "diagnose", "judge"]

_FINDINGS: tuple[Callable[[Situation], Verdict | None], ...] = (
    measuring,
    throttled,
    shared,
    short,
    shm,
    straggler,
    data,
    bubble,
    exchange,
    launches,
    nearly_full,
)


def diagnose(
    run: RunView, plan: RunPlan, around: Surroundings, before: Kind | None = None
) -> Verdict:
    """The most serious finding about a run, while it trains or after it has ended.

    ``before``, the verdict at the last look, stays until its figures are well below its threshold.
    """
    return judge(situation(run, plan, around, before))


def judge(here: Situation) -> Verdict:
    """The same of what was put together already."""
    for finding in _FINDINGS:
        if (verdict := finding(here)) is not None:
            return verdict
    return fine(here)
