"""What was injected into a training beside what was measured of it, figure by figure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.journal.events import EpochEnded, EpochEstimated
from engine.report.ledger import Ledger, device_ledger, host_ledger
from tests.train.making import journal
from tests.train.truth.injection import Expected, expected
from tests.train.truth.timeline import Timeline, lateness
from tests.train.truth.trials import Outcome, steady, typical

SHARE, LEAST = 0.05, 0.002
"""A figure is true within 5 % or 2 ms, whichever is larger."""
LEDGER = 0.02
"""What adds up to the wall time does so within 2 %."""


@dataclass(frozen=True, slots=True)
class Figure:
    """Seconds, but for ``batches ready``.

    ``asked`` is what the injection asks for, by hand and as if nothing else took time; ``came``
    what the sleepers say came of it, with what they measured of the real work beside it.
    """

    rank: int
    name: str
    asked: float | None
    came: float
    measured: float
    room: float

    @property
    def error(self) -> float:
        return self.measured - self.came

    @property
    def is_true(self) -> bool:
        return bool(abs(self.error) <= self.room)

    def __str__(self) -> str:
        return f"rank {self.rank}, {self.name}: {self.measured:.4f} of {self.came:.4f}"


def figures(outcome: Outcome) -> list[Figure]:
    """Of every rank."""
    found: list[Figure] = []
    for rank, truth in enumerate(outcome.truth):
        asked = expected(outcome.case, rank)
        found += _of_a_step(outcome, rank, truth, asked)
        found += _of_the_loader(outcome, rank, truth, asked)
        if outcome.case.ranks > 1:
            found += _between_ranks(outcome, rank, truth, asked)
        found += _of_the_epoch(outcome, rank, truth)
    return found


def _figure(rank: int, name: str, asked: float | None, came: float, measured: float) -> Figure:
    return Figure(rank, name, asked, came, measured, max(SHARE * came, LEAST))


def _of_a_step(outcome: Outcome, rank: int, truth: Timeline, asked: Expected) -> Iterator[Figure]:
    # A batch that is there has to be received; with the wait for it that is one wait.
    wait = steady(truth.wait) + steady(truth.handover)
    measured = steady(outcome.measured("wait_seconds", rank))
    yield _figure(rank, "wait", asked.wait, wait, measured)
    measured = steady(outcome.measured("step_seconds", rank))
    yield _figure(rank, "step", asked.step, steady(truth.step), measured)
    measured = typical(outcome.measured("forward_seconds", rank))
    yield _figure(rank, "forward", asked.forward, typical(truth.forward), measured)
    measured = typical(outcome.measured("backward_seconds", rank))
    yield _figure(rank, "backward", asked.backward, typical(truth.backward), measured)


def _between_ranks(
    outcome: Outcome, rank: int, truth: Timeline, asked: Expected
) -> Iterator[Figure]:
    latest = lateness([each.computed for each in outcome.truth], rank)
    # Once the last rank is there, gradients have to travel.
    travel = truth.returned - truth.computed - latest
    measured = typical(outcome.measured("exchange_seconds", rank))
    yield _figure(rank, "exchange", asked.exchange, typical(latest + travel), measured)
    if rank == outcome.case.injection.slow:
        yield _straggler(outcome, rank)
    late = float(lateness([each.received for each in outcome.truth], rank)[0])
    if rank > 0 and outcome.case.injection.first:
        measured = float(outcome.measured("agree_seconds", rank)[0])
        yield _figure(rank, "first agreement", None, late, measured)


def _straggler(outcome: Outcome, slow: int) -> Figure:
    """By how much its passes take longer than those of the other rank."""
    other = 1 - slow
    came, measured = (
        [typical(each.forward + each.backward) for each in outcome.truth],
        [
            typical(
                outcome.measured("forward_seconds", rank)
                + outcome.measured("backward_seconds", rank)
            )
            for rank in range(outcome.case.ranks)
        ],
    )
    asked = expected(outcome.case, other).exchange
    apart = came[slow] - came[other]
    return _figure(slow, "slower by", asked, apart, measured[slow] - measured[other])


def _of_the_loader(
    outcome: Outcome, rank: int, truth: Timeline, asked: Expected
) -> Iterator[Figure]:
    if outcome.case.injection.first and rank == 0:
        first = float(truth.received[0] - truth.asked[0])
        measured = float(outcome.measured("wait_seconds", rank)[0])
        yield _figure(rank, "first wait", None, first, measured)
    decode = typical(outcome.measured("decode_seconds", rank))
    yield _figure(rank, "decode", outcome.case.injection.image, typical(truth.decode), decode)
    if outcome.case.workers:
        ready = typical(outcome.measured("queued", rank))
        yield Figure(rank, "batches ready", None, typical(truth.queued), ready, 0.5)


def _of_the_epoch(outcome: Outcome, rank: int, truth: Timeline) -> Iterator[Figure]:
    (epoch,) = outcome.view.epochs
    ended: EpochEnded = dict(epoch.by_rank)[rank]
    for name, seconds in (
        ("epoch", ended.seconds),
        ("sum of steps", ended.sums["step_seconds"]),
        ("host ledger", _told(host_ledger(ended.sums))),
        ("device ledger", _told(device_ledger(ended.sums))),
    ):
        yield Figure(rank, name, None, truth.epoch, seconds, LEDGER * truth.epoch)
    waited = float((truth.received - truth.asked).sum())
    room = max(SHARE * waited, LEAST * outcome.case.steps)
    yield Figure(rank, "all waits", None, waited, ended.wait_seconds, room)
    yield from _estimate(outcome, rank, truth, ended)


def _told(ledger: Ledger) -> float:
    """What its parts explain: here hardly anything may be left over."""
    return ledger.seconds - ledger.of("idle")


def _estimate(outcome: Outcome, rank: int, truth: Timeline, ended: EpochEnded) -> Iterator[Figure]:
    """(images / batch) x time per batch, the first batch left out."""
    events = journal(outcome.experiment, outcome.plan, rank=rank)
    (told,) = (each for each in events if isinstance(each, EpochEstimated))
    came = outcome.case.steps * float(np.mean(truth.step[1 : told.steps + 1]))
    measured = ended.estimated_seconds or told.seconds
    yield Figure(rank, "estimate", None, came, measured, SHARE * came)
