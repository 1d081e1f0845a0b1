"""The training itself: fit, epoch, evaluate. It is the same for every strategy."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import msgspec
from torch import Tensor

from engine.errors import TrainingError
from engine.journal.events import (
    ClassesJudged,
    EndState,
    EpochEnded,
    EpochStarted,
    Notice,
    Phase,
    Validated,
)
from engine.train.batch import Batch
from engine.train.estimate import Estimate
from engine.train.job import Job
from engine.train.judging import Judge
from engine.train.limits import has_all_steps, is_late, reached, steps
from engine.train.metrics import Sums, add_up, plus
from engine.train.rows import Loading
from engine.train.world import Agreed

_LAG = 8
"""Steps after which a skipped step is known, on all ranks the same: see ``_position``."""


@dataclass(frozen=True, slots=True)
class Ending:
    state: EndState
    reason: str = ""


def fit(job: Job) -> Ending:
    """Trains until all epochs are done, a limit is reached, or somebody asks to stop."""
    if job.plan.trial:
        return _measure(job)
    for epoch in range(job.plan.settings.epochs):
        train_epoch(job, epoch)
        if job.stopping:
            return _stopped(job, epoch)
        sums = evaluate(job, epoch)
        if sums is None:
            return _stopped(job, epoch)
        better = _is_better(job, sums)
        job.best = sums.accuracy if better else job.best
        _save(job, epoch, done=epoch + 1, best=better)
        if (limit := reached(job)) != "":
            return Ending("done", limit)
    return Ending("done")


def _measure(job: Job) -> Ending:
    """Trains for what its steps take and hold: nothing is validated, nothing is saved."""
    for epoch in range(job.plan.settings.epochs):
        train_epoch(job, epoch)
        if job.stopping or reached(job):
            break
    job.recorder.post(job.telemetry.gauge.read(room=True))
    if job.stopping:
        return Ending("stopped", f"stopped after {steps(job.step)}, as asked")
    return Ending("done", reached(job))


def train_epoch(job: Job, epoch: int) -> None:
    """One pass over the training images, or a part of one where something ends it early."""
    job.recorder.post(EpochStarted(epoch=epoch, step=job.step))
    estimate = Estimate(epoch, _sizes(job))
    job.telemetry.begin_epoch(estimate)
    began = time.monotonic()
    job.began = began if job.began is None else job.began
    for number in range(job.stream.steps_per_epoch):
        if not _train_step(job, number):
            break
        _check_finite(job)
        if has_all_steps(job):
            break
    result = job.telemetry.finish_epoch()
    seconds = time.monotonic() - began
    _check_finite(job)
    if job.stopping:
        return
    for event in job.strategy.measured(epoch, job.step):
        job.recorder.post(event)
    # Images that came too late are no step's.
    seconds = result.seconds.get("step_seconds", 0.0) if job.late else seconds
    job.recorder.post(
        EpochEnded(
            epoch=epoch,
            step=job.step,
            images=result.sums.images,
            loss_sum=result.sums.loss_sum,
            top1=result.sums.top1,
            top5=result.sums.top5,
            seconds=seconds,
            wait_seconds=result.wait_seconds,
            sums=result.seconds,
            read=result.read,
            read_seconds=result.read_seconds if result.read else None,
            estimated_seconds=estimate.seconds,
        )
    )


def _train_step(job: Job, number: int) -> bool:
    """The step ``number`` of an epoch; false where all ranks agree not to make it."""
    telemetry, stream, strategy = job.telemetry, job.stream, job.strategy
    lr = job.schedule(_position(job))
    telemetry.begin(job.step, lr)
    queued = stream.queued()
    batch = stream.next()
    telemetry.loaded(Loading(batch.read, batch.read_seconds, queued), len(batch))
    job.damage.note(batch)
    planned = stream.images_of_step(number)
    agreed = _agree(job, batch, planned)
    if job.world.size > 1:
        telemetry.clock.agreed()
    if job.stopping or job.late:
        return False
    batch = batch.without(agreed.positions)
    tally, count = None, planned - agreed.missing
    parts = batch.parts(job.plan.settings.accumulate)
    for part in parts:
        last = part is parts[-1]
        tally = plus(tally, strategy.forward_backward(part, count, telemetry.clock, last))
    assert tally is not None
    applied = strategy.update(lr, job.plan.settings.clip_grad, telemetry.clock)
    telemetry.end(tally, applied)
    job.step += 1
    job.stop.eager = False
    return True


def evaluate(job: Job, epoch: int) -> Sums | None:
    """Every validation image once; ``None`` where somebody asked to stop meanwhile."""
    began = time.monotonic()
    job.recorder.post(Phase(name="validating"))
    tallies: list[Tensor] = []
    judge = Judge(len(job.classes))
    job.strategy.begin_validation()
    for batch in job.stream.validation():
        job.telemetry.place.at("validating")
        job.damage.note(batch)
        agreed = _agree(job, batch, len(batch) + len(batch.missing))
        if job.stopping:
            return None
        job.telemetry.gauge.begin(len(batch), validating=True)
        tallies.append(job.strategy.evaluate(batch.without(agreed.positions), judge))
        job.telemetry.gauge.end()
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


def _is_better(job: Job, sums: Sums) -> bool:
    """Whether it is the best validation so far; told by all ranks alike."""
    return sums.images > 0 and (job.best is None or sums.accuracy > job.best)


def _judged(job: Job, epoch: int, judge: Judge, sums: Sums) -> ClassesJudged | None:
    """What a validation said of each class, where it is the best one so far or the last."""
    best = _is_better(job, sums)
    last = epoch + 1 == job.plan.settings.epochs or reached(job) != ""
    if not best and not (last and sums.images):
        return None
    return judge.judged(job.world, epoch=epoch, step=job.step, best=best)


def _sizes(job: Job) -> tuple[int, ...]:
    """Of the global batches that the epoch at hand will have."""
    wanted = job.plan.settings.max_steps
    return job.stream.all_sizes[: None if wanted is None else max(0, wanted - job.step)]


def _position(job: Job) -> int:
    """Where the schedule stands: a step that a scaler skipped does not advance it.

    The skip of a step is known when the device has finished it. Waiting for a step that is
    ``_LAG`` steps back costs nothing and makes the answer the same in every run.
    """
    if job.strategy.tolerance == 1:
        return job.step
    return job.step - job.telemetry.skipped_before(job.step - _LAG)


def _agree(job: Job, batch: Batch, planned: int) -> Agreed:
    """What all ranks must know before they compute ``batch``, a part of ``planned`` images."""
    agreed = job.world.agree(
        planned,
        batch.missing,
        shared=job.feed.shards == 1,
        stop=job.stop.requested,
        late=is_late(job),
    )
    job.stopping = agreed.stop
    if agreed.late and not job.late:
        job.late = True
        job.stream.cut()
    return agreed


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
    if job.step == 0:
        return Ending("stopped", "stopped before the first step, as asked")
    job.recorder.post(Phase(name="saving a checkpoint"))
    _save(job, epoch, done=epoch, best=False)
    return Ending("stopped", f"stopped after {steps(job.step)}, as asked")


def _save(job: Job, epoch: int, *, done: int, best: bool) -> None:
    """Every rank gives its part and puts its journal on the disk; then the first one saves.

    The others wait for it here: in their next step it would be taken for training time.
    """
    job.telemetry.place.at("saving a checkpoint")
    state = _state(job, done)
    if not job.world.first:
        job.checkpoints.sync_journal()
    job.world.wait_for_all()
    if job.world.first:
        job.checkpoints.save(state, epoch=epoch, step=job.step, best=best)
    job.world.wait_for_all()


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
