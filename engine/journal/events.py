"""The vocabulary between all processes: one typed JSON event per line.

Every event carries ``t``, seconds since the Unix epoch at which it was made. Fields may be added
with a default; a reader skips and counts what it does not know. Times are in seconds, sizes in
bytes, accuracies and shares in 0..1, ``step`` and ``epoch`` count from 0.

Who writes what:

- a rank: ``AttemptStarted`` (first line, before torch is imported), ``Phase``, ``Ready``,
  ``Steps``, ``EpochStarted``, ``EpochEnded``, ``Validated``, ``CheckpointSaved``, ``Notice``,
  ``Memory``, ``Dropped``, ``PipelinePlanned``, ``StagesMeasured``, ``Heartbeat``, and
  ``AttemptEnded`` as the last line, whatever happened;
- the supervisor: ``SupervisorStarted`` (first line), ``RunQueued``, ``RunStarted``, ``RunEnded``,
  ``Acknowledged``, ``Notice``, ``SupervisorEnded``;
- the sampler of a node: ``NodeStarted`` (first line), ``HostSample``.
"""

from __future__ import annotations

import time
from typing import Annotated, Literal

import msgspec

SCHEMA = 1
"""The version of this vocabulary; raised when a field changes its meaning."""

EndState = Literal["done", "failed", "stopped"]
"""How a run or an attempt ended; a run that nobody closed is told from the lock instead."""

Level = Literal["info", "warning", "error"]

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""A whole number of this world: anything else is damage, and refused where it is read."""

Moment = Annotated[float, msgspec.Meta(ge=0.0, le=2.0**33)]
"""Seconds since the Unix epoch, before the year 2243."""

STEP_METRICS: tuple[str, ...] = (
    "loss",
    "top1",
    "top5",
    "lr",
    "images",
    "step_seconds",
    "wait_seconds",
)
"""Columns every trainer writes: mean loss and accuracies over this rank's images of the step,
learning rate, images of this rank, wall time of the step, and time in ``next(loader)``."""


def now() -> float:
    return time.time()


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    """What all events share."""

    t: Moment = msgspec.field(default_factory=now)


class Writer(Event, frozen=True, kw_only=True):
    """First line of a journal file: who writes it; ``journal`` tells a regrown file apart."""

    journal: str
    host: str
    pid: Count
    boot: str
    schema: Count = SCHEMA


class AttemptStarted(Writer, frozen=True, kw_only=True, tag="attempt-started"):
    """A rank begins. Rows of earlier attempts at or after ``from_step`` no longer count."""

    rank: Count
    world_size: Count
    from_step: Count = 0
    versions: dict[str, str] = {}


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
    hashes: dict[str, str] = {}
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


class Validated(Event, frozen=True, kw_only=True, tag="validated"):
    """Exact validation over all ranks: every image counted once. ``top1``, ``top5`` are counts."""

    epoch: Count
    step: Count
    images: Count
    loss_sum: float | None
    top1: Count
    top5: Count
    seconds: float


class CheckpointSaved(Event, frozen=True, kw_only=True, tag="checkpoint-saved"):
    """``kind`` is ``last`` or ``best``; ``path`` is relative to the run directory."""

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
    peak_reserved: Count | None = None


class Notice(Event, frozen=True, kw_only=True, tag="notice"):
    """A sentence for the user. ``code`` groups equal ones (``corrupt-image``)."""

    level: Level
    text: str
    code: str = ""


class Dropped(Event, frozen=True, kw_only=True, tag="dropped"):
    """So many events (never steps) were not written, because the queue was full."""

    count: Count


class PipelinePlanned(Event, frozen=True, kw_only=True, tag="pipeline-planned"):
    """How a network was split into stages, from the first rank, before the first step.

    ``layer_seconds`` (forward and backward of one micro-batch) and ``layer_bytes`` (parameters,
    gradients, momentum and activations of one micro-batch) were measured layer by layer; both are
    empty where the split was given.
    """

    schedule: Literal["gpipe", "1f1b"]
    micro_batches: Count
    balance: tuple[Count, ...]
    """Layers of each stage, in order."""
    layers: tuple[str, ...]
    layer_seconds: tuple[float, ...] = ()
    layer_bytes: tuple[Count, ...] = ()
    devices: tuple[str, ...] = ()
    """Of each stage."""
    given: bool = False
    """The user gave the balance."""
    overlaps: bool = True
    """Whether stages can work at the same time: not where they share one device."""


class StagesMeasured(Event, frozen=True, kw_only=True, tag="stages-measured"):
    """What the stages of this rank did in an epoch's training steps.

    ``busy`` are seconds in which each stage computed, of ``seconds`` of wall time in steps without
    the waiting for data. Over all stages of a run, the bubble is 1 - sum(busy) / (n x seconds).
    """

    epoch: Count
    step: Count
    """The next step's number."""
    stages: tuple[Count, ...]
    busy: tuple[float, ...]
    seconds: float
    peak_bytes: tuple[Count | None, ...] = ()
    """Peak memory of each stage's device in bytes, where it can be told."""


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


