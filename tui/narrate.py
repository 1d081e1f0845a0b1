"""What happens, line by line: pure, from one view to the next.

Headless runs print it, and the dashboard's log shows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.journal.events import Level, Notice, Ready
from engine.journal.pipeline_view import PipelineView, StagesView
from engine.journal.views import EpochView, ExperimentView, RunView, ValidationView
from engine.plan.text import clean
from tui.queue_news import QueueNews, found, taken_out, tried, turn
from tui.widgets import format as show

_OVER = ("done", "failed", "stopped")
_LONG = 5.0
"""Seconds after which a preparation is told of before it ends."""


@dataclass(frozen=True, slots=True)
class Told:
    """One line, cleaned. ``t`` is Unix, in seconds; ``run`` is empty where it is of none."""

    t: float | None
    run: str
    strategy: str
    level: Level
    text: str


class Narrator:
    """Hands out each line once: the queue, phases, epochs, notices, ends."""

    def __init__(self) -> None:
        self._told: set[tuple[object, ...]] = set()
        self._seen: dict[str, RunView] = {}
        self._queue = QueueNews()

    def lines(self, view: ExperimentView) -> Iterator[Told]:
        """What is new in ``view``, run by run."""
        for text in self._queue.lines(view):
            yield Told(view.last_event, "", "", "info", text)
        # What is told of the preparations comes before the runs, also when all is told afterwards.
        begun = min((each.started for each in view.runs if each.started), default=None)
        early = [each for each in view.notices if begun is None or (each.t or begun) < begun]
        yield from self._notices(early)
        yield from self._preparations(view)
        for run in view.runs:
            # A view of a run in which nothing happened is the same object again.
            if self._seen.get(run.run) is not run:
                self._seen[run.run] = run
                if (where := turn(view, run)) and self._first(run.run, run.attempt, "turn"):
                    yield Told(run.started, run.run, run.strategy, "info", where)
                yield from self._of_run(run)
        yield from self._notices(view.notices)

    def _notices(self, notices: Sequence[Notice]) -> Iterator[Told]:
        for notice in notices:
            if self._first("notice", notice.t, notice.text):
                yield _notice("", "", notice)

    def _preparations(self, view: ExperimentView) -> Iterator[Told]:
        now = view.preparing
        # What is over soon has a line of its own at its end.
        long = now is not None and (view.last_event or now.started) - now.started >= _LONG
        if now is not None and long and self._first("preparing", now.started, now.name):
            yield Told(now.started, "", "", "info", clean(now.name))
        for search in view.searches:
            for each in search.tried:
                if self._first("tried", search.strategy, each.t):
                    yield Told(each.t, "", search.strategy, "info", tried(each))
            if search.found is not None and self._first("found", search.strategy, search.found.t):
                yield Told(search.found.t, "", search.strategy, "info", found(search.found))

    def _of_run(self, run: RunView) -> Iterator[Told]:
        key = (run.run, run.attempt)

        def told(t: float | None, text: str) -> Told:
            return Told(t, run.run, run.strategy, "info", text)

        if run.attempt > 1 and self._first(*key, "attempt"):
            yield told(run.started, f"attempt {run.attempt}")
        for phase in run.phases:
            # Validation comes round every epoch, and the epoch's line tells of it.
            if phase.name != "validating" and self._first(*key, phase.name, phase.started):
                yield told(phase.started, clean(phase.name))
        if run.ready is not None and self._first(*key, "ready"):
            yield told(run.ready.t, _ready(run.ready))
        if run.pipeline is not None and self._first(*key, "pipeline"):
            yield told(run.pipeline.t, _split(run.pipeline))
        for notice in run.notices:
            if self._first(*key, "notice", notice.t, notice.text):
                yield _notice(run.run, run.strategy, notice)
        for t, text in self._epochs(run):
            yield told(t, text)
        for measured in run.pipeline.measured if run.pipeline is not None else ():
            if self._first(*key, "stages", measured.epoch):
                yield told(measured.t, _busy(measured, run.ready))
        if run.state in _OVER and self._first(*key, "over", run.ended):
            yield told(run.ended, _end(run))

    def _epochs(self, run: RunView) -> Iterator[tuple[float, str]]:
        """Epochs that are over: with their validation, or once it is clear that none comes."""
        validations = {each.epoch: each for each in run.validations}
        epochs = run.ready.epochs if run.ready else None
        for number, epoch in enumerate(run.epochs):
            validation = validations.get(epoch.epoch)
            last = number == len(run.epochs) - 1
            if validation is None and last and run.state == "running":
                continue
            if self._first(run.run, run.attempt, "epoch", epoch.epoch):
                t = validation.t if validation is not None else epoch.t
                yield t, _epoch(epoch, validation, epochs)

    def _first(self, *what: object) -> bool:
        if what in self._told:
            return False
        self._told.add(what)
        return True


def _end(run: RunView) -> str:
    reason = clean(run.reason)
    if taken_out(run):
        return reason
    if not reason or reason.startswith(run.state):
        return reason or run.state
    return f"{run.state}: {reason}"


def _notice(run: str, strategy: str, notice: Notice) -> Told:
    return Told(notice.t, run, strategy, notice.level, clean(notice.text))


def _ready(ready: Ready) -> str:
    parts = (
        clean(ready.model),
        f"{len(ready.classes)} classes",
        f"{show.count(ready.train_images)} + {show.count(ready.val_images)} images",
        clean(ready.device_name or ready.device),
        clean(ready.precision),
        f"batch {show.pieces(ready.batch_size, ready.device_batch or ready.batch_size)}",
    )
    return ", ".join(part for part in parts if part)


def _split(pipeline: PipelineView) -> str:
    layers = "+".join(map(str, pipeline.balance))
    pieces = f"{pipeline.micro_batches} micro-batch" + ("es" if pipeline.micro_batches > 1 else "")
    parts = [
        f"split {layers} layers into {pipeline.stages} stages "
        f"({'given' if pipeline.given else 'measured'}), {pieces}, {pipeline.schedule}",
        f"bubble {show.percent(pipeline.bubble_in_theory, 0)} in theory",
    ]
    if not pipeline.overlaps:
        parts.append("functional only: the stages share one device")
    return "; ".join(parts)


def _busy(measured: StagesView, ready: Ready | None) -> str:
    epoch = f"epoch {measured.epoch + 1}" + (f"/{ready.epochs}" if ready is not None else "")
    shares = ", ".join(show.percent(each, 0) for each in measured.shares)
    return f"{epoch}   bubble {show.percent(measured.bubble, 0)}   stages busy {shares}"


def _epoch(epoch: EpochView, validation: ValidationView | None, epochs: int | None) -> str:
    of = f"/{epochs}" if epochs else ""
    rate = epoch.images / epoch.seconds if epoch.seconds > 0 else None
    waiting = epoch.wait_seconds / epoch.seconds if epoch.seconds > 0 else None
    parts = [f"epoch {epoch.epoch + 1}{of}", f"loss {show.plain(epoch.loss)}"]
    if validation is not None:
        parts.append(f"val loss {show.plain(validation.loss)}")
        parts.append(f"top-1 {show.percent(validation.top1)}")
    parts += [
        f"{show.rate(rate)} images/s",
        f"waiting for data {show.percent(waiting)}",
        show.seconds(epoch.seconds),
    ]
    return "   ".join(parts)
