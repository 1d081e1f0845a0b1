"""The reading of the images into memory as a task of the supervisor: see ``page_cache``."""

from __future__ import annotations

import time

from engine.journal.events import Notice
from engine.run.docket import Docket
from engine.run.launch import python
from engine.run.piped import Piped

LINGER = 5.0
"""Seconds that it may outlive its killing: a disk that does not answer holds it."""


class Warming:
    """A child that reads; whatever comes of it, the runs can begin afterwards."""

    watch = None

    def __init__(self, docket: Docket) -> None:
        """Starts it; raises ``ExperimentError`` where that fails."""
        directory = str(docket.experiment.directory)
        self._child = Piped(python("-m", "engine.run.page_cache", directory))
        self._docket = docket
        self._killed: float | None = None

    @property
    def stopping(self) -> bool:
        return self._killed is not None

    def poll(self) -> bool:
        for event in self._child.read():
            self._docket.tell(event)
        if self._killed is not None and time.monotonic() - self._killed > LINGER:
            self._child.close()
            return True
        if self._child.exit_code is None:
            return False
        if self._child.exit_code and self._killed is None:
            text = (
                "the images could not be read into memory beforehand (exit code "
                f"{self._child.exit_code}; supervisor.log says why): the first run may wait for "
                "the disk longer than the others"
            )
            self._docket.tell(Notice(level="warning", text=text, code="page-cache"))
        return True

    def stop(self) -> None:
        """Nothing of it needs saving."""
        self.kill()

    def kill(self) -> None:
        if self._killed is None:
            self._killed = time.monotonic()
            self._child.kill()

    def end(self) -> None:
        self.kill()
        self._child.close()
