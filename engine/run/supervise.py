"""The supervisor of an experiment: ``python -m engine.run.supervise DIRECTORY``.

One process and one thread, detached from any terminal. It does the runs of the plan one after
another, before them what prepares them (each a ``Task``), samples the node, takes requests, and
leaves no process behind. SIGTERM and SIGINT are a ``stop``, a second one is firm; SIGHUP is nothing
to it.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Collection
from importlib.metadata import version
from pathlib import Path

from engine.errors import EXIT_DONE, ExperimentError, ResnetTuiError
from engine.experiment import Experiment, open_directory
from engine.journal import commands, layout
from engine.journal.events import (
    Acknowledged,
    EndState,
    Notice,
    SupervisorEnded,
    SupervisorStarted,
)
from engine.journal.files import writer_fields
from engine.journal.lock import Lock
from engine.run import kin, training
from engine.run.alarms import Alarms
from engine.run.board import Board
from engine.run.docket import Docket
from engine.run.errands import Errands
from engine.run.preparations import Preparations
from engine.run.sampler import Sampler
from engine.run.spawn import AGAIN, RESUME
from engine.run.task import Task
from engine.run.teller import Teller
from engine.run.training import Training

PERIOD = 0.1
"""Seconds between two looks at everything."""
NOT_YET = "its turn had not come"
"""Why a run is over that waited when all was stopped."""


class Supervisor:
    """Holds the experiment's lock; ``work`` returns when the queue is empty."""

    def __init__(
        self,
        experiment: Experiment,
        again: Collection[str] | None = None,
        *,
        resume: bool = False,
    ) -> None:
        """``again``: the runs that are done again, see ``past.over``; with ``resume`` they go on
        where they were."""
        self._directory = experiment.directory
        journal = Teller(self._directory / layout.SUPERVISOR_JOURNAL)
        self._journal = journal
        self._signals = 0
        self._stopping = False
        self._active: Task | None = None
        self._board = Board(self._directory, experiment.summary())
        self._docket = Docket(experiment, journal, again, resume=resume)
        # Whoever waits for the first line then finds the summary as well.
        self._board.write("running", self._docket.queue)
        journal.tell(SupervisorStarted(**writer_fields(), version=version("resnet-tui")))
        self._docket.announce()
        self._preparations = Preparations(self._docket)
        self._errands = Errands(self._directory)
        self._errands.write_missing(self._docket.queue.over)
        self._sampler = Sampler(self._directory)
        self._alarms = Alarms()

    def signalled(self, *_: object) -> None:
        """The handler of SIGTERM and SIGINT: nothing happens in it but counting."""
        self._signals += 1

    def work(self) -> EndState:
        """Does what is in the queue and returns how the experiment ended."""
        try:
            while self._turn():
                time.sleep(PERIOD)
        finally:
            if self._active is not None:
                self._active.end()
        self._preparations.over()
        self._tell(self._errands.close())
        outcome = self._docket.queue.outcome()
        self._journal.tell(SupervisorEnded(state=outcome))
        self._sampler.close()
        self._board.write(outcome, self._docket.queue)
        return outcome

    def _turn(self) -> bool:
        """One look at everything; whether there is more to do."""
        self._obey()
        if not self._stopping and _is_gone(self._directory):
            self._stop(firmly=True)  # Somebody deleted it: there is no place for any result.
        if self._active is not None and self._active.poll():
            if isinstance(self._active, Training):
                self._errands.write_metrics(self._active.run)
            self._active = None
        self._tell(self._errands.poll())
        if self._active is None:
            self._active = self._preparations.due() or self._launched()
        watch = self._active.watch if self._active else None
        self._sampler.listen(watch.uuids if watch else (), running=watch is not None)
        if self._sampler.due:
            self._sampler.sample()
            self._warn()
        self._board.write("running", self._docket.queue, self._stopping)
        self._journal.flush()
        return self._active is not None or bool(self._docket.waiting)

    def _launched(self) -> Task | None:
        run = self._docket.queue.take()
        if run is None:
            return None
        goes_on = self._docket.queue.places[run.run].goes_on
        return training.begin(run, self._docket, self._board, goes_on=goes_on)

    def _warn(self) -> None:
        notices = self._alarms.disk(self._sampler.disk_free) + self._sampler.notices()
        if isinstance(self._active, Training):
            notices += self._alarms.silence(self._active.run, self._active.watch.quiet())
        self._tell(notices)

    def _tell(self, notices: list[Notice]) -> None:
        for notice in notices:
            self._journal.tell(notice)

    # Requests

    def _obey(self) -> None:
        while self._signals:
            self._signals -= 1
            self._stop(firmly=False)
            self._journal.tell(Acknowledged(command="", action="stop"))
        for command in commands.receive(self._directory):
            refused = self._do(command)
            self._journal.tell(
                Acknowledged(
                    command=command.id, action=command.action, run=command.run, refused=refused
                )
            )

    def _do(self, command: commands.Command) -> str:
        """Does what is asked; the reason why not, or nothing."""
        active = self._active
        match command.action:
            case "stop":
                self._stop(firmly=False)
            case "kill":
                self._stop(firmly=True)
            case "stop-run" if isinstance(active, Training) and active.run == command.run:
                active.stop()
            case "stop-run":
                return self._docket.drop(command.run, NOT_YET)
            case "drop-run":
                return self._docket.drop(command.run, commands.TAKEN_OUT)
            case "retry-run" | "resume-run" | "add-runs" if self._stopping:
                return "the experiment is being stopped"
            case "retry-run":
                return self._docket.retry(command.run)
            case "resume-run":
                return self._docket.resume(command.run, bytes(command.plans))
            case "add-runs":
                return self._docket.add(bytes(command.plans))
            case "move-run":
                return self._docket.move(command.run, command.place)
            case "checkpoint":
                return self._save(command.run)
        return ""

    def _save(self, run: str) -> str:
        """Has a checkpoint saved of what trains; the reason why not, or nothing."""
        if not isinstance(self._active, Training):
            return "nothing trains now: there is nothing to save"
        if run not in ("", self._active.run):
            return f"{run} does not train now"
        return self._active.save()

    def _stop(self, firmly: bool) -> None:
        firmly = firmly or self._stopping
        self._stopping = True
        self._docket.drop_all(NOT_YET)
        if self._active is not None and firmly:
            self._active.kill()
        elif self._active is not None and not self._active.stopping:
            self._active.stop()


