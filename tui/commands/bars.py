"""Where a headless run's lines go: plain lines, or, on a terminal, with a bar per run below."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from engine.journal.views import ExperimentView
from engine.plan.text import clean
from tui.queue_news import turn
from tui.widgets import format as show
from tui.widgets.fitting import at_word, in_middle

if TYPE_CHECKING:
    from rich.progress import TaskID


_MOST = 8
"""Bars of runs at once, at most."""

_BAR = 30
_LEAST = 8
"""Cells of a bar, and of one where it is narrow."""
_SHARE = 6
_DOING = 40
"""Cells that what a run does may need: its epoch, the time left, images/s."""
_GAPS = 3
"""Cells between the four columns."""


class Widths(NamedTuple):
    """Cells of the columns."""

    name: int
    bar: int
    doing: int


def widths(names: Iterable[str], room: int) -> Widths:
    """What ``room`` cells hold: names whole if they can be, and a shorter bar sooner than less of
    what a run does."""
    longest = max(map(len, names), default=0)
    rest = room - _SHARE - _GAPS
    bar = min(_BAR, max(_LEAST, rest - longest - _DOING))
    name = min(longest, max(12, rest - _LEAST - _DOING))
    return Widths(name, bar, max(0, rest - name - bar))


class Sink(Protocol):
    """Used as a context; ``show`` may be called often."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def say(self, line: str) -> None: ...

    def show(self, view: ExperimentView) -> None: ...


class Lines:
    """Plain lines, each flushed: for files, pipes and logs."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def say(self, line: str) -> None:
        print(line, flush=True)

    def show(self, view: ExperimentView) -> None:
        return


class Bars:
    """A bar per run, with what it does and how long it may still take, and one for all together;
    lines go above."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, Progress, TextColumn

        from tui.commands.table import console

        self._bar = BarColumn(bar_width=_BAR)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            self._bar,
            TextColumn("{task.fields[share]:>6}", markup=False),
            TextColumn("{task.fields[doing]}", markup=False),
            console=console(),
            refresh_per_second=4,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def say(self, line: str) -> None:
        from rich.text import Text

        self._progress.console.print(Text(line))

    def show(self, view: ExperimentView) -> None:
        from engine.report.progress import progress

        shares = []
        names = [run.strategy for run in view.runs]
        room = widths(names, self._progress.console.width)
        self._bar.bar_width = room.bar
        for run in view.runs:
            now = progress(run, time.time())
            doing = [now.phase]
            if now.eta_seconds is not None:
                doing.append(f"{show.about(now.eta_seconds)} left")
            if run.state == "running" and now.throughput is not None:
                doing.append(f"{show.rate(now.throughput)} images/s")
            shares.append(
                1.0 if run.state in ("done", "failed", "stopped") else now.fraction or 0.0
            )
            # A terminal has lines for a few; of many the one at hand is shown, and all together.
            visible = len(view.runs) <= _MOST or run.state == "running"
            told = at_word(", ".join(doing), room.doing)
            name = in_middle(run.strategy, room.name)
            self._update(run.run, name, now.fraction, told, visible=visible)
        if len(view.runs) > 1:
            running = next((each for each in view.runs if each.state == "running"), None)
            at = clean(view.preparing.name) if view.preparing else ""
            if running is not None:
                at = turn(view, running)
            self._update("", "all", sum(shares) / len(shares), at_word(at, room.doing))

    def _update(
        self, key: str, name: str, share: float | None, doing: str, *, visible: bool = True
    ) -> None:
        if key not in self._tasks:
            self._tasks[key] = self._progress.add_task(name, total=1.0, share="", doing="")
        self._progress.update(
            self._tasks[key],
            description=name,
            completed=share or 0.0,
            share=show.percent(share, 0),
            doing=doing,
            visible=visible,
        )


def sink() -> Sink:
    """The one that fits standard output."""
    return Bars() if sys.stdout.isatty() else Lines()
