"""The training itself: fit, epoch, evaluate. It is the same for every strategy."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import msgspec
from torch import Tensor

from engine.errors import TrainingError
from engine.journal.events import EndState, EpochEnded, EpochStarted, Notice, Phase, Validated
from engine.plan.runs import RunPlan
from engine.train.checkpoint import Checkpoints
from engine.train.damage import Damage
from engine.train.data import Stream
from engine.train.metrics import Sums, add_up
from engine.train.optim import Schedule
from engine.train.recorder import Recorder
from engine.train.stop import StopRequest
from engine.train.strategies.base import Strategy
from engine.train.telemetry import Telemetry

_LAG = 8
"""Steps after which a skipped step is known, on all ranks the same: see ``_position``."""


@dataclass(slots=True, kw_only=True)
class Job:
    """What a training consists of."""

    plan: RunPlan
    classes: tuple[str, ...]
    strategy: Strategy
    stream: Stream
    schedule: Schedule
    telemetry: Telemetry
    recorder: Recorder
    checkpoints: Checkpoints
    damage: Damage
    stop: StopRequest
    step: int = 0
    """Steps finished: the number of the next one."""
    best: float | None = None
    """The best validation accuracy so far, 0..1."""
    began: float | None = None
    """``time.monotonic`` at the first step."""


@dataclass(frozen=True, slots=True)
class Ending:
    state: EndState
    reason: str = ""


def fit(job: Job) -> Ending:
    """Trains until all epochs are done, a limit is reached, or somebody asks to stop."""
    for epoch in range(job.plan.settings.epochs):
        limit = train_epoch(job, epoch)
        if job.stop.requested:
            return _stopped(job, epoch)
        sums = evaluate(job, epoch)
        if sums is None:
            return _stopped(job, epoch)
        better = sums.images > 0 and (job.best is None or sums.accuracy > job.best)
        job.best = sums.accuracy if better else job.best
        job.checkpoints.save(_state(job, epoch + 1), epoch=epoch, step=job.step, best=better)
        if limit:
            return Ending("done", limit)
    return Ending("done")


def train_epoch(job: Job, epoch: int) -> str:
    """One pass over the training images; returns why it ended early, if it did."""
    telemetry, stream, strategy = job.telemetry, job.stream, job.strategy
    job.recorder.post(EpochStarted(epoch=epoch, step=job.step))
    telemetry.begin_epoch()
    began = time.monotonic()
    limit = ""
    for _ in range(stream.steps_per_epoch):
        lr = job.schedule(_position(job))
        telemetry.begin(job.step, lr)
        batch = stream.next()
        telemetry.loaded()
        job.damage.note(batch)
        tally = strategy.forward_backward(batch, len(batch), telemetry.clock)
        applied = strategy.update(lr, None, telemetry.clock)
        telemetry.end(tally, applied)
        job.step += 1
        job.stop.eager = False
        _check_finite(job)
        limit = _limit(job, began)
        if limit or job.stop.requested:
            break
    result = telemetry.finish_epoch()
    _check_finite(job)
    if not job.stop.requested:
        job.recorder.post(
            EpochEnded(
                epoch=epoch,
                step=job.step,
                images=result.sums.images,
                loss_sum=result.sums.loss_sum,
                top1=result.sums.top1,
                top5=result.sums.top5,
                seconds=time.monotonic() - began,
                wait_seconds=result.wait_seconds,
            )
        )
    return limit


def evaluate(job: Job, epoch: int) -> Sums | None:
    """Every validation image once; ``None`` where somebody asked to stop meanwhile."""
    began = time.monotonic()
    job.recorder.post(Phase(name="validating"))
    tallies: list[Tensor] = []
    for batch in job.stream.validation():
        job.damage.note(batch)
        tallies.append(job.strategy.evaluate(batch))
        if job.stop.requested:
            return None
    sums = add_up(tallies)
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
    return sums


def _position(job: Job) -> int:
    """Where the schedule stands: a step that a scaler skipped does not advance it.

    The skip of a step is known when the device has finished it. Waiting for a step that is
    ``_LAG`` steps back costs nothing and makes the answer the same in every run.
    """
    if job.strategy.tolerance == 1:
        return job.step
    return job.step - job.telemetry.skipped_before(job.step - _LAG)


def _limit(job: Job, began: float) -> str:
    """Why training ends here, as the user asked; empty where it goes on."""
    settings = job.plan.settings
    if job.began is None:
        job.began = began
    total = settings.epochs * job.stream.steps_per_epoch
    if job.step >= total:
        return ""
    if settings.max_steps is not None and job.step >= settings.max_steps:
        return f"after {job.step} steps, as asked"
    if settings.max_time is not None and time.monotonic() - job.began >= settings.max_time:
        job.stream.cut()
        return f"after {settings.max_time:g} s of training, as asked"
    return ""


def _check_finite(job: Job) -> None:
    """Raises ``TrainingError`` once the recorder has seen a loss that is not finite."""
    if job.telemetry.not_finite is not None:
        step, lr = job.telemetry.not_finite
        raise TrainingError(
            f"the loss of step {step} is not a finite number, at learning rate {lr:.4g}; "
            f"lower --lr ({job.plan.settings.lr:g}) or lengthen --warmup-epochs"
        )


def _stopped(job: Job, epoch: int) -> Ending:
    """Saves where training stands; ``epoch`` is not finished."""
    job.recorder.post(Phase(name="saving a checkpoint"))
    job.checkpoints.save(_state(job, epoch), epoch=epoch, step=job.step, best=False)
    return Ending("stopped", f"stopped after {job.step} steps, as asked")


def _state(job: Job, epochs_done: int) -> dict[str, Any]:
    """What a checkpoint holds: tensors and plain types, nothing else."""
    return {
        **job.strategy.capture(),
        "epoch": epochs_done,
        "step": job.step,
        "best_acc": job.best if job.best is not None else 0.0,
        "scheduler": msgspec.to_builtins(job.schedule),
        "classes": list(job.classes),
        "config": msgspec.to_builtins(job.plan),
    }
