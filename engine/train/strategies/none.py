"""No parallelism: one device does everything, in full or mixed precision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.modules.batchnorm import _BatchNorm

from engine.plan.runs import RunPlan
from engine.train import precision
from engine.train.augment import MEAN, STD
from engine.train.clocks import Clock
from engine.train.data import Batch
from engine.train.metrics import nothing, tally
from engine.train.optim import sgd
from engine.train.state import by_name, by_position, laid_out_as_weights, on_host
from engine.train.strategies.base import Feed

_SCALER_TOLERANCE = 25
"""A scaler that starts at 2**16 has nothing left to halve after some 24 skipped steps."""


class NoParallelism:
    """The plain way of training, which all others are compared with."""

    precision = "fp32"
    tolerance = 1

    def prepare(
        self, plan: RunPlan, model: nn.Module, devices: Sequence[torch.device]
    ) -> list[str]:
        settings = plan.settings
        self._device = devices[0]
        chosen = precision.choose(plan, self._device)
        self.precision, self._dtype = chosen.name, chosen.dtype
        self.tolerance = _SCALER_TOLERANCE if chosen.scaled else 1
        channels_last = settings.channels_last == "yes" or (
            settings.channels_last == "auto" and self._device.type in ("cuda", "cpu")
        )
        self._format = torch.channels_last if channels_last else torch.contiguous_format
        self._model = model.to(self._device).to(memory_format=self._format)
        self._optimizer = sgd(self._model, settings)
        self._scaler = torch.amp.GradScaler(self._device.type, enabled=chosen.scaled)
        self._mean = 255.0 * torch.tensor(MEAN, device=self._device).view(1, 3, 1, 1)
        self._scale = 1.0 / (255.0 * torch.tensor(STD, device=self._device).view(1, 3, 1, 1))
        # The deepest feature map is the image divided by 32: one pixel of one image has no
        # variance to be normalised by.
        self._needs_company = settings.image_size <= 32
        self._idle = False
        return [chosen.notice] if chosen.notice else []

    def feed(self) -> Feed:
        return Feed()

    def forward_backward(self, batch: Batch, global_count: int, clock: Clock) -> Tensor:
        self._idle = len(batch) == 0
        if self._idle:
            return nothing(self._device)
        self._model.train()
        images, labels = self._inputs(batch)
        clock.mark("copy")
        with _norms_frozen(self._model, len(batch) == 1 and self._needs_company):
            logits, loss_sum = self._forward(images, labels)
        clock.mark("forward")
        torch.autograd.backward(self._scaler.scale(loss_sum / global_count))
        clock.mark("backward")
        return tally(loss_sum, logits, labels)

    def update(self, lr: float, clip: float | None, clock: Clock) -> Tensor | None:
        if self._idle:
            return None
        for group in self._optimizer.param_groups:
            group["lr"] = lr
        if clip is not None:
            self._scaler.unscale_(self._optimizer)
            nn.utils.clip_grad_norm_(self._model.parameters(), clip)
        self._scaler.step(self._optimizer)
        applied = self._applied()
        self._scaler.update()
        self._optimizer.zero_grad(set_to_none=True)
        clock.mark("update")
        return applied

    @torch.no_grad()
    def evaluate(self, batch: Batch | None) -> Tensor:
        if batch is None or len(batch) == 0:
            return nothing(self._device)
        self._model.eval()
        images, labels = self._inputs(batch)
        logits, loss_sum = self._forward(images, labels)
        return tally(loss_sum, logits, labels)

    def capture(self) -> dict[str, Any]:
        return {
            "state_dict": on_host(self._model.state_dict()),
            "optimizer": on_host(by_name(self._optimizer.state_dict(), self._names())),
            "scaler": dict(self._scaler.state_dict()),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._model.load_state_dict(state["state_dict"])
        self._optimizer.load_state_dict(by_position(state["optimizer"], self._names()))
        laid_out_as_weights(self._optimizer)
        self._scaler.load_state_dict(state["scaler"])

    def close(self) -> None:
        self._optimizer.zero_grad(set_to_none=True)
        del self._model, self._optimizer

    def _names(self) -> list[str]:
        return [name for name, _ in self._model.named_parameters()]

    def _inputs(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Bytes travel to the device and are normalised there."""
        images = batch.images.to(self._device, non_blocking=True)
        labels = batch.labels.to(self._device, non_blocking=True)
        # (images, height, width, 3) in memory *is* channels-last once its axes are renamed.
        images = images.permute(0, 3, 1, 2).to(torch.float32, memory_format=self._format)
        return images.sub_(self._mean).mul_(self._scale), labels

    def _forward(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        with torch.autocast(self._device.type, dtype=self._dtype, enabled=self._dtype is not None):
            logits: Tensor = self._model(images)
        logits = logits.float()
        return logits, cross_entropy(logits, labels, reduction="sum")

    def _applied(self) -> Tensor | None:
        """1 where the scaler's step was made: known on the device, read much later."""
        if not self._scaler.is_enabled():
            return None
        found = self._scaler._found_inf_per_device(self._optimizer)
        inf: Tensor = next(iter(found.values()))
        return 1.0 - inf


@contextmanager
def _norms_frozen(model: nn.Module, frozen: bool) -> Iterator[None]:
    """A lone small image is normalised by the running statistics, as in validation."""
    norms = [each for each in model.modules() if isinstance(each, _BatchNorm)] if frozen else []
    for norm in norms:
        norm.eval()
    try:
        yield
    finally:
        for norm in norms:
            norm.train()
