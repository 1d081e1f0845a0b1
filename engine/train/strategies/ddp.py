"""DistributedDataParallel: a whole model in every process, gradients averaged between them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from engine.plan.runs import RunPlan
from engine.train import norm
from engine.train.arithmetic import loss_of
from engine.train.metrics import nothing
from engine.train.strategies.base import Feed
from engine.train.strategies.none import NoParallelism

_BLANKS = 2
"""Grey images of a pass that counts for nothing: one alone could not be normalised."""


class DistributedDataParallelism(NoParallelism):
    """Each process trains on its share of a global batch.

    Gradients are divided by the world size where they are averaged, so losses are weighted by it:
    what is added up is exactly (sum of losses) / (images of the global batch), however uneven the
    shares are.
    """

    def feed(self) -> Feed:
        return Feed(shard=self._world.rank, shards=self._world.size)

    def warm_up(self, sizes: Sequence[int], side: int) -> None:
        """Two passes that count for nothing.

        After its first backward pass DDP orders its buckets anew, and so sums in another order: a
        run that is resumed would differ from one that is not in the last bits.
        """
        self._side = side
        for _ in range(2):
            self._blank_pass()
            self._updater.skip()

    def begin_validation(self) -> None:
        """Running statistics are those of the first rank, as DDP does it."""
        for buffer in self._model.buffers():
            dist.broadcast(buffer, 0)

    def _switch(self, plan: RunPlan) -> None:
        if plan.settings.sync_bn:
            self._model = nn.SyncBatchNorm.convert_sync_batchnorm(self._model)
        super()._switch(plan)

    def _spread(self, plan: RunPlan, model: nn.Module) -> nn.Module:
        self._side = plan.settings.image_size
        device = self._arithmetic.device
        return DistributedDataParallel(
            super()._spread(plan, model),
            device_ids=[device] if device.type == "cuda" else None,
            # Buffers travel once per validation, not once per pass.
            broadcast_buffers=False,
            gradient_as_bucket_view=True,
        )

    def _exchanging(self, last: bool) -> AbstractContextManager[object]:
        network = self._network
        assert isinstance(network, DistributedDataParallel)
        return nullcontext() if last else network.no_sync()  # type: ignore[no-untyped-call]

    def _weight(self) -> float:
        return float(self._world.size)

    def _empty_part(self, last: bool) -> Tensor:
        """Other ranks have images and wait for this one's gradients: zeros."""
        if last:
            self._blank_pass()
        return nothing(self._arithmetic.device)

    def _blank_pass(self) -> None:
        """Forward and backward with a loss of nothing; statistics stay."""
        self._idle = False
        self._model.train()
        blank = self._arithmetic.blank(_BLANKS, self._side)
        with norm.frozen(self._model):
            images, labels = self._arithmetic.images(blank), self._arithmetic.labels(blank)
            _, loss = loss_of(self._logits(images), labels)
            torch.autograd.backward(loss * 0.0)
