"""The processes of an attempt: one is launched, and all that come from it are ended with it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from functools import partial
from pathlib import Path

from engine.run import kin
from engine.run.launch import Launch
from engine.run.temporary import Temporary


class Processes:
    """Launched when made, in the main thread; with a folder for temporary files of their own."""

    def __init__(self, launch: Launch, log: Path, linger: float) -> None:
        """What they print goes to the end of ``log``; ``linger``: seconds that one may outlive its
        killing. Raises ``OSError`` where nothing can be launched."""
        self._linger = linger
        self._temporary = Temporary()
        try:
            self._first = self._start(launch, log)
        except BaseException:
            self._temporary.remove()
            raise

    @property
    def pid(self) -> int:
        """Of the one that was launched: a rank, or torchrun."""
        return self._first.pid

    @property
    def exit_code(self) -> int | None:
        """Of that one, once ``poll`` has seen it."""
        return self._first.returncode

    def poll(self) -> int | None:
        """The exit code of that one, if it has ended by now; ``sweep`` ends the others."""
        return self._first.poll()

    def terminate(self) -> None:
        self._first.send_signal(signal.SIGTERM)

    def kill(self, but: int | None = None) -> None:
        """Each rank of torchrun has a session of its own: no signal reaches all of them."""
        kin.kill([each for each in kin.descendants() if each.pid != but])

    def end(self) -> None:
        """Kills all of them and returns when they are gone."""
        self.kill()
        self._first.wait()
        self.sweep()

    def sweep(self) -> None:
        """Kills what the first one left behind. The supervisor has adopted it: see ``kin``."""
        deadline = time.monotonic() + self._linger
        while left := kin.descendants():
            kin.kill(left)
            if time.monotonic() > deadline:
                break  # In an uninterruptible wait (a dead network disk): nobody can help.
            time.sleep(0.02)
        kin.reap()
        self._temporary.remove()

    def _start(self, launch: Launch, log: Path) -> subprocess.Popen[bytes]:
        log.parent.mkdir(parents=True, exist_ok=True)
        environment = launch.environment_in(os.environ)
        with log.open("ab") as file:
            return subprocess.Popen(
                launch.argv,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=environment | self._temporary.environment(environment),
                start_new_session=True,
                # Safe here: the supervisor has one thread, and die_with allocates nothing.
                preexec_fn=partial(kin.die_with, os.getpid()),  # noqa: PLW1509
            )
