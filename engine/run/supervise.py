"""The supervisor of an experiment: ``python -m engine.run.supervise DIRECTORY``.

One process and one thread, detached from any terminal. It does the runs of the plan one after
another, samples the node, takes requests, and leaves no process behind. SIGTERM and SIGINT are a
``stop``, a second one is firm; SIGHUP is nothing to it.
"""

from __future__ import annotations

import signal
import sys
import time
from importlib.metadata import version
from pathlib import Path

import msgspec

from engine.errors import EXIT_DONE, ExperimentError, ResnetTuiError
from engine.experiment import Experiment, open_directory, write_atomically
from engine.journal import commands, layout
from engine.journal.events import (
    Acknowledged,
    EndState,
    RunEnded,
    RunQueued,
    RunStarted,
    SupervisorEnded,
    SupervisorStarted,
)
from engine.journal.files import writer_fields
from engine.journal.lock import Lock
from engine.run import kin, past
from engine.run.alarms import Alarms
from engine.run.attempt import Attempt
from engine.run.board import Board
from engine.run.evidence import Verdict
from engine.run.launch import rank_command
from engine.run.queue import Queue
from engine.run.sampler import Sampler
from engine.run.teller import Teller

PERIOD = 0.1
"""Seconds between two looks at everything."""


class Supervisor:
    """Holds the experiment's lock; ``work`` returns when the queue is empty."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self._directory = experiment.directory
        self._journal = Teller(self._directory / layout.SUPERVISOR_JOURNAL)
        self._signals = 0
        self._stopping = False
        self._active: Attempt | None = None
        before = past.ended(self._directory)
        self._board = Board(self._directory, experiment.summary())
        self._queue = Queue(experiment.plan.runs, {run: end.state for run, end in before.items()})
        # Whoever waits for the first line then finds the summary as well.
        self._board.write("running", self._queue)
        self._journal.tell(SupervisorStarted(**writer_fields(), version=version("resnet-tui")))
        for run in self._queue.waiting:
            self._settle_or_announce(run)
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
        outcome = self._queue.outcome()
        self._journal.tell(SupervisorEnded(state=outcome))
        self._sampler.close()
        self._board.write(outcome, self._queue)
        return outcome

    def _turn(self) -> bool:
        """One look at everything; whether there is more to do."""
        self._obey()
        if not self._stopping and _is_gone(self._directory):
            self._stop(firmly=True)  # Somebody deleted it: there is no place for any result.
        if self._active is not None:
            self._attend(self._active)
        if self._active is None:
            self._launch_next()
        watch = self._active.watch if self._active else None
        self._sampler.listen(watch.uuids if watch else (), running=watch is not None)
        if self._sampler.due:
            self._sampler.sample()
            self._warn()
        self._board.write("running", self._queue, self._stopping)
        self._journal.flush()
        return self._active is not None or bool(self._queue.waiting)

    def _warn(self) -> None:
        notices = self._alarms.disk(self._sampler.disk_free) + self._sampler.notices()
        if self._active is not None:
            notices += self._alarms.silence(self._active.run, self._active.watch.quiet())
        for notice in notices:
            self._journal.tell(notice)

    # The queue

    def _settle_or_announce(self, run: str) -> None:
        plan = self._queue.places[run].plan
        if past.unjudged(self._directory, run, plan.ranks) == "done":
            self._queue.end(run, "done")
            attempt = past.attempts(self._directory, run)
            self._journal.tell(RunEnded(run=run, attempt=attempt, state="done"))
            return
        self._journal.tell(
            RunQueued(
                run=run, strategy=plan.strategy.name, seed=plan.settings.seed, repeat=plan.repeat
            )
        )

    def _launch_next(self) -> None:
        run = self._queue.take()
        if run is None:
            return
        number = past.attempts(self._directory, run.run) + 1
        try:
            config = self._directory / run.run / layout.RUN_CONFIG
            config.parent.mkdir(exist_ok=True)
            write_atomically(config, msgspec.json.format(msgspec.json.encode(run)))
            launch = rank_command(self._experiment, run, number)
            attempt = Attempt(
                self._directory, run.run, number, launch, hang_timeout=run.settings.hang_timeout
            )
        except (ExperimentError, OSError) as error:
            self._ended(run.run, number, Verdict("failed", str(error)), None)
            return
        self._active = attempt
        argv = tuple(
            argument.encode("utf-8", "replace").decode() for argument in attempt.launch.argv
        )
        self._journal.tell(RunStarted(run=run.run, attempt=number, argv=argv, pid=attempt.pid))

    def _attend(self, attempt: Attempt) -> None:
        verdict = attempt.poll()
        strategy = self._queue.places[attempt.run].plan.strategy.name
        self._board.note(attempt.run, strategy, attempt.watch)
        if verdict is not None:
            self._active = None
            code = attempt.exit_code if verdict.exit_code is None else verdict.exit_code
            self._ended(attempt.run, attempt.number, verdict, code)

    def _ended(self, run: str, attempt: int, verdict: Verdict, exit_code: int | None) -> None:
        self._queue.end(run, verdict.state, verdict.reason)
        self._journal.tell(
            RunEnded(
                run=run,
                attempt=attempt,
                state=verdict.state,
                reason=verdict.reason,
                detail=verdict.detail,
                exit_code=exit_code,
            )
        )

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
            case "stop-run" if active is not None and active.run == command.run:
                active.stop()
            case "stop-run" | "drop-run":
                return self._drop(command.run)
            case "retry-run":
                return self._retry(command.run)
            case "checkpoint":
                return "a checkpoint is saved after every epoch and when a run is stopped"
        return ""

    def _stop(self, firmly: bool) -> None:
        firmly = firmly or self._stopping
        self._stopping = True
        for run in self._queue.waiting:
            self._drop(run)
        if self._active is not None and firmly:
            self._active.kill()
        elif self._active is not None and not self._active.stopping:
            self._active.stop()

    def _drop(self, run: str) -> str:
        if run not in self._queue.waiting:
            return f"{run} does not wait in the queue"
        attempt = past.attempts(self._directory, run)
        self._ended(run, attempt, Verdict("stopped", "its turn had not come"), None)
        return ""

    def _retry(self, run: str) -> str:
        if self._stopping:
            return "the experiment is being stopped"
        refused = self._queue.again(run)
        if not refused:
            self._settle_or_announce(run)
        return refused


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
    if len(arguments) != 1:
        print("usage: python -m engine.run.supervise DIRECTORY", file=sys.stderr)
        return ExperimentError.exit_code
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        experiment = open_directory(Path(arguments[0]))
        lock = Lock(experiment.directory / layout.LOCK)
        kin.adopt_orphans()
        supervisor = Supervisor(experiment)
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
