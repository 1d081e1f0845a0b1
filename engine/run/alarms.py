"""What the supervisor warns of while a run trains: silence, and a disk that fills up."""

from __future__ import annotations

import time

from engine.journal.events import Notice
from engine.run.attempt import Attempt
from engine.run.sampler import LOW_DISK, Sampler

SILENCE = 120.0
"""Seconds without a word from a rank after which it is named. It is not ended: compiling, a slow
network disk or a debugger look the same from here."""


class Alarms:
    """Each warning is given once, and again only after all was well in between."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler
        self._silent: set[int] = set()
        self._disk_low = False
        self._attempt: Attempt | None = None

    def ring(self, attempt: Attempt | None) -> list[Notice]:
        """The warnings that are due now."""
        notices = self._disk()
        if attempt is not self._attempt:
            self._attempt = attempt
            self._silent = set()
        if attempt is not None:
            notices.extend(self._silence(attempt))
        return notices

    def _disk(self) -> list[Notice]:
        free = self._sampler.disk_free
        low = free is not None and free < LOW_DISK
        before, self._disk_low = self._disk_low, low
        if not low or before or free is None:
            return []
        text = (
            f"the disk of the experiments has {free / 2**20:.0f} MiB left; "
            "the next checkpoint may not fit: delete something, or stop"
        )
        return [Notice(level="warning", text=text, code="disk")]

    def _silence(self, attempt: Attempt) -> list[Notice]:
        notices = []
        now = time.monotonic()
        for rank, spoke in attempt.watch.spoke.items():
            if now - spoke < SILENCE:
                self._silent.discard(rank)
            elif rank not in self._silent:
                self._silent.add(rank)
                text = (
                    f"rank {rank} of {attempt.run} has said nothing for {now - spoke:.0f} s; "
                    "it may hang: its log tells more, 'resnet-tui stop' ends it"
                )
                notices.append(Notice(level="warning", text=text, code="silent"))
        return notices
