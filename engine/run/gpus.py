"""The supervisor's side of reading GPUs: it keeps the process going that asks the driver.

A process that says nothing for too long is killed, one that ended is started again, each time after
a longer pause; meanwhile the readings are empty, and the reason stands in them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from engine.errors import ExperimentError
from engine.journal.events import AnyEvent, Event, GpuFacts, GpuReading, GpuSample, GpusFound
from engine.run.launch import python
from engine.run.piped import Piped
from engine.run.torchrun import signal_name

WAKING = 60.0
"""Seconds until the first word: a driver that slept wakes one GPU after the other."""
SILENCE = 10.0
"""Seconds beyond the period without a word after which the process is given up."""
PAUSES = (2.0, 60.0)
"""Seconds before it is started again: the first time, and at most. They double."""
STEADY = 10
"""Samples in a row after which all is well again."""


class Gpus:
    """To be made in the main thread: the process ends with the thread that starts it."""

    def __init__(
        self,
        experiment: Path,
        period: float,
        *,
        waking: float = WAKING,
        silence: float = SILENCE,
        pauses: tuple[float, float] = PAUSES,
    ) -> None:
        """Starts the process, which samples every ``period`` seconds."""
        self._command = python("-m", "engine.run.gpu_process", f"{period:g}", str(experiment))
        self._period = period
        self._waking, self._silence = waking, period + silence
        self._first_pause, self._longest_pause = pauses
        self._pause = self._first_pause
        self._child: Piped | None = None
        self._over = False
        self._found = False
        """Whether the child of now has told of GPUs."""
        self._samples = 0
        """Of the child of now, since it was silent."""
        self._sampled = self._start_at = time.monotonic()
        self._told = ""
        self._why = ""
        self.facts: tuple[GpuFacts, ...] = ()
        self.problem = ""
        """Why there are no readings though there were or should be some; a clause."""
        self._start()

    @property
    def pid(self) -> int | None:
        """Of the process, while there is one."""
        return self._child.pid if self._child else None

    def poll(self) -> list[Event]:
        """What it told since the last call, and empty readings where it tells nothing."""
        told: list[Event] = []
        if self._child is None:
            if not self._over and time.monotonic() >= self._start_at:
                self._start()
        else:
            told += self._take(self._child.read())
            self._look_after(self._child)
        return told or self._explain()

    def close(self) -> None:
        self._over = True
        if self._child is not None:
            self._child.close()

    def _start(self) -> None:
        self._found, self._samples, self._why = False, 0, ""
        try:
            self._child = Piped(self._command)
        except ExperimentError as error:
            self._fail(str(error))

    def _take(self, events: Iterable[AnyEvent]) -> Iterable[Event]:
        for event in events:
            match event:
                case GpusFound(problem=problem) if problem and self.facts:
                    self._why = problem  # There were some: it will be asked again.
                case GpusFound():
                    self._found, self.facts = True, event.gpus
                    self._over = bool(event.problem)
                    yield event
                case GpuSample():
                    self._sampled = time.monotonic()
                    self._samples += 1
                    if self._samples >= STEADY:
                        self.problem, self._pause = "", self._first_pause
                    yield event
                case _:
                    pass

    def _look_after(self, child: Piped) -> None:
        code = child.exit_code
        if code is not None:
            self._child = None
            if not self._over:
                how = f"signal {-code} ({signal_name(-code)})" if code < 0 else f"exit code {code}"
                self._fail(self._why or f"the process that reads them ended with {how}")
        elif child.silent > (self._silence if self._found else self._waking):
            # One that hangs in the driver may outlive this; then no other is started.
            child.kill()
            self._why = self.problem = "NVIDIA's driver does not answer"
            self._samples = 0

    def _fail(self, problem: str) -> None:
        self.problem = problem
        self._samples = 0
        self._start_at = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, self._longest_pause)

    def _explain(self) -> list[Event]:
        """What stands for the readings that do not come, once per period."""
        if not self.problem or self._samples:
            return []
        if not self.facts:
            told, self._told = self._told, self.problem
            return [_without(self.problem)] if told != self.problem else []
        now = time.monotonic()
        if now - self._sampled < self._period:
            return []
        self._sampled = now
        return [GpuSample(readings=(GpuReading(problem=self.problem),) * len(self.facts))]


def _without(problem: str) -> GpusFound:
    return GpusFound(problem=f"no readings of GPUs: {problem}")
