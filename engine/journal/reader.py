"""Tails every journal of an experiment and folds what they say."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from engine.journal import layout
from engine.journal.events import AnyEvent, RunStarted
from engine.journal.files import CHUNK, Tail, parse
from engine.journal.fold import ExperimentFold
from engine.journal.views import ExperimentView

_DISCOVER = 1.0
"""Seconds between two looks for new files, and at files that only a damaged run still writes."""

_SHARE = 16 * 1024
"""Bytes that each file with something to say may say before the next one's turn, at least."""

_WHOLE = 4 * 2**20
"""Bytes per round where nothing else waits for its turn."""


@dataclass(slots=True, eq=False)
class _Source:
    """One journal file, and who in the fold takes its events."""

    tail: Tail
    take: Callable[[AnyEvent], None]
    attempt: tuple[str, int] | None
    """Run and attempt of a rank's journal."""


class JournalReader:
    """Follows an experiment's journals from their beginning; one thread may use it.

    A journal that was replaced makes it start again from nothing, all files included. A directory
    that disappears leaves what was read.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.caught_up = False
        """Whether the last poll read everything there was."""
        self._discovered = -math.inf
        self._order: list[_Source] = []
        """Whose turn it is: the first has waited longest."""
        self._first: _Source | None = None
        """The supervisor's journal: every poll reads it to its end before the others, so that whose
        a sample is, is known before it comes."""
        self._start()

    def poll(self, limit: int = CHUNK) -> bool:
        """Reads about ``limit`` bytes at most over all files; whether anything was applied."""
        now = time.monotonic()
        everything = now - self._discovered >= _DISCOVER
        if everything:
            self._discovered = now
            self._discover()
        waiting = deque(each for each in self._order if everything or self._is_live(each))
        if self._first is not None:
            waiting.remove(self._first)
            waiting.appendleft(self._first)
        resting = [each for each in self._order if each not in waiting]
        share = min(limit, max(_SHARE, limit // max(1, len(waiting))))
        applied = False
        while waiting and limit >= share:
            source = waiting.popleft()
            data = source.tail.read(limit if source is self._first else share)
            if source.tail.generation:
                self._start()
                return True
            if not data:
                resting.append(source)
                continue
            limit -= len(data)
            self._apply(source, data)
            applied = True
            if source is self._first:
                waiting.appendleft(source)
            else:
                waiting.append(source)
        # Who was cut off by the limit is first the next time.
        self._order = [*waiting, *resting]
        self.caught_up = all(each.tail.drained for each in self._sources.values())
        return applied

    def view(self) -> ExperimentView:
        """What has been read so far."""
        tails = [source.tail for source in self._sources.values()]
        read = sum(tail.offset for tail in tails)
        total = sum(tail.offset if tail.drained else tail.size for tail in tails)
        skipped = self._skipped + sum(tail.skipped for tail in tails)
        return self._fold.freeze(bytes_read=read, bytes_total=total, skipped_lines=skipped)

    def read_all(self) -> ExperimentView:
        """Reads until there is nothing more, however long that takes."""
        self._discovered = -math.inf
        self.poll(_WHOLE)
        while not self.caught_up:
            self.poll(_WHOLE)
        return self.view()

    def _start(self) -> None:
        self._fold = ExperimentFold()
        self._sources: dict[Path, _Source] = {}
        self._order = []
        self._first = None
        self._newest: dict[str, int] = {}
        self._skipped = 0
        self._discovered = -math.inf
        self.caught_up = False

    def _discover(self) -> None:
        """Adds the journals that appeared. Where a folder cannot be listed, nothing did."""
        try:
            nodes = layout.node_journals(self.directory)
            ranks = layout.rank_journals(self.directory)
        except OSError:
            return
        supervisor = self.directory / layout.SUPERVISOR_JOURNAL
        self._add(supervisor, None, self._fold.apply_supervisor)
        self._first = self._sources[supervisor]
        for node, path in nodes:
            self._add(path, None, partial(self._fold.apply_node, node))
        for path, run, attempt, rank in ranks:
            self._newest[run] = max(attempt, self._newest.get(run, 0))
            taker = partial(self._fold.apply_rank, run, attempt, rank)
            self._add(path, (run, attempt), taker)

    def _add(
        self, path: Path, attempt: tuple[str, int] | None, taker: Callable[[AnyEvent], None]
    ) -> None:
        if path not in self._sources:
            source = _Source(Tail(path), taker, attempt)
            self._sources[path] = source
            self._order.append(source)

    def _is_live(self, source: _Source) -> bool:
        """Whether more is expected soon: not of an attempt that has a successor, once read."""
        if source.attempt is None or not source.tail.drained:
            return True
        run, attempt = source.attempt
        return attempt == self._newest[run]

    def _apply(self, source: _Source, data: bytes) -> None:
        events, skipped = parse(data)
        self._skipped += skipped
        for event in events:
            source.take(event)
            if isinstance(event, RunStarted):
                # Its files are there any moment.
                self._discovered = -math.inf
