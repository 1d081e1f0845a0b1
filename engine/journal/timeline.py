"""Which attempt a moment belongs to: the supervisor's starts and ends, in order of time."""

from __future__ import annotations

from bisect import bisect_right

Attempt = tuple[str, int]
"""A run and the number of one of its attempts."""


class Timeline:
    """One attempt at a time has the machine, or none; times are Unix seconds.

    Whatever changes it returns the time from which on it is another than before.
    """

    def __init__(self) -> None:
        self._times: list[float] = []
        self._has: list[Attempt | None] = []
        """Who has the machine from that time on."""

    def begin(self, attempt: Attempt, t: float) -> float:
        """From then on it is this attempt's; told again, the later word counts."""
        since = t
        if attempt in self._has:
            place = self._has.index(attempt)
            since = min(t, self._times.pop(place))
            del self._has[place]
        self._insert(attempt, t)
        return since

    def end(self, attempt: Attempt, t: float) -> float:
        """From then on it is nobody's, if it was this attempt's."""
        if attempt in self._has:
            begun = self._has.index(attempt)
            # A clock that went back makes no span negative.
            t = max(t, self._times[begun])
            if bisect_right(self._times, t) == begun + 1:
                self._insert(None, t)
        return t

    def rest(self, t: float) -> float:
        """From then on it is nobody's: a supervisor begins or ends, and what another one had begun
        is over."""
        self._insert(None, t)
        return t

    def at(self, t: float) -> Attempt | None:
        """Whose the machine was."""
        place = bisect_right(self._times, t)
        return self._has[place - 1] if place else None

    def _insert(self, attempt: Attempt | None, t: float) -> None:
        place = bisect_right(self._times, t)
        self._times.insert(place, t)
        self._has.insert(place, attempt)
