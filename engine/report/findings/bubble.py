"""Whether the stages of a pipeline idle more than they must."""

from __future__ import annotations

from engine.journal.pipeline_view import PipelineView, StagesView
from engine.plan.spread import needs_company
from engine.report.findings.words import count, ms, percent, several
from engine.report.situation import Situation
from engine.report.verdict import Verdict

IDLING = 0.2
"""From this share of the time on, idle stages are what to change first. The schedule alone keeps
below it with 4 micro-batches per stage, which is what runs by itself."""
ABOVE = 0.15
"""Above the schedule's own share: what stages that are even lose to sending and starting pieces."""


def bubble(here: Situation) -> Verdict | None:
    """Of the last epoch. Stages that share a device take turns whatever is changed."""
    pipeline = here.run.pipeline
    if pipeline is None or not pipeline.overlaps or not pipeline.measured:
        return None
    last = pipeline.measured[-1]
    cause = _cause(here, pipeline, last) if last.bubble >= IDLING else None
    if cause is None:
        return None
    why, change = cause
    finding = (
        f"stages idle {percent(last.bubble)} of the time, and "
        f"{percent(pipeline.bubble_in_theory)} by the schedule of {pipeline.stages} stages and "
        f"{several(pipeline.micro_batches, 'micro-batch', 'es')}"
    )
    return Verdict(
        kind="bubble",
        title="pipeline bubble",
        finding=finding + why,
        change=change,
        evidence=_evidence(pipeline, last),
    )


def _cause(here: Situation, pipeline: PipelineView, last: StagesView) -> tuple[str, str] | None:
    """Why, and what to change: the schedule or the slowest stage, whichever costs more."""
    slowest = max(range(len(last.busy)), key=lambda stage: last.busy[stage])
    mean = sum(last.busy) / len(last.busy)
    # As long as the slowest computes, the others have this much less to do.
    uneven = 1.0 - mean / last.busy[slowest] if last.busy[slowest] > 0 else 0.0
    scheduled = pipeline.bubble_in_theory
    above = last.bubble >= scheduled + ABOVE
    if above and uneven > scheduled and (better := _better(pipeline, last, slowest)):
        return f"; stage {slowest + 1} computes longest, {ms(last.busy[slowest])} an epoch", better
    if scheduled >= IDLING and (more := _more_pieces(here, pipeline.micro_batches)):
        return "", f"raise --micro-batches from {pipeline.micro_batches} to {more}"
    if not above and scheduled < IDLING:
        return None
    batch = here.plan.settings.batch_size
    return "; pieces are small", f"raise --batch-size from {batch} to {2 * batch}"


def _more_pieces(here: Situation, now: int) -> int | None:
    """Twice as many or more, of equal size; ``None`` where the batch has not so many."""
    settings = here.plan.settings
    part = settings.batch_size // settings.accumulate
    most = part // 2 if needs_company(settings) else part
    return next((pieces for pieces in range(2 * now, most + 1) if part % pieces == 0), None)


def _better(pipeline: PipelineView, last: StagesView, slowest: int) -> str:
    """A balance with a layer less in the slowest stage, where that makes the slowest one faster."""
    busy, balance = last.busy, list(pipeline.balance)
    beside = [stage for stage in (slowest - 1, slowest + 1) if 0 <= stage < len(busy)]
    to = min(beside, key=lambda stage: busy[stage])
    layer = busy[slowest] / balance[slowest]
    if pipeline.given:
        return "leave --balance out: layers are measured then, and split evenly"
    if balance[slowest] < 2 or busy[to] + layer >= busy[slowest]:
        return ""
    balance[slowest] -= 1
    balance[to] += 1
    now, then = (",".join(map(str, each)) for each in (pipeline.balance, balance))
    return f"give --balance {then} instead of {now}"


def _evidence(pipeline: PipelineView, last: StagesView) -> tuple[tuple[str, str], ...]:
    told = [
        ("bubble", percent(last.bubble)),
        ("by the schedule", percent(pipeline.bubble_in_theory)),
        ("micro-batches", count(pipeline.micro_batches)),
    ]
    for stage, (share, each) in enumerate(zip(last.shares, last.busy, strict=True), start=1):
        told.append((f"stage {stage} computes", f"{percent(share)}, {ms(each)}"))
    return tuple(told)
