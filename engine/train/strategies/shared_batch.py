"""Several processes, each of which computes its share of every global batch."""

from __future__ import annotations

from typing import Any

import torch.distributed as dist
from torch import Tensor, nn

from engine.plan.runs import RunPlan
from engine.train import norm
from engine.train.arithmetic import loss_of
from engine.train.clocks import Clock
from engine.train.metrics import nothing
from engine.train.state import on_host
from engine.train.strategies.base import Feed
from engine.train.strategies.none import NoParallelism

BLANKS = 2
"""Grey images of a pass that counts for nothing: one alone could not be normalised."""


class SharedBatch(NoParallelism):
    """What DDP and FSDP have in common: the shares may be uneven, or empty on some ranks.

    A rank without images computes with the others all the same, because they wait for what it
    has to give: gradients of zero, its part of the weights, or its statistics.
    """

    def feed(self) -> Feed:
        return Feed(shard=self._world.rank, shards=self._world.size)

    def begin_validation(self) -> None:
        """Running statistics are those of the first rank, as DDP does it; averaged ones too."""
        self._share_statistics()
        if self._average is not None:
            super().begin_validation()
            self._share_statistics()

    def capture_own(self) -> dict[str, Any]:
        """Running statistics are the first rank's at a validation alone; until then each rank has
        its own, and normalises what nothing can be compared with by them."""
        return {"buffers": on_host(dict(self._model.named_buffers()))}

    def restore_own(self, own: dict[str, Any]) -> None:
        buffers = own.get("buffers", {})
        for name, buffer in self._model.named_buffers():
            if name in buffers:
                buffer.copy_(buffers[name])

    def _share_statistics(self) -> None:
        for buffer in self._model.buffers():
            dist.broadcast(buffer, 0)

    def _switch(self, plan: RunPlan) -> None:
        # Of a frozen network statistics stay, and there is nothing to be taken together.
        self._sync_bn = plan.settings.sync_bn and not plan.settings.freeze
        if self._sync_bn:
            self._model = nn.SyncBatchNorm.convert_sync_batchnorm(self._model)  # type: ignore[no-untyped-call]
        super()._switch(plan)

    def _is_lonely(self, images: int) -> bool:
        # Layers that take their statistics together must do so on every rank or on none.
        return super()._is_lonely(images) and not self._sync_bn

    def _empty_part(self, clock: Clock, last: bool) -> Tensor:
        if last or self._sync_bn:
            self._blank_pass(clock, apart=not self._sync_bn)
        return nothing(self._arithmetic.device)

    def _blank_pass(self, clock: Clock, *, apart: bool = True, last: bool = True) -> None:
        """Forward and backward with a loss of nothing.

        ``apart``: grey images by running statistics, which stay; otherwise no images at all, which
        add nothing to the statistics that all ranks take together.
        """
        self._idle = False
        self._model.train()
        blank = self._arithmetic.blank(BLANKS if apart else 0, self._side)
        images, labels = self._arithmetic.images(blank), self._arithmetic.labels(blank)
        clock.mark("copy")
        with self._exchanging(last), norm.frozen(self._model, apart):
            # No images are computed in 32 bits: layers that take their statistics together send
            # those of nothing in the format of what comes in, and all others in 32 bits.
            _, loss = loss_of(self._logits(images) if apart else self._network(images), labels)
            clock.mark("forward")
            self._backward(loss * 0.0, clock, last)
