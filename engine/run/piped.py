"""A child that tells events on its standard output, read without ever waiting for it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from functools import partial

from engine.errors import ExperimentError
from engine.journal.events import AnyEvent
from engine.journal.files import parse
from engine.run import kin

_CHUNK = 1 << 16
_CHUNKS = 16
"""Of them at most at once: who waits for a child that never stops talking waits forever."""
_LONGEST = 1 << 20
"""Bytes without an end of line beyond which it talks nonsense."""
_NAP = 5.0
"""A pause of ours longer than this (a suspended machine) is not counted as silence of the child."""


class Piped:
    """It lives as long as its parent at most, and ends of runs do not touch it (``kin.spare``)."""

    def __init__(self, command: Sequence[str]) -> None:
        """Starts it, from the main thread; raises ``ExperimentError`` where that fails."""
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                # Safe here: the supervisor has one thread, and die_with allocates nothing.
                preexec_fn=partial(kin.die_with, os.getpid()),  # noqa: PLW1509
            )
        except OSError as error:
            raise ExperimentError(f"cannot start {command[0]}: {error.strerror}") from error
        assert self._process.stdout is not None
        self._out = self._process.stdout
        os.set_blocking(self._out.fileno(), False)
        kin.spare(self.pid)
        self._unfinished = b""
        self._looked = time.monotonic()
        self.silent = 0.0
        """Seconds since its last event, or since it was started."""
        self.exit_code: int | None = None
        """How it ended, once ``read`` has given all that it told."""

    @property
    def pid(self) -> int:
        return self._process.pid

    def read(self) -> list[AnyEvent]:
        """What it told since the last call."""
        now = time.monotonic()
        self.silent += min(now - self._looked, _NAP)
        self._looked = now
        ended = self._process.poll()
        lines = self._lines() if self.exit_code is None else b""
        if ended is not None and self.exit_code is None:
            self._bury(ended)
        events, _ = parse(lines)
        if events:
            self.silent = 0.0
        return events

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        """Ends it. One that hangs in a driver cannot be: the system does it later."""
        if self.exit_code is not None:
            return
        self.kill()
        try:
            self._bury(self._process.wait(1.0))
        except subprocess.TimeoutExpired:
            return

    def _lines(self) -> bytes:
        told = [self._unfinished]
        for _ in range(_CHUNKS):
            try:
                new = os.read(self._out.fileno(), _CHUNK)
            except BlockingIOError:
                break
            if not new:
                break
            told.append(new)
        data = b"".join(told)
        end = data.rfind(b"\n") + 1
        self._unfinished = data[end:] if len(data) - end <= _LONGEST else b""
        return data[:end]

    def _bury(self, exit_code: int) -> None:
        self.exit_code = exit_code
        kin.forget(self.pid)
        self._out.close()
