"""The queue of an experiment and the journal that tells of it: what changes is told."""

from __future__ import annotations

from engine.experiment import Experiment
from engine.journal.events import Event, RunEnded, RunQueued
from engine.run import past
from engine.run.evidence import Verdict
from engine.run.queue import Queue
from engine.run.teller import Teller


class Docket:
    """Every method that refuses returns the reason why, and nothing where it obeyed."""

    def __init__(self, experiment: Experiment, journal: Teller) -> None:
        self._directory = experiment.directory
        self._journal = journal
        before = past.ended(self._directory)
        self.queue = Queue(experiment.plan.runs, {run: end.state for run, end in before.items()})

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
        attempt = past.attempts(self._directory, run)
        self.ended(run, attempt, Verdict("stopped", reason), None)
        return ""

    def drop_all(self, reason: str) -> None:
        for run in self.waiting:
            self.drop(run, reason)

    def retry(self, run: str) -> str:
        """Queues a run again that failed or was stopped."""
        refused = self.queue.again(run)
        if not refused:
            self._settle_or_announce(run)
        return refused

    def _settle_or_announce(self, run: str) -> None:
        plan = self.queue.places[run].plan
        if past.unjudged(self._directory, run, plan.ranks) == "done":
            self.queue.end(run, "done")
            attempt = past.attempts(self._directory, run)
            self.tell(RunEnded(run=run, attempt=attempt, state="done"))
            return
        self.tell(
            RunQueued(
                run=run, strategy=plan.strategy.name, seed=plan.settings.seed, repeat=plan.repeat
            )
        )
