"""What the journals say, frozen: handed from the reader to a screen, a table or a summary.

Nothing here changes after it was made, so a view crosses threads without a lock. Accuracies and
shares are in 0..1, times in seconds (absolute ones Unix), sizes in bytes; ``None`` is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from engine.journal.attempt_view import AttemptView
from engine.journal.events import (
    BatchFound,
    BatchTried,
    CheckpointSaved,
    EpochEnded,
    HostSample,
    Memory,
    Notice,
    Ready,
)
from engine.journal.history import HistoryView
from engine.journal.judged import JudgedView
from engine.journal.machine_view import Conditions, GpusView
from engine.journal.pipeline_view import PipelineView

RunState = Literal["queued", "running", "done", "failed", "stopped"]
ExperimentState = Literal["starting", "running", "done", "failed", "stopped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseView:
    """A phase of starting up; ``seconds`` is ``None`` while it lasts."""

    name: str
    started: float
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochView:
    """The training part of one epoch over all ranks: exact sums, not means of means.

    A loss that is not finite is NaN. ``seconds`` is of the slowest rank, ``wait_seconds`` of the
    one that waited longest: the others waited for it.
    """

    epoch: int
    end_step: int
    images: int
    loss: float
    top1: float
    top5: float
    seconds: float
    wait_seconds: float
    t: float
    estimated_seconds: float | None = None
    """What its first steps let expect; of the slowest rank."""
    by_rank: tuple[tuple[int, EpochEnded], ...] = ()
    """What each rank told of it, where its time went included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationView:
    """Exact validation over all ranks after so many steps; a loss that is not finite is NaN."""

    epoch: int
    step: int
    images: int
    loss: float
    top1: float
    top5: float
    seconds: float
    t: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchView:
    """The search for the batch size of a strategy."""

    strategy: str
    tried: tuple[BatchTried, ...] = ()
    """In the order in which they were."""
    found: BatchFound | None = None
    """``None`` while it lasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """One run, its latest attempt foremost."""

    run: str
    strategy: str
    seed: int
    state: RunState
    attempt: int
    """0 before the first."""
    reason: str
    """Why it failed or stopped: a sentence."""
    detail: str
    """The last lines of the failed rank's own traceback."""
    argv: tuple[str, ...]
    started: float | None
    """When the latest attempt was started."""
    ended: float | None
    phases: tuple[PhaseView, ...]
    ready: Ready | None
    step: int
    """Steps finished by the slowest rank (the number of the next step)."""
    epoch: int
    """The epoch being trained, from 0."""
    history: HistoryView
    epochs: tuple[EpochView, ...]
    validations: tuple[ValidationView, ...]
    checkpoints: tuple[CheckpointSaved, ...]
    notices: tuple[Notice, ...]
    """The latest few hundred."""
    memory: Memory | None
    """Of the rank that uses most."""
    dropped: int
    stop_asked: float | None = None
    """When the supervisor took a request to stop it; ``None`` where none is being carried out."""
    world_size: int = 1
    """Processes that train."""
    ranks_ready: int = 0
    """How many of them can begin their first step, or have."""
    devices: tuple[str, ...] = ()
    """All devices of the ranks that are ready, by rank."""
    pipeline: PipelineView | None = None
    """Where the network is split into stages, once it is."""
    readies: tuple[tuple[int, Ready], ...] = ()
    """What each rank that is ready told, by rank; of the attempt that ``ready`` is of."""
    rank_memory: tuple[tuple[int, Memory], ...] = ()
    """The newest of each rank, by rank."""
    first_memory: tuple[tuple[int, Memory], ...] = ()
    """The first of each rank: before its first step, or soon after."""
    epoch_estimate: float | None = None
    """Seconds that the training part of the epoch at hand is expected to take; of the slowest rank.
    """
    repeat: int = 0
    """From 0."""
    versions: tuple[tuple[str, str], ...] = ()
    """Of python, torch, torchvision: what its latest attempt computes with."""
    conditions: Conditions | None = None
    """Of the machine while its latest attempt lasted; ``None`` before the first sample."""
    earlier_seconds: float | None = 0.0
    """Wall time of the attempts before the latest, from launch to end; ``None`` where one's end is
    not known."""
    attempts: tuple[AttemptView, ...] = ()
    """Oldest first; those that a later one has undone wholly as well."""
    best_judged: JudgedView | None = None
    """What the best validation so far said of each class."""
    last_judged: JudgedView | None = None
    """What the last one said that was the best or at the end; often ``best_judged`` itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentView:
    """Everything the journals of an experiment say so far."""

    runs: tuple[RunView, ...]
    state: ExperimentState
    """By the supervisor's journal alone; whether it still lives is the lock's to say."""
    started: float | None
    ended: float | None
    host: tuple[HostSample, ...]
    """The latest ten minutes of samples, oldest first."""
    cores: int | None
    machine: str
    notices: tuple[Notice, ...]
    last_event: float | None
    """When the newest event was made: the age of the last word."""
    bytes_read: int
    bytes_total: int
    """Equal when the reader has caught up."""
    skipped_lines: int
    """Lines that were no events: damage, or a newer version's words."""
    gpus: GpusView = field(default_factory=GpusView)
    queue: tuple[str, ...] = ()
    """The runs that wait, in the order in which they will be done."""
    preparing: PhaseView | None = None
    """What the supervisor does instead of a run."""
    searches: tuple[SearchView, ...] = ()

    def run(self, name: str) -> RunView | None:
        return next((each for each in self.runs if each.run == name), None)
