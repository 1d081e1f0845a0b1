"""Which runs make which row: the strategies of every experiment in one view. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.journal.views import RunView
from engine.plan.runs import RunPlan, View
from engine.report.comparison import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The runs of one strategy of one experiment, in the order of its plan."""

    key: str
    source: Source
    name: str
    """The strategy."""
    runs: tuple[tuple[RunPlan, RunView | None], ...]
    """``None`` where a run was not queued yet."""

    @property
    def plan(self) -> RunPlan:
        return self.runs[0][0]


def entries(sources: Sequence[Source], view: View) -> tuple[Entry, ...]:
    """The rows of a view, in the order of the plans."""
    return tuple(entry for source in sources for entry in _of(source, view))


def views(sources: Sequence[Source]) -> tuple[View, ...]:
    """Those that there are rows for; ``equal`` where there is nothing at all."""
    known: tuple[View, ...] = ("equal", "best")
    return tuple(each for each in known if any(_of(source, each) for source in sources)) or (
        "equal",
    )


def _of(source: Source, view: View) -> list[Entry]:
    """Runs of the same strategy with the same settings, but for the seed, are its repeats."""
    groups: dict[object, list[RunPlan]] = {}
    for plan in source.plan.runs:
        if not plan.trial:
            what = (plan.strategy, plan.view, replace(plan.settings, seed=0))
            groups.setdefault(what, []).append(plan)
    shown = [plans for plans in groups.values() if _is_in(plans[0], view, source)]
    order = list(dict.fromkeys(plan.strategy.name for plan in source.plan.runs))
    shown.sort(key=lambda plans: order.index(plans[0].strategy.name))
    found: list[Entry] = []
    taken: dict[str, int] = {}
    for plans in shown:
        name = plans[0].strategy.name
        taken[name] = taken.get(name, 0) + 1
        told = {run.run: run for run in source.view.runs}
        found.append(
            Entry(
                # The number only where one strategy came with several settings.
                key=f"{source.name}/{name}" + (f"#{taken[name]}" if taken[name] > 1 else ""),
                source=source,
                name=name,
                runs=tuple((plan, told.get(plan.run)) for plan in plans),
            )
        )
    return found


def _is_in(plan: RunPlan, view: View, source: Source) -> bool:
    """What was asked for may be the best there is: then a run stands in both views."""
    if plan.view == view:
        return True
    return view == "best" and any(
        search.strategy == plan.strategy.name
        and search.found is not None
        and search.found.batch_size == plan.settings.batch_size
        for search in source.view.searches
    )
