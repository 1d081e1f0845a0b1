"""The queue of an experiment as rows: what was begun, what waits, what was dropped. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from engine.journal.commands import TAKEN_OUT
from engine.plan.text import clean
from tui.feed import Snapshot
from tui.requests import Request, Requests
from tui.screens.live_model import Entry, preparing, state_of
from tui.screens.live_queue import Expected, hour, in_turn, waiting
from tui.widgets import format as show
from tui.widgets.queue_list import QueueRow

_SLOW = 2.0
"""Seconds without an answer after which they are told."""


def ordered(
    snapshot: Snapshot, all_: Sequence[Entry], requests: Requests, now: float
) -> tuple[Entry, ...]:
    """All runs in the order in which they were begun, or will be, as far as asked for."""
    begun, ahead, never = in_turn(snapshot, all_)
    by_name = {each.name: each for each in ahead}
    names = requests.order(tuple(by_name), now)
    return (*begun, *(by_name[name] for name in names), *never)


def rows(
    snapshot: Snapshot,
    order: Sequence[Entry],
    told: Expected,
    requests: Requests,
    stopping: frozenset[str],
    now: float,
) -> list[QueueRow]:
    """A row for each run of ``order``."""
    batches = {each.plan.settings.batch_size for each in order}
    left = {each.name for each in waiting(snapshot, order)}
    return [
        QueueRow(
            run=each.name,
            number=each.number,
            strategy=clean(each.strategy),
            state=state_of(each, snapshot, each.name in stopping),
            repeat=f"{each.plan.repeat + 1} of {each.repeats}" if each.repeats > 1 else "",
            batch=_batch(each) if len(batches) > 1 else "",
            when=_time(each, told),
            asked=asked(requests.of(each.name), now),
            reason=_reason(each),
            waits=each.name in left,
        )
        for each in order
    ]


def _reason(entry: Entry) -> str:
    reason = entry.view.reason if entry.view is not None else ""
    return "" if reason == TAKEN_OUT else clean(reason)


def _batch(entry: Entry) -> str:
    best = " best" if entry.plan.view == "best" else ""
    return f"{show.count(entry.plan.settings.batch_size)}{best}"


def _time(entry: Entry, told: Expected) -> str:
    """What it took, or when it is expected to begin or end: estimates say "about"."""
    run = entry.view
    if run is not None and run.state == "running":
        return f"ends about {hour(told.end)}" if told.end is not None else ""
    if run is None or run.state == "queued":
        start = told.starts.get(entry.name)
        return f"about {hour(start)}" if start is not None else show.UNKNOWN
    if not run.started:
        return "dropped" if run.reason == TAKEN_OUT else "not begun"
    if not run.ended:
        return ""
    return f"took {show.seconds(run.ended - run.started)}"


def asked(request: Request | None, now: float) -> str:
    """``moving …``, ``dropping …, 5 s``."""
    if request is None:
        return ""
    word = {"move": "moving", "drop": "dropping", "add": "adding"}[request.action]
    since = now - request.asked
    return f"{word} …" if since < _SLOW else f"{word} …, {since:.0f} s"


def about(
    snapshot: Snapshot, all_: Sequence[Entry], told: Expected, requests: Requests, now: float
) -> str:
    """``7 of 15 done · all done about 18:40``, and what is prepared or on its way."""
    done = sum(each.view is not None and each.view.state == "done" for each in all_)
    dropped = sum(each.view is not None and each.view.reason == TAKEN_OUT for each in all_)
    parts = [f"{done} of {len(all_) - dropped} done"]
    if told.all_done is not None and any(each.is_left for each in all_):
        parts.append(f"all done about {hour(told.all_done)}")
    parts.append(preparing(snapshot, now))
    adding = [each for each in requests.pending if each.action == "add"]
    parts += [f"{clean(each.strategy)}: {asked(each, now)}" for each in adding]
    return " · ".join(filter(None, parts))
