"""What an experiment does besides its runs: which wait, what it prepares, what it searches."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from engine.journal.events import (
    AnyEvent,
    BatchFound,
    BatchTried,
    Preparing,
    QueueOrdered,
    RunEnded,
    RunQueued,
    RunStarted,
    SupervisorEnded,
    SupervisorStarted,
)
from engine.journal.views import PhaseView, SearchView


@dataclass(slots=True)
class Waiting:
    """A fold of the supervisor's journal alone."""

    queue: tuple[str, ...] = ()
    """The runs that wait, in the order in which they will be done."""
    preparing: PhaseView | None = None
    _searches: dict[str, SearchView] = field(default_factory=dict)

    @property
    def searches(self) -> tuple[SearchView, ...]:
        """Of each strategy, in the order in which they began."""
        return tuple(self._searches.values())

    def apply(self, event: AnyEvent) -> None:
        match event:
            case SupervisorStarted():
                # It queues anew what is not done.
                self.queue = ()
                self.preparing = None
            case RunQueued():
                self.queue = (*self._without(event.run), event.run)
            case RunStarted():
                self.queue = self._without(event.run)
                self.preparing = None
            case RunEnded():
                self.queue = self._without(event.run)
            case QueueOrdered():
                named = tuple(run for run in dict.fromkeys(event.runs) if run in self.queue)
                self.queue = (*named, *self._without(*named))
            case SupervisorEnded():
                self.preparing = None
            case Preparing():
                self.preparing = (
                    PhaseView(name=event.what, started=event.t, seconds=None)
                    if event.what
                    else None
                )
            case BatchTried():
                self._tried(event)
            case BatchFound():
                search = self._searches.get(event.strategy) or SearchView(strategy=event.strategy)
                self._searches[event.strategy] = replace(search, found=event)
            case _:
                # Of no concern here.
                return

    def _tried(self, event: BatchTried) -> None:
        """After a search has found something, another try is of a new one."""
        search = self._searches.get(event.strategy)
        if search is None or search.found is not None:
            search = SearchView(strategy=event.strategy)
        self._searches[event.strategy] = replace(search, tried=(*search.tried, event))

    def _without(self, *runs: str) -> tuple[str, ...]:
        return tuple(run for run in self.queue if run not in runs)
