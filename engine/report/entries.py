"""Which runs make which row: the strategies of every experiment in one view. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from operator import attrgetter

from engine.journal.views import RunView
from engine.plan.config import Settings
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


_SETTINGS = attrgetter(*(each.name for each in fields(Settings) if each.name != "seed"))


class Entries:
    """The rows of some experiments, in the order of their plans, by view."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._by_view: dict[View, tuple[Entry, ...]] = {"equal": (), "best": ()}
        for source in sources:
            groups = _groups(source)
            for view in self._by_view:
                self._by_view[view] += _rows(source, groups, view)

    @property
    def views(self) -> tuple[View, ...]:
        """Those that there are rows for; ``equal`` where there is nothing at all."""
        return tuple(view for view, rows in self._by_view.items() if rows) or ("equal",)

    def of(self, view: View) -> tuple[Entry, ...]:
        return self._by_view[view]


def _groups(source: Source) -> list[list[RunPlan]]:
    """Runs of the same strategy with the same settings, but for the seed, are its repeats."""
    groups: dict[object, list[RunPlan]] = {}
    for plan in source.plan.runs:
        if not plan.trial:
            what = (plan.strategy, plan.view, _SETTINGS(plan.settings))
            groups.setdefault(what, []).append(plan)
    return list(groups.values())


def _rows(source: Source, groups: Sequence[list[RunPlan]], view: View) -> tuple[Entry, ...]:
    order = list(dict.fromkeys(plans[0].strategy.name for plans in groups))
    shown = [plans for plans in groups if _is_in(plans[0], view, source)]
    shown.sort(key=lambda plans: order.index(plans[0].strategy.name))
    told = {run.run: run for run in source.view.runs}
    found: list[Entry] = []
    taken: Counter[str] = Counter()
    for plans in shown:
        name = plans[0].strategy.name
        taken[name] += 1
        # The number only where one strategy came with several settings.
        number = f"#{taken[name]}" if taken[name] > 1 else ""
        found.append(
            Entry(
                key=f"{source.name}/{name}{number}",
                source=source,
                name=name,
                runs=tuple((plan, told.get(plan.run)) for plan in plans),
            )
        )
    return tuple(found)


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
