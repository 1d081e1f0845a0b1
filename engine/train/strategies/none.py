"""No parallelism: one device does everything. What others share with it is here as well."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from engine.journal.events import Event, Notice
from engine.plan.pairs import shares, unit
from engine.plan.runs import RunPlan
from engine.plan.spread import needs_company
from engine.train import norm
from engine.train.arithmetic import arithmetic, loss_of
from engine.train.average import Average, average
from engine.train.batch import Batch
from engine.train.clocks import Clock, HostClock
from engine.train.compiling import compiled, explained
from engine.train.freeze import freeze
from engine.train.held import held
from engine.train.judging import Judge
from engine.train.metrics import nothing, tally
from engine.train.objective import objective
from engine.train.recompute import recompute_blocks
from engine.train.state import on_host
from engine.train.strategies.base import Feed
from engine.train.updater import Updater
from engine.train.world import ALONE, World


class NoParallelism:
    """The plain way of training, which all others are compared with.

    Subclasses put the model into something that spreads the work (``_spread``) and may change how
    a loss is weighted, when gradients are exchanged and what an empty part of a batch needs.
    """

    precision = "fp32"
    tolerance = 1
    _logits_on = 0
    """The place of their device among this rank's."""

    def __init__(self, world: World = ALONE) -> None:
        self._world = world

    def prepare(
        self,
        plan: RunPlan,
        model: nn.Module,
        devices: Sequence[torch.device],
        counts: Sequence[int] = (),
    ) -> list[Event]:
        settings = plan.settings
        self._devices = tuple(devices)
        self._arithmetic = arithmetic(plan, model, devices[0], len(counts))
        self._objective = objective(settings, counts, devices[self._logits_on])
        self.precision = self._arithmetic.precision.name
        freeze(model, settings)
        self._model = self._place(model)
        self._switch(plan)
        self._network = self._spread(plan, self._model)
        self._updater = self._make_updater(plan)
        self._average = self._make_average(plan)
        self.tolerance = self._updater.tolerance
        self._skips = settings.on_nan == "skip"
        self._needs_company = needs_company(settings)
        self._side = settings.image_size
        self._accumulate = settings.accumulate
        self._unit = unit(settings)
        self._compiled = settings.compile
        self._idle = True
        notice = self._arithmetic.precision.notice
        return [Notice(level="warning", text=notice, code="setup")] if notice else []

    def feed(self) -> Feed:
        return Feed()

    def warm_up(self, sizes: Sequence[int], side: int) -> None:
        """Computes every shape that a step has once, so that no timed step is the first: what is
        compiled, and what libraries choose by trying, is done then."""
        with explained() if self._compiled else nullcontext():
            self._rehearse(sizes, side)

    def forward_backward(
        self, batch: Batch, global_count: int, clock: Clock, last: bool = True
    ) -> Tensor:
        if global_count == 0:
            return nothing(self._arithmetic.device)
        if len(batch) == 0:
            return self._empty_part(clock, last)
        self._idle = False
        self._model.train()
        images, labels = self._arithmetic.images(batch), self._arithmetic.labels(batch)
        clock.mark("copy")
        with self._exchanging(last), norm.frozen(self._model, self._is_lonely(len(batch))):
            logits, loss_sum = self._objective(self._logits(images), labels)
            clock.mark("forward")
            # Inside: what is computed again belongs to the pass it repeats, in the same mode.
            loss = loss_sum * (self._weight() / global_count)
            self._backward(self._updater.scale(loss), clock, last)
        return tally(loss_sum, logits, labels)

    def update(self, lr: float, clip: float | None, clock: Clock) -> Tensor | None:
        if self._idle:
            self._updater.skip()
            return None
        self._idle = True
        applied = self._updater.apply(lr, clip)
        # What fp16 skips for a scale that is too large went forward in numbers all the same.
        norm.commit(self._model, applied if self._skips else None)
        if self._average is not None:
            self._average.follow(applied)
        clock.mark("update")
        return applied

    @torch.no_grad()
    def evaluate(self, batch: Batch | None, judge: Judge | None = None) -> Tensor:
        if batch is None or len(batch) == 0:
            return nothing(self._arithmetic.device)
        self._model.eval()
        images, labels = self._arithmetic.images(batch), self._arithmetic.labels(batch)
        with self._arithmetic.autocast():
            logits = self._model(images)
        logits, loss_sum = loss_of(logits, labels)
        return tally(loss_sum, logits, labels, judge)

    def begin_validation(self) -> None:
        if self._average is not None:
            self._average.put_in()

    def end_validation(self) -> None:
        if self._average is not None:
            self._average.take_out()

    def measured(self, epoch: int, step: int) -> list[Event]:
        return []

    def held(self) -> dict[str, int]:
        averaged = self._average.nbytes if self._average is not None else 0
        return held(self._model, self._updater.optimizer, averaged)

    def capture(self) -> dict[str, Any]:
        state = {"state_dict": on_host(self._model.state_dict()), **self._updater.capture()}
        if self._average is not None:
            state["ema"] = {**state["state_dict"], **on_host(self._average.values())}
        return state

    def restore(self, state: dict[str, Any]) -> None:
        self._model.load_state_dict(state["state_dict"])
        self._updater.restore(state)
        if self._average is not None:
            self._average.restore(state.get("ema"))

    def capture_own(self) -> dict[str, Any]:
        return {}

    def restore_own(self, own: dict[str, Any]) -> None:
        return

    def close(self) -> None:
        self._updater.skip()
        del self._model, self._network, self._updater, self._average

    def _rehearse(self, sizes: Sequence[int], side: int) -> None:
        """A throw-away step for a global batch of each size; everything is as before it."""
        kept = {name: buffer.clone() for name, buffer in self._model.named_buffers()}
        feed, clock = self.feed(), HostClock(1)
        for size in sizes:
            own = shares(size, feed.shards, self._unit)[feed.shard]
            parts = self._arithmetic.blank(own, side).parts(self._accumulate)
            for part in parts:
                self.forward_backward(part, size, clock, part is parts[-1])
            self._forget_step()
        for name, buffer in self._model.named_buffers():
            buffer.copy_(kept[name])

    def _forget_step(self) -> None:
        """Drops the gradients and statistics that were gathered for an update."""
        norm.forget(self._model)
        self._updater.skip()
        self._idle = True

    # What a subclass may do otherwise.

    def _place(self, model: nn.Module) -> nn.Module:
        """The model on its device, its weights laid out for the arithmetic."""
        return model.to(self._arithmetic.device).to(memory_format=self._arithmetic.layout)

    def _switch(self, plan: RunPlan) -> None:
        """Turns the switches of the plan on in the bare model."""
        settings = plan.settings
        if settings.gradient_checkpointing or settings.accumulate > 1 or settings.on_nan == "skip":
            norm.defer(self._model)
        if settings.gradient_checkpointing:
            recompute_blocks(self._model)

    def _spread(self, plan: RunPlan, model: nn.Module) -> nn.Module:
        """What is called in training; ``model`` keeps the weights."""
        return compiled(model) if plan.settings.compile else model

    def _make_updater(self, plan: RunPlan) -> Updater:
        chosen = self._arithmetic
        return Updater(self._model, plan.settings, chosen.precision, chosen.device)

    def _make_average(self, plan: RunPlan) -> Average | None:
        return average(self._model, plan.settings)

    def _logits(self, images: Tensor) -> Tensor:
        with self._arithmetic.autocast():
            logits: Tensor = self._network(images)
        if self._compiled:
            norm.set_aside(self._model)
        return logits

    def _is_lonely(self, images: int) -> bool:
        """Whether a pass over so many images has one that nothing can be compared with."""
        return images == 1 and self._needs_company

    def _exchanging(self, last: bool) -> AbstractContextManager[object]:
        """Around a part's forward and backward: gradients are exchanged after the last one."""
        return nullcontext()

    def _weight(self) -> float:
        """By what the exchange of gradients divides them, to undo it."""
        return 1.0

    def _backward(self, loss: Tensor, clock: Clock, last: bool) -> None:
        """Computes gradients, and marks ``backward``."""
        torch.autograd.backward(loss)
        clock.mark("backward")

    def _empty_part(self, clock: Clock, last: bool) -> Tensor:
        """A part without images, in which other ranks may have some."""
        return nothing(self._arithmetic.device)
