"""What a supervisor does before the first run: each thing a task of its own."""

from __future__ import annotations

from collections.abc import Iterable

from engine.errors import ExperimentError, ResnetTuiError
from engine.journal.events import AnyEvent, BatchFound, Notice, Preparing, QueueOrdered
from engine.plan.runs import ExperimentPlan, plan_best
from engine.run import past
from engine.run.docket import Docket
from engine.run.queue import is_taken_out
from engine.run.search import BatchSearch
from engine.run.task import Task
from engine.run.warming import Warming


class Preparations:
    """Asked between two tasks for what has to be done before the next run."""

    def __init__(self, docket: Docket) -> None:
        self._docket = docket
        self._warmed = False
        self._told = False

    def due(self) -> Task | None:
        """The next of them, begun; ``None`` where the next run can begin."""
        self.over()
        # Nothing is prepared for nothing.
        return self._next() if self._docket.waiting else None

    def over(self) -> None:
        """Tells that none is being done: call it when the last one has ended."""
        if self._told:
            self._docket.tell(Preparing(what=""))
            self._told = False

    def _next(self) -> Task | None:
        plan = self._docket.experiment.plan
        if not self._warmed:
            self._warmed = True
            if len(self._docket.waiting) > 1 or plan.settings.find_batch:
                return self._warming()
        if plan.settings.find_batch:
            events = past.events(self._docket.experiment.directory)
            found = best_batches(events)
            for strategy in self._strategies():
                if strategy not in found:
                    return self._search(strategy, events)
            moved = any(isinstance(each, QueueOrdered) for each in events)
            self._add_best(plan, found, interleaved=not moved)
        return None

    def _warming(self) -> Task | None:
        try:
            task = Warming(self._docket)
        except ExperimentError as error:
            # A machine that is out of processes; the run that follows will say it better.
            self._docket.tell(Notice(level="warning", text=str(error), code="page-cache"))
            return None
        self._told = True  # By the task itself, once it knows how many images there are.
        return task

    def _search(self, strategy: str, events: Iterable[AnyEvent]) -> Task:
        """Of a batch size; which one is being tried is told by the task itself."""
        self._told = True
        places = self._docket.queue.places.values()
        run = next(each.plan for each in places if each.plan.strategy.name == strategy)
        return BatchSearch(self._docket.experiment, run, self._docket.tell, events)

    def _strategies(self) -> tuple[str, ...]:
        """Those that have runs which nobody took out, in the order of the plan."""
        places = self._docket.queue.places.values()
        return tuple(
            dict.fromkeys(each.plan.strategy.name for each in places if not is_taken_out(each))
        )

    def _add_best(
        self, plan: ExperimentPlan, found: dict[str, int | None], *, interleaved: bool
    ) -> None:
        """Adds the runs at the best batch sizes that are not in the plan yet; ``interleaved``: to
        their repeats, else behind what waits."""
        sizes = {strategy: size for strategy, size in found.items() if size is not None}
        try:
            if runs := plan_best(plan, sizes):
                self._docket.append(runs)
                if interleaved:
                    self._docket.queue.interleave()
                    self._docket.tell(QueueOrdered(runs=self._docket.waiting))
        except ResnetTuiError as error:
            self._docket.tell(Notice(level="error", text=str(error), code="find-batch"))


def best_batches(events: Iterable[object]) -> dict[str, int | None]:
    """What the searches that are over found, by strategy."""
    return {each.strategy: each.batch_size for each in events if isinstance(each, BatchFound)}
