"""Which GPUs ``CUDA_VISIBLE_DEVICES`` leaves to training, told without asking CUDA. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from engine.journal.events import GpuFacts

VARIABLE = "CUDA_VISIBLE_DEVICES"
ORDER = "CUDA_DEVICE_ORDER"

_NUMBER = re.compile(r"\s*([+-]?\d+)")


def visible(gpus: Sequence[GpuFacts], environment: Mapping[str, str]) -> list[bool | None]:
    """For each of ``gpus``, whether training may use it; ``None`` where that cannot be told.

    ``gpus`` are all that the driver shows, in its order (by PCI bus), with the slices of a GPU in
    its place. An entry of the variable is a number in CUDA's order, or the beginning of a UUID; the
    first one that names no GPU ends the list, and one that is named twice makes it empty.
    Numbers cannot be told where CUDA sorts different GPUs by its own idea of speed, nor which
    slice of a GPU it takes.
    """
    entries = environment.get(VARIABLE)
    if entries is None:
        # CUDA takes one slice at most, and where there are slices it may leave out whole GPUs.
        return [None if _sliced(gpus) else True for _ in gpus]
    for prefix in ("GPU-", "MIG-"):
        if entries.startswith(prefix):
            return _by_uuid(gpus, entries.split(","), prefix)
    return _by_number(gpus, entries.split(","), environment)


def _by_uuid(gpus: Sequence[GpuFacts], entries: list[str], prefix: str) -> list[bool | None]:
    chosen: set[int] = set()
    for entry in entries:
        if entry.startswith("MIG-GPU-"):
            # How drivers before 470 name slices: by numbers that are not known here.
            return [
                None if gpu.slice is not None else number in chosen
                for number, gpu in enumerate(gpus)
            ]
        named = [number for number, gpu in enumerate(gpus) if gpu.uuid.startswith(entry)]
        if not entry.startswith(prefix) or len(named) != 1:
            break
        if named[0] in chosen:
            return [False for _ in gpus]
        chosen.add(named[0])
    return [number in chosen for number in range(len(gpus))]


def _by_number(
    gpus: Sequence[GpuFacts], entries: list[str], environment: Mapping[str, str]
) -> list[bool | None]:
    count = len({gpu.index for gpu in gpus})
    chosen: list[int] = []
    for entry in entries:
        number = _number(entry)
        if number in chosen:
            return [False for _ in gpus]
        if not 0 <= number < count:
            break
        chosen.append(number)
    if not chosen:
        return [False for _ in gpus]
    if len(chosen) < count and not _in_our_order(gpus, environment):
        return [None for _ in gpus]
    places = {index: place for place, index in enumerate(sorted({gpu.index for gpu in gpus}))}
    return [
        False if places[gpu.index] not in chosen else None if gpu.slice is not None else True
        for gpu in gpus
    ]


def _in_our_order(gpus: Sequence[GpuFacts], environment: Mapping[str, str]) -> bool:
    by_bus = environment.get(ORDER) == "PCI_BUS_ID"
    return by_bus or len({gpu.name for gpu in gpus}) == 1


def _number(entry: str) -> int:
    """The number that an entry begins with, as C reads it; -1 where there is none."""
    found = _NUMBER.match(entry)
    return int(found[1]) if found else -1


def _sliced(gpus: Sequence[GpuFacts]) -> bool:
    return any(gpu.slice is not None for gpu in gpus)
