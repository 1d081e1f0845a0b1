"""Following an experiment without the dashboard, to its end and its table."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from engine.errors import EXIT_INTERRUPTED, ExperimentError
from engine.experiment import Experiment
from engine.journal.reader import JournalReader
from engine.journal.views import ExperimentView
from engine.report import export
from engine.report.every_view import every_view, stacked
from engine.report.sources import of_view, read
from engine.run import control
from tui.commands.bars import sink
from tui.commands.interrupts import Interrupts
from tui.commands.stream import Stream
from tui.commands.words import farewell, told
from tui.narrate import Narrator

PERIOD = 0.2
"""Seconds between two looks at the journals."""


def follow(
    experiment: Experiment, interrupts: Interrupts, *, own: bool, csv: Path | None = None
) -> int:
    """Tells what happens until the end, prints the table, returns the exit code.

    ``own``: Ctrl+C stops the experiment, a second one firmly; else it only ends the following.
    """
    reader = JournalReader(experiment.directory)
    narrator = Narrator()
    with sink() as output:
        output.say(f"{experiment.title}: {experiment.directory}")

        def look() -> None:
            while reader.poll():
                pass
            view = reader.view()
            for line in narrator.lines(view):
                output.say(told(line, view))
            output.show(view)

        ended = _until_the_end(experiment, look, interrupts, output.say, own)
    if not ended:
        print(farewell(experiment))
        return EXIT_INTERRUPTED
    # Once more in full: a run that began and ended since the last look for files has a row as well.
    _print_table(experiment, reader.read_all(), csv)
    return EXIT_INTERRUPTED if interrupts.count else control.exit_code(experiment)


def stream(experiment: Experiment, interrupts: Interrupts, *, csv: Path | None = None) -> int:
    """Writes every event as a JSON line to standard output, and nothing else."""
    events = Stream(experiment.directory)

    def look() -> None:
        for line in events.lines():
            sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    _until_the_end(experiment, look, interrupts, say, own=True)
    if csv is not None:
        export.write(stacked(every_view([read(experiment)])), csv, "csv")
    return EXIT_INTERRUPTED if interrupts.count else control.exit_code(experiment)


def _until_the_end(
    experiment: Experiment,
    look: Callable[[], None],
    interrupts: Interrupts,
    say: Callable[[str], None],
    own: bool,
) -> bool:
    """Looks until the experiment is over; ``False`` when an interrupt ended only the looking."""
    obeyed = 0
    while True:
        # Asked before the look: what was written before the end is then seen by the look.
        over = control.ended(experiment) is not None
        look()
        if over:
            return True
        if interrupts.count > obeyed:
            if not own:
                return False
            obeyed = interrupts.count
            _stop(experiment, say, firmly=obeyed > 1)
        time.sleep(PERIOD)


def _stop(experiment: Experiment, say: Callable[[str], None], firmly: bool) -> None:
    try:
        control.stop(experiment, firmly)
    except ExperimentError:
        return  # It ended by itself meanwhile.
    if firmly:
        say("stopping at once")
    else:
        say("stopping after this step and a checkpoint; Ctrl+C again stops at once")


def _print_table(experiment: Experiment, view: ExperimentView, csv: Path | None) -> None:
    from tui.commands import classes, results, table

    state = experiment.state()
    comparisons = every_view([of_view(experiment, view)])
    results.show(comparisons)
    told = classes.at_the_end(view, table.console().width) + table.failures(view)
    if not experiment.directory.is_dir():
        told.append(f"{experiment.title} was ended: {experiment.directory} was deleted")
    elif state == "crashed":
        log = experiment.directory / "supervisor.log"
        told.append(f"{experiment.title} crashed: its supervisor was killed, or broke: see {log}")
        told.append(f"'resnet-tui resume {experiment.title}' goes on where it was")
    if state == "silent":
        told.append(f"no word from the machine that {experiment.title} runs on")
    for line in told:
        print(line)
    if csv is not None:
        print(f"table: {export.write(stacked(comparisons), csv, 'csv')}")
