"""What a headless run tells, line by line: pure, from one view to the next."""

from __future__ import annotations

from collections.abc import Iterator

from engine.journal.events import Notice, Ready
from engine.journal.views import EpochView, ExperimentView, RunView, ValidationView
from engine.plan.text import clean
from tui.widgets import format as show

_OVER = ("done", "failed", "stopped")


class Narrator:
    """Hands out each line once: phases, epochs, notices, ends."""

    def __init__(self) -> None:
        self._told: set[tuple[object, ...]] = set()

    def lines(self, view: ExperimentView) -> Iterator[str]:
        """What is new in ``view``."""
        width = max((len(each.strategy) for each in view.runs), default=0)
        for run in view.runs:
            for line in self._of_run(run):
                yield f"{run.strategy:<{width}}  {line}"
        for notice in view.notices:
            if self._first("notice", notice.t, notice.text):
                yield _notice(notice)

    def _of_run(self, run: RunView) -> Iterator[str]:
        key = (run.run, run.attempt)
        if run.attempt > 1 and self._first(*key, "attempt"):
            yield f"attempt {run.attempt}"
        for phase in run.phases:
            # Validation comes round every epoch, and the epoch's line tells of it.
            if phase.name != "validating" and self._first(*key, phase.name, phase.started):
                yield phase.name
        if run.ready is not None and self._first(*key, "ready"):
            yield _ready(run.ready)
        for notice in run.notices:
            if self._first(*key, "notice", notice.t, notice.text):
                yield _notice(notice)
        yield from self._epochs(run)
        if run.state in _OVER and self._first(*key, "over", run.ended):
            yield _end(run)

    def _epochs(self, run: RunView) -> Iterator[str]:
        """Epochs that are over: with their validation, or once it is clear that none comes."""
        validations = {each.epoch: each for each in run.validations}
        epochs = run.ready.epochs if run.ready else None
        for number, epoch in enumerate(run.epochs):
            validation = validations.get(epoch.epoch)
            last = number == len(run.epochs) - 1
            if validation is None and last and run.state == "running":
                continue
            if self._first(run.run, run.attempt, "epoch", epoch.epoch):
                yield _epoch(epoch, validation, epochs)

    def _first(self, *what: object) -> bool:
        if what in self._told:
            return False
        self._told.add(what)
        return True


def _end(run: RunView) -> str:
    reason = clean(run.reason)
    if not reason or reason.startswith(run.state):
        return reason or run.state
    return f"{run.state}: {reason}"


def _notice(notice: Notice) -> str:
    text = clean(notice.text)
    return text if notice.level == "info" else f"{notice.level}: {text}"


def _ready(ready: Ready) -> str:
    parts = (
        clean(ready.model),
        f"{len(ready.classes)} classes",
        f"{show.count(ready.train_images)} + {show.count(ready.val_images)} images",
        clean(ready.device_name or ready.device),
        clean(ready.precision),
        f"batch {ready.batch_size}",
    )
    return ", ".join(part for part in parts if part)


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
