"""Whose memory it is: where a container hides processes, "none of ours" is no answer. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import msgspec

from engine.journal.events import GpuFacts, GpuReading, GpuSample
from engine.plan.uuids import is_among

_INITIAL = "pid:[4026531836]"
"""The namespace that numbers processes as the driver does; the same number on every Linux."""


def numbered_otherwise() -> bool:
    """Whether this process counts in a container of its own, where the driver lists other pids."""
    try:
        return str(Path("/proc/self/ns/pid").readlink()) != _INITIAL
    except OSError:
        return False


class Ownership:
    """Fed with every sample; knows from what came before whether our processes are listed."""

    def __init__(self, hidden: bool) -> None:
        """``hidden``: what is believed until one of ours is seen, or missed."""
        self._hidden = hidden

    def settle(
        self,
        facts: Sequence[GpuFacts],
        sample: GpuSample,
        training: Collection[str],
        *,
        running: bool,
    ) -> GpuSample:
        """``sample`` with ``memory_ours`` unknown where it says 0 and that cannot be right.

        ``training``: the UUIDs of GPUs that ranks train on now, and so hold memory of; ``running``:
        whether there are ranks at all, which may not have said yet what they train on.
        """
        readings = sample.readings
        if any(reading.memory_ours for reading in readings):
            self._hidden = False
        elif any(
            is_among(gpu.uuid, training) and reading.memory_ours == 0
            for gpu, reading in zip(facts, readings, strict=False)
        ):
            self._hidden = True
        if not (self._hidden and running):
            return sample
        settled = tuple(
            _unknown(reading) if not training or is_among(gpu.uuid, training) else reading
            for gpu, reading in zip(facts, readings, strict=False)
        )
        return msgspec.structs.replace(sample, readings=settled)


def _unknown(reading: GpuReading) -> GpuReading:
    return msgspec.structs.replace(reading, memory_ours=None)
