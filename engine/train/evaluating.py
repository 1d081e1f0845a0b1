"""Validation: every image once, over all ranks, and what it says of the training."""

from __future__ import annotations

import time

from torch import Tensor

from engine.journal.events import ClassesJudged, Notice, Phase, Validated
from engine.train.agreeing import agree
from engine.train.job import Job
from engine.train.judging import Judge
from engine.train.limits import reached
from engine.train.metrics import Sums, add_up


def evaluate(job: Job, epoch: int) -> Sums | None:
    """Every validation image once; ``None`` where somebody asked to stop meanwhile."""
    began = time.monotonic()
    job.recorder.post(Phase(name="validating"))
    judge = Judge(len(job.classes))
    job.strategy.begin_validation()
    try:
        tallies = _tallies(job, judge)
    finally:
        job.strategy.end_validation()
    if tallies is None:
        return None
    sums = job.world.add_up(add_up(tallies))
    judged = _judged(job, epoch, judge, sums)
    if not job.world.first:
        return sums
    if not sums.finite:
        text = f"the validation loss after epoch {epoch + 1} is not a finite number"
        job.recorder.post(Notice(level="warning", code="validation-loss", text=text))
    if sums.images:
        job.recorder.post(
            Validated(
                epoch=epoch,
                step=job.step,
                images=sums.images,
                loss_sum=sums.loss_sum if sums.finite else None,
                top1=sums.top1,
                top5=sums.top5,
                seconds=time.monotonic() - began,
            )
        )
    if judged is not None:
        job.recorder.post(judged)
    return sums


def _tallies(job: Job, judge: Judge) -> list[Tensor] | None:
    """Of every batch; ``None`` where somebody asked to stop meanwhile."""
    found: list[Tensor] = []
    for batch in job.stream.validation():
        job.telemetry.place.at("validating")
        job.damage.note(batch)
        agreed = agree(job, batch, len(batch) + len(batch.missing))
        if job.stopping:
            return None
        job.telemetry.gauge.begin(len(batch), validating=True)
        found.append(job.strategy.evaluate(batch.without(agreed.positions), judge))
        job.telemetry.gauge.end()
    return found


def is_better(job: Job, sums: Sums) -> bool:
    """Whether it is the best validation so far; told by all ranks alike."""
    return sums.images > 0 and (job.best is None or sums.accuracy > job.best)


def _judged(job: Job, epoch: int, judge: Judge, sums: Sums) -> ClassesJudged | None:
    """What a validation said of each class, where it is the best one so far or the last."""
    best = is_better(job, sums)
    last = epoch + 1 == job.plan.settings.epochs or reached(job) != ""
    if not best and not (last and sums.images):
        return None
    return judge.judged(job.world, epoch=epoch, step=job.step, best=best)
