"""Wall time of an epoch, over interruptions: what is done in a pause does not count."""

from __future__ import annotations

import time


class Stopwatch:
    """Runs from when it is made; ``before``: seconds that were spent earlier."""

    def __init__(self, before: float = 0.0) -> None:
        self._before = before
        self._began: float | None = time.monotonic()

    @property
    def seconds(self) -> float:
        running = 0.0 if self._began is None else time.monotonic() - self._began
        return self._before + running

    def pause(self) -> None:
        self._before, self._began = self.seconds, None

    def go_on(self) -> None:
        if self._began is None:
            self._began = time.monotonic()
