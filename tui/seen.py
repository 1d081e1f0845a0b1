"""What the user saw of an experiment when last looking, to tell what happened since."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec

from engine.journal.views import ExperimentView, RunView
from engine.plan import places
from tui.widgets import format as show

_MANY = 5
"""Runs of which more are counted instead of named."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One look: when, and the state of each run by its name."""

    at: float
    states: dict[str, str]


def last_look(directory: Path) -> Seen | None:
    """The last look at an experiment, by this user on this machine."""
    try:
        return msgspec.json.decode(_file(directory).read_bytes(), type=Seen)
    except (OSError, msgspec.MsgspecError):
        return None


def remember(directory: Path, view: ExperimentView) -> None:
    """Notes what is seen now. Where nothing can be written, nothing is remembered."""
    seen = Seen(at=time.time(), states={run.run: run.state for run in view.runs})
    path = _file(directory)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.encode(seen))
    except OSError:
        return


def since(seen: Seen, view: ExperimentView, titles: Mapping[str, str], now: float) -> str:
    """What happened since a look, in a sentence; empty where nothing did.

    ``titles`` tell repeats of a strategy apart, by the run.
    """
    changed = [run for run in view.runs if run.state != seen.states.get(run.run, "queued")]
    news = _counted(changed) if len(changed) > _MANY else _named(changed, titles)
    if not news:
        return ""
    return f"Since you left, {show.seconds(now - seen.at)} ago: {', '.join(news)}"


def _named(changed: Sequence[RunView], titles: Mapping[str, str]) -> list[str]:
    news = []
    for run in changed:
        top1 = run.validations[-1].top1 if run.validations else None
        value = f" ({show.percent(top1)})" if top1 is not None and run.state == "done" else ""
        word = {"running": "began", "queued": "is queued again"}.get(run.state, f"is {run.state}")
        news.append(f"{titles.get(run.run, run.strategy)} {word}{value}")
    return news


def _counted(changed: Sequence[RunView]) -> list[str]:
    """``12 are done, 1 is failed``: of many nobody reads the names."""
    states = [run.state for run in changed]
    counts = {state: states.count(state) for state in dict.fromkeys(states)}
    return [f"{count} {'is' if count == 1 else 'are'} {state}" for state, count in counts.items()]


def _file(directory: Path) -> Path:
    digest = sha256(os.fsencode(directory)).hexdigest()[:16]
    return places.state() / "seen" / f"{digest}.json"
