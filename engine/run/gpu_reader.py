"""What the process does that asks NVIDIA's driver; ``gpu_process`` is how it begins.

A child of the supervisor, so that a driver that hangs, crashes or leaks takes nothing else along.
It writes events to its standard output, one per line: ``GpusFound`` first, then a ``GpuSample``
every period. Where there is nothing to read, the first event says why and is the last.

Only GPUs that training may use are told (see ``visible``). A GPU that does not answer keeps its
place; the connection to the driver is made anew from time to time until it is there again.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Collection

import msgspec
import psutil

from engine.journal.events import Event, GpuSample, GpusFound, encode
from engine.plan.text import clean
from engine.run import nvml
from engine.run.gpu_reading import Reader
from engine.run.launch import torch_environment
from engine.run.nvml import Gpu
from engine.run.visible import VARIABLE, visible

RECONNECT = 10
"""Samples from one attempt to find a GPU again that does not answer to the next."""

BLOCKING = 1.0
"""From this period on there is time for measurements that take 40 ms of every GPU."""


class Gpus:
    """The GPUs that training may use, each with a reader."""

    def __init__(self, gpus: list[Gpu], period: float) -> None:
        self._may_block = period >= BLOCKING
        self._readers = [Reader(gpu, may_block=self._may_block) for gpu in gpus]
        self._supervisor = psutil.Process(os.getppid())
        self._failed = 0

    def found(self) -> GpusFound:
        facts = tuple(reader.gpu.facts for reader in self._readers)
        return GpusFound(gpus=facts, driver=nvml.driver_version())

    def sample(self) -> GpuSample:
        """All of them now."""
        ours: set[int] = set()

        def pids() -> Collection[int]:
            # Looked up at most once a sample, and not at all where nothing runs on any GPU.
            if not ours:
                ours.update(each.pid for each in self._supervisor.children(recursive=True))
            return ours

        return GpuSample(readings=tuple(reader.read(pids) for reader in self._readers))

    def reconnect(self) -> bool:
        """To be called where one does not answer: looks for them anew, if that is due.

        Returns whether one is known better than before. After a reset the driver answers no
        question that is asked by an older handle.
        """
        self._failed += 1
        if self._failed % RECONNECT:
            return False
        nvml.disconnect()
        nvml.connect()
        before = [reader.gpu for reader in self._readers]
        found = nvml.gpus()
        gpus = [_again(gpu, found) for gpu in before]
        self._readers = [Reader(gpu, may_block=self._may_block) for gpu in gpus]
        return [gpu.facts for gpu in gpus] != [gpu.facts for gpu in before]


def _again(gpu: Gpu, found: list[Gpu]) -> Gpu:
    """The same GPU among those that are found now; without a handle where it is not."""
    facts = gpu.facts
    for each in found:
        same = (each.facts.index, each.facts.slice) == (facts.index, facts.slice)
        if facts.uuid and each.facts.uuid == facts.uuid:
            return Gpu(facts, each.handle, each.whole)
        if same and not facts.uuid:
            known = msgspec.structs.replace(each.facts, visible=facts.visible)
            return Gpu(known, each.handle, each.whole)
    return Gpu(facts, None)


def find() -> tuple[list[Gpu], str]:
    """The GPUs that training may use, or a sentence that says why there are none."""
    if problem := nvml.connect():
        return [], problem
    found = nvml.gpus()
    if not found:
        return [], "no readings of GPUs: NVIDIA's driver shows none here"
    environment = {**os.environ, **torch_environment(os.environ)}
    usable = [
        Gpu(msgspec.structs.replace(gpu.facts, visible=may), gpu.handle, gpu.whole)
        for gpu, may in zip(found, visible([gpu.facts for gpu in found], environment), strict=True)
        if may is not False
    ]
    if not usable:
        value = clean(os.environ.get(VARIABLE, ""))
        return [], f"no readings of GPUs: {VARIABLE}={value!r} leaves none to training"
    return usable, ""


def main(period: float) -> int:
    """Until the supervisor has ended; an exit code."""
    parent = os.getppid()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        # A service manager that stops the supervisor signals us as well; it still needs readings.
        signal.signal(number, signal.SIG_IGN)
    usable, problem = find()
    if problem:
        _tell(GpusFound(problem=problem))
        return 0
    gpus = Gpus(usable, period)
    _tell(gpus.found())
    due = time.monotonic()
    while os.getppid() == parent:
        sample = gpus.sample()
        _tell(sample)
        if any(reading.problem for reading in sample.readings) and gpus.reconnect():
            _tell(gpus.found())
        due = max(due + period, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))
    return 0


def _tell(event: Event) -> None:
    os.write(sys.stdout.fileno(), encode(event))
