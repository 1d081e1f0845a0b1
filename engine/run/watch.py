"""What the supervisor knows of a running attempt: read from the ranks' journals as they grow."""

from __future__ import annotations

import time
from pathlib import Path

from engine.journal import layout
from engine.journal.events import (
    AttemptEnded,
    AttemptStarted,
    CheckpointSaved,
    EpochStarted,
    Ready,
    Validated,
)
from engine.journal.files import Tail, parse
from engine.run.movement import Movement
from engine.run.shortage import Told

_STEPS = b'{"type":"steps"'
"""How a line begins that holds nothing but steps: most bytes of a journal, and not wanted here."""


class Watch:
    """Tails the journals of one attempt and keeps the few facts that judge and list need."""

    def __init__(self, experiment: Path, run: str, attempt: int, ranks: int = 1) -> None:
        self._experiment = experiment
        self._run = run
        self._attempt = attempt
        self._tails: dict[int, Tail] = {}
        self.closings: dict[int, AttemptEnded] = {}
        """The closing event of every rank that wrote one."""
        self.ranks = ranks
        self.from_step = 0
        self.epoch: int | None = None
        self.epochs: int | None = None
        self.best_top1: float | None = None
        self.saved = False
        """It has a checkpoint of its own."""
        self.pids: dict[int, int] = {}
        """Of the ranks that have begun."""
        self._uuids: dict[int, tuple[str, ...]] = {}
        self.memory = Told()
        self.movement = Movement(ranks)
        self._spoke = dict.fromkeys(range(ranks), time.monotonic())

    @property
    def closed(self) -> bool:
        """Whether every rank has said how it ended."""
        return len(self.closings) >= self.ranks

    @property
    def uuids(self) -> frozenset[str]:
        """Of the GPUs that ranks train on now."""
        return frozenset(
            uuid
            for rank, uuids in self._uuids.items()
            if rank not in self.closings
            for uuid in uuids
        )

    def quiet(self) -> dict[int, float]:
        """Seconds since each rank's journal last grew; those that said how they ended are out."""
        now = time.monotonic()
        return {
            rank: now - spoke for rank, spoke in self._spoke.items() if rank not in self.closings
        }

    def poll(self) -> None:
        """Reads what is new."""
        self.movement.tick()
        for rank in range(self.ranks):
            path = layout.rank_journal(self._experiment, self._run, self._attempt, rank)
            tail = self._tails.setdefault(rank, Tail(path))
            while data := tail.read():
                self._spoke[rank] = time.monotonic()
                self.movement.spoke(rank)
                self._apply(rank, data)

    def _apply(self, rank: int, data: bytes) -> None:
        lines = data.split(b"\n")
        wanted = [line for line in lines if not line.startswith(_STEPS)]
        if len(wanted) < len(lines):
            self.movement.stepped(rank)
        for event in parse(b"\n".join(wanted))[0]:
            self.movement.told(rank, event)
            self.memory.apply(rank, event)
            match event:
                case AttemptStarted():
                    self.from_step = max(self.from_step, event.from_step)
                    self.pids[rank] = event.pid
                case Ready():
                    self.epochs = event.epochs
                    self._uuids[rank] = event.uuids
                case EpochStarted():
                    self.epoch = event.epoch
                case Validated() if event.images:
                    top1 = event.top1 / event.images
                    self.best_top1 = max(top1, self.best_top1 or 0.0)
                case CheckpointSaved():
                    self.saved = True
                case AttemptEnded():
                    self.closings[rank] = event
                    self.movement.over(rank)
                case _:
                    pass
