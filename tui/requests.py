"""What was asked about the queue of an experiment and is not answered yet. Pure.

Requests are left one at a time, each after the answer to the one before: two files that are written
in the same moment have no order. A run that is moved again meanwhile goes there in one step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

_SETTLING = 1.0
"""Seconds that the journal may take to show what was answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """``move`` and ``drop`` are about a ``run``, ``add`` about a ``strategy``."""

    action: Literal["move", "drop", "add"]
    strategy: str
    asked: float
    """Unix, in seconds."""
    run: str = ""
    place: int = 0
    """Where a run that is moved will be among those that wait, from 0."""


class Requests:
    """Of one experiment."""

    def __init__(self) -> None:
        self._line: list[Request] = []
        self._under_way: Request | None = None
        self._settling: list[tuple[float, Request]] = []

    @property
    def pending(self) -> tuple[Request, ...]:
        """Without an answer, oldest first."""
        first = () if self._under_way is None else (self._under_way,)
        return (*first, *self._line)

    def of(self, run: str) -> Request | None:
        """The latest that is about a run."""
        return next((each for each in reversed(self.pending) if each.run == run), None)

    def ask(self, request: Request) -> None:
        last = self._line[-1] if self._line else None
        moved = request.action == "move" and last is not None and last.action == "move"
        if last is not None and moved and last.run == request.run:
            self._line.pop()
        self._line.append(request)

    def next(self) -> Request | None:
        """The one that is to be left now; ``None`` while another has no answer."""
        if self._under_way is not None or not self._line:
            return None
        self._under_way = self._line.pop(0)
        return self._under_way

    def answered(self, now: float, *, refused: bool = False) -> None:
        """The one under way has its answer."""
        if self._under_way is not None and not refused:
            self._settling.append((now, self._under_way))
        self._under_way = None

    def order(self, waiting: Sequence[str], now: float) -> tuple[str, ...]:
        """The runs that wait as they will stand once everything asked for is done."""
        self._settling = [each for each in self._settling if now - each[0] < _SETTLING]
        order = list(waiting)
        for each in (*(request for _, request in self._settling), *self.pending):
            if each.action == "move" and each.run in order:
                order.remove(each.run)
                order.insert(each.place, each.run)
        return tuple(order)
