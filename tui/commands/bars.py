"""Where a headless run's lines go: plain lines, or, on a terminal, with a bar per run below."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from engine.journal.views import ExperimentView
from tui.widgets import format as show

if TYPE_CHECKING:
    from rich.progress import TaskID


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
    """A bar per run, with what it does and how long it may still take; lines go above."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, Progress, TextColumn

        from tui.commands.table import console

        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
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

        for run in view.runs:
            if run.run not in self._tasks:
                self._tasks[run.run] = self._progress.add_task(
                    run.strategy, total=1.0, share="", doing=""
                )
            now = progress(run, time.time())
            doing = [now.phase]
            if now.eta_seconds is not None:
                doing.append(f"{show.about(now.eta_seconds)} left")
            if run.state == "running" and now.throughput is not None:
                doing.append(f"{show.rate(now.throughput)} images/s")
            self._progress.update(
                self._tasks[run.run],
                completed=now.fraction or 0.0,
                share=show.percent(now.fraction, 0),
                doing=", ".join(doing),
            )


def sink() -> Sink:
    """The one that fits standard output."""
    return Bars() if sys.stdout.isatty() else Lines()
