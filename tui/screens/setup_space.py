"""What the checkpoints of a start would take on the disk, as Setup tells it. Pure but for
``lacking``, which asks the disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from textual.content import Content

from engine.errors import StrategyError
from engine.plan.config import Settings
from engine.plan.machine import Machine
from engine.plan.runs import RunPlan
from engine.plan.space import needed
from engine.plan.strategies import Strategy
from engine.plan.switches import availability, combine
from tui.widgets import format as show


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """Bytes; ``free`` is ``None`` where it is not known."""

    need: int
    free: int | None

    @property
    def too_little(self) -> bool:
        return self.free is not None and self.need > self.free


def plans(
    strategies: Sequence[Strategy], settings: Settings, machine: Machine
) -> tuple[RunPlan, ...]:
    """A run of each strategy that can run, and of each repeat; with the search for a batch size,
    each once more."""
    found = []
    for each in strategies:
        if availability(each, machine, settings).status == "unavailable":
            continue
        try:
            combined = combine(each, settings, machine)
        except StrategyError:
            continue
        found.append(RunPlan(run="", strategy=each, settings=combined, dataset=""))
    return tuple(found) * settings.repeats * (2 if settings.find_batch else 1)


def space(
    strategies: Sequence[Strategy],
    settings: Settings,
    machine: Machine,
    classes: int,
    free: int | None,
    images: int | None = None,
) -> Space:
    need = needed(plans(strategies, settings, machine), classes, images=images)
    return Space(need=need, free=free)


def in_words(found: Space | None) -> Content:
    """``checkpoints: up to 3.1 GiB; 52 GiB free``, after what comes before it."""
    if found is None or not found.need:
        return Content("")
    free = f"; {show.gib(found.free)} free" if found.free is not None else ""
    style = "$warning" if found.too_little else "$quiet"
    return Content.styled(f" · checkpoints: up to {show.gib(found.need)}{free}", style)


def lacking(
    place: Path,
    strategies: Sequence[Strategy],
    settings: Settings,
    machine: Machine,
    classes: int,
    images: int | None = None,
) -> str:
    """Why the disk has too little room, a sentence; empty where it has enough, or cannot tell."""
    from engine.run import disk

    found = plans(strategies, settings, machine)
    return disk.too_little(place, found, classes, images=images)
