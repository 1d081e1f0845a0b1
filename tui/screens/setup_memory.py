"""What memory each strategy would take, on Setup: estimated, before anything is started."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from textual.content import Content

from engine.errors import StrategyError
from engine.plan.config import Settings
from engine.plan.footprint import footprint
from engine.plan.machine import Machine
from engine.plan.room import fitting_batch
from engine.plan.runs import RunPlan
from engine.plan.strategies import Strategy
from engine.plan.switches import availability, combine
from tui.widgets import format as show


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Bytes on the fullest device; ``None`` is unknown, and ``unknown`` says why."""

    total: int | None
    activations: int | None
    device: str
    """``GPU``, or ``process`` on a CPU."""
    room: int | None = None
    """Of the smallest GPU that is used; not known of a CPU."""
    fitting: int | None = None
    """Where it does not fit: about the global batch that would; 0 where none does."""
    unknown: str = ""

    @property
    def too_much(self) -> bool:
        return self.total is not None and self.room is not None and self.total > self.room


def needs(
    strategies: Sequence[Strategy], settings: Settings, machine: Machine, classes: int, images: int
) -> dict[str, Needs]:
    """Of every strategy that can run, by its name; ``images``: to train on, at most a batch."""
    found = {}
    for each in strategies:
        if availability(each, machine, settings).status == "unavailable":
            continue
        try:
            combined = combine(each, settings, machine)
        except StrategyError:
            continue
        combined = replace(combined, batch_size=max(1, min(combined.batch_size, images)))
        plan = RunPlan(run="", strategy=each, settings=combined, dataset="")
        found[each.name] = _of_plan(plan, classes, _room(combined, machine))
    return found


def _of_plan(plan: RunPlan, classes: int, room: int | None) -> Needs:
    made = footprint(plan, classes)
    on_cpu = plan.settings.device == "cpu"
    result = Needs(
        total=made.total,
        activations=made.activations,
        device="process" if on_cpu else "GPU",
        room=room,
        unknown=made.unknown,
    )
    return (
        replace(result, fitting=fitting_batch(plan, classes, room)) if result.too_much else result
    )


def _room(settings: Settings, machine: Machine) -> int | None:
    if settings.device != "cuda":
        return None
    gpus = [each for each in machine.devices if each.kind == "cuda"]
    used = [each for each in gpus if settings.gpus is None or each.index in settings.gpus]
    sizes = [each.memory for each in used]
    known = [size for size in sizes if size is not None]
    return min(known) if known and len(known) == len(sizes) else None


def in_parts(found: Needs | None, wide: bool) -> str:
    """Of one strategy; where there is room, with what the activations are of it."""
    if found is None:
        return ""
    if found.total is None:
        return f"memory {show.UNKNOWN}: {found.unknown}" if wide else ""
    parts = f", activations {show.gib(found.activations)}" if wide else ""
    return f"~{show.gib(found.total)}{parts}"


def of_ticked(found: Mapping[str, Needs], ticked: Iterable[str]) -> Content:
    """Of the ticked strategy that takes most, and what to do where it does not fit."""
    known = [found[name] for name in ticked if name in found]
    counted = [each for each in known if each.total is not None]
    if not counted:
        return Content.styled(f" · memory {show.UNKNOWN}" if known else "", "$quiet")
    most = max(counted, key=lambda each: (each.too_much, each.total or 0))
    about = f" · ~{show.gib(most.total)} per {most.device}"
    if not most.too_much:
        of = f" of {show.gib(most.room)}" if most.room is not None else ""
        return Content.styled(f"{about}{of} (estimate)", "$quiet")
    remedy = f"a batch of ~{most.fitting} would fit" if most.fitting else "no batch would fit"
    return Content.styled(
        f"{about}, which has {show.gib(most.room)}: {remedy} (estimate)", "$warning"
    )
