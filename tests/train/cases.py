"""What is compared with plain training: add a line here to prove a strategy."""

from __future__ import annotations

from tests.train.laboratory import Case

PARTS = (1, 2, 3)


def every_way(strategy: str, network: str = "group") -> list[Case]:
    """A parallelism x checkpointing x accumulation."""
    return [
        Case(strategy, {"gradient_checkpointing": checkpointing, "accumulate": parts}, network)
        for checkpointing in (False, True)
        for parts in PARTS
    ]


ONE_PROCESS = [
    *every_way("single"),
    *every_way("gradient-checkpointing", "still"),
]
"""Strategies of one process."""

BY_TORCHRUN = [
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
]
"""Strategies of several processes, at world sizes 2 and 3."""
