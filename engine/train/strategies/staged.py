"""What gpipe and torch's pipelining have in common: a network that is cut into stages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import nn
from torchvision.models.resnet import ResNet

from engine.journal.events import Event, PipelinePlanned
from engine.plan import stages
from engine.plan.footprint import remembered
from engine.plan.runs import RunPlan
from engine.plan.shares import device_batch
from engine.plan.stages import Balance
from engine.train.profile import Profile, profile
from engine.train.sequence import flatten
from engine.train.stage import learns
from engine.train.stage_clock import StageClock
from engine.train.strategies.none import NoParallelism


class Staged(NoParallelism):
    """Cuts the network, and measures what its stages do."""

    _clock: StageClock
    _planned: PipelinePlanned

    def prepare(
        self,
        plan: RunPlan,
        model: nn.Module,
        devices: Sequence[torch.device],
        counts: Sequence[int] = (),
    ) -> list[Event]:
        events = super().prepare(plan, model, devices, counts)
        return [*events, self._planned] if self._world.first else events

    def warm_up(self, sizes: Sequence[int], side: int) -> None:
        super().warm_up(sizes, side)
        self._clock.measured(0, 0)  # What it has measured so far counts for nothing.

    def measured(self, epoch: int, step: int) -> list[Event]:
        return [self._clock.measured(epoch, step)]

    def _place(self, model: nn.Module) -> nn.Module:
        # Each stage goes to a device of its own, once it is known which layers it has.
        return model.to(memory_format=self._arithmetic.layout)

    def _flat(self, model: nn.Module) -> nn.Sequential:
        assert isinstance(model, ResNet)
        return flatten(model)

    def _costs(self, plan: RunPlan, sequence: nn.Sequential) -> Profile | None:
        """What the layers cost here; ``None`` where the user cuts without knowing it."""
        settings = plan.settings
        if settings.balance is not None:
            return None
        return profile(
            sequence,
            self._arithmetic,
            device_batch(plan),
            settings.image_size,
            remembered=remembered(settings),
        )


def balanced(plan: RunPlan, sequence: nn.Sequential, count: int, costs: Profile | None) -> Balance:
    """The balance that the user gave, or else the best one by what the layers cost."""
    learning = learns(sequence)
    if costs is None:
        assert plan.settings.balance is not None
        return stages.given(plan.settings.balance, learning, count)
    return stages.split(costs.seconds, costs.sizes, learning, count)


def planned(
    plan: RunPlan,
    schedule: Literal["gpipe", "1f1b"],
    sequence: nn.Sequential,
    balance: Balance,
    costs: Profile | None,
    devices: Sequence[str],
    *,
    overlaps: bool,
) -> PipelinePlanned:
    return PipelinePlanned(
        schedule=schedule,
        micro_batches=plan.settings.micro_batches or 1,
        balance=balance,
        layers=tuple(name for name, _ in sequence.named_children()),
        layer_seconds=costs.seconds if costs else (),
        layer_bytes=costs.sizes if costs else (),
        devices=tuple(devices),
        given=costs is None,
        overlaps=overlaps,
    )
