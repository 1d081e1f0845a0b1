"""One attempt of a run: its processes from launch to the last of them gone."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from functools import partial
from pathlib import Path

from engine.errors import ExperimentError
from engine.journal import layout
from engine.run import cgroup, kin
from engine.run.judge import Verdict, end_of, judge
from engine.run.launch import Launch
from engine.run.watch import Watch

PATIENCE = 120.0
"""Seconds that a rank may take to save and end after it was asked to stop."""
LINGER = 5.0
"""Seconds that a process may outlive its own closing event."""


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
    ) -> None:
        """Launches the ranks of ``run``; raises ``ExperimentError`` where that cannot be done."""
        self.run = run
        self.number = number
        self.launch = launch
        self.watch = Watch(experiment, run, number, launch.ranks)
        self._patience = patience
        self._linger = linger
        self._directory = layout.attempt_directory(experiment, run, number)
        self._log = layout.rank_log(experiment, run, number, 0)
        self._out_of_memory_before = cgroup.oom_kills()
        self._asked: float | None = None
        self._killed = ""
        self._closed: float | None = None
        self._process = self._start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode

    @property
    def stopping(self) -> bool:
        return self._asked is not None or bool(self._killed)

    def stop(self) -> None:
        """Asks the ranks to finish their step, save and end. Asking again kills them."""
        if self.stopping:
            self.kill()
            return
        self._asked = time.monotonic()
        try:
            (self._directory / "stop").touch()
        except OSError:
            pass  # A full disk; the signal below asks the same.
        self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends the ranks at once. What ``poll`` returns next tells it."""
        self._kill_because("stopped at once, on request; what came after its last save is lost")

    def poll(self) -> Verdict | None:
        """Moves things on; the verdict once the attempt is over and no process of it is left."""
        ended = self._process.poll() is not None
        self.watch.poll()
        if not ended:
            self._hurry()
            return None
        self._sweep()
        return judge(
            self.watch.closings,
            self.watch.ranks,
            self._process.returncode,
            killed=self._killed,
            asked=self._asked is not None,
            out_of_memory=cgroup.oom_kills() > self._out_of_memory_before,
            log=end_of(self._log),
        )

    def end(self) -> None:
        """Kills everything and returns when it is gone: for a supervisor that breaks."""
        self._kill_group()
        self._process.wait()
        self._sweep()

    def _start(self) -> subprocess.Popen[bytes]:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            with self._log.open("ab") as log:
                return subprocess.Popen(
                    self.launch.argv,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **self.launch.environment},
                    start_new_session=True,
                    # Safe here: the supervisor has one thread, and die_with allocates nothing.
                    preexec_fn=partial(kin.die_with, os.getpid()),  # noqa: PLW1509
                )
        except OSError as error:
            raise ExperimentError(f"cannot launch {self.run}: {error.strerror}") from error

    def _hurry(self) -> None:
        """Kills ranks that outlive their own closing events, or their time to save."""
        now = time.monotonic()
        if self.watch.closed and self._closed is None:
            self._closed = now
        if self._closed is not None and now - self._closed > self._linger:
            self._kill_group()
        elif self._asked is not None and now - self._asked > self._patience:
            self._kill_because(
                f"killed: it had not ended {self._patience:g} s after it was asked to"
            )

    def _kill_because(self, reason: str) -> None:
        self._killed = self._killed or reason
        self._kill_group()

    def _kill_group(self) -> None:
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            # Gone already; or (macOS) only zombies are left in it.
            self._process.kill()

    def _sweep(self) -> None:
        """Kills what the ranks left behind. The supervisor has adopted it: see ``kin``."""
        deadline = time.monotonic() + self._linger
        while left := kin.descendants():
            kin.kill(left)
            if time.monotonic() > deadline:
                break  # In an uninterruptible wait (a dead network disk): nobody can help.
            time.sleep(0.02)
        kin.reap()
