"""The attempt of a run as a task of the supervisor: launched, shown on the board, judged."""

from __future__ import annotations

import msgspec

from engine.errors import ExperimentError
from engine.experiment import Experiment, write_atomically
from engine.journal import layout
from engine.journal.events import RunStarted
from engine.plan.runs import RunPlan
from engine.run import past
from engine.run.attempt import Attempt
from engine.run.board import Board
from engine.run.docket import Docket
from engine.run.evidence import Verdict
from engine.run.launch import rank_command
from engine.run.watch import Watch


class Training:
    """One run, from its launch to its end in the journal."""

    def __init__(self, attempt: Attempt, strategy: str, docket: Docket, board: Board) -> None:
        self._attempt = attempt
        self._strategy = strategy
        self._docket = docket
        self._board = board

    @property
    def run(self) -> str:
        return self._attempt.run

    @property
    def stopping(self) -> bool:
        return self._attempt.stopping

    @property
    def watch(self) -> Watch:
        return self._attempt.watch

    def poll(self) -> bool:
        verdict = self._attempt.poll()
        self._board.note(self.run, self._strategy, self.watch)
        if verdict is None:
            return False
        code = self._attempt.exit_code if verdict.exit_code is None else verdict.exit_code
        self._docket.ended(self.run, self._attempt.number, verdict, code)
        return True

    def stop(self) -> None:
        self._attempt.stop()

    def kill(self) -> None:
        self._attempt.kill()

    def end(self) -> None:
        self._attempt.end()


def begin(run: RunPlan, docket: Docket, board: Board) -> Training | None:
    """Launches a run; ``None`` where that failed, which is its end then."""
    number = past.attempts(docket.experiment.directory, run.run) + 1
    try:
        launched = launch(docket.experiment, run, number)
    except (ExperimentError, OSError) as error:
        docket.ended(run.run, number, Verdict("failed", str(error)), None)
        return None
    argv = tuple(each.encode("utf-8", "replace").decode() for each in launched.launch.argv)
    docket.tell(RunStarted(run=run.run, attempt=number, argv=argv, pid=launched.pid))
    return Training(launched, run.strategy.name, docket, board)


def launch(experiment: Experiment, run: RunPlan, number: int) -> Attempt:
    """Writes what the ranks of ``run`` are told, and launches them.

    Raises ``ExperimentError`` or ``OSError`` where that cannot be done.
    """
    config = experiment.directory / run.run / layout.RUN_CONFIG
    config.parent.mkdir(exist_ok=True)
    write_atomically(config, msgspec.json.format(msgspec.json.encode(run)))
    return Attempt(
        experiment.directory,
        run.run,
        number,
        rank_command(experiment, run, number),
        hang_timeout=run.settings.hang_timeout,
    )
