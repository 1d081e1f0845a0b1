"""Requests to a rank: to stop (SIGTERM, SIGINT, a file ``stop`` beside its journal), or to save."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import NoReturn

from engine.errors import Interrupted

_POLL = 0.25
REASON = "stopped before the first step, as asked"


class Stopped(Interrupted):
    """The request arrived before training began: there is nothing to save."""


class StopRequest:
    """Whether somebody asked.

    While it is eager, which ends with the first step, a request raises ``Stopped`` in the main
    thread: importing and reading may take long and can be left anywhere.
    """

    def __init__(self, file: Path, save: Path | None = None) -> None:
        """Installs the signal handlers and the watch; call it in the main thread.

        ``save``: a file that asks for a checkpoint. It is taken away by the rank that sees it.
        """
        self.requested = False
        self.save_wanted = False
        """Somebody asked for a checkpoint; whoever saves sets it back."""
        self.eager = False
        self.interrupted = False
        """A request has raised ``Stopped``, which a library may have made another error of."""
        self._file = file
        self._save = save
        self._ended = threading.Event()
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)
        threading.Thread(target=self._watch, name="stop", daemon=True).start()

    def interrupt_startup(self) -> None:
        """Makes it eager; raises ``Stopped`` where somebody has asked already."""
        self.eager = True
        if self.requested:
            self._interrupt()

    def close(self) -> None:
        """From now on requests are ignored: the process ends anyway."""
        self.eager = False
        self._ended.set()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        if self.eager:
            self._interrupt()

    def _interrupt(self) -> NoReturn:
        self.eager = False
        self.interrupted = True
        raise Stopped(REASON)

    def _watch(self) -> None:
        # The signal wakes the main thread out of what it waits for; a flag alone would not.
        while not self._ended.wait(_POLL):
            if self._save is not None and self._save.exists():
                self.save_wanted = True
                with contextlib.suppress(OSError):
                    self._save.unlink()
            if self._file.exists():
                os.kill(os.getpid(), signal.SIGTERM)
                return
