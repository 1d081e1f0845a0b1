"""Which runs wait, in which order, and when each is expected to begin. Pure.

What a run is expected to take is told by the runs of the same strategy and view that are done;
before there is one, by all that are done or under way. Nothing is said where nothing is known.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from engine.report.progress import Progress
from tui.feed import Snapshot
from tui.screens.live_model import Entry, Look


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Estimates, Unix seconds; what cannot be told is left out, or ``None``."""

    starts: Mapping[str, float] = field(default_factory=dict)
    """When each run that waits begins, by its name."""
    end: float | None = None
    """When the run that trains ends."""
    all_done: float | None = None


def waiting(snapshot: Snapshot, all_: Iterable[Entry]) -> tuple[Entry, ...]:
    """The runs that wait, in the order in which they will be done."""
    left = {each.name: each for each in all_ if each.view is None or each.view.state == "queued"}
    first = [left.pop(name) for name in snapshot.view.queue if name in left]
    return (*first, *left.values())


def in_turn(
    snapshot: Snapshot, all_: Sequence[Entry]
) -> tuple[tuple[Entry, ...], tuple[Entry, ...], tuple[Entry, ...]]:
    """The runs that were begun, in that order; those that wait; those dropped before their turn."""
    ahead = waiting(snapshot, all_)
    names = {each.name for each in ahead}
    over = [each for each in all_ if each.name not in names]
    begun = sorted((t, each.number, each.name) for each in over if (t := _begun(each)) is not None)
    by_name = {each.name: each for each in over}
    never = tuple(each for each in over if _begun(each) is None)
    return tuple(by_name[name] for _, _, name in begun), ahead, never


def _begun(entry: Entry) -> float | None:
    return entry.view.started if entry.view is not None else None


def expected(
    snapshot: Snapshot,
    all_: Sequence[Entry],
    ahead: Sequence[Entry],
    running: Progress | None,
    now: float,
) -> Expected:
    """``ahead`` are the runs that wait, ``running`` is the progress of the one that trains."""
    if not snapshot.alive or snapshot.view.preparing is not None:
        return Expected()
    training = next((each for each in all_ if each.view and each.view.state == "running"), None)
    end = _end(training, all_, running, now) if training is not None else now
    if end is None:
        return Expected()
    starts: dict[str, float] = {}
    t: float | None = end
    for each in ahead:
        if t is None:
            break
        starts[each.name] = t
        takes = _usual_length(each, all_, training, end)
        t = None if takes is None else t + takes
    complete = t is not None and not _searches_to_come(snapshot, all_)
    return Expected(
        starts=starts,
        end=end if training is not None else None,
        all_done=t if complete else None,
    )


def _end(
    training: Entry, all_: Sequence[Entry], running: Progress | None, now: float
) -> float | None:
    """When the run that trains ends: by its own pace, else as others of its kind did."""
    if running is not None and running.eta_seconds is not None:
        return now + running.eta_seconds
    usual = _usual_length(training, all_, None, now)
    if usual is None or training.view is None or not training.view.started:
        return None
    return max(now, training.view.started + usual)


def _usual_length(
    wanted: Entry, all_: Sequence[Entry], training: Entry | None, end: float
) -> float | None:
    """Seconds that a run takes from its launch to its end; ``training`` ends at ``end``."""
    like: list[float] = []
    lengths: list[float] = []
    for each in all_:
        length = _length(each) if each is not training else _until(each, end)
        if length is not None:
            lengths.append(length)
            if each.kind == wanted.kind:
                like.append(length)
    known = like or lengths
    return sum(known) / len(known) if known else None


def _length(entry: Entry) -> float | None:
    """Of a run that is done: one that failed or was stopped took less than it would have."""
    run = entry.view
    if run is None or run.state != "done" or not run.started or not run.ended:
        return None
    return run.ended - run.started


def _until(entry: Entry, end: float) -> float | None:
    return end - entry.view.started if entry.view is not None and entry.view.started else None


def _searches_to_come(snapshot: Snapshot, all_: Iterable[Entry]) -> bool:
    """Whether batch sizes are still to be searched: that takes a while, and adds runs."""
    if not snapshot.experiment.plan.settings.find_batch:
        return False
    found = {each.strategy for each in snapshot.view.searches if each.found is not None}
    return any(each.is_left and each.strategy not in found for each in all_)


def place(look: Look) -> str:
    """``run 2 of 6, all done about 18:40``, where there are several; estimates say "about".

    Counted in the order in which they are done; what was dropped before its turn has none.
    """
    all_ = look.entries
    if len(all_) < 2:
        return ""
    begun, ahead, _ = in_turn(look.snapshot, all_)
    turns = [each.name for each in (*begun, *ahead)]
    if look.shown.name not in turns:
        return look.preparing
    word = "run" if look.repeated else "strategy"
    words = f"{word} {turns.index(look.shown.name) + 1} of {len(turns)}"
    if look.preparing and look.state != "queued":
        return f"{words}, {look.preparing}"
    if any(each.is_left and each.name in look.stopping for each in all_):
        return words
    told = expected(look.snapshot, all_, ahead, look.running, look.now)
    if (start := told.starts.get(look.shown.name)) is not None:
        return f"{words}, starts about {hour(start)}"
    if told.all_done is None or (told.end is None and not ahead):
        return words
    return f"{words}, all done about {hour(told.all_done)}"


def hour(t: float) -> str:
    """The time of day of a Unix time, here."""
    return time.strftime("%H:%M", time.localtime(t))
