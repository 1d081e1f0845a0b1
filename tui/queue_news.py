"""The queue in words: which turn it is, and what is added, moved or taken out. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.journal.commands import TAKEN_OUT
from engine.journal.events import BatchFound, BatchTried
from engine.journal.views import ExperimentView, RunView
from engine.plan.text import clean
from tui.widgets import format as show

_NAMED = 6
"""Runs that a line names at most."""


def taken_out(run: RunView) -> bool:
    return run.state == "stopped" and run.reason == TAKEN_OUT


def turn(view: ExperimentView, run: RunView) -> str:
    """``run 2 of 15, repeat 1``; empty for the only run, or before it was started."""
    runs = [each for each in view.runs if not taken_out(each)]
    if len(runs) < 2 or run.started is None:
        return ""
    begun = [each.started for each in runs if each.started is not None]
    number = sum(started <= run.started for started in begun)
    strategies = {each.strategy for each in runs}
    word = "strategy" if len(strategies) == len(runs) else "run"
    repeat = f", repeat {run.repeat + 1}" if any(each.repeat for each in runs) else ""
    return f"{word} {number} of {len(runs)}{repeat}"


class QueueNews:
    """Hands out each change of the queue once; what waited when it was first seen is none."""

    def __init__(self) -> None:
        self._queue: tuple[str, ...] | None = None

    def lines(self, view: ExperimentView) -> Iterator[str]:
        """What changed since the last view."""
        before, self._queue = self._queue, view.queue
        # The supervisor tells of its queue line by line before it does anything.
        begun = view.preparing is not None or any(each.started is not None for each in view.runs)
        if not begun:
            self._queue = None
        elif before is not None and before != view.queue:
            yield from _changes(before, view.queue)


def _changes(before: tuple[str, ...], now: tuple[str, ...]) -> Iterator[str]:
    stayed = [run for run in now if run in before]
    added = [run for run in now if run not in before]
    if added:
        yield f"queued: {_names(added)}"
    if now != (*(run for run in before if run in stayed), *added):
        yield f"the queue is now {_names(now)}"


def _names(runs: Sequence[str]) -> str:
    names = ", ".join(clean(run) for run in runs[:_NAMED])
    more = len(runs) - _NAMED
    return names + (f" and {more} more" if more > 0 else "")


def tried(event: BatchTried) -> str:
    """One try of the search for a batch size."""
    if not event.fits or event.images_per_second is None:
        what = "does not fit" if not event.fits else "was not measured"
        return f"batch {event.batch_size} {what}" + (
            f": {clean(event.reason)}" if event.reason else ""
        )
    memory = "" if event.peak_memory is None else f"   peak {show.gib(event.peak_memory)}"
    return f"batch {event.batch_size}   {show.rate(event.images_per_second)} images/s{memory}"


def found(event: BatchFound) -> str:
    """The end of that search."""
    why = f": {clean(event.reason)}" if event.reason else ""
    if event.batch_size is None:
        return f"no best batch{why}"
    rate = event.images_per_second
    told = "" if rate is None else f", {show.rate(rate)} images/s"
    return f"best batch {event.batch_size}{told}{why}"
