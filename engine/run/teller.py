"""The supervisor's journal, which survives a disk that is full for a while."""

from __future__ import annotations

from collections import deque
from pathlib import Path

from engine.errors import JournalError
from engine.journal.events import Event
from engine.journal.files import Appender


class Teller:
    """Events that cannot be written wait and are tried again, in order."""

    def __init__(self, path: Path) -> None:
        """Opens the journal; raises ``JournalError``."""
        self._journal = Appender(path)
        self._waiting: deque[Event] = deque()
        self._problem = ""

    def tell(self, event: Event) -> None:
        self._waiting.append(event)
        self.flush()

    def flush(self) -> None:
        """Writes what waits; a problem is printed once, into ``supervisor.log``."""
        try:
            while self._waiting:
                self._journal.append(self._waiting[0])
                self._waiting.popleft()
            self._problem = ""
        except JournalError as error:
            if str(error) != self._problem:
                print(error, flush=True)
            self._problem = str(error)
