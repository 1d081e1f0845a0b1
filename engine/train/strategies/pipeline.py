"""A pipeline by torch.distributed.pipelining: every process computes one stage."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torchvision.models.resnet import ResNet

from engine.errors import SettingError
from engine.journal.events import Event, StagesMeasured
from engine.plan import stages
from engine.plan.config import Settings
from engine.plan.runs import RunPlan
from engine.plan.spread import needs_company
from engine.train import norm
from engine.train.arithmetic import loss_of
from engine.train.batch import Batch
from engine.train.clocks import Clock
from engine.train.judging import Judge
from engine.train.metrics import nothing, plus, tally
from engine.train.pipelined import Kind, Pipelined, Post
from engine.train.profile import Profile
from engine.train.recompute import recompute_blocks
from engine.train.sequence import keep_only
from engine.train.stage import Stage, cut, learns, never_ending_the_process
from engine.train.stage_clock import StageClock
from engine.train.strategies.base import Feed
from engine.train.strategies.staged import Staged, balanced, planned
from engine.train.updater import Updater
from engine.train.wires import wires


class Pipeline(Staged):
    """Micro-batches through stages, forward and backward in turn (1F1B) or one after the other.

    Images enter on the first rank and losses come out on the last; labels are read on all, so that
    every rank knows how large a batch is. Of the network each rank keeps the layers of its stage.
    """

    def feed(self) -> Feed:
        return Feed(images=self._world.first)

    def forward_backward(
        self, batch: Batch, global_count: int, clock: Clock, last: bool = True
    ) -> Tensor:
        result: Tensor = nothing(self._arithmetic.device)
        if len(batch) == 0:
            return result
        self._idle = False
        self._pipelined.network.train()
        images, labels = self._images(batch), self._arithmetic.labels(batch)
        clock.mark("copy")

        def loss(logits: Tensor, labels: Tensor) -> Tensor:
            nonlocal result
            logits, loss_sum = self._objective(logits, labels)
            result = plus(result, tally(loss_sum, logits, labels))
            return self._updater.scale(loss_sum / global_count)

        self._clock.steps.begin()
        with never_ending_the_process("the pipeline"):
            self._pipelined.step(images, labels, loss)
        self._clock.steps.end()
        clock.mark("pipeline")
        return result

    @torch.no_grad()
    def evaluate(self, batch: Batch | None, judge: Judge | None = None) -> Tensor:
        if batch is None or len(batch) == 0:
            return nothing(self._arithmetic.device)
        self._pipelined.network.eval()
        labels = self._arithmetic.labels(batch)
        logits = self._pipelined.through(self._images(batch), len(batch))
        if logits is None:
            return nothing(self._arithmetic.device)
        logits, loss_sum = loss_of(logits, labels)
        return tally(loss_sum, logits, labels, judge)

    def measured(self, epoch: int, step: int) -> list[Event]:
        """The first rank is the last to end a step: its time is that of all."""
        event: StagesMeasured = self._clock.measured(epoch, step)
        longest = torch.tensor([event.seconds], dtype=torch.float64)
        dist.all_reduce(longest, dist.ReduceOp.MAX)
        return [msgspec.structs.replace(event, seconds=longest.item())]

    def capture(self) -> dict[str, Any]:
        own = super().capture()
        parts: list[Any] | None = [None] * self._world.size if self._world.first else None
        dist.gather_object(own, parts)
        return together(parts) if parts is not None else {}

    def restore(self, state: dict[str, Any]) -> None:
        super().restore(part_of(state, set(self._model.state_dict())))

    def close(self) -> None:
        super().close()
        del self._pipelined

    def _switch(self, plan: RunPlan) -> None:
        if plan.settings.gradient_checkpointing:
            recompute_blocks(self._model)

    def _spread(self, plan: RunPlan, model: nn.Module) -> nn.Module:
        rank, count = self._world.rank, self._world.size
        sequence, settings = self._flat(model), plan.settings
        balance, costs, devices = self._agree_on_balance(plan, sequence)
        kind = _kind(settings, count)
        self._planned = planned(plan, kind, sequence, balance, costs, devices, overlaps=True)

        first = sum(balance[:rank])
        borders = wires(sequence, self._arithmetic, settings.image_size)
        post = Post(rank, count, borders[first], borders[first + balance[rank]])
        layers = cut(sequence, balance)[rank]
        assert isinstance(model, ResNet)
        keep_only(model, {name for name, _ in layers.named_children()})
        model.to(self._arithmetic.device)
        norm.defer(model)

        self._clock = StageClock((rank,), (self._arithmetic.device,))
        stage = Stage(
            layers,
            rank,
            self._arithmetic,
            self._clock.busy[0],
            needs_company=needs_company(settings),
        )
        self._pipelined = Pipelined(stage, post, kind, settings.micro_batches or 1)
        return self._pipelined.network

    def _agree_on_balance(
        self, plan: RunPlan, sequence: nn.Sequential
    ) -> tuple[stages.Balance, Profile | None, list[str]]:
        """The first rank measures, and all do as it says; also the devices of all ranks.

        What is wrong with a balance that was given, every rank finds by itself.
        """
        count = self._world.size
        _check(plan.settings, count)
        stages.check_count(learns(sequence), count)
        if plan.settings.balance is not None:
            balanced(plan, sequence, count, None)
        told: list[Any] = [None]
        if self._world.first:
            costs = self._costs(plan, sequence)
            told = [(balanced(plan, sequence, count, costs), costs)]
        dist.broadcast_object_list(told, 0)
        devices: list[Any] = [None] * count
        dist.all_gather_object(devices, str(self._arithmetic.device))
        balance, costs = told[0]
        return balance, costs, devices

    def _make_updater(self, plan: RunPlan) -> Updater:
        return Updater(
            self._model,
            plan.settings,
            self._arithmetic.precision,
            self._arithmetic.device,
            most=partial(_reduce, op=dist.ReduceOp.MAX),
            sum_up=partial(_reduce, op=dist.ReduceOp.SUM),
        )

    def _images(self, batch: Batch) -> Tensor:
        return self._arithmetic.images(batch) if self._world.first else batch.images


def together(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """The state of the whole network from those of its stages, in order."""
    first, optimizers = parts[0], [each["optimizer"] for each in parts]
    names = [
        [name for group in same for name in group["params"]]
        for same in zip(*(each["param_groups"] for each in optimizers), strict=True)
    ]
    return {
        **first,
        **{
            kind: {key: value for each in parts for key, value in each[kind].items()}
            for kind in ("state_dict", "ema")
            if kind in first
        },
        "optimizer": {
            "state": {name: value for each in optimizers for name, value in each["state"].items()},
            "param_groups": [
                {**group, "params": own}
                for group, own in zip(first["optimizer"]["param_groups"], names, strict=True)
            ],
        },
    }


def part_of(state: dict[str, Any], keys: set[str]) -> dict[str, Any]:
    """What of the state of a whole network belongs to the weights and buffers ``keys``."""
    optimizer = state["optimizer"]
    return {
        **state,
        **{
            kind: {key: each for key, each in state[kind].items() if key in keys}
            for kind in ("state_dict", "ema")
            if kind in state
        },
        "optimizer": {
            "state": {key: each for key, each in optimizer["state"].items() if key in keys},
            "param_groups": [
                {**group, "params": [name for name in group["params"] if name in keys]}
                for group in optimizer["param_groups"]
            ],
        },
    }


def _kind(settings: Settings, stages: int) -> Kind:
    """1F1B needs as many micro-batches as there are stages."""
    enough = (settings.micro_batches or 1) >= stages
    return "1f1b" if settings.schedule != "gpipe" and enough else "gpipe"


def _check(settings: Settings, processes: int) -> None:
    if settings.stages not in (None, processes):
        raise SettingError(
            "stages",
            f"stages (--stages) is {settings.stages} and there are {processes} processes; in a "
            "pipeline every process computes one stage: leave --stages out, or give --nproc too",
        )


def _reduce(scalar: Tensor, op: Any) -> None:
    dist.all_reduce(scalar, op)
