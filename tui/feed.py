"""The one worker: tail, fold, leave a frozen snapshot in one slot; the newest wins.

It runs in a thread of its own and touches no widget. A screen reads the slot when it paints; what
it never reads costs nothing. Each look at the disk is bounded in bytes and in time, so that the
screen's thread gets its turn while a long history is read.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from engine.errors import ResnetTuiError
from engine.experiment import Experiment, open_directory
from engine.journal import layout
from engine.journal.files import Tail
from engine.journal.reader import JournalReader
from engine.journal.views import ExperimentView
from engine.plan.text import clean
from engine.summary import State
from tui.growing import GrowingPlan
from tui.kept import Kept
from tui.narrate import Narrator
from tui.seen import Seen, last_look, remember

INTERVAL = 0.1
"""Seconds between looks at journals that have been read to their end."""

ALIVE: tuple[State, ...] = ("starting", "running", "silent")

_STATE_EVERY = 1.0
_BUSY = 0.05
"""Seconds of reading on end before a snapshot is left and the other threads get a turn."""

_LOG_LINES = 2000
_LOG_CHUNK = 32 * 1024
_LINE_LIMIT = 2000
"""Characters of a log line that are kept."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the log pane, cleaned. ``source`` is who printed it (``rank 0``), or empty."""

    t: float | None
    run: str
    source: str
    level: str
    text: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known of an experiment at one moment. Nothing in it changes."""

    number: int
    """Grows with every change, so that a screen knows what it has painted already."""
    experiment: Experiment
    view: ExperimentView
    state: State
    lines: tuple[LogLine, ...]
    before: Seen | None
    """What was seen of it when the user last looked."""
    caught_up: bool
    """Whether everything on the disk has been read; until then the view is of the past."""
    gone: bool = False
    """Whether its directory was deleted under whoever looks at it."""
    kept: frozenset[str] = frozenset()
    """Runs that are over and have a checkpoint to go on from."""

    @property
    def alive(self) -> bool:
        """Whether something of it may still train."""
        return self.state in ALIVE


class Feed:
    """Follows one experiment until it is told to stop.

    ``error`` is a sentence for as long as the disk refuses to be read.
    """

    def __init__(self, directory: Path, interval: float = INTERVAL) -> None:
        self.directory = directory
        self.experiment = open_directory(directory)
        self.error = ""
        self._interval = interval
        self._slot: Snapshot | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
        self._before = last_look(directory)
        self._reader = JournalReader(directory)
        self._log = _Log(directory)
        self._plans = GrowingPlan()
        self._kept = Kept(directory)
        self._state: State = "starting"
        self._state_asked = 0.0
        self._gone = False

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Asks the thread to end; returns at once."""
        self._stopping.set()

    def join(self, timeout: float | None = None) -> None:
        """Waits for the thread's end."""
        self._thread.join(timeout)

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def latest(self) -> Snapshot | None:
        """The newest snapshot; ``None`` before the first."""
        return self._slot

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                idle = self.look()
                self.error = ""
            except (ResnetTuiError, OSError) as error:
                # A disk that does not answer now may do so later; what was read is kept.
                self.error = clean(str(error))
                self._stopping.wait(_STATE_EVERY)
                continue
            # Even while much is left to read: a moment without the interpreter's lock.
            self._stopping.wait(self._interval if idle else 0.002)
        self._remember()

    def look(self) -> bool:
        """Reads what is new, for a bounded time, and fills the slot; ``True`` when nothing is."""
        until = time.monotonic() + _BUSY
        applied = False
        while self._reader.poll():
            applied = True
            if time.monotonic() > until:
                break
        caught_up = self._reader.caught_up
        logged = caught_up and self._log.look()
        before = self._state, self._gone
        # Who writes lives: what begins again is not to be called dead until the next second.
        self._ask_state(at_once=applied and self._state not in ALIVE)
        if (
            applied
            or logged
            or (self._state, self._gone) != before
            or self._slot is None
            or caught_up != self._slot.caught_up
        ):
            self._leave(caught_up)
        return caught_up

    def _leave(self, caught_up: bool) -> None:
        view = self._reader.view()
        self.experiment = self._plans.newest(self.experiment, view)
        if caught_up:
            self._log.narrate(view)
        kept = self._kept.look(view, alive=self._state in ALIVE) if caught_up else frozenset()
        number = self._slot.number + 1 if self._slot else 1
        self._slot = Snapshot(
            number,
            self.experiment,
            view,
            self._state,
            tuple(self._log.lines),
            self._before,
            caught_up,
            self._gone,
            kept,
        )

    def _remember(self) -> None:
        """Notes what the user has seen by now."""
        if self._slot is not None and self._slot.caught_up:
            remember(self.directory, self._slot.view)

    def _ask_state(self, *, at_once: bool) -> None:
        now = time.monotonic()
        if at_once or now - self._state_asked >= _STATE_EVERY:
            self._state = self.experiment.state()
            self._gone = self._state == "crashed" and not self.directory.is_dir()
            self._state_asked = now


class _Log:
    """The lines of the log pane, in the order in which they were seen."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.lines: deque[LogLine] = deque(maxlen=_LOG_LINES)
        self._tails: dict[Path, tuple[str, int, Tail]] = {}
        self._narrator = Narrator()
        self._looked_for_files = 0.0

    def look(self) -> bool:
        """Reads the new lines of the ranks' logs; ``True`` when there were any."""
        self._find()
        found = False
        for run, rank, tail in self._tails.values():
            data = tail.read(_LOG_CHUNK)
            for raw in data.splitlines():
                text = clean(raw.decode("utf-8", "replace").rstrip("\r")[-_LINE_LIMIT:])
                if text.strip():
                    self.lines.append(LogLine(None, run, f"rank {rank}", "", text))
                    found = True
        return found

    def narrate(self, view: ExperimentView) -> None:
        """Adds what happened since the last view, in the order in which it did."""
        fresh = sorted(self._narrator.lines(view), key=lambda each: each.t or 0.0)
        self.lines.extend(LogLine(each.t, each.run, "", each.level, each.text) for each in fresh)

    def _find(self) -> None:
        now = time.monotonic()
        if now - self._looked_for_files < _STATE_EVERY:
            return
        self._looked_for_files = now
        for journal in layout.rank_journals(self._directory):
            path = journal.path.with_suffix(".log")
            if path not in self._tails:
                tail = Tail(path)
                # Of a long log only the end is worth a screen.
                tail.offset = max(0, _size(path) - 2 * _LOG_CHUNK)
                self._tails[path] = (journal.run, journal.rank, tail)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
