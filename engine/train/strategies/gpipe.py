"""GPipe by torchgpipe: one process whose stages pass micro-batches on to each other.

torchgpipe runs stages in threads, one for each device, so stages that share a device never
overlap: that is good for nothing but to see that it works.
"""

from __future__ import annotations

import torch
import torchgpipe
from torch import Tensor, nn

from engine.plan import stages
from engine.plan.config import Settings
from engine.plan.runs import RunPlan
from engine.plan.spread import needs_company
from engine.train import norm
from engine.train.arithmetic import loss_of
from engine.train.batch import Batch
from engine.train.clocks import Clock
from engine.train.judging import Judge
from engine.train.metrics import nothing, tally
from engine.train.stage import Stage, cut, learns, never_ending_the_process
from engine.train.stage_clock import StageClock
from engine.train.strategies.staged import Staged, balanced, planned


class GPipe(Staged):
    """Micro-batches through stages, forward and then backward.

    The network's own modules sit in the stages: it keeps its keys, and the optimiser its names.
    """

    _logits_on = -1

    def forward_backward(
        self, batch: Batch, global_count: int, clock: Clock, last: bool = True
    ) -> Tensor:
        if len(batch) == 0:
            return nothing(self._arithmetic.device)
        self._idle = False
        self._network.train()
        images, labels = self._arithmetic.images(batch), self._labels(batch)
        clock.mark("copy")
        self._clock.steps.begin()
        with never_ending_the_process("the pipeline"):
            logits, loss_sum = self._objective(self._network(images), labels)
            torch.autograd.backward(self._updater.scale(loss_sum / global_count))
        self._clock.steps.end()
        clock.mark("pipeline")
        return self._home(tally(loss_sum, logits, labels))

    @torch.no_grad()
    def evaluate(self, batch: Batch | None, judge: Judge | None = None) -> Tensor:
        if batch is None or len(batch) == 0:
            return nothing(self._arithmetic.device)
        self._network.eval()
        labels = self._labels(batch)
        logits, loss_sum = loss_of(self._network(self._arithmetic.images(batch)), labels)
        return self._home(tally(loss_sum, logits, labels, judge))

    def _switch(self, plan: RunPlan) -> None:
        """torchgpipe recomputes whole stages, and statistics are deferred where these are."""

    def _spread(self, plan: RunPlan, model: nn.Module) -> nn.Module:
        settings, devices = plan.settings, self._devices
        sequence = self._flat(model)
        stages.check_count(learns(sequence), len(devices))
        costs = self._costs(plan, sequence)
        balance = balanced(plan, sequence, len(devices), costs)
        self._clock = StageClock(range(len(devices)), devices)
        network: nn.Module = torchgpipe.GPipe(
            nn.Sequential(
                *(
                    Stage(
                        layers,
                        number,
                        self._arithmetic,
                        self._clock.busy[number],
                        needs_company=needs_company(settings),
                        recomputing=torchgpipe.is_recomputing,
                    )
                    for number, layers in enumerate(cut(sequence, balance))
                )
            ),
            [1] * len(devices),
            devices=devices,
            chunks=settings.micro_batches or 1,
            checkpoint=_recomputed(settings),
        )
        norm.defer(model)
        self._planned = planned(
            plan,
            "gpipe",
            sequence,
            balance,
            costs,
            list(map(str, devices)),
            overlaps=len(set(devices)) == len(devices),
        )
        return network

    def _labels(self, batch: Batch) -> Tensor:
        """Where the logits come out."""
        return self._arithmetic.labels(batch, self._devices[self._logits_on])

    def _home(self, tally: Tensor) -> Tensor:
        """To the first device, whose stream the step's end is marked in."""
        return tally.to(self._devices[0], non_blocking=True)


def _recomputed(settings: Settings) -> str:
    """For which micro-batches activations are computed again, in torchgpipe's words."""
    if settings.gradient_checkpointing:
        return "always"
    return "except_last" if settings.recompute == "auto" else settings.recompute
