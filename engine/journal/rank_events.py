"""What a rank tells: from its first line, before torch is imported, to how it ended."""

from __future__ import annotations

import msgspec

from engine.journal.event import Count, EndState, Event, Level, Moment, Writer


class AttemptStarted(Writer, frozen=True, kw_only=True, tag="attempt-started"):
    """A rank begins. Rows of earlier attempts at or after ``from_step`` no longer count."""

    rank: Count
    world_size: Count
    from_step: Count = 0
    versions: dict[str, str] = msgspec.field(default_factory=dict)


class Phase(Event, frozen=True, kw_only=True, tag="phase"):
    """Something that takes a while begins ("importing torch"); the next phase or step ends it."""

    name: str


class Ready(Event, frozen=True, kw_only=True, tag="ready"):
    """Everything about the training that is known before its first step."""

    model: str
    parameters: Count
    classes: tuple[str, ...]
    train_images: Count
    val_images: Count
    epochs: Count
    steps_per_epoch: Count
    total_steps: Count
    batch_size: Count
    device: str
    device_name: str
    precision: str
    workers: Count
    threads: Count
    hashes: dict[str, str] = msgspec.field(default_factory=dict)
    """``weights``, ``split``, ``order``, ``augmentation``, ``batches`` (the sizes of the global
    batches): equal in two runs that started from the same point."""
    device_batch: Count | None = None
    """Images of a global batch that one device computes at once, at most: its share, by the parts
    of an accumulation or by micro-batches."""
    norm_batch: Count | None = None
    """Images that batch normalisation sees together, at most; the global batch in plain training.
    """
    devices: tuple[str, ...] = ()
    """All devices of this process, where there are more than ``device``."""
    uuids: tuple[str, ...] = ()
    """Of this process's GPUs, as NVML spells them (``GPU-…``, ``MIG-…``)."""
    queue: Count | None = None
    """Batches that this rank's workers read ahead at most; ``None`` without workers."""
    held: dict[str, Count] = msgspec.field(default_factory=dict)
    """Bytes that this rank holds whatever the batch: ``weights`` (buffers included), ``gradients``,
    ``optimizer``, and where weights are averaged ``averaged``."""
    strategy: str = ""
    """The name of the strategy of this attempt: a resumed run may go on with another one."""
    learning: Count | None = None
    """Parameters that are trained; ``None`` where all are."""


class Steps(Event, frozen=True, kw_only=True, tag="steps"):
    """Consecutive steps as columns.

    Step ``first + i`` has the values ``columns[k][i]`` of ``names[k]``; each column is ``count``
    little-endian float32 (base64 in the file). NaN is "not measured" or, for a loss, not finite.
    ``since`` is the time (Unix, seconds) at which step ``first`` began: with the column
    ``step_seconds`` it gives the time of every row.
    """

    first: Count
    count: Count
    since: Moment
    names: tuple[str, ...]
    columns: tuple[bytes, ...]


class EpochStarted(Event, frozen=True, kw_only=True, tag="epoch-started"):
    epoch: Count
    step: Count


class EpochEnded(Event, frozen=True, kw_only=True, tag="epoch-ended"):
    """Sums of this rank over the training part of an epoch; ``step`` is the next step's number.

    A ``loss_sum`` that is not finite is ``null`` in the file, and ``None`` when read.
    ``seconds`` is wall time from the epoch's first ``next(loader)`` to its last step's end.
    """

    epoch: Count
    step: Count
    images: Count
    loss_sum: float | None
    top1: Count
    top5: Count
    seconds: float
    wait_seconds: float
    sums: dict[str, float] = msgspec.field(default_factory=dict)
    """Seconds of the epoch's steps by column (``step_seconds``, and the parts of both ledgers that
    were measured: see ``step_columns``)."""
    read: Count = 0
    """Images that were read for it here, damaged ones included."""
    read_seconds: float | None = None
    """Time spent reading them, summed over the processes that did."""
    estimated_seconds: float | None = None
    """What ``EpochEstimated`` had said of it."""


class EpochEstimated(Event, frozen=True, kw_only=True, tag="epoch-estimated"):
    """How long the training part of an epoch will take: (images / batch) x time per batch, where
    the latter is the mean over ``steps`` of its first steps, the very first one left out."""

    epoch: Count
    seconds: float
    steps: Count


class Validated(Event, frozen=True, kw_only=True, tag="validated"):
    """Exact validation over all ranks: every image counted once. ``top1``, ``top5`` are counts."""

    epoch: Count
    step: Count
    images: Count
    loss_sum: float | None
    top1: Count
    top5: Count
    seconds: float


class ClassesJudged(Event, frozen=True, kw_only=True, tag="classes-judged"):
    """What a validation said of each class, over all ranks: of the best so far, and of the last.

    The confusion matrix by its cells that are not 0: ``true[i]`` was taken for ``said[i]``
    ``count[i]`` times (columns of little-endian uint32, base64 in the file). ``top5``: of each
    class, images whose class was among the five best (uint32 as well).
    """

    epoch: Count
    step: Count
    best: bool
    """It was the best validation so far."""
    true: bytes
    said: bytes
    count: bytes
    top5: bytes


class CheckpointSaved(Event, frozen=True, kw_only=True, tag="checkpoint-saved"):
    """``kind`` is ``last``, ``best`` or ``backup``; ``path`` is relative to the run directory."""

    path: str
    kind: str
    epoch: Count
    step: Count
    size: Count
    seconds: float


class Memory(Event, frozen=True, kw_only=True, tag="memory"):
    """Memory of one rank in bytes; ``None`` is unknown. Device figures are of torch's allocator."""

    rss: Count
    peak_rss: Count
    allocated: Count | None = None
    reserved: Count | None = None
    peak_allocated: Count | None = None
    """Since the warm-up."""
    peak_reserved: Count | None = None
    retries: Count | None = None
    """How often the allocator had to give back what it kept for later, and try again."""
    failures: Count | None = None
    """How often memory was refused."""
    room: Count | None = None
    """What the allocator has and what is free on its device: all that it could have. Told at the
    end of a trial."""


class Notice(Event, frozen=True, kw_only=True, tag="notice"):
    """A sentence for the user. ``code`` groups equal ones (``corrupt-image``)."""

    level: Level
    text: str
    code: str = ""


class Dropped(Event, frozen=True, kw_only=True, tag="dropped"):
    """So many events (never steps) were not written, because the queue was full."""

    count: Count


class Heartbeat(Event, frozen=True, kw_only=True, tag="heartbeat"):
    """Where a rank stands while it finishes no step: written every 2 s then.

    ``place`` counts the marks of the step (0: waiting for data; then one more after each part), so
    that of two ranks the one with the smaller (step, place) is behind; ``doing`` is its name.
    """

    step: Count
    place: Count
    doing: str


class AttemptEnded(Event, frozen=True, kw_only=True, tag="attempt-ended"):
    """The closing event of a rank. ``reason`` is a sentence; ``traceback`` the rank's own."""

    state: EndState
    step: Count
    reason: str = ""
    traceback: str = ""
