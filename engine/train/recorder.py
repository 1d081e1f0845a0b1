"""The thread that writes a rank's journal, so that training never waits for a disk."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import Protocol

from engine.errors import JournalError
from engine.journal.events import Dropped, Event, Heartbeat, Memory, Notice, Steps
from engine.journal.files import Appender

POLL = 0.05
"""Seconds between two looks at the device's finished steps: how late a slow step can be shown."""
FLUSH = 0.25
"""Seconds that steps gather before they become one line."""
RETRY = 1.0
"""Seconds between two attempts at a journal that cannot be written."""
MEMORY = 2.0
"""Seconds between two ``Memory`` events, and between two looks at where training stands."""
QUEUE = 10_000
"""Events that wait at most; beyond it events (never steps) are dropped and counted."""


class Source(Protocol):
    """Where the columns of steps come from; called from the recorder's thread."""

    def harvest(self) -> None:
        """Takes over what the device has finished; never waits for it."""

    def peek(self) -> Steps | None:
        """The oldest finished steps that are not written yet, as one event."""

    def written(self, steps: Steps) -> None:
        """The event that ``peek`` gave is in the journal."""

    def memory(self) -> Memory:
        """This process's memory now."""

    def heartbeat(self) -> Heartbeat | None:
        """Where training stands, while no step is finished and others wait for this rank."""


class Recorder:
    """Appends events to a journal from a thread of its own.

    Steps that finished before an event was posted are written before it. While the journal
    cannot be written (a full disk) steps stay in memory, some 80 bytes each, and are tried again
    every second; so do the first ``QUEUE`` other events.
    """

    def __init__(self, path: Path, first: Event) -> None:
        """Opens the journal and writes its first line; raises ``JournalError``."""
        self._path = path
        self._appender: Appender | None = Appender(path)
        self._appender.append(first)
        self._source: Source | None = None
        self._events: deque[Event] = deque()
        self._dropped = 0
        self._wake = threading.Event()
        self._written = threading.Condition()
        self._sync_wanted = 0
        self._sync_done = 0
        self._problem = ""
        self._device_lost = False
        self._last: Event | None = None
        self._give_up = 0.0
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    def post(self, event: Event) -> None:
        """Hands over an event and returns at once."""
        if len(self._events) >= QUEUE:
            self._dropped += 1
            return
        self._events.append(event)
        self._wake.set()

    def attach(self, source: Source) -> None:
        """From now on steps are taken from ``source``."""
        self._source = source

    def sync(self, timeout: float) -> None:
        """Returns when all finished steps and posted events are on the disk.

        Raises ``JournalError`` where that takes longer than ``timeout`` seconds or fails.
        """
        deadline = time.monotonic() + timeout
        with self._written:
            self._sync_wanted += 1
            wanted = self._sync_wanted
            self._wake.set()
            while self._sync_done < wanted:
                left = deadline - time.monotonic()
                if left <= 0 or not self._thread.is_alive() or self._problem:
                    raise JournalError(
                        self._problem or f"the journal {self._path} took longer than {timeout:g} s"
                    )
                self._written.wait(min(left, 0.5))

    def close(self, last: Event, patience: float = 5.0) -> None:
        """Writes everything, ``last`` last of all; gives up on a dead disk after ``patience``."""
        self._give_up = time.monotonic() + patience
        self._last = last
        self._wake.set()
        self._thread.join(2 * patience)

    def _work(self) -> None:
        flushed = remembered = tried = 0.0
        while True:
            last, wanted = self._last, self._sync_wanted
            self._wake.wait(POLL)
            self._wake.clear()
            source = self._source
            if source is not None and not self._device_lost:
                self._harvest(source)
            now = time.monotonic()
            if source is not None and now - remembered >= MEMORY:
                remembered = now
                self.post(source.memory())
                if (beat := source.heartbeat()) is not None:
                    self.post(beat)
            asked = last is not None or bool(self._events) or wanted > self._sync_done
            if (asked or now - flushed >= FLUSH) and now - tried >= (RETRY if self._problem else 0):
                flushed = tried = now
                self._write(sync=wanted > self._sync_done, answering=wanted, last=last)
            if last is not None and (not self._problem or now >= self._give_up):
                return

    def _harvest(self, source: Source) -> None:
        """A device that fails answers every question with its error. The training thread meets it
        as well and tells it; what is known until then, and the end, are still to be written."""
        try:
            source.harvest()
        except RuntimeError as error:
            self._device_lost = True
            print(f"steps cannot be read from the device: {error}", file=sys.stderr, flush=True)

    def _write(self, *, sync: bool, answering: int, last: Event | None) -> None:
        """Writes what there is; on a failure keeps it and says so once."""
        try:
            self._write_all(sync=sync, last=last)
        except JournalError as error:
            if not self._problem:
                print(f"{error}; steps are kept in memory", file=sys.stderr, flush=True)
            self._problem = str(error)
            # The next appender closes the line that may have been left half written.
            if self._appender is not None:
                self._appender.close()
                self._appender = None
        else:
            if self._problem:
                text = f"{self._problem}; it works again and no step was lost"
                self._problem = ""
                self.post(Notice(level="warning", text=text, code="journal"))
            with self._written:
                self._sync_done = max(self._sync_done, answering if sync else 0)
        with self._written:
            self._written.notify_all()

    def _write_all(self, *, sync: bool, last: Event | None) -> None:
        if self._appender is None:
            self._appender = Appender(self._path)
        # What is posted while this runs comes after the steps of the next round.
        waiting = len(self._events)
        while self._source is not None and (steps := self._source.peek()) is not None:
            self._appender.append(steps)
            self._source.written(steps)
        if self._dropped:
            dropped = self._dropped
            self._appender.append(Dropped(count=dropped))
            self._dropped -= dropped
        for _ in range(waiting):
            self._appender.append(self._events[0])
            self._events.popleft()
        if last is not None:
            self._appender.append(last)
        if sync or last is not None:
            try:
                self._appender.sync()
            except OSError as error:
                raise JournalError(f"cannot sync {self._path}: {error.strerror}") from error
