"""The vocabulary between all processes: one typed JSON event per line.

Every event carries ``t``, seconds since the Unix epoch at which it was made. Fields may be added
with a default; a reader skips and counts what it does not know. Times are in seconds, sizes in
bytes, accuracies and shares in 0..1, ``step`` and ``epoch`` count from 0.

Who writes what:

- a rank: ``AttemptStarted`` (first line, before torch is imported), ``Phase``, ``Ready``,
  ``Steps``, ``EpochStarted``, ``EpochEstimated``, ``EpochEnded``, ``Validated``,
  ``ClassesJudged``, ``CheckpointSaved``, ``Notice``, ``Memory``, ``Dropped``, ``PipelinePlanned``,
  ``StagesMeasured``, ``Heartbeat``, and ``AttemptEnded`` as the last line, whatever happened;
- the supervisor: ``SupervisorStarted`` (first line), ``RunQueued``, ``RunStarted``, ``RunEnded``,
  ``QueueOrdered``, ``Preparing``, ``BatchTried``, ``BatchFound``, ``Acknowledged``, ``Notice``,
  ``SupervisorEnded``;
- the sampler of a node: ``NodeStarted`` (first line), ``HostSample``, ``GpusFound``, ``GpuSample``.
"""

from __future__ import annotations

import msgspec

from engine.journal.event import (
    SCHEMA,
    STEP_METRICS,
    Count,
    EndState,
    Event,
    Level,
    Moment,
    Writer,
    now,
)
from engine.journal.gpu_events import GpuFacts, GpuReading, GpuSample, GpusFound
from engine.journal.node_events import (
    Acknowledged,
    BatchFound,
    BatchTried,
    HostSample,
    NodeStarted,
    Preparing,
    QueueOrdered,
    RunEnded,
    RunQueued,
    RunStarted,
    SupervisorEnded,
    SupervisorStarted,
)
from engine.journal.pipeline_events import PipelinePlanned, StagesMeasured
from engine.journal.rank_events import (
    AttemptEnded,
    AttemptStarted,
    CheckpointSaved,
    ClassesJudged,
    Dropped,
    EpochEnded,
    EpochEstimated,
    EpochStarted,
    Heartbeat,
    Memory,
    Notice,
    Phase,
    Ready,
    Steps,
    Validated,
)

__all__ = [
    "SCHEMA",
    "STEP_METRICS",
    "Acknowledged",
    "AnyEvent",
    "AttemptEnded",
    "AttemptStarted",
    "BatchFound",
    "BatchTried",
    "CheckpointSaved",
    "ClassesJudged",
    "Count",
    "Dropped",
    "EndState",
    "EpochEnded",
    "EpochEstimated",
    "EpochStarted",
    "Event",
    "GpuFacts",
    "GpuReading",
    "GpuSample",
    "GpusFound",
    "Heartbeat",
    "HostSample",
    "Level",
    "Memory",
    "Moment",
    "NodeStarted",
    "Notice",
    "Phase",
    "PipelinePlanned",
    "Preparing",
    "QueueOrdered",
    "Ready",
    "RunEnded",
    "RunQueued",
    "RunStarted",
    "StagesMeasured",
    "Steps",
    "SupervisorEnded",
    "SupervisorStarted",
    "Validated",
    "Writer",
    "decode",
    "decode_lines",
    "encode",
    "now",
]

AnyEvent = (
    AttemptStarted
    | Phase
    | Ready
    | Steps
    | EpochStarted
    | EpochEstimated
    | EpochEnded
    | Validated
    | ClassesJudged
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
    | QueueOrdered
    | Preparing
    | BatchTried
    | BatchFound
    | SupervisorEnded
    | NodeStarted
    | HostSample
    | GpusFound
    | GpuSample
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
