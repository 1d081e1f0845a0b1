"""What is injected into a training, and what must come of it, by hand."""

from __future__ import annotations

from typing import Any

import msgspec

SLOWER = 2.0
"""By what the compute of a slowed rank is multiplied."""


class Injection(msgspec.Struct, frozen=True):
    """Seconds of sleep, where a real training has work to do."""

    image: float = 0.0
    """For each image, in the process that decodes it."""
    forward: float = 0.0
    backward: float = 0.0
    slow: int | None = None
    """The rank whose passes take twice as long."""
    first: float = 0.0
    """Once, at the first image of the training: the first batch is late."""

    def passes(self, rank: int) -> tuple[float, float]:
        """Seconds of the forward and of the backward pass of a rank."""
        factor = SLOWER if rank == self.slow else 1.0
        return factor * self.forward, factor * self.backward


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A training that sleeps. ``batch`` is of each rank, ``workers`` of the node."""

    name: str
    injection: Injection
    workers: int = 0
    ranks: int = 1
    batch: int = 4
    steps: int = 20
    verdict: str = ""
    """The kind of finding that it must lead to."""

    @property
    def title(self) -> str:
        kind = "single" if self.ranks == 1 else f"ddp x {self.ranks}"
        return f"{self.name}, {kind}, {self.workers} workers"

    @property
    def own_workers(self) -> int:
        """Of each rank."""
        return -(-self.workers // self.ranks)

    @property
    def settings(self) -> dict[str, Any]:
        chosen: dict[str, Any] = {
            "batch_size": self.batch * self.ranks,
            "workers": self.workers,
            "device": "cpu",
            "epochs": 1,
            "max_steps": self.steps,
        }
        return chosen | ({"nproc": self.ranks} if self.ranks > 1 else {})


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """Of a rank in a step, once its loader's queue has settled; in seconds."""

    wait: float
    forward: float
    backward: float
    exchange: float
    step: float


def expected(case: Case, rank: int) -> Expected:
    """By hand, all that is not injected taking no time.

    Without workers images are read between two steps; with them beside the step, and the slower of
    the two sets the pace. Ranks wait for the slowest one when they exchange gradients. Where the
    first batch is late, which is the first rank's, workers of the others are ahead ever after.
    """
    forward, backward = case.injection.passes(rank)
    slowest = max(sum(case.injection.passes(each)) for each in range(case.ranks))
    reading = case.batch * case.injection.image / max(1, case.own_workers)
    wait = reading if case.workers == 0 else max(0.0, reading - slowest)
    ahead = rank > 0 and case.workers > 0 and case.injection.first > 0
    return Expected(
        wait=0.0 if ahead else wait,
        forward=forward,
        backward=backward,
        exchange=slowest - forward - backward,
        step=wait + slowest,
    )
