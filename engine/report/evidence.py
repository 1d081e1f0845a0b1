"""Whether something was equal in all runs of a table, told by what their journals say. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

from engine.journal.views import RunView
from engine.plan.runs import RunPlan
from engine.report.comparison import Held
from engine.report.names import listed

V = TypeVar("V", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A run whose figures stand in the table."""

    name: str
    """Of its row."""
    plan: RunPlan
    run: RunView
    machine: str = ""
    cores: int | None = None
    """Of the machine."""

    @property
    def on_cpu(self) -> bool:
        return self.run.ready is None or self.run.ready.device == "cpu"


Value = Callable[[Witness], V | None]
"""What a run tells of something; ``None`` where it does not."""


def everywhere(
    what: str,
    witnesses: Sequence[Witness],
    value: Value[V],
    shown: Callable[[V], str] = str,
) -> Held:
    """Equal where all runs tell the same; nothing is concluded from those that tell nothing."""
    told = [(each, value(each)) for each in witnesses]
    groups: dict[V, list[str]] = {}
    for each, found in told:
        if found is not None and each.name not in groups.setdefault(found, []):
            groups[found].append(each.name)
    if len(groups) > 1:
        parts = [f"{listed(names)}: {shown(found)}" for found, names in groups.items()]
        return Held(what, "differs", "; ".join(parts))
    if not groups or (silent := _silent(told)):
        return Held(what, "unknown", f"not told by {listed(silent)}" if groups else "")
    return Held(what, "equal", shown(next(iter(groups))))


def by_repeat(what: str, witnesses: Sequence[Witness], value: Value[V]) -> Held:
    """Equal where in each repeat all strategies tell the same; repeats may differ, as seeds do.

    Nothing is concluded from a repeat that only one strategy has done.
    """
    told = [(each, value(each)) for each in witnesses]
    repeats: dict[int, dict[V, list[str]]] = {}
    for each, found in told:
        if found is not None:
            groups = repeats.setdefault(each.plan.repeat, {})
            groups.setdefault(found, []).append(each.name)
    several = len(repeats) > 1
    unlike = [
        _unlike(groups) + (f" (repeat {repeat + 1})" if several else "")
        for repeat, groups in sorted(repeats.items())
        if len(groups) > 1
    ]
    if unlike:
        return Held(what, "differs", "; ".join(unlike))
    if not repeats or (silent := _silent(told)):
        return Held(what, "unknown", f"not told by {listed(silent)}" if repeats else "")
    # Each of these has one value, in which two or more agree.
    common = [groups for groups in repeats.values() if len(set(chain(*groups.values()))) > 1]
    proven = {name for groups in common for names in groups.values() for name in names}
    if alone := list(dict.fromkeys(each.name for each, _ in told if each.name not in proven)):
        return Held(what, "unknown", f"no other has done a repeat of {listed(alone)}")
    values = list(dict.fromkeys(chain(*common)))
    if len(values) == 1:
        return Held(what, "equal", str(values[0]))
    another = ", another in each" if len(values) == len(common) else ""
    return Held(what, "equal", f"in each of {len(common)} repeats{another}")


def _silent(told: Sequence[tuple[Witness, object]]) -> list[str]:
    return list(dict.fromkeys(each.name for each, found in told if found is None))


def _unlike(groups: dict[V, list[str]]) -> str:
    """Who differs from the first."""
    first, *others = groups.values()
    names = [name for each in others for name in each]
    return f"{listed(names)} from {first[0]}"
