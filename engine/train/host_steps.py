"""The host's side of a step: when the training thread asked, had, agreed, launched, and went on."""

from __future__ import annotations

import math
import time

from engine.journal.step_columns import DEVICE_PARTS

_NOWHERE = (math.nan,) * len(DEVICE_PARTS)
_PLACES = {part: place for place, part in enumerate(DEVICE_PARTS)}


class HostStep:
    """Readings of ``perf_counter``; the parts follow one another from the images to the update."""

    __slots__ = ("_agreed", "_asked", "_loaded", "_marked", "_together", "began", "ended", "parts")

    def __init__(self) -> None:
        self.parts = list(_NOWHERE)
        """Seconds from mark to mark, in the order of ``DEVICE_PARTS``; NaN where not marked."""
        self.began = self.ended = 0.0
        self._asked = self._loaded = self._agreed = self._marked = 0.0
        self._together = False

    @property
    def seconds(self) -> float:
        return self.ended - self.began

    def begin(self, began: float) -> None:
        """``began``: where the step before it ended."""
        self.began = began
        self.parts = list(_NOWHERE)
        self._together = False
        self._asked = time.perf_counter()

    def loaded(self) -> None:
        self._loaded = self._agreed = self._marked = time.perf_counter()

    def agreed(self) -> None:
        self._agreed = self._marked = time.perf_counter()
        self._together = True

    def mark(self, part: str) -> None:
        now = time.perf_counter()
        add(self.parts, _PLACES[part], now - self._marked)
        self._marked = now

    def end(self) -> float:
        """When that was."""
        self.ended = time.perf_counter()
        return self.ended

    def host(self) -> tuple[float, float, float, float]:
        """``wait``, ``agree`` (NaN where there was nobody to agree with), ``launch``, ``other``.

        ``launch`` lasts to the last mark; ``other`` is the rest of the step, at both its ends.
        """
        wait, launch = self._loaded - self._asked, self._marked - self._agreed
        agree = self._agreed - self._loaded
        other = self.seconds - wait - agree - launch
        return wait, agree if self._together else math.nan, launch, other


def add(parts: list[float], place: int, seconds: float) -> None:
    """A part that comes several times in a step (accumulation) takes the sum of its times."""
    before = parts[place]
    parts[place] = seconds if math.isnan(before) else before + seconds
