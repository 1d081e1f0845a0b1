"""What to tell where the system killed a rank because memory ran out: how much there was, what the
ranks had when they last told, and which batch would fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import psutil

from engine import cgroup
from engine.errors import ResnetTuiError
from engine.journal import layout
from engine.journal.events import AnyEvent, Memory, Ready
from engine.plan.footprint import footprint
from engine.plan.room import BESIDE_TENSORS, size, smaller
from engine.plan.runs import RunPlan

_UNKNOWN = "memory ran out; use fewer workers or a smaller batch"


@dataclass(slots=True)
class Told:
    """What ranks told of their memory, by rank; to be made before they are launched."""

    readies: dict[int, Ready] = field(default_factory=dict)
    first: dict[int, Memory] = field(default_factory=dict)
    last: dict[int, Memory] = field(default_factory=dict)
    kills_before: int = field(default_factory=cgroup.oom_kills)
    """Processes that the system had killed because memory ran out."""

    def apply(self, rank: int, event: AnyEvent) -> None:
        if isinstance(event, Ready):
            self.readies[rank] = event
        elif isinstance(event, Memory):
            self.first.setdefault(rank, event)
            self.last[rank] = event


def shortage(run: Path, told: Told) -> str:
    """A sentence for the run of that directory; empty where nothing was killed for memory since
    ``told`` was made. Reads what this computer or its container allows."""
    if cgroup.oom_kills() <= told.kills_before:
        return ""
    there = cgroup.memory_limit() or psutil.virtual_memory().total
    return sentence(_plan(run / layout.RUN_CONFIG), told, there)


def sentence(plan: RunPlan | None, told: Told, there: int) -> str:
    """``there``: bytes that the run could have of the computer's memory."""
    if plan is None or not told.last:
        return _UNKNOWN
    had = sum(each.rss for each in told.last.values())
    ranks = f"its {len(told.last)} ranks" if len(told.last) > 1 else "it"
    facts = f"memory ran out: there are {size(there)}, and {ranks} had {size(had)} when last told"
    room = _room(plan, told.readies, told.first, there)
    if room is None:
        return f"{facts}; use fewer workers or a smaller batch"
    return f"{facts}; {smaller(plan, len(told.readies[0].classes), room)}, or use fewer workers"


def _room(
    plan: RunPlan, readies: Mapping[int, Ready], first: Mapping[int, Memory], there: int
) -> int | None:
    """What the tensors of each rank may take: its share, without what it was before the first step
    (but for weights and momentum) and what comes beside them. ``None`` for a run whose tensors are
    on GPUs, or unknown."""
    if 0 not in readies or 0 not in first or readies[0].device != "cpu":
        return None
    held = footprint(plan, len(readies[0].classes))
    tensors = (held.weights or 0) + (held.optimizer or 0)
    others = max(0, first[0].rss - tensors) + BESIDE_TENSORS
    return max(0, there // plan.ranks - others)


def _plan(config: Path) -> RunPlan | None:
    try:
        return msgspec.json.decode(config.read_bytes(), type=RunPlan)
    except (OSError, msgspec.MsgspecError, ResnetTuiError):
        return None