class SupervisorStarted(Writer, frozen=True, kw_only=True, tag="supervisor-started"):
    version: str = ""


class RunQueued(Event, frozen=True, kw_only=True, tag="run-queued"):
    """A run waits for its turn. Written again when a run is queued again (retry)."""

    run: str
    strategy: str
    seed: Count
    repeat: Count = 0


class RunStarted(Event, frozen=True, kw_only=True, tag="run-started"):
    run: str
    attempt: Count
    argv: tuple[str, ...]
    pid: Count


class RunEnded(Event, frozen=True, kw_only=True, tag="run-ended"):
    """How the supervisor judged the end: by the ranks' closing events, not by exit codes."""

    run: str
    attempt: Count
    state: EndState
    reason: str = ""
    detail: str = ""
    """The last lines of the failed rank's own traceback or log."""
    exit_code: int | None = None


class Acknowledged(Event, frozen=True, kw_only=True, tag="acknowledged"):
    """A request from ``commands/`` was taken up. ``refused`` is the reason where it was not."""

    command: str
    action: str
    run: str = ""
    refused: str = ""


class SupervisorEnded(Event, frozen=True, kw_only=True, tag="supervisor-ended"):
    state: EndState


class NodeStarted(Writer, frozen=True, kw_only=True, tag="node-started"):
    node: Count
    cores: Count
    memory_total: Count
    machine: str = ""


class HostSample(Event, frozen=True, kw_only=True, tag="host-sample"):
    """One node, once a second: also the sign that the supervisor lives.

    ``cpu`` is the share of all cores busy (0..1) since the last sample; ``tree_*`` are of the
    supervisor's whole process tree, loader workers included.
    """

    cpu: float
    memory_used: Count
    memory_total: Count
    tree_cpu: float | None = None
    """Cores busy with this experiment (2.0 = two whole cores)."""
    tree_rss: Count | None = None
    disk_free: Count | None = None


AnyEvent = (
    AttemptStarted
    | Phase
    | Ready
    | Steps
    | EpochStarted
    | EpochEnded
    | Validated
    | CheckpointSaved
    | Memory
    | Notice
    | Dropped
    | PipelinePlanned
    | StagesMeasured
    | Heartbeat
    | AttemptEnded
    | SupervisorStarted
    | RunQueued
    | RunStarted
    | RunEnded
    | Acknowledged
    | SupervisorEnded
    | NodeStarted
    | HostSample
)

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


def encode(event: Event) -> bytes:
    """One event as one line, newline included."""
    return _encoder.encode(event) + b"\n"


def decode_lines(lines: bytes) -> list[AnyEvent]:
    """Lines as events; raises ``msgspec.DecodeError`` where one of them is none."""
    return _decoder.decode_lines(lines)


def decode(line: bytes) -> AnyEvent:
    """One line as an event; raises ``msgspec.DecodeError`` for anything else."""
    return _decoder.decode(line)
