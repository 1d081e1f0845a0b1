"""The end of a step: unscale, clip, step, in this order, and one decision over all ranks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from engine.plan.config import Settings
from engine.train.optim import groups, optimizer
from engine.train.precision import Precision
from engine.train.state import by_name, by_position, laid_out_as_weights, on_host

_TOLERANCE = 25
"""Steps in a row that may be skipped. A scaler that starts at 2**16 has nothing left to halve after
some 24 of them; and weights that make no finite loss of so many batches will make none any more."""

Reduce = Callable[[Tensor], None]
"""Changes a scalar on the device in place to what all ranks have together; collective."""


class Updater:
    """Optimiser and gradient scaler of the parameters that this rank holds and that learn.

    Where steps that are not finite are to be skipped without 16 bits (``on_nan``), the scaler is
    held at 1: what is multiplied by that stays the same to the last bit.

    ``most`` reduces by maximum, ``sum_up`` by sum, over ranks that hold *different* parameters or
    parts of them; where every rank holds the same ones there is nothing to reduce.
    """

    def __init__(
        self,
        model: nn.Module,
        settings: Settings,
        chosen: Precision,
        device: torch.device,
        *,
        most: Reduce | None = None,
        sum_up: Reduce | None = None,
    ) -> None:
        self._model = model
        found = groups(model, settings)
        self._optimizer = optimizer(found, settings)
        self._names = [name for group in found for name, _ in group]
        self._device = device
        self._skips = settings.on_nan == "skip"
        self._held = self._skips and not chosen.scaled
        self._scaler = torch.amp.GradScaler(
            device.type,
            init_scale=1.0 if self._held else 2.0**16,
            enabled=chosen.scaled or self._held,
        )
        # It begins with the first loss that it sees, and a rank may have a step before any loss:
        # it had no image, or losses are another stage's.
        self._scaler.scale(torch.zeros((), device=device))
        self._most, self._sum_up = most, sum_up
        self.tolerance = _TOLERANCE if self._scaler.is_enabled() else 1

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        return self._optimizer

    def scale(self, loss: Tensor) -> Tensor:
        """The loss as it goes backward."""
        if self._skips:
            # Gradients of a loss that is not finite may be: made NaN, all ranks come to know it.
            loss = loss * (1.0 + 0.0 * loss.detach())
        return self._scaler.scale(loss)

    def apply(self, lr: float, clip: float | None) -> Tensor | None:
        """Steps, or skips where a gradient is not finite; see ``Strategy.update``."""
        for group in self._optimizer.param_groups:
            group["lr"] = lr
        if self._scaler.is_enabled():
            self._scaler.unscale_(self._optimizer)
            if not self._names:
                # A stage of a pipeline in which nothing learns has a word in the decision all the
                # same: it keeps statistics.
                flags: dict[Any, Tensor] = self._scaler._found_inf_per_device(self._optimizer)
                flags[self._device] = torch.zeros((), device=self._device)
            gather_in_first(self._found())
            if self._most is not None:
                for found in self._found():
                    self._most(found)
        if clip is not None:
            self._clip(clip)
        self._scaler.step(self._optimizer)
        applied = 1.0 - self._found()[0] if self._scaler.is_enabled() else None
        self._scaler.update(1.0 if self._held else None)
        self._optimizer.zero_grad(set_to_none=True)
        return applied

    def skip(self) -> None:
        """There was nothing to learn from."""
        self._optimizer.zero_grad(set_to_none=True)

    def capture(self) -> dict[str, Any]:
        return {
            "optimizer": on_host(by_name(self._optimizer.state_dict(), self._names)),
            "scaler": self.scaler_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._optimizer.load_state_dict(by_position(state["optimizer"], self._names))
        laid_out_as_weights(self._optimizer)
        self.restore_scaler(state["scaler"])

    def scaler_state(self) -> dict[str, Any]:
        """Empty where nothing is scaled."""
        return {} if self._held else dict(self._scaler.state_dict())

    def restore_scaler(self, state: dict[str, Any]) -> None:
        """The state of another precision says nothing here: then the scaler begins anew."""
        if state and not self._held:
            self._scaler.load_state_dict(state)

    def _clip(self, limit: float) -> None:
        """Scales all gradients so that their norm, over all ranks, is at most ``limit``."""
        gradients = [p.grad for p in self._model.parameters() if p.grad is not None]
        norm = nn.utils.get_total_norm(gradients) if gradients else self._no_norm()
        if self._sum_up is not None:
            norm = norm.square()
            self._sum_up(norm)
            norm = norm.sqrt()
        nn.utils.clip_grads_with_norm_(self._model.parameters(), limit, norm)

    def _found(self) -> list[Tensor]:
        """1 where a gradient is not finite: known on the device, read much later."""
        return list(self._scaler._found_inf_per_device(self._optimizer).values())

    def _no_norm(self) -> Tensor:
        """Of a rank on which nothing learns."""
        kind = next(self._model.parameters()).dtype
        return torch.zeros((), device=self._device, dtype=kind)


def gather_in_first(flags: Sequence[Tensor]) -> None:
    """Makes the first of several devices' flags 1 where any is, and all others 0.

    A scaler adds them up, and a fused optimiser skips a step where the sum is 1: at 2, where two
    devices of a pipeline overflow, it would make the step.
    """
    for other in flags[1:]:
        flags[0].copy_(torch.maximum(flags[0], other.to(flags[0].device)))
        other.zero_()
