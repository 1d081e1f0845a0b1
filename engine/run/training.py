"""The attempt of a run as a task of the supervisor: launched, shown on the board, judged."""

from __future__ import annotations

import msgspec

from engine.errors import ExperimentError
from engine.experiment import Experiment, write_atomically
from engine.journal import layout
from engine.journal.events import Notice, RunStarted
from engine.plan import resuming
from engine.plan.runs import RunPlan
from engine.run import past, saved
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
        self._has_saved = False
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
        if self.watch.saved and not self._has_saved:
            self._has_saved = True
            saved.drop_aside(self._docket.experiment.directory / self.run)
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

    def save(self) -> str:
        """Has a checkpoint saved after the step at hand; the reason why not, or nothing."""
        return self._attempt.save()


def begin(run: RunPlan, docket: Docket, board: Board, *, goes_on: bool = False) -> Training | None:
    """Launches a run; ``None`` where that failed, which is its end then.

    ``goes_on``: from its newest checkpoint, where it has one; else from its beginning.
    """
    number = past.attempts(docket.experiment.directory, run.run) + 1
    try:
        resume = _checkpoint(run.run, number, docket, goes_on=goes_on)
        launched = launch(docket.experiment, run, number, resume)
    except (ExperimentError, OSError) as error:
        docket.ended(run.run, number, Verdict("failed", str(error)), None)
        return None
    argv = tuple(each.encode("utf-8", "replace").decode() for each in launched.launch.argv)
    started = RunStarted(
        run=run.run, attempt=number, argv=argv, pid=launched.pid, way=resuming.way(run)
    )
    docket.tell(started)
    return Training(launched, run.strategy.name, docket, board)


def _checkpoint(run: str, number: int, docket: Docket, *, goes_on: bool) -> str:
    """What it goes on from, relative to its directory; empty from the beginning.

    Raises ``OSError`` where checkpoints of an earlier attempt cannot be put aside.
    """
    directory = docket.experiment.directory / run
    found = saved.to_go_on_from(directory) if goes_on else None
    if found is not None:
        if why := saved.explained(found):
            text = f"{run} goes on from {found.path}, for {why}"
            if found.damaged:
                text = f"{found.damaged} of {run} is damaged: it goes on from {found.path}"
            docket.tell(Notice(level="warning", text=text, code="resume"))
        return found.path
    if goes_on and number > 1:
        text = f"{run} has no whole checkpoint to go on from and begins anew"
        docket.tell(Notice(level="warning", text=text, code="resume"))
    saved.put_aside(directory, number - 1)
    return ""


def launch(experiment: Experiment, run: RunPlan, number: int, resume: str = "") -> Attempt:
    """Writes what the ranks of ``run`` are told, and launches them; ``resume``: the checkpoint that
    they go on from.

    Raises ``ExperimentError`` or ``OSError`` where that cannot be done.
    """
    config = experiment.directory / run.run / layout.RUN_CONFIG
    # By itself, so that an error names what is in the way of it.
    config.parent.mkdir(parents=True, exist_ok=True)
    attempt = layout.attempt_directory(experiment.directory, run.run, number)
    attempt.mkdir(parents=True, exist_ok=True)
    told = msgspec.json.format(msgspec.json.encode(run))
    write_atomically(config, told)
    # A run may go on with another plan: what this attempt was told stays beside its journals.
    write_atomically(attempt / layout.RUN_CONFIG, told)
    return Attempt(
        experiment.directory,
        run.run,
        number,
        rank_command(experiment, run, number, resume=resume),
        hang_timeout=run.settings.hang_timeout,
    )
