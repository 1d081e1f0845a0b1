"""One attempt of a run: its processes from launch to the last of them gone."""

from __future__ import annotations

import signal
import time
from functools import partial
from pathlib import Path

from engine.errors import ExperimentError
from engine.journal import layout
from engine.run import kin, torchrun
from engine.run.blame import judge_ranks
from engine.run.evidence import Evidence, Verdict, end_of, last_lines
from engine.run.judge import judge
from engine.run.launch import Launch
from engine.run.processes import Processes
from engine.run.shortage import shortage
from engine.run.watch import Watch

PATIENCE = 120.0
"""Seconds that ranks may take to save and end after they were asked to stop."""
LINGER = 5.0
"""Seconds that a process may outlive its own closing event, or the failure of another rank."""
HANG = 300.0
"""Seconds without any progress after which several ranks are ended; see ``hang_timeout``."""

_LOOK = 1.0
"""Seconds between two looks at the ranks' error files."""


class Attempt:
    """Launched when made. Call ``poll`` often; everything else happens in there.

    To be made in the main thread: the ranks are killed by the system when their launching thread
    ends.
    """

    def __init__(
        self,
        experiment: Path,
        run: str,
        number: int,
        launch: Launch,
        *,
        patience: float = PATIENCE,
        linger: float = LINGER,
        hang_timeout: float = HANG,
    ) -> None:
        """Launches the ranks of ``run``; raises ``ExperimentError`` where that cannot be done."""
        self.run = run
        self.number = number
        self.launch = launch
        self.watch = Watch(experiment, run, number, launch.ranks)
        self._patience = patience
        self._linger = linger
        self._hang_timeout = hang_timeout
        self._directory = layout.attempt_directory(experiment, run, number)
        self._rank_log = partial(layout.rank_log, experiment, run, number)
        self._log = self._directory / torchrun.LOG if launch.by_torchrun else self._rank_log(0)
        self._asked: float | None = None
        self._ended: Verdict | None = None
        """Why the supervisor ended it, where it did for a reason of its own."""
        self._killed = False
        self._gone: list[int] = []
        self._errors = False
        self._looked = 0.0
        self._since: dict[str, float] = {}
        try:
            self._processes = Processes(launch, self._log, linger)
        except OSError as error:
            raise ExperimentError(f"cannot launch {run}: {error.strerror}") from error

    @property
    def pid(self) -> int:
        return self._processes.pid

    @property
    def exit_code(self) -> int | None:
        return self._processes.exit_code

    @property
    def stopping(self) -> bool:
        return self._asked is not None or self._ended is not None

    def stop(self) -> None:
        """Asks the ranks to finish their step, save and end. Asking again kills them."""
        if self.stopping:
            self.kill()
            return
        self._asked = time.monotonic()
        if not self.launch.by_torchrun:
            self._processes.terminate()
        try:
            (self._directory / "stop").touch()
        except OSError:
            # A full disk; a signal asks the same. Never torchrun itself: it would kill ranks that
            # need more than 30 s to save.
            for pid in self.watch.pids.values():
                kin.send(pid, signal.SIGTERM)

    def save(self) -> str:
        """Asks the ranks for a checkpoint after the step at hand; the reason why not, or nothing.

        They remove the file once they have seen it: asked twice before that is asked once.
        """
        if self.stopping:
            return f"{self.run} is being stopped, and saves a checkpoint in doing so"
        if self.watch.closed:
            return f"{self.run} has ended"
        try:
            (self._directory / "save").touch()
        except OSError as error:
            return f"{self.run} cannot be asked: {error.strerror}"
        return ""

    def kill(self) -> None:
        """Ends the ranks at once. What ``poll`` returns next tells it."""
        reason = "stopped at once, on request; what came after its last save is lost"
        self._end_as(Verdict("stopped", reason))

    def poll(self) -> Verdict | None:
        """Moves things on; the verdict once the attempt is over and no process of it is left."""
        exit_code = self._processes.poll()
        dead = self._dead() if exit_code is None and not self._killed else []
        self.watch.poll()
        if exit_code is None:
            # A rank says how it ended before it dies: what is not read by now was not written.
            self._gone += [rank for rank in dead if rank not in self.watch.closings]
            self._hurry()
            return None
        self._processes.sweep()
        return self._verdict(exit_code)

    def end(self) -> None:
        """Kills everything and returns when it is gone: for a supervisor that breaks."""
        self._killed = True
        self._processes.end()

    def _verdict(self, exit_code: int) -> Verdict:
        evidence = Evidence(
            closings=self.watch.closings,
            exit_code=exit_code,
            ranks=self.watch.ranks,
            ended=self._ended,
            asked=self._asked is not None,
            out_of_memory=shortage(self._directory.parent, self.watch.memory),
            log=lambda rank: end_of(self._rank_log(rank)),
            launcher_log=end_of(self._log, 64 * 1024),
            errors=torchrun.rank_errors(self._directory),
            root_cause=torchrun.read_error(self._directory / torchrun.ERROR_FILE),
            gone=self._gone,
            killed=self._killed,
        )
        return judge_ranks(evidence) if self.launch.by_torchrun else judge(evidence)

    # What has to be ended

    def _hurry(self) -> None:
        """Kills what outlives the end of the attempt, or will never come to it."""
        closings = self.watch.closings.values()
        early = [each for each in closings if each.state == "stopped" and each.step == 0]
        if self._overdue("closed", self.watch.closed):
            self._kill_all()
        elif self._overdue("failed", self._has_failed()):
            # torchrun ends by itself then, and reports how its ranks died.
            self._kill_all(but=self.pid)
            if self._overdue("failed", True, 2):
                self._kill_all()
        elif self._overdue("left", bool(early)):
            # Nothing is lost: another rank waits to begin, for one that has left.
            self._end_as(Verdict("stopped", early[0].reason))
        elif self._asked is not None:
            if time.monotonic() - self._asked > self._patience:
                told = f"killed: it had not ended {self._patience:g} s after it was asked to"
                self._end_as(Verdict("stopped", told))
        elif self.watch.ranks > 1:
            self._end_stall()

    def _end_stall(self) -> None:
        stall = self.watch.movement.stall(self._hang_timeout)
        if stall is None:
            return
        if not _can_write(self._directory):
            # A full disk silences ranks that train on.
            self.watch.movement.forgive()
            return
        text = stall.text
        for rank in stall.ranks:
            if state := kin.condition(self.watch.pids.get(rank)):
                text += f"; the process of rank {rank} {state}"
        log = end_of(self._rank_log(stall.ranks[0]))
        self._end_as(Verdict("failed", text, last_lines(log)))

    def _overdue(self, what: str, is_so: bool, times: int = 1) -> bool:
        """Whether something has been so for longer than processes may linger."""
        if not is_so:
            return False
        now = time.monotonic()
        return now - self._since.setdefault(what, now) > times * self._linger

    def _dead(self) -> list[int]:
        """Ranks that have no process any more; torchrun's own is seen at once."""
        if not self.launch.by_torchrun:
            return []
        known = self.watch.pids.items()
        ended = {*self.watch.closings, *self._gone}
        return [rank for rank, pid in known if rank not in ended and not kin.lives(pid)]

    def _has_failed(self) -> bool:
        if self._gone or any(each.state == "failed" for each in self.watch.closings.values()):
            return True
        now = time.monotonic()
        if self.launch.by_torchrun and now - self._looked > _LOOK:
            self._looked = now
            # A rank that failed may hang while it cleans up, before its closing event.
            self._errors = bool(torchrun.rank_errors(self._directory))
        return self._errors

    def _end_as(self, verdict: Verdict) -> None:
        self._ended = self._ended or verdict
        self._kill_all()

    def _kill_all(self, but: int | None = None) -> None:
        self._killed = True
        self._processes.kill(but)


def _can_write(directory: Path) -> bool:
    probe = directory / ".probe"
    try:
        probe.write_bytes(bytes(4096))
        probe.unlink()
    except OSError:
        return False
    return True
