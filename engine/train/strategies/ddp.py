"""DistributedDataParallel: a whole model in every process, gradients averaged between them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from engine.plan.runs import RunPlan
from engine.train.clocks import Clock, HostClock
from engine.train.last_gradient import LastGradient
from engine.train.strategies.shared_batch import SharedBatch

_UNTIL_STEADY = 2
"""After its first backward pass DDP orders its buckets anew, and so sums in another order."""

_KNOWN = signature(DistributedDataParallel.__init__).parameters
_BUFFERS: dict[str, Any] = {
    "forward_sync_buffers" if "forward_sync_buffers" in _KNOWN else "broadcast_buffers": False
}
"""They travel once per validation, not once per pass."""


class DistributedDataParallelism(SharedBatch):
    """Each process trains on its share of a global batch.

    Gradients are divided by the world size where they are averaged, so losses are weighted by it:
    what is added up is exactly (sum of losses) / (images of the global batch), however uneven the
    shares are.
    """

    def warm_up(self, sizes: Sequence[int], side: int) -> None:
        """At least two passes that count for nothing: without them a run that is resumed would
        differ from one that is not in the last bits."""
        super().warm_up(sizes, side)
        clock = HostClock(1)
        for _ in range(_UNTIL_STEADY - len(sizes)):
            self._blank_pass(clock)
            self._forget_step()

    def _spread(self, plan: RunPlan, model: nn.Module) -> nn.Module:
        device = self._arithmetic.device
        learning = (each for each in model.parameters() if each.requires_grad)
        self._last_gradient = LastGradient(next(learning))
        return DistributedDataParallel(
            super()._spread(plan, model),
            device_ids=[device] if device.type == "cuda" else None,
            **_BUFFERS,
            gradient_as_bucket_view=True,
        )

    def _exchanging(self, last: bool) -> AbstractContextManager[object]:
        network = self._network
        assert isinstance(network, DistributedDataParallel)
        return nullcontext() if last else network.no_sync()

    def _backward(self, loss: Tensor, clock: Clock, last: bool) -> None:
        """What is left of ``backward`` after the last gradient is ``exchange``: DDP sends gradients
        while others are computed, and waits for those of other ranks at the end."""
        if last:
            self._last_gradient.when_it_came(partial(clock.mark, "backward"))
        torch.autograd.backward(loss)
        told = last and not self._last_gradient.is_awaited()
        clock.mark("exchange" if told else "backward")

    def _weight(self) -> float:
        return float(self._world.size)
