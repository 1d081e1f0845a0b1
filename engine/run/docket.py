"""The queue of an experiment and the journal that tells of it: what changes is told."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from engine.errors import ExperimentError
from engine.experiment import Experiment, extend, replan
from engine.journal.events import Event, QueueOrdered, RunEnded, RunQueued
from engine.plan.runs import RunPlan
from engine.run import adding, past
from engine.run.evidence import Verdict
from engine.run.queue import Queue
from engine.run.teller import Teller


class Docket:
    """Every method that refuses returns the reason why, and nothing where it obeyed."""

    def __init__(
        self,
        experiment: Experiment,
        journal: Teller,
        again: Collection[str] | None = None,
        *,
        resume: bool = False,
    ) -> None:
        """``again``: see ``past.over``; they begin anew, unless ``resume``. What else is not done
        goes on where it was."""
        self.experiment = experiment
        """With all runs that were added."""
        self._journal = journal
        over = past.over(past.ended(experiment.directory), again, resume=resume)
        self._order = past.order(experiment.directory)
        self.queue = Queue(experiment.plan.runs, over, self._order)
        for name, place in self.queue.places.items():
            place.goes_on = resume or again is None or name not in again

    @property
    def waiting(self) -> tuple[str, ...]:
        """Names of the runs that wait, in the order in which they will be done."""
        return self.queue.waiting

    def tell(self, event: Event) -> None:
        self._journal.tell(event)

    def announce(self) -> None:
        """Tells of all that waits; what an earlier supervisor saw no end of may be done."""
        for run in self.waiting:
            self._settle_or_announce(run)
        if self._order and self.waiting:
            self.tell(QueueOrdered(runs=self.waiting))

    def ended(self, run: str, attempt: int, verdict: Verdict, exit_code: int | None) -> None:
        self.queue.end(run, verdict.state, verdict.reason)
        self.tell(
            RunEnded(
                run=run,
                attempt=attempt,
                state=verdict.state,
                reason=verdict.reason,
                detail=verdict.detail,
                exit_code=exit_code,
            )
        )

    def drop(self, run: str, reason: str) -> str:
        """Takes a run that waits out of the queue."""
        if run not in self.waiting:
            return f"{run} does not wait in the queue"
        attempt = past.attempts(self.experiment.directory, run)
        self.ended(run, attempt, Verdict("stopped", reason), None)
        return ""

    def drop_all(self, reason: str) -> None:
        for run in self.waiting:
            self.drop(run, reason)

    def retry(self, run: str) -> str:
        """Queues a run again that failed or was stopped, to begin anew."""
        refused = self.queue.again(run)
        if not refused:
            self._settle_or_announce(run)
        return refused

    def resume(self, run: str, plans: bytes = b"[]") -> str:
        """The same for one that goes on where it was; by another plan where one is given."""
        try:
            (plan,) = adding.decoded(plans) or (None,)
            if plan is not None and plan.run != run:
                return f"the plan is one of {plan.run}, not of {run}"
            if refused := self.queue.refusal(run, done=plan is None):
                return refused
            if plan is not None:
                self.experiment = replan(self.experiment, [plan])
                self.queue.replan(plan)
        except (ExperimentError, ValueError) as error:
            return str(error)
        self.queue.again(run, goes_on=True, done=False)
        self._settle_or_announce(run)
        return ""

    def add(self, plans: bytes) -> str:
        """Runs that are asked for go behind those that wait. See ``adding``."""
        try:
            self.append(adding.decoded(plans))
        except ExperimentError as error:
            return str(error)
        return ""

    def append(self, runs: Sequence[RunPlan]) -> None:
        """The same for plans of our own; raises ``ExperimentError``."""
        # The plan first: who reads of a run in the journal finds it there.
        runs = adding.named(self.experiment.plan, runs)
        self.experiment = extend(self.experiment, runs)
        self.queue.add(runs)
        for run in runs:
            self._settle_or_announce(run.run)

    def move(self, run: str, place: int) -> str:
        """Puts a run that waits to another place, from 0, among those that wait."""
        before = self.waiting
        refused = self.queue.move(run, place)
        if self.waiting != before:
            self.tell(QueueOrdered(runs=self.waiting))
        return refused

    def _settle_or_announce(self, run: str) -> None:
        plan = self.queue.places[run].plan
        if past.unjudged(self.experiment.directory, run, plan.ranks) == "done":
            self.queue.end(run, "done")
            attempt = past.attempts(self.experiment.directory, run)
            self.tell(RunEnded(run=run, attempt=attempt, state="done"))
            return
        self.tell(
            RunQueued(
                run=run, strategy=plan.strategy.name, seed=plan.settings.seed, repeat=plan.repeat
            )
        )
