"""What the loop asks of a strategy. The loop never knows which one it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from engine.journal.events import Event
from engine.plan.runs import RunPlan
from engine.train.batch import Batch
from engine.train.clocks import Clock
from engine.train.judging import Judge


@dataclass(frozen=True, slots=True)
class Feed:
    """Which part of every global batch this rank loads, and what of it this rank needs.

    Labels are read in any case: they cost nothing, and tell how large a batch is.
    """

    shard: int = 0
    shards: int = 1
    images: bool = True


class Strategy(Protocol):
    """A way of training: where the model lives and how a step is computed.

    All methods are called by every rank in the same order. None of them reads the device, but
    ``capture`` and ``measured``.
    """

    precision: str
    """The format of the arithmetic: ``fp32``, ``tf32``, ``bf16`` or ``fp16``; known after
    ``prepare``."""
    tolerance: int
    """So many steps in a row that are not finite mean that training went wrong."""

    def prepare(
        self,
        plan: RunPlan,
        model: nn.Module,
        devices: Sequence[torch.device],
        counts: Sequence[int] = (),
    ) -> list[Event]:
        """Takes the model, moves it, makes the optimiser; returns what is to be journalled.

        ``devices``: this rank's own, or all that the run uses where it is one process.
        ``counts``: training images of each class.
        """

    def feed(self) -> Feed:
        """Known before ``prepare``."""

    def warm_up(self, sizes: Sequence[int], side: int) -> None:
        """Computes throw-away steps for global batches of each of ``sizes`` images where the first
        real ones would otherwise be slow or different; model and optimiser are as before."""

    def forward_backward(
        self, batch: Batch, global_count: int, clock: Clock, last: bool = True
    ) -> Tensor:
        """Adds the gradient of (sum of losses) / ``global_count``; returns this rank's tally.

        ``global_count``: images of the whole step over all ranks and parts. A step of several
        parts (gradient accumulation) calls this once per part; ``last`` is true for the last one,
        and a part may be empty. Marks ``copy``, ``forward`` and ``backward``, or ``pipeline``
        where the two cannot be told apart.
        """

    def update(self, lr: float, clip: float | None, clock: Clock) -> Tensor | None:
        """One decision over all ranks: clip to the norm ``clip``, step, or skip the step.

        Returns a scalar on the device, 1 where the step was made and 0 where it was skipped, the
        same on every rank; ``None`` where steps are never skipped. Marks ``update``.
        """

    def evaluate(self, batch: Batch | None, judge: Judge | None = None) -> Tensor:
        """The tally of a validation batch; the same number of calls on every rank, ``None`` as
        padding, counted as zero. ``judge`` sees what it is of, where this rank has the logits."""

    def begin_validation(self) -> None:
        """Before the first ``evaluate`` of an epoch: statistics become the same on all ranks, and
        averaged weights take the place of those that are trained."""

    def end_validation(self) -> None:
        """After the last one, also where it was broken off: the trained weights are back."""

    def measured(self, epoch: int, step: int) -> list[Event]:
        """What the strategy itself measured in the steps of an epoch that just ended."""

    def held(self) -> dict[str, int]:
        """Bytes that this rank holds whatever the batch: see ``Ready.held``."""

    def capture(self) -> dict[str, Any]:
        """The full state on the host, on rank 0 (elsewhere it may be empty): ``state_dict`` in
        torchvision's key layout, ``optimizer`` by parameter name, ``scaler``, and where weights are
        averaged ``ema``, laid out as ``state_dict`` is. Plain types and tensors only."""

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of ``capture``; every rank is given the full state."""

    def capture_own(self) -> dict[str, Any]:
        """What this rank alone knows and ``capture`` leaves out: without it a run that is resumed
        would not be the same. Plain types and tensors on the host."""

    def restore_own(self, own: dict[str, Any]) -> None:
        """The inverse of ``capture_own``, after ``restore``; only where the ranks are as many."""

    def close(self) -> None:
        """Lets go of the model and of what the strategy holds beside it."""
