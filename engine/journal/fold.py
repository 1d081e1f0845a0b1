"""Everything an experiment's journals say, folded into one view: events in, frozen views out.

Pure: no files, no clocks. The supervisor's journal decides over the state of the runs; the ranks'
journals over everything else.
"""

from __future__ import annotations

from collections import deque

from engine.journal.attempts import NOTICES
from engine.journal.events import (
    Acknowledged,
    AnyEvent,
    AttemptStarted,
    Notice,
    RunEnded,
    RunQueued,
    RunStarted,
    SupervisorEnded,
    SupervisorStarted,
)
from engine.journal.history import BUDGET
from engine.journal.machines import Machines
from engine.journal.run import Run
from engine.journal.views import ExperimentState, ExperimentView
from engine.journal.waiting import Waiting


class ExperimentFold:
    """Takes the events of every journal of an experiment, in any order."""

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}
        self._machines = Machines()
        self._waiting = Waiting()
        self._notices: deque[Notice] = deque(maxlen=NOTICES)
        self._state: ExperimentState = "starting"
        self._started: float | None = None
        self._ended: float | None = None
        self._last_event: float | None = None

    @property
    def skipped(self) -> int:
        """Events of steps and of classes that were read and could not be believed."""
        told = [run.ranks for run in self._runs.values()]
        return sum(each.history.skipped + each.refused for each in told)

    def apply_supervisor(self, event: AnyEvent) -> None:
        """One event of ``supervisor.jsonl``."""
        self._heard(event)
        self._waiting.apply(event)
        match event:
            case SupervisorStarted():
                self._changed(self._machines.rest(event.t))
                self._state = "running"
                self._started = event.t if self._started is None else self._started
                self._ended = None
            case RunQueued():
                self._run(event.run).queue(event)
            case RunStarted():
                self._begin(event.run, event.attempt, event.t, event.argv)
                self._run(event.run).ways[event.attempt] = event.way
            case RunEnded():
                self._run(event.run).end(event)
                self._changed(self._machines.end(event.run, event.attempt, event.t))
            case Notice():
                self._notices.append(event)
            case Acknowledged():
                self._acknowledged(event)
            case SupervisorEnded():
                self._changed(self._machines.rest(event.t))
                self._state = event.state
                self._ended = event.t
            case _:
                # Anything else is of another journal.
                return

    def apply_node(self, node: int, event: AnyEvent) -> None:
        """One event of ``node-N.jsonl``."""
        self._heard(event)
        match event:
            case Notice():
                self._notices.append(event)
            case _:
                self._changed(self._machines.apply(node, event))

    def apply_rank(self, run: str, attempt: int, rank: int, event: AnyEvent) -> None:
        """One event of ``attempt-N/rankR.jsonl``."""
        self._heard(event)
        state = self._run(run)
        if isinstance(event, AttemptStarted) and attempt > state.attempt:
            # Its supervisor's word is still to come, or was lost.
            self._begin(run, attempt, event.t)
        state.ranks.apply(attempt, rank, event)

    def freeze(
        self, *, bytes_read: int = 0, bytes_total: int = 0, skipped_lines: int = 0
    ) -> ExperimentView:
        """What has been told so far; runs in the order of their numbers."""
        node = self._machines.first
        conditions = self._machines.conditions
        return ExperimentView(
            runs=tuple(run.freeze(conditions) for run in self._runs.values()),
            state=self._state,
            started=self._started,
            ended=self._ended,
            host=tuple(node.samples),
            cores=node.cores,
            machine=node.machine,
            notices=tuple(self._notices),
            last_event=self._last_event,
            bytes_read=bytes_read,
            bytes_total=bytes_total,
            skipped_lines=skipped_lines + self.skipped,
            gpus=node.gpus(),
            queue=self._waiting.queue,
            preparing=self._waiting.preparing,
            searches=self._waiting.searches,
        )

    def _begin(self, run: str, attempt: int, t: float, argv: tuple[str, ...] = ()) -> None:
        state = self._run(run)
        state.start(attempt, t, argv)
        if state.attempt == attempt:
            self._changed(self._machines.begin(run, attempt, t))

    def _changed(self, runs: set[str]) -> None:
        """What was handed out of them is no longer true."""
        for name in runs:
            if name in self._runs:
                self._runs[name].view = None

    def _acknowledged(self, event: Acknowledged) -> None:
        """A request that the supervisor took; those about stopping show until they are done."""
        if event.refused or event.action not in ("stop", "kill", "stop-run"):
            return
        for name in list(self._runs):
            if event.action != "stop-run" or name == event.run:
                self._run(name).ask_to_stop(event.t)

    def _heard(self, event: AnyEvent) -> None:
        if self._last_event is None or event.t > self._last_event:
            self._last_event = event.t

    def _run(self, name: str) -> Run:
        """The run of that name, about to change."""
        run = self._runs.get(name)
        if run is None:
            strategy = name.partition("-")[2] or name
            run = self._runs[name] = Run(run=name, strategy=strategy)
            # By number: 100- comes after 99-.
            self._runs = dict(sorted(self._runs.items(), key=lambda item: _number(item[0])))
            for each in self._runs.values():
                each.ranks.history.budget = BUDGET // len(self._runs)
        run.view = None
        return run


def _number(run: str) -> tuple[int, str]:
    return len(run.partition("-")[0]), run
