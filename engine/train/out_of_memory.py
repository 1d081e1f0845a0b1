"""Memory that was refused, as a sentence: what was asked, what was free, which batch would fit."""

from __future__ import annotations

import os
import re
import resource
from dataclasses import dataclass

import psutil

from engine import cgroup
from engine.plan.footprint import footprint
from engine.plan.room import BESIDE_TENSORS, size, smaller
from engine.plan.runs import RunPlan

_REFUSED = re.compile(
    r"out of memory|t allocate memory|unable to allocate|bad[ _]alloc|ALLOC_FAILED",
    re.IGNORECASE,
)
"""How CUDA, Apple's GPUs, torch on a CPU, numpy, C++ and cuDNN say that there is no more."""

_UNITS = {letter: 1 << 10 * power for power, letter in enumerate("bKMGTPE")}
_SIZE = r"([\d.]+) ?([bKMGTPE])(?:ytes|i?B)"
_ASKED = rf"allocate {_SIZE}"


@dataclass(frozen=True, slots=True)
class Start:
    """What was known before the first step; ``free`` in bytes."""

    classes: int
    free: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Bytes; ``None`` is unknown."""

    where: str = ""
    """``GPU 0``; empty for the memory of the computer."""
    asked: int | None = None
    free: int | None = None
    total: int | None = None
    room: int | None = None
    """What all tensors of this process together may take there."""


def is_refusal(error: BaseException) -> bool:
    return isinstance(error, MemoryError) or _REFUSED.search(str(error)) is not None


def free_memory() -> int | None:
    """Bytes that this process can still get from the computer, as far as that is known: what is
    available, what the process may address, what its container may use."""
    found = [int(psutil.virtual_memory().available)]
    most = resource.getrlimit(resource.RLIMIT_AS)[0]
    if most != resource.RLIM_INFINITY:
        found.append(most - int(psutil.Process().memory_info().vms))
    limit, used = cgroup.memory_limit(), cgroup.memory_used()
    if limit is not None and used is not None:
        found.append(limit - used)
    return max(0, min(found))


def explained(error: BaseException, plan: RunPlan | None, start: Start | None) -> str:
    """The sentence about a refusal; ``start`` where training had begun."""
    if plan is None:
        return "out of memory before training began; end what else uses it, or add some"
    found = refusal(str(error)) or _of_computer(error, plan, start)
    told = []
    if found.asked is not None:
        told.append(f"{size(found.asked)} more were asked for")
    if found.free is not None:
        of = f" of {size(found.total)}" if found.total is not None else ""
        where = f" on {found.where}" if found.where else ""
        told.append(f"{size(found.free)}{of} were free{where}")
    settings, classes = plan.settings, start.classes if start is not None else None
    return (
        f"out of memory with a batch of {settings.batch_size} at {settings.image_size} px"
        f"{': ' if told else ''}{' and '.join(told)}; {smaller(plan, classes, found.room)}"
    )


def refusal(text: str) -> Refusal | None:
    """What an accelerator's allocator says of itself; ``None`` where it is not its message.

    CUDA tells what is free, and what of the rest is torch's own; Apple's GPUs tell their limit.
    """
    if "MPS" in text:
        return _of_apple(text)
    if "CUDA" not in text and "HIP" not in text:
        return None
    gpu = re.search(r"GPU (\d+)", text)
    free = _bytes(text, rf"of which {_SIZE} is free", rf"{_SIZE} free")
    own = _bytes(text, rf"{_SIZE} is allocated by PyTorch", rf"{_SIZE} already allocated")
    unused = _bytes(text, rf"{_SIZE} is reserved by PyTorch but unallocated") or 0
    return Refusal(
        where=f"GPU {gpu[1]}" if gpu else "the GPU",
        asked=_bytes(text, _ASKED),
        free=free,
        total=_bytes(text, rf"capacity of {_SIZE}", rf"{_SIZE} total capacity"),
        room=free + own + unused if free is not None and own is not None else None,
    )


def _of_apple(text: str) -> Refusal:
    most = _bytes(text, rf"max allowed: {_SIZE}")
    own = _bytes(text, rf"MPS allocated: {_SIZE}")
    room = free = None
    if most is not None and own is not None:
        room = max(0, most - (_bytes(text, rf"other allocations: {_SIZE}") or 0))
        free = max(0, room - own)
    asked = _bytes(text, _ASKED)
    return Refusal(where="the GPU", asked=asked, free=free, total=most, room=room)


def _of_computer(error: BaseException, plan: RunPlan, start: Start | None) -> Refusal:
    """The error holds on to most of what the step had, so that what is free now was free then.

    The processes of a run share a computer's memory: each has room for its part of what was free
    before the first step, and for what it held by then.
    """
    room = None
    if start is not None and start.free is not None:
        held = footprint(plan, start.classes)
        there = (held.weights or 0) + (held.optimizer or 0)
        own = start.free // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
        room = max(0, own - BESIDE_TENSORS) + there
    asked, free = _bytes(str(error), _ASKED), free_memory()
    if asked is not None and free is not None and free >= asked:
        free = None  # Some of what the step had is given back already.
    return Refusal(asked=asked, free=free, room=room)


def _bytes(text: str, *patterns: str) -> int | None:
    """What the first of the patterns that is found says."""
    for each in patterns:
        if found := re.search(each, text):
            return int(float(found[1]) * _UNITS[found[2]])
    return None
