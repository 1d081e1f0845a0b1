"""What is compared with plain training: add a line here to prove a strategy."""

from __future__ import annotations

from typing import Any

from tests.train.laboratory import Case

PARTS = (1, 2, 3)


def every_way(strategy: str, network: str = "group") -> list[Case]:
    """A parallelism x checkpointing x accumulation."""
    return [
        Case(strategy, {"gradient_checkpointing": checkpointing, "accumulate": parts}, network)
        for checkpointing in (False, True)
        for parts in PARTS
    ]


def in_stages(strategy: str, **settings: Any) -> list[Case]:
    """Micro-batches of unequal sizes, and parts, whatever else is set."""
    base = {**settings, "micro_batches": 3}
    return [Case(strategy, {**base, "accumulate": parts}) for parts in (1, 3)]


def beside(strategy: str, **settings: Any) -> list[Case]:
    """What comes on top: still statistics, other blocks, clipping, damage, tiny batches."""
    base = {**settings, "micro_batches": 2}
    return [
        Case(strategy, {**base, "gradient_checkpointing": True, "accumulate": 2}, "still"),
        Case(strategy, {**base, "channels_last": "no"}, "bottleneck"),
        Case(strategy, base, clip=0.05),
        Case(strategy, base, damaged=True),
        Case(strategy, {**base, "batch_size": 2, "max_steps": 3, "accumulate": 3}),
    ]


ONE_PROCESS = [
    *every_way("single"),
    *every_way("gradient-checkpointing", "still"),
    *(
        case
        for stages in (2, 3)
        for recompute in ("always", "except_last", "never")
        for case in in_stages("gpipe", nproc=stages, stages=stages, recompute=recompute)
    ),
    *beside("gpipe", nproc=2, stages=2),
]
"""Strategies of one process."""

SEVERAL_RANKS = [
    *every_way("ddp"),
    *every_way("fsdp"),
    *(
        Case(name, {"gradient_checkpointing": True, "accumulate": 2}, network)
        for name in ("ddp", "fsdp")
        for network in ("still", "bottleneck")
    ),
    *(
        each
        for name in ("ddp", "fsdp")
        for each in (
            # Ranks without an image, in a world of 3, and parts without one on all of them.
            Case(name, {"batch_size": 2, "max_steps": 3, "accumulate": 2}),
            Case(name, clip=0.05),
            Case(name, damaged=True),
        )
    ),
    *(
        case
        for schedule in ("gpipe", "1f1b")
        for checkpointing in (False, True)
        for case in in_stages("pipeline", schedule=schedule, gradient_checkpointing=checkpointing)
    ),
    *beside("pipeline"),
]
"""Strategies of several processes, at world sizes 2 and 3."""
