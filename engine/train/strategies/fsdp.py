"""Fully sharded: weights, gradients and optimiser state spread over the processes (FSDP2)."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torchvision.models.resnet import BasicBlock, Bottleneck

from engine.plan.runs import RunPlan
from engine.train.average import Average
from engine.train.batch import Batch
from engine.train.clocks import Clock
from engine.train.judging import Judge
from engine.train.metrics import nothing
from engine.train.shards import ShardedAverage, ShardedUpdater, full, spread_like
from engine.train.state import on_host
from engine.train.strategies.shared_batch import SharedBatch
from engine.train.updater import Updater


class FullySharded(SharedBatch):
    """Each process keeps its part of every weight; a block is put together while it computes.

    Every pass is collective, so every rank makes equally many of them, in validation too.
    Precision is autocast's: FSDP's own policy casts what batch normalisation on a CPU refuses.
    """

    @torch.no_grad()
    def evaluate(self, batch: Batch | None, judge: Judge | None = None) -> Tensor:
        if batch is not None and len(batch):
            return super().evaluate(batch, judge)
        super().evaluate(self._arithmetic.blank(1, self._side))
        return nothing(self._arithmetic.device)

    def capture(self) -> dict[str, Any]:
        self._take_apart()
        values: dict[str, Tensor] = {}
        for name, value in self._model.state_dict().items():
            whole = full(value)
            if self._world.first:
                values[name] = on_host(whole)
        state = {"state_dict": values, **self._updater.capture()}
        if self._average is not None:
            state["ema"] = {**values, **on_host(self._average.values())}
        return state if self._world.first else {}

    def restore(self, state: dict[str, Any]) -> None:
        self._take_apart()
        own = self._model.state_dict()
        parts = {
            name: spread_like(value, own[name]) if name in own else value
            for name, value in state["state_dict"].items()
        }
        self._model.load_state_dict(parts)
        self._updater.restore(state)
        if self._average is not None:
            self._average.restore(state.get("ema"))

    def begin_validation(self) -> None:
        self._take_apart()
        super().begin_validation()

    def end_validation(self) -> None:
        self._take_apart()
        super().end_validation()

    def _take_apart(self) -> None:
        """What the last validation put together is weights of their own no longer."""
        for module in self._model.modules():
            if isinstance(module, FSDPModule):
                module.reshard()

    def _place(self, model: nn.Module) -> nn.Module:
        # FSDP shards contiguous weights only. Images that are channels-last are enough for
        # convolutions to be computed so.
        return model.to(self._arithmetic.device)

    def _spread(self, plan: RunPlan, model: nn.Module) -> nn.Module:
        mesh = init_device_mesh(self._arithmetic.device.type, (self._world.size,))
        for module in list(model.modules()):
            if isinstance(module, BasicBlock | Bottleneck):
                fully_shard(module, mesh=mesh)
        fully_shard(model, mesh=mesh)
        for module in model.modules():
            if isinstance(module, FSDPModule):
                # Gradients are added up, and never divided: losses are weighted already.
                module.set_gradient_divide_factor(1.0)
                module.set_force_sum_reduction_for_comms(True)
        return super()._spread(plan, model)

    def _make_updater(self, plan: RunPlan) -> Updater:
        chosen = self._arithmetic
        return ShardedUpdater(self._model, plan.settings, chosen.precision, chosen.device)

    def _make_average(self, plan: RunPlan) -> Average | None:
        decay = plan.settings.ema
        return None if decay is None else ShardedAverage(self._model, decay)

    def _exchanging(self, last: bool) -> AbstractContextManager[object]:
        model = self._model
        assert isinstance(model, FSDPModule)
        model.set_requires_gradient_sync(last)
        return nullcontext()

    def _empty_part(self, clock: Clock, last: bool) -> Tensor:
        # Weights are put together in every part, by all ranks.
        self._blank_pass(clock, apart=not self._sync_bn, last=last)
        return nothing(self._arithmetic.device)
