"""How long training waits for data: the numbers of the stall panel. Pure."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from engine.journal.events import EpochEnded
from engine.journal.step_columns import DECODE, QUEUED, column
from engine.journal.views import RunView


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Of one epoch. Shares of the time of its steps, 0..1, in which a rank's device waited."""

    epoch: int
    """From 0."""
    median: float
    """Over ranks."""
    worst: float
    worst_rank: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """Of the epoch at hand; ``None`` where it was not measured."""

    now: Waiting | None
    """The epoch at hand, so far; of a run that has ended, its last."""
    finished: tuple[Waiting, ...]
    """Each epoch that all ranks have finished."""
    workers: int
    """Processes that read images, over all ranks."""
    queued: float | None = None
    """Batches that were ready when one was asked for, on average over steps and ranks."""
    queue: int | None = None
    """Batches that are read ahead at most, for one rank; ``None`` without workers."""
    decode: float | None = None
    """Seconds per image, in the process that reads it."""


def stall(run: RunView) -> Stall | None:
    """``None`` before the first step, and where waiting was not measured."""
    ready = run.ready
    if ready is None or run.step <= 0:
        return None
    length = max(1, ready.steps_per_epoch)
    # The last step of an epoch belongs to it until the next epoch has one.
    epoch = max(0, run.step - 1) // length
    first = epoch * length
    now = _waiting(epoch, {rank: _share(run, rank, first) for rank in run.history.ranks})
    finished = tuple(
        each
        for view in run.epochs
        if (each := _waiting(view.epoch, {rank: _told(one) for rank, one in view.by_rank}))
    )
    if now is None and not finished:
        return None
    return Stall(
        now=now,
        finished=finished,
        workers=_processes(run, ready.workers),
        queued=run.history.mean(QUEUED, run.step - first),
        queue=max((each.queue for _, each in run.readies if each.queue), default=None),
        decode=run.history.mean(DECODE, run.step - first),
    )


def _processes(run: RunView, workers: int) -> int:
    """Those of a node are split over the ranks that load images, which have as many each."""
    loaders = sum(1 for _, each in run.readies if each.queue) or 1
    return loaders * -(-workers // loaders)


def _waiting(epoch: int, shares: dict[int, float | None]) -> Waiting | None:
    told = {rank: share for rank, share in shares.items() if share is not None}
    if not told:
        return None
    worst = max(told, key=lambda rank: (told[rank], -rank))
    return Waiting(
        epoch=epoch,
        median=statistics.median(told.values()),
        worst=told[worst],
        worst_rank=worst,
    )


def _share(run: RunView, rank: int, first: int) -> float | None:
    """From the step ``first`` on. Means over the same steps are in the ratio of their sums, and
    those over many steps were made already."""
    end = run.history.segments[rank][-1].track.end
    if end < run.step:
        # A rank of an earlier attempt, which had more.
        return None
    newest = end - first
    seconds = run.history.mean(column("step"), newest, rank)
    waited = run.history.mean(column("starved"), newest, rank)
    if waited is None:
        # A CPU, where the device waits when the host does.
        waited = run.history.mean(column("wait"), newest, rank)
    return None if seconds is None or waited is None else _part(waited, seconds)


def _told(epoch: EpochEnded) -> float | None:
    """From the rank's own sums; of older journals, from the wait of its host."""
    whole = epoch.sums.get(column("step"), epoch.seconds)
    waited = epoch.sums.get(column("starved"), epoch.sums.get(column("wait"), epoch.wait_seconds))
    return _part(waited, whole)


def _part(waited: float, whole: float) -> float | None:
    if not whole > 0 or not waited >= 0:
        return None
    return min(1.0, waited / whole)
