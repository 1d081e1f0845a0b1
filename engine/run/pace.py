"""How fast a trial trains: images over wall time, from the journals of its ranks as they grow.

The first steps are left out, and with them the batches that the loader had ready before they began;
what it goes on to have ready and does not make anew is taken off (see ``_made``). From the first
whole epoch on the steps that count are whole epochs, so that short last batches count as often as
they will.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, pstdev

from engine.journal import layout
from engine.journal.events import Steps
from engine.journal.files import Tail, parse
from engine.journal.step_columns import QUEUED

LEFT_OUT = 3
"""Steps before which nothing is steady, and ..."""
LEFT_OUT_SECONDS = 0.5
"""... seconds."""
STEPS = 8
"""Steps that count, at least."""
SECONDS = 2.0
"""How long they take together, at least."""
SPREAD = 0.01
"""The standard error of the rate, as a share of it, at which it is known well enough."""
ENOUGH = 12.0
"""Seconds of training after which it is known as well as it will be."""

_PARTS = 4
"""Into which the steps that count are cut for their spread."""
_STEPS = b'{"type":"steps"'


@dataclass(frozen=True, slots=True)
class Rate:
    images_per_second: float
    steps: int
    """That count."""
    seconds: float
    spread: float
    """Standard error as a share; infinite where that cannot be told."""


@dataclass(slots=True)
class Rank:
    """The steps of one rank."""

    seconds: list[float] = field(default_factory=list)
    images: list[float] = field(default_factory=list)
    queued: list[float] = field(default_factory=list)
    """NaN without workers."""

    def add(self, event: Steps) -> None:
        columns = dict(zip(event.names, event.columns, strict=True))
        nothing = [math.nan] * event.count
        for name, values in (
            ("step_seconds", self.seconds),
            ("images", self.images),
            (QUEUED, self.queued),
        ):
            values.extend(_floats(columns[name]) if name in columns else nothing)


class Pace:
    """Reads the steps of one attempt."""

    def __init__(self, experiment: Path, run: str, attempt: int, ranks: int) -> None:
        self._tails = [
            Tail(layout.rank_journal(experiment, run, attempt, rank)) for rank in range(ranks)
        ]
        self.ranks = [Rank() for _ in range(ranks)]

    def poll(self) -> bool:
        """Reads what is new; whether there was any."""
        grown = False
        for tail, rank in zip(self._tails, self.ranks, strict=True):
            while data := tail.read():
                lines = [line for line in data.split(b"\n") if line.startswith(_STEPS)]
                for event in parse(b"\n".join(lines))[0]:
                    if isinstance(event, Steps):
                        rank.add(event)
                        grown = True
        return grown

    def rate(self, steps_per_epoch: int, queue: int = 0) -> Rate | None:
        """So far; ``None`` before the second step. ``queue``: batches that a loader reads ahead."""
        return rate(self.ranks, steps_per_epoch, queue)

    def is_known(self, found: Rate, queue: int = 0) -> bool:
        """Whether more steps would hardly change it, or enough were made."""
        if sum(self.ranks[0].seconds) >= ENOUGH:
            return True
        return (
            found.steps >= max(STEPS, queue)
            and found.seconds >= SECONDS
            and found.spread <= SPREAD
            and _left_out(self.ranks[0], queue) + found.steps <= len(self.ranks[0].seconds)
        )


def rate(ranks: Sequence[Rank], steps_per_epoch: int, queue: int = 0) -> Rate | None:
    """Over the steps that all ranks have made."""
    made = min(len(rank.seconds) for rank in ranks)
    if made < 2:
        return None
    # Those who must be quick about it have made few steps: half of them count in any case.
    first = min(_left_out(ranks[0], queue), made // 2)
    epochs = (made - first) // steps_per_epoch
    if epochs:
        first = made - epochs * steps_per_epoch
    slowest = max(ranks, key=lambda rank: sum(rank.seconds[first:made]))
    images = [
        sum(of_all) for of_all in zip(*(rank.images[first:made] for rank in ranks), strict=True)
    ]
    seconds = slowest.seconds[first:made]
    if sum(seconds) <= 0 or sum(images) <= 0:
        return None
    made_anew = min(_made(rank.queued[first:made]) for rank in ranks)
    return Rate(
        images_per_second=made_anew * sum(images) / sum(seconds),
        steps=made - first,
        seconds=sum(seconds),
        spread=_spread(images, seconds, steps_per_epoch if epochs >= _PARTS else 1),
    )


def _left_out(rank: Rank, queue: int) -> int:
    """How many steps pass before those that may count."""
    seconds = 0.0
    for number, each in enumerate(rank.seconds):
        if number >= LEFT_OUT + queue and seconds >= LEFT_OUT_SECONDS:
            return number
        seconds += each
    return len(rank.seconds)


def _made(queued: Sequence[float]) -> float:
    """The share of the batches taken that the loader made meanwhile; the others it had ready.

    1 unless fewer and fewer are ready, by more than chance: a training that lives on what was made
    before it began will wait later on.
    """
    half = len(queued) // 2
    one, two = queued[:half], queued[half : 2 * half]
    if half < 2 or any(map(math.isnan, queued)):
        return 1.0
    fall = fmean(one) - fmean(two)
    if fall <= 2 * math.sqrt((pstdev(one) ** 2 + pstdev(two) ** 2) / half) or fall < 1:
        return 1.0
    return max(0.0, 1.0 - fall / half)


def _spread(images: Sequence[float], seconds: Sequence[float], unit: int) -> float:
    """Of the rates of some parts of the steps, each of as many times ``unit`` of them."""
    length = len(seconds) // unit // _PARTS * unit
    if length == 0:
        return math.inf
    rates = [
        sum(images[at : at + length]) / max(sum(seconds[at : at + length]), 1e-9)
        for at in range(len(seconds) - _PARTS * length, len(seconds), length)
    ]
    return pstdev(rates) / fmean(rates) / math.sqrt(_PARTS - 1)


def _floats(data: bytes) -> array[float]:
    """Little-endian, as in the journal."""
    values = array("f")
    values.frombytes(data)
    if array("H", [1]).tobytes() != b"\x01\x00":
        values.byteswap()
    return values
