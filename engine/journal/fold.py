"""Everything an experiment's journals say, folded into one view: events in, frozen views out.

Pure: no files, no clocks. The supervisor's journal decides over the state of the runs; the ranks'
journals over everything else.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from engine.journal.attempts import NOTICES, RankEvents
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
from engine.journal.node import Node
from engine.journal.views import ExperimentState, ExperimentView, RunState, RunView


@dataclass(slots=True)
class _Run:
    """One run: what the supervisor said, and what its ranks did."""

    run: str
    strategy: str
    seed: int = 0
    state: RunState = "queued"
    attempt: int = 0
    argv: tuple[str, ...] = ()
    started: float | None = None
    ended: float | None = None
    reason: str = ""
    detail: str = ""
    stop_asked: float | None = None
    ranks: RankEvents = field(default_factory=RankEvents)
    view: RunView | None = None
    """What was last handed out, while nothing has changed since."""

    def queue(self, event: RunQueued) -> None:
        self.strategy, self.seed = event.strategy, event.seed
        self.state = "queued"
        self.stop_asked = None
        self.reason = self.detail = ""

    def start(self, attempt: int, t: float | None, argv: tuple[str, ...] = ()) -> None:
        """A new attempt, or the supervisor's word on one whose ranks came first."""
        if attempt < self.attempt:
            return
        if attempt > self.attempt:
            self.argv = ()
            self.stop_asked = None
        self.attempt = attempt
        self.state = "running"
        self.argv = argv or self.argv
        self.started = t
        self.ended = None
        self.reason = self.detail = ""

    def end(self, event: RunEnded) -> None:
        if event.attempt < self.attempt:
            return
        self.attempt = event.attempt
        self.state = event.state
        self.ended = event.t
        self.stop_asked = None
        self.reason, self.detail = event.reason, event.detail

    def ask_to_stop(self, t: float) -> None:
        """The first request counts: a second one only makes it firm."""
        if self.state == "running" and self.stop_asked is None:
            self.stop_asked = t

    def freeze(self) -> RunView:
        if self.view is not None:
            return self.view
        ranks = self.ranks
        history = ranks.history.freeze()
        self.view = RunView(
            run=self.run,
            strategy=self.strategy,
            seed=self.seed,
            state=self.state,
            attempt=self.attempt,
            reason=self.reason,
            detail=self.detail,
            argv=self.argv,
            started=self.started,
            ended=self.ended,
            phases=ranks.phases(),
            ready=ranks.ready(),
            step=history.steps,
            epoch=ranks.epoch(),
            history=history,
            epochs=ranks.epochs(),
            validations=ranks.validations(),
            checkpoints=ranks.checkpoints(),
            notices=tuple(ranks.notices),
            memory=ranks.memory(),
            dropped=ranks.dropped(),
            stop_asked=self.stop_asked,
            world_size=ranks.world_size(),
            ranks_ready=ranks.ranks_ready(),
            devices=ranks.devices(),
            pipeline=ranks.pipeline(),
            readies=ranks.readies(),
            rank_memory=ranks.rank_memory(),
            first_memory=ranks.first_memory(),
            epoch_estimate=ranks.epoch_estimate(),
        )
        return self.view


class ExperimentFold:
    """Takes the events of every journal of an experiment, in any order."""

    def __init__(self) -> None:
        self._runs: dict[str, _Run] = {}
        self._nodes: dict[int, Node] = {}
        self._notices: deque[Notice] = deque(maxlen=NOTICES)
        self._state: ExperimentState = "starting"
        self._started: float | None = None
        self._ended: float | None = None
        self._last_event: float | None = None

    @property
    def skipped(self) -> int:
        """Steps events that were read and could not be believed."""
        return sum(run.ranks.history.skipped for run in self._runs.values())

    def apply_supervisor(self, event: AnyEvent) -> None:
        """One event of ``supervisor.jsonl``."""
        self._heard(event)
        match event:
            case SupervisorStarted():
                self._state = "running"
                self._started = event.t if self._started is None else self._started
                self._ended = None
            case RunQueued():
                self._run(event.run).queue(event)
            case RunStarted():
                self._run(event.run).start(event.attempt, event.t, event.argv)
            case RunEnded():
                self._run(event.run).end(event)
            case Notice():
                self._notices.append(event)
            case Acknowledged():
                self._acknowledged(event)
            case SupervisorEnded():
                self._state = event.state
                self._ended = event.t
            case _:
                # Anything else is of another journal.
                return

    def apply_node(self, node: int, event: AnyEvent) -> None:
        """One event of ``node-N.jsonl``."""
        self._heard(event)
        state = self._nodes.setdefault(node, Node())
        match event:
            case Notice():
                self._notices.append(event)
            case _:
                state.apply(event)

    def apply_rank(self, run: str, attempt: int, rank: int, event: AnyEvent) -> None:
        """One event of ``attempt-N/rankR.jsonl``."""
        self._heard(event)
        state = self._run(run)
        if isinstance(event, AttemptStarted) and attempt > state.attempt:
            # Its supervisor's word is still to come, or was lost.
            state.start(attempt, event.t)
        state.ranks.apply(attempt, rank, event)

    def freeze(
        self, *, bytes_read: int = 0, bytes_total: int = 0, skipped_lines: int = 0
    ) -> ExperimentView:
        """What has been told so far; runs in the order of their numbers."""
        node = self._nodes[min(self._nodes)] if self._nodes else Node()
        return ExperimentView(
            runs=tuple(run.freeze() for run in self._runs.values()),
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
        )

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

    def _run(self, name: str) -> _Run:
        """The run of that name, about to change."""
        run = self._runs.get(name)
        if run is None:
            strategy = name.partition("-")[2] or name
            run = self._runs[name] = _Run(run=name, strategy=strategy)
            # By number: 100- comes after 99-.
            self._runs = dict(sorted(self._runs.items(), key=lambda item: _number(item[0])))
            for each in self._runs.values():
                each.ranks.history.budget = BUDGET // len(self._runs)
        run.view = None
        return run


def _number(run: str) -> tuple[int, str]:
    return len(run.partition("-")[0]), run