def _is_gone(directory: Path) -> bool:
    """Whether it was deleted; a network disk that does not answer well is no reason to say so."""
    try:
        directory.stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def main(arguments: list[str]) -> int:
    """The exit code; what goes wrong is printed, which is to say, in ``supervisor.log``."""
    again: list[str] | None = None
    if len(arguments) > 2 and arguments[-2] == AGAIN:
        again = [run for run in arguments.pop().split("/") if run]
        arguments.pop()
    if resume := len(arguments) == 2 and arguments[1] == RESUME:
        arguments.pop()
    if len(arguments) != 1:
        usage = f"usage: python -m engine.run.supervise DIRECTORY [{RESUME}] [{AGAIN} RUN/RUN]"
        print(usage, file=sys.stderr)
        return ExperimentError.exit_code
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        experiment = open_directory(Path(arguments[0]))
        lock = Lock(experiment.directory / layout.LOCK)
        kin.adopt_orphans()
        supervisor = Supervisor(experiment, again, resume=resume)
        signal.signal(signal.SIGTERM, supervisor.signalled)
        signal.signal(signal.SIGINT, supervisor.signalled)
        supervisor.work()
        lock.release()
    except ResnetTuiError as error:
        print(error, file=sys.stderr, flush=True)
        return error.exit_code
    return EXIT_DONE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
