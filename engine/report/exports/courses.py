"""How each run went, epoch by epoch: what curves are drawn from, and what a table does not hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.journal.views import RunView
from engine.plan.runs import RunPlan
from engine.report.comparison import Row, Source

_WIDE = 200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The end of an epoch; ``None`` is unknown, NaN a loss that was not finite.

    ``seconds`` is from the first step, time between attempts left out.
    """

    epoch: int
    """From 1."""
    step: int
    """Optimiser steps that were done."""
    seconds: float | None
    train_loss: float | None = None
    train_top1: float | None = None
    val_loss: float | None = None
    val_top1: float | None = None
    val_top5: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One run of an experiment."""

    experiment: str
    plan: RunPlan | None
    """``None`` where the journals know a run that the plan does not."""
    view: RunView
    points: tuple[Point, ...]


Courses = dict[tuple[str, str], Course]
"""By the names of the experiment and the run."""


def courses(sources: Iterable[Source]) -> Courses:
    """Of every run that the journals know."""
    found: Courses = {}
    for source in sources:
        plans = {plan.run: plan for plan in source.plan.runs}
        for run in source.view.runs:
            found[source.name, run.run] = Course(
                experiment=source.name, plan=plans.get(run.run), view=run, points=_points(run)
            )
    return found


def of_row(row: Row, known: Courses) -> tuple[Course, ...]:
    """The courses of a row's repeats, in their order; only of runs that got somewhere."""
    found = (known.get((each.experiment, each.run)) for each in row.repeats)
    return tuple(each for each in found if each is not None and each.points)


def is_wide(values: Sequence[float]) -> bool:
    """Whether a chart of them needs a logarithmic scale: a loss that exploded once would leave
    nothing to see of all others."""
    return bool(values) and min(values) > 0 and max(values) / min(values) > _WIDE


def _points(run: RunView) -> tuple[Point, ...]:
    trained = {each.epoch: each for each in run.epochs if each.images}
    validated = {each.epoch: each for each in run.validations if each.images}
    points = []
    for epoch in sorted(trained.keys() | validated.keys()):
        train, val = trained.get(epoch), validated.get(epoch)
        step = train.end_step if train is not None else val.step if val is not None else 0
        t = val.t if val is not None else train.t if train is not None else 0.0
        points.append(
            Point(
                epoch=epoch + 1,
                step=step,
                seconds=_seconds(run, t),
                train_loss=train.loss if train is not None else None,
                train_top1=train.top1 if train is not None else None,
                val_loss=val.loss if val is not None else None,
                val_top1=val.top1 if val is not None else None,
                val_top5=val.top5 if val is not None else None,
            )
        )
    return tuple(points)


def _seconds(run: RunView, t: float) -> float | None:
    """How long after its first step a run was at a moment; ``None`` without a step."""
    segments = run.history.segments.get(None, ())
    begun = [each for each in segments if each.track.begun <= t]
    if not begun:
        return None
    return begun[-1].seconds + t - begun[-1].track.begun
