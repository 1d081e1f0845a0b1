"""Averaged weights (Polyak and Juditsky 1992): an exponential moving average over the steps.

After every step ``average = decay * average + (1 - decay) * weights``, as torchvision's references
keep it (``ExponentialMovingAverage`` with ``use_buffers``): the running statistics of batch
normalisation are averaged as well, because those of the trained weights are not those of averaged
ones. It begins with the weights before the first step. torchvision averages every 32nd step and
fits its decay to that; here the decay is per step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.plan.config import Settings
from engine.train.freeze import is_still
from engine.train.norm import norms


@dataclass(frozen=True, slots=True)
class _Alike:
    """What one kernel can do at once: the same format on the same device."""

    share: Tensor
    """By which the average comes nearer in a step."""
    weights: list[Tensor]
    averages: list[Tensor]


class Average:
    """The average of some tensors of a network, whose memory it watches."""

    def __init__(self, followed: Mapping[str, Tensor], decay: float) -> None:
        """``followed``: by their names in torchvision's network, what this rank holds of them."""
        self._weights = {name: each.detach() for name, each in followed.items()}
        self._averages = {name: each.clone() for name, each in self._weights.items()}
        self._share = 1.0 - decay
        self._alike = self._sorted()
        self._swapped = False

    @property
    def nbytes(self) -> int:
        return sum(each.nbytes for each in self._averages.values())

    @torch.no_grad()
    def follow(self, applied: Tensor | None) -> None:
        """After a step. ``applied``: 1 on the device where it was made and 0 where it was skipped,
        which leaves the average as it is; ``None`` where steps are never skipped."""
        for each in self._alike:
            if applied is None:
                torch._foreach_lerp_(each.averages, each.weights, self._share)
                continue
            share = each.share * applied.to(each.share.device, non_blocking=True)
            moves = torch._foreach_sub(each.weights, each.averages)
            torch._foreach_mul_(moves, share)
            torch._foreach_add_(each.averages, moves)

    def put_in(self) -> None:
        """The averages take the place of the weights, which are kept to the last bit."""
        if not self._swapped:
            self._swap()

    def take_out(self) -> None:
        """The trained weights are back; they were there already where this comes twice."""
        if self._swapped:
            self._swap()

    def values(self) -> dict[str, Tensor]:
        """The averages by name; of weights that are spread over ranks all of them, collective."""
        return dict(self._averages)

    @torch.no_grad()
    def restore(self, values: Mapping[str, Tensor] | None) -> None:
        """From what ``values`` gave; ``None``: the average begins with the weights of now."""
        for name, average in self._averages.items():
            average.copy_(self._weights[name] if values is None else self._own(name, values[name]))

    def _own(self, name: str, whole: Tensor) -> Tensor:
        """Of one of ``values`` what this rank holds."""
        return whole

    @torch.no_grad()
    def _swap(self) -> None:
        for name, average in self._averages.items():
            weight = self._weights[name]
            kept = weight.clone()
            weight.copy_(average)
            average.copy_(kept)
        self._swapped = not self._swapped

    def _sorted(self) -> list[_Alike]:
        found: dict[tuple[torch.device, torch.dtype], _Alike] = {}
        for name, weight in self._weights.items():
            key = weight.device, weight.dtype
            if key not in found:
                share = torch.tensor(self._share, device=key[0], dtype=key[1])
                found[key] = _Alike(share, [], [])
            found[key].weights.append(weight)
            found[key].averages.append(self._averages[name])
        return list(found.values())


def followed(model: nn.Module) -> dict[str, Tensor]:
    """What changes in training: weights that learn, and statistics that move; not the counters of
    batches, which are no values."""
    still = {id(each) for layer in norms(model) if is_still(layer) for each in layer.buffers()}
    return {
        **{name: each for name, each in model.named_parameters() if each.requires_grad},
        **{
            name: each
            for name, each in model.named_buffers()
            if each.is_floating_point() and id(each) not in still
        },
    }


def average(model: nn.Module, settings: Settings) -> Average | None:
    """Of ``model`` as it stands on its devices; ``None`` where nothing is averaged."""
    return None if settings.ema is None else Average(followed(model), settings.ema)
