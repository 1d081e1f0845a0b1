"""What the supervisor warns of while a run trains: silence, and a disk that fills up. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from engine.journal.events import Notice

SILENCE = 120.0
"""Seconds without a word from a rank after which it is named. It is not ended: compiling, a slow
network disk or a debugger look the same from here."""

LOW_DISK = 1 << 30
"""Bytes free under which a checkpoint may soon not fit."""


class Alarms:
    """Each warning is given once, and again only after all was well in between."""

    def __init__(self) -> None:
        self._given: set[tuple[str, int]] = set()

    def disk(self, free: int | None) -> list[Notice]:
        """The warning that is due with so many bytes free."""
        if free is None or not self._due("disk", 0, free < LOW_DISK):
            return []
        text = (
            f"the disk of the experiments has {free / 2**20:.0f} MiB left; "
            "the next checkpoint may not fit: delete something, or stop"
        )
        return [Notice(level="warning", text=text, code="disk")]

    def silence(self, attempt: str, quiet: Mapping[int, float]) -> list[Notice]:
        """The warnings that are due where each rank has been quiet for so many seconds."""
        notices = []
        for rank, seconds in quiet.items():
            if self._due(attempt, rank, seconds >= SILENCE):
                text = (
                    f"rank {rank} of {attempt} has said nothing for {seconds:.0f} s; "
                    "it may hang: its log tells more, 'resnet-tui stop' ends it"
                )
                notices.append(Notice(level="warning", text=text, code="silent"))
        return notices

    def _due(self, what: str, number: int, wrong: bool) -> bool:
        key = (what, number)
        if not wrong:
            self._given.discard(key)
            return False
        before = key in self._given
        self._given.add(key)
        return not before
