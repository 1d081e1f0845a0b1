"""The real process that reads GPUs, in front of the stand-in for their driver."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.journal.events import Event, GpuReading, GpuSample, GpusFound
from engine.run.gpus import Gpus
from tests.run.nvml.standin import Script

PERIOD = 0.1
GIB = 1 << 30


class Driver:
    """A script for the driver, and the readings that come of it."""

    def __init__(self, library: Path, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.script = Script(directory / "script")
        self._directory = directory
        for name, value in self.script.environment(library).items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        monkeypatch.delenv("CUDA_DEVICE_ORDER", raising=False)
        self.told: list[Event] = []
        self._gpus: Gpus | None = None

    def start(self, **patience: float) -> Gpus:
        self._gpus = Gpus(self._directory, PERIOD, pauses=(0.1, 0.4), **patience)
        return self._gpus

    def close(self) -> None:
        if self._gpus is not None:
            self._gpus.close()

    def found(self) -> GpusFound:
        """The GPUs, once they were told."""
        self._until(lambda: any(isinstance(each, GpusFound) for each in self.told))
        return [each for each in self.told if isinstance(each, GpusFound)][-1]

    def readings(
        self, wanted: Callable[[tuple[GpuReading, ...]], object] = lambda readings: True
    ) -> tuple[GpuReading, ...]:
        """The next readings, from now on, of which ``wanted`` is true."""
        seen = len(self.told)
        matching: list[tuple[GpuReading, ...]] = []

        def came() -> bool:
            samples = [each for each in self.told[seen:] if isinstance(each, GpuSample)]
            matching[:] = [each.readings for each in samples if wanted(each.readings)]
            return bool(matching)

        self._until(came)
        return matching[0]

    def _until(self, true: Callable[[], bool], seconds: float = 60.0) -> None:
        assert self._gpus is not None
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, f"still not after {seconds:g} s: {self.told[-3:]}"
            self.told += self._gpus.poll()
            time.sleep(0.01)
