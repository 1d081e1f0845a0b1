"""Optimiser state by parameter name, and copies on the host: what a checkpoint is made of."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def by_name(state: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """An optimiser's ``state_dict`` with parameters' names where it has their positions."""
    return _renamed(state, dict(enumerate(names)))


def by_position(state: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """The inverse of ``by_name``; a ``KeyError`` names a parameter that the model lacks."""
    return _renamed(state, {name: position for position, name in enumerate(names)})


def laid_out_as_weights(optimizer: torch.optim.Optimizer) -> None:
    """Gives loaded state the memory format of its parameter.

    A fused optimiser walks both through memory: a momentum laid out otherwise would silently be
    added to other weights.
    """
    for parameter, state in optimizer.state.items():
        for key, value in state.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                state[key] = torch.empty_like(parameter).copy_(value)


def on_host(value: Any) -> Any:
    """A copy of a nest of dicts, lists and tensors with every tensor on the host."""
    if isinstance(value, Tensor):
        return value.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
    if isinstance(value, dict):
        return {key: on_host(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [on_host(each) for each in value]
    return value


def _renamed(state: dict[str, Any], names: dict[Any, Any]) -> dict[str, Any]:
    return {
        "state": {names[key]: dict(value) for key, value in state["state"].items()},
        "param_groups": [
            {**group, "params": [names[key] for key in group["params"]]}
            for group in state["param_groups"]
        ],
    }
