"""A rank's parts of weights that are spread over ranks, as plain tensors, and the way back.

torch's fused optimisers, which take a gradient scaler's found-inf flag on the device, do not know
sharded tensors; they compute element by element, so the parts are all they need.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, distribute_tensor

from engine.plan.config import Settings
from engine.train.average import Average, followed
from engine.train.precision import Precision
from engine.train.state import on_host
from engine.train.updater import Updater


class Shards(nn.Module):
    """The parts of a sharded model's parameters that this rank holds, under their own names.

    They share the model's memory. A part may be empty.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self._sharded = {name: _sharded(each) for name, each in model.named_parameters()}
        self._parts = {
            name: nn.Parameter(local(each), requires_grad=each.requires_grad)
            for name, each in self._sharded.items()
        }

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, nn.Parameter]]:
        yield from self._parts.items()

    def __contains__(self, name: str) -> bool:
        return name in self._parts

    def take_gradients(self) -> None:
        """Moves the gradients of the model to its parts."""
        for name, whole in self._sharded.items():
            self._parts[name].grad = None if whole.grad is None else local(whole.grad)
            whole.grad = None

    def drop_gradients(self) -> None:
        for whole in self._sharded.values():
            whole.grad = None

    def whole(self, name: str, part: Tensor) -> Tensor:
        """Something shaped like a part, put together over all ranks; collective."""
        like = self._sharded[name]
        return full(
            DTensor.from_local(
                part, like.device_mesh, like.placements, shape=like.shape, stride=like.stride()
            )
        )

    def part(self, name: str, whole: Tensor) -> Tensor:
        """This rank's part of something shaped like a parameter."""
        return local(spread_like(whole, self._sharded[name]))


class ShardedUpdater(Updater):
    """The end of a step where every rank holds other parts of the weights."""

    def __init__(
        self, model: nn.Module, settings: Settings, chosen: Precision, device: torch.device
    ) -> None:
        self._shards = Shards(model)
        super().__init__(self._shards, settings, chosen, device, most=_most, sum_up=_sum_up)

    def apply(self, lr: float, clip: float | None) -> Tensor | None:
        self._shards.take_gradients()
        return super().apply(lr, clip)

    def skip(self) -> None:
        self._shards.drop_gradients()
        super().skip()

    def capture(self) -> dict[str, Any]:
        """Collective; of every rank the full state."""
        captured = super().capture()
        for name, state in captured["optimizer"]["state"].items():
            for key, value in state.items():
                if _is_spread(value):
                    state[key] = on_host(self._shards.whole(name, value))
        return captured

    def restore(self, state: dict[str, Any]) -> None:
        optimizer = state["optimizer"]
        parts = {
            name: {
                key: self._shards.part(name, value) if _is_spread(value) else value
                for key, value in each.items()
            }
            for name, each in optimizer["state"].items()
        }
        super().restore({**state, "optimizer": {**optimizer, "state": parts}})


class ShardedAverage(Average):
    """The average of weights of which every rank holds other parts."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._shards = Shards(model)
        parts = dict(self._shards.named_parameters())
        super().__init__(
            {name: parts.get(name, each) for name, each in followed(model).items()}, decay
        )

    def values(self) -> dict[str, Tensor]:
        return {
            name: self._shards.whole(name, each) if name in self._shards else each
            for name, each in super().values().items()
        }

    def _own(self, name: str, whole: Tensor) -> Tensor:
        return self._shards.part(name, whole) if name in self._shards else whole


def local(value: Tensor) -> Tensor:
    """This rank's part; it shares memory with ``value``."""
    return _sharded(value)._local_tensor.detach()


def full(value: Tensor) -> Tensor:
    """The whole of a sharded tensor, collective; any other as it is."""
    return value.full_tensor() if isinstance(value, DTensor) else value


def spread_like(whole: Tensor, like: Tensor) -> Tensor:
    """``whole``, which every rank has, sharded as ``like`` is; nothing is exchanged."""
    if not isinstance(like, DTensor):
        return whole
    whole = whole.to(device=like.device, dtype=like.dtype)
    return distribute_tensor(whole, like.device_mesh, like.placements, src_data_rank=None)


def _is_spread(value: Any) -> bool:
    """Of what an optimiser remembers: as large as the weights, and no number such as AdamW's count
    of steps, which every rank has."""
    return isinstance(value, Tensor) and value.ndim > 0


def _sharded(value: Tensor) -> DTensor:
    assert isinstance(value, DTensor)
    return value


def _most(value: Tensor) -> None:
    dist.all_reduce(value, dist.ReduceOp.MAX)


def _sum_up(value: Tensor) -> None:
    dist.all_reduce(value)
