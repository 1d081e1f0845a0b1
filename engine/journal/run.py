"""One run, folded: what the supervisor said of it, and what its ranks did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from engine.journal.attempt_view import AttemptView
from engine.journal.attempts import RankEvents
from engine.journal.events import RunEnded, RunQueued
from engine.journal.machine_view import Conditions
from engine.journal.views import RunState, RunView


@dataclass(slots=True)
class Run:
    """One run: what the supervisor said, and what its ranks did."""

    run: str
    strategy: str
    seed: int = 0
    repeat: int = 0
    state: RunState = "queued"
    attempt: int = 0
    argv: tuple[str, ...] = ()
    started: float | None = None
    ended: float | None = None
    reason: str = ""
    detail: str = ""
    stop_asked: float | None = None
    spans: dict[int, tuple[float | None, float | None]] = field(default_factory=dict)
    """When each attempt was started, and when it ended."""
    ways: dict[int, str] = field(default_factory=dict)
    """How each attempt computes: see ``RunStarted``."""
    ranks: RankEvents = field(default_factory=RankEvents)
    view: RunView | None = None
    """What was last handed out, while nothing has changed since."""

    def queue(self, event: RunQueued) -> None:
        self.strategy, self.seed, self.repeat = event.strategy, event.seed, event.repeat
        self.state = "queued"
        self.stop_asked = None
        self.reason = self.detail = ""

    def start(self, attempt: int, t: float | None, argv: tuple[str, ...] = ()) -> None:
        """A new attempt, or the supervisor's word on one whose ranks came first."""
        self.spans[attempt] = (t, self.spans.get(attempt, (None, None))[1])
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
        self.spans[event.attempt] = (self.spans.get(event.attempt, (None, None))[0], event.t)
        if event.attempt < self.attempt:
            return
        self.attempt = event.attempt
        self.state = event.state
        self.ended = event.t
        self.stop_asked = None
        self.reason, self.detail = event.reason, event.detail

    def earlier_seconds(self) -> float | None:
        """That the attempts before the latest lasted together."""
        earlier = [span for attempt, span in self.spans.items() if attempt < self.attempt]
        lasted = [
            ended - started
            for started, ended in earlier
            if started is not None and ended is not None
        ]
        return sum(lasted) if len(lasted) == len(earlier) else None

    def attempts(self) -> tuple[AttemptView, ...]:
        """What the supervisor and the ranks said of each."""
        found = []
        for each in self.ranks.views():
            started, ended = self.spans.get(each.number, (None, None))
            lasted = ended - started if started is not None and ended is not None else None
            found.append(replace(each, way=self.ways.get(each.number, ""), seconds=lasted))
        return tuple(found)

    def ask_to_stop(self, t: float) -> None:
        """The first request counts: a second one only makes it firm."""
        if self.state == "running" and self.stop_asked is None:
            self.stop_asked = t

    def freeze(self, conditions: Callable[[str, int], Conditions | None]) -> RunView:
        """``conditions`` tells those of an attempt of a run, when they are asked for."""
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
            repeat=self.repeat,
            versions=ranks.versions(),
            conditions=conditions(self.run, self.attempt),
            earlier_seconds=self.earlier_seconds(),
            attempts=self.attempts(),
            best_judged=ranks.judged(best=True),
            last_judged=ranks.judged(best=False),
        )
        return self.view
