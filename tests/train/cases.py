"""What is compared with plain training: add a line here to prove a strategy."""

from __future__ import annotations

from typing import Any

from tests.train.laboratory import Case

PARTS = (1, 2, 3)


def every_way(strategy: str, network: str = "group", parts: tuple[int, ...] = PARTS) -> list[Case]:
    """A parallelism x checkpointing x accumulation."""
    return [
        Case(strategy, {"gradient_checkpointing": checkpointing, "accumulate": each}, network)
        for checkpointing in (False, True)
        for each in parts
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


def by_torchrun(world: int) -> list[Case]:
    """Strategies of several processes. Two worlds share the numbers of parts between them, and what
    comes on top is tried in the larger one, where shares are the most uneven."""
    parts, staged = {2: ((2,), 1), 3: ((1, 3), 3)}[world]
    cases = [
        *every_way("ddp", parts=parts),
        *every_way("fsdp", parts=parts),
        *(
            Case(
                "pipeline",
                {
                    "schedule": schedule,
                    "gradient_checkpointing": checkpointing,
                    "micro_batches": 3,
                    "accumulate": staged,
                },
            )
            for schedule in ("gpipe", "1f1b")
            for checkpointing in (False, True)
        ),
    ]
    if world == 3:
        cases += [case for name in ("ddp", "fsdp") for case in _on_top(name)] + beside("pipeline")
    return cases


def _on_top(name: str) -> list[Case]:
    return [
        *(
            Case(name, {"gradient_checkpointing": True, "accumulate": 2}, network)
            for network in ("still", "bottleneck")
        ),
        # Ranks without an image, and parts without one on all of them.
        Case(name, {"batch_size": 2, "max_steps": 3, "accumulate": 2}),
        Case(name, clip=0.05),
        Case(name, damaged=True),
    ]
