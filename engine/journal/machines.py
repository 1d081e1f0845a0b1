"""The nodes of an experiment, and what they were like while each run lasted."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.journal.events import AnyEvent
from engine.journal.machine_view import Conditions
from engine.journal.node import Node
from engine.journal.timeline import Timeline


@dataclass(slots=True)
class Machines:
    """Each call that changes what runs were under returns those runs."""

    _timeline: Timeline = field(default_factory=Timeline)
    _nodes: dict[int, Node] = field(default_factory=dict)

    @property
    def first(self) -> Node:
        """The one that is shown."""
        return self._nodes[min(self._nodes)] if self._nodes else Node(self._timeline)

    def apply(self, node: int, event: AnyEvent) -> set[str]:
        changed: set[str] = set()
        if node not in self._nodes:
            shown = self.first
            self._nodes[node] = Node(self._timeline)
            if self.first is not shown:
                changed = shown.conditions.runs()
        run = self._nodes[node].apply(event)
        return changed if run is None else {*changed, run}

    def begin(self, run: str, attempt: int, t: float) -> set[str]:
        """An attempt has the machines from then on; earlier ones of the run no longer count."""
        for node in self._nodes.values():
            node.conditions.forget(run, before=attempt)
        return self._deal_again(self._timeline.begin((run, attempt), t))

    def end(self, run: str, attempt: int, t: float) -> set[str]:
        return self._deal_again(self._timeline.end((run, attempt), t))

    def rest(self, t: float) -> set[str]:
        """No attempt has them: a supervisor begins or ends."""
        return self._deal_again(self._timeline.rest(t))

    def conditions(self, run: str, attempt: int) -> Conditions | None:
        return self.first.conditions.of((run, attempt))

    def _deal_again(self, since: float) -> set[str]:
        changed: set[str] = set()
        for node in self._nodes.values():
            changed |= node.conditions.deal_again(since)
        return changed
