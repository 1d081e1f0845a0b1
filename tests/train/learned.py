"""What is learned, and remembered, when a run is resumed or a step is skipped; called as the proofs
are. What the first rank returns is judged: how many tensors are not the same to the last bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from tests.train.laboratory import Case, Laboratory, Trained, network
from tests.train.proofs import _for_all, _step, _steps

RANKS = ("ddp", "fsdp", "pipeline")
SETTINGS = {"optimizer": "adamw", "decay_norm": False, "ema": 0.9, "micro_batches": 3}
LATER = 1
"""The step that is made after one that was skipped."""


def averages_go_on(laboratory: Laboratory) -> dict[str, Any]:
    """Three steps at once, and the last two of them by a run that was resumed."""
    return {name: gone_on(laboratory, name, _for_all) for name in RANKS}


def skipped_steps_never_were(laboratory: Laboratory) -> dict[str, Any]:
    """A pass of the last rank that has images is no number, and another step follows."""
    return {name: skipped(laboratory, name) for name in RANKS}


def averages_are_validated(laboratory: Laboratory) -> dict[str, Any]:
    """A validation between steps: what weights are in it, and after it."""
    return {name: validated(laboratory, name) for name in RANKS}


ALL: list[Callable[[Laboratory], Any]] = [
    averages_go_on,
    skipped_steps_never_were,
    averages_are_validated,
]


def gone_on(
    laboratory: Laboratory,
    name: str,
    for_all: Callable[[Trained], dict[str, Any]],
    **settings: Any,
) -> dict[str, Any]:
    case = Case(name, {**SETTINGS, **settings}, "wide", dtype=torch.float32)
    straight = _steps(laboratory, case, 0, 3)
    state = for_all(_steps(laboratory, case, 0, 1))
    resumed = _steps(laboratory, case, 1, 3, state)
    if not laboratory.world.first:
        return {}
    return {
        "different": different(straight.states[-1], resumed.states[-1]),
        "moved": different(straight.states[0], straight.states[-1]),
        "averaged apart": different(straight.states[-1], straight.states[-1], "ema"),
        "keys": list(straight.states[-1]["ema"]) == list(network("wide").state_dict()),
    }


def skipped(laboratory: Laboratory, name: str, **settings: Any) -> dict[str, Any]:
    case = Case(name, {**SETTINGS, "on_nan": "skip", **settings}, "batch", dtype=torch.float32)
    seen, told = [], []
    for spoilt in (True, False):
        model, world = network("batch", torch.float32), laboratory.world
        armed: list[bool] = []
        # Of a pipeline the first rank alone has this layer, and images.
        if name == "pipeline" or world.rank == world.size - 1:
            model.get_submodule("conv1").register_forward_hook(_spoiling(armed))
        with laboratory.prepared(case, model=model) as (job, trained):
            armed.append(True)
            for number in range(LATER + 1):
                if number < LATER and not (spoilt and number == 0):
                    job.stream.next()
                    armed.clear()
                    continue
                told.append(_step(job, number))
                armed.clear()
        seen.append(trained)
    if not laboratory.world.first:
        return {}
    return {
        "applied": told,
        "different": different(seen[0].states[-1], seen[1].states[-1]),
        "moved": different(seen[0].states[0], seen[0].states[-1]),
        "counted": int(seen[0].states[-1]["state_dict"]["bn1.num_batches_tracked"]),
    }


def validated(laboratory: Laboratory, name: str, **settings: Any) -> dict[str, Any]:
    case = Case(name, {**SETTINGS, **settings}, "batch", dtype=torch.float32)
    with laboratory.prepared(case) as (job, _):
        seen, strategy = [], job.strategy
        grey = strategy._arithmetic.blank(4, 32)  # type: ignore[attr-defined]
        for number in range(2):
            _step(job, number)
        if name in ("ddp", "fsdp"):
            # Running statistics become those of the first rank in any case.
            strategy.begin_validation()
            strategy.end_validation()
        seen.append(strategy.capture())
        for _ in range(2):
            strategy.begin_validation()
            strategy.evaluate(grey)
            seen.append(strategy.capture())
            strategy.end_validation()
            strategy.end_validation()  # As where it was broken off.
            seen.append(strategy.capture())
    if not laboratory.world.first:
        return {}
    before, *pairs = seen
    return {
        "averaged": [_apart(each["state_dict"], before["ema"]) for each in pairs[::2]],
        "trained": [different(each, before) for each in pairs[1::2]],
        "moved": _apart(before["state_dict"], before["ema"]),
    }


def _apart(one: dict[str, Tensor], other: dict[str, Tensor]) -> int:
    """Tensors that are not the same."""
    assert one.keys() == other.keys()
    return sum(not torch.equal(one[key], other[key]) for key in one)


def different(one: dict[str, Any], other: dict[str, Any], beside: str = "state_dict") -> int:
    """Tensors that are not the same to the last bit; ``beside``: of ``other`` instead of the
    weights."""
    first, second = _flat(one, "state_dict"), _flat(other, beside)
    assert first.keys() == second.keys()
    return sum(not torch.equal(first[key], second[key]) for key in first)


def _flat(state: dict[str, Any], weights: str) -> dict[str, Tensor]:
    found = {f"weights {key}": each for key, each in state[weights].items()}
    found |= {f"average {key}": each for key, each in state.get("ema", {}).items()}
    for name, each in state["optimizer"]["state"].items():
        found |= {f"{key} {name}": value for key, value in each.items()}
    return found


def _spoiling(armed: list[bool]) -> Callable[..., Tensor | None]:
    """A hook that lets nothing but NaN pass while ``armed`` holds something."""

    def spoil(_: nn.Module, given: Any, maps: Tensor) -> Tensor | None:
        return maps * torch.nan if armed else None

    return spoil
