"""The training itself: fit, epoch, evaluate. It is the same for every strategy."""

from __future__ import annotations

import time
from dataclasses import dataclass

from engine.errors import TrainingError
from engine.journal.events import EndState, EpochEnded, EpochStarted, Phase
from engine.train.agreeing import agree
from engine.train.estimate import Estimate
from engine.train.evaluating import evaluate, is_better
from engine.train.job import NOTHING, BrokenOff, Job
from engine.train.limits import has_all_steps, over, reached, steps
from engine.train.metrics import Sums, plus
from engine.train.rows import Loading
from engine.train.saving import SAVING, is_due, save
from engine.train.stopwatch import Stopwatch

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
    if (limit := over(job)) != "":
        return Ending("done", limit)
    while job.epoch < job.plan.settings.epochs:
        train_epoch(job, job.epoch)
        if job.stopping:
            return _stopped(job)
        sums = evaluate(job, job.epoch)
        if sums is None:
            return _stopped(job)
        problem = _save_after(job, sums)
        if (limit := reached(job)) != "" or job.epoch == job.plan.settings.epochs:
            return Ending("done", _told(limit, problem))
    return Ending("done")


def _measure(job: Job) -> Ending:
    """Trains for what its steps take and hold: nothing is validated, nothing is saved."""
    for epoch in range(job.plan.settings.epochs):
        job.done = 0
        train_epoch(job, epoch)
        if job.stopping or reached(job):
            break
    job.recorder.post(job.telemetry.gauge.read(room=True))
    if job.stopping:
        return Ending("stopped", f"stopped after {steps(job.step)}, as asked")
    return Ending("done", reached(job))


def train_epoch(job: Job, epoch: int) -> None:
    """One pass over the training images, or a part of one where something ends it early.

    An epoch that an earlier attempt began goes on where that one saved it, its sums and its time
    with it.
    """
    job.recorder.post(EpochStarted(epoch=epoch, step=job.step))
    job.broken_off = None
    earlier, job.earlier = job.earlier, NOTHING
    estimate = Estimate(epoch, _sizes(job)) if job.done == 0 else None
    job.watch = Stopwatch(earlier.seconds)
    job.telemetry.begin_epoch(estimate, earlier.sums)
    job.began = time.monotonic() if job.began is None else job.began
    for number in range(job.done, job.stream.steps_per_epoch):
        # First of all: what goes on may have all of its steps, and then no images come for another.
        if has_all_steps(job) or not _train_step(job, number):
            break
        _check_finite(job)
        if is_due(job):
            _save_within(job)
    result = job.telemetry.finish_epoch()
    job.watch.pause()
    _check_finite(job)
    if job.stopping:
        return
    for event in job.strategy.measured(epoch, job.step):
        job.recorder.post(event)
    # Images that came too late are no step's.
    seconds = result.seconds.get("step_seconds", 0.0) if job.late else job.watch.seconds
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
            estimated_seconds=estimate.seconds if estimate is not None else None,
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
    agreed = agree(job, batch, planned)
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
    job.done = number + 1
    job.stop.eager = False
    return True


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


def _check_finite(job: Job) -> None:
    """Raises ``TrainingError`` once the recorder has seen a loss that is not finite, or as many
    steps skipped in a row as are tolerated."""
    if job.telemetry.not_finite is not None:
        row, others = job.telemetry.not_finite, job.strategy.tolerance - 1
        before = f", and the {others} steps before it were skipped as well" if others else ""
        raise TrainingError(
            f"the {row.lost} of step {row.step} is not a finite number, at learning rate "
            f"{row.lr:.4g}{before}; lower --lr ({job.plan.settings.lr:g}) or lengthen "
            "--warmup-epochs"
        )


def _save_after(job: Job, sums: Sums) -> str:
    """Saves after the validation of the epoch at hand, which is over then, unless a limit broke it
    off: who goes on from there makes the rest of its steps. Returns what ``save`` does."""
    better, before = is_better(job, sums), BrokenOff(job.best, job.best_epoch)
    if better:
        job.best, job.best_epoch = sums.accuracy, job.epoch
    number, every = job.epoch + 1, job.plan.settings.backup_epochs
    backup = number if every > 0 and number % every == 0 and job.done > 0 else None
    if job.done < job.stream.steps_per_epoch:
        job.broken_off = before
    else:
        job.epoch, job.done = number, 0
    return save(job, best=better, backup=backup)


def _stopped(job: Job) -> Ending:
    """Saves where training stands, in the middle of an epoch or before its validation."""
    if job.step == 0:
        return Ending("stopped", "stopped before the first step, as asked")
    job.recorder.post(Phase(name=SAVING))
    return Ending("stopped", _told(f"stopped after {steps(job.step)}, as asked", save(job)))


def _told(end: str, problem: str) -> str:
    """How a training ended; ``problem``: why its last checkpoint could not be saved."""
    if not problem:
        return end
    but = f"{end}, but it" if end else "its last checkpoint"
    return f"{but} could not be saved: {problem}"


def _save_within(job: Job) -> None:
    """Saves in the middle of an epoch, whose time does not go on meanwhile."""
    job.recorder.post(Phase(name=SAVING))
    job.watch.pause()
    job.telemetry.pause()
    _check_finite(job)
    save(job)
    job.telemetry.go_on()
    job.watch.go_on()
