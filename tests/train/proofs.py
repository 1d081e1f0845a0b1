"""What only several ranks can show, beside that they train as one; each returns plain numbers.

All are called by every rank, and what the first one returns is judged.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from engine.journal.events import ClassesJudged
from engine.train.job import Job
from engine.train.metrics import Sums
from engine.train.world import ALONE
from tests.train.laboratory import Case, Laboratory, Trained, differences, network, scaled

SHARED = ("ddp", "fsdp")
GOES_ON = {
    "single": ("single", *SHARED, "pipeline"),
    "gpipe": ("ddp", "pipeline"),
    "ddp": ("single", "gpipe", *SHARED),
    "fsdp": ("single", *SHARED, "pipeline"),
    "pipeline": ("single", "gpipe", "ddp"),
}
"""Which strategies continue from a checkpoint of which: every one is saved and restored."""


def as_row(sums: Sums | None) -> list[float]:
    assert sums is not None
    return [sums.loss_sum, sums.top1, sums.top5, sums.images]


def as_cells(judged: ClassesJudged | None) -> dict[str, list[int]]:
    """The columns of what was said of each class."""
    assert judged is not None
    columns = {name: getattr(judged, name) for name in ("true", "said", "count", "top5")}
    return {name: np.frombuffer(each, "<u4").tolist() for name, each in columns.items()}


def checkpoints_are_exchanged(laboratory: Laboratory) -> dict[str, Any]:
    """Two steps by one strategy, the third by another: how far from three plain ones."""
    answers = {}
    for first, others in GOES_ON.items():
        state = _for_all(_steps(laboratory, Case(first), 0, 2))
        network("group").load_state_dict(state["state_dict"], strict=True)
        for second in others:
            seen = _steps(laboratory, Case(second), 2, 3, state)
            if laboratory.world.first:
                plain = laboratory.plain(Case("single"))
                wanted = Trained(losses=plain.losses[2:], states=plain.states[2:])
                answers[f"{first} -> {second}"] = differences(seen, wanted)
    return answers


def a_resumed_run_is_the_same_to_the_last_bit(laboratory: Laboratory) -> dict[str, Any]:
    """Differences of weights in float32 between a run and one that was resumed after a step."""
    answers = {}
    for name, warm in (("ddp", True), ("fsdp", True), ("ddp, cold", False)):
        case = Case(name.partition(",")[0], {}, "wide", dtype=torch.float32)
        straight = _steps(laboratory, case, 0, 3, warm=warm)
        state = _for_all(_steps(laboratory, case, 0, 1, warm=warm))
        resumed = _steps(laboratory, case, 1, 3, state, warm=warm)
        if laboratory.world.first:
            one, other = (each.states[-1]["state_dict"] for each in (straight, resumed))
            answers[name] = sum(int((one[key] != other[key]).sum()) for key in one)
    return answers


def one_rank_that_overflows_skips_the_step_everywhere(laboratory: Laboratory) -> dict[str, Any]:
    """The last rank's gradient of one channel overflows in the first of two steps."""
    answers = {}
    for name in SHARED:
        model = network("group", torch.float32)
        spoil_first_pass(model, wanted=laboratory.world.rank == laboratory.world.size - 1)
        case = Case(name, {"precision": "fp16"}, dtype=torch.float32)
        with laboratory.prepared(case, model=model, warm=False) as (job, seen):
            before = _for_all(Trained(states=[job.strategy.capture()]))
            before = scaled(before, 256.0)  # Nothing else overflows at that.
            job.strategy.restore(before)
            applied = [_step(job, number) for number in range(2)]
        told: list[Any] = [None] * laboratory.world.size
        dist.all_gather_object(told, applied)
        if laboratory.world.first:
            after = [before, *seen.states]
            answers[name] = {
                "applied": told,
                "scale": [each["scaler"]["scale"] for each in after],
                "moved": [
                    not _same(one["state_dict"], other["state_dict"])
                    for one, other in itertools.pairwise(after)
                ],
                "finite": all(bool(v.isfinite().all()) for v in after[-1]["state_dict"].values()),
            }
    return answers


def half_precision_is_close_to_one_device(laboratory: Laboratory) -> dict[str, Any]:
    """bf16 in every rank's head, and three steps beside those of one device in bf16."""
    answers = {}
    for name in SHARED:
        case = Case(name, {"precision": "bf16"}, dtype=torch.float32)
        dtypes: list[str] = []
        model = network("group", torch.float32)
        model.get_submodule("fc").register_forward_hook(
            lambda *each, seen=dtypes: seen.append(str(each[-1].dtype))
        )
        seen = _steps(laboratory, case, 0, 3, model=model)
        if laboratory.world.first:
            alone = Case("amp", {"precision": "bf16"}, dtype=torch.float32)
            plain = _steps(laboratory, alone, 0, 3)
            full = _steps(laboratory, Case("single", dtype=torch.float32), 0, 3)
            answers[name] = {
                "precision": seen.precision,
                "dtypes": sorted(set(dtypes)),
                "apart": _last_apart(seen, plain),
                "rounding": _last_apart(plain, full),
            }
    return answers


def statistics_are_the_first_ranks(laboratory: Laboratory) -> dict[str, Any]:
    """Batch normalisation in training: the same with recomputation, and one set after an epoch."""
    answers = {}
    for name in SHARED:
        kept = []
        for checkpointing in (False, True):
            case = Case(name, {"gradient_checkpointing": checkpointing}, "batch")
            with laboratory.prepared(case) as (job, _):
                for number in range(3):
                    _step(job, number)
                job.strategy.begin_validation()
                buffers = dict(job.strategy._model.named_buffers())  # type: ignore[attr-defined]
                kept.append({key: value.clone() for key, value in buffers.items()})
        told: list[Any] = [None] * laboratory.world.size
        dist.all_gather_object(told, kept[0])
        answers[name] = {
            "over ranks": [_same(told[0], each) for each in told],
            "recomputed": max(_largest(kept[1][key] - kept[0][key]) for key in kept[0]),
            "batches": sorted({int(v) for k, v in kept[1].items() if k.endswith("tracked")}),
            "finite": all(bool(each.isfinite().all()) for each in kept[0].values()),
        }
    return answers


def blocks_are_computed_twice(laboratory: Laboratory) -> dict[str, Any]:
    """How often a convolution of a block computes in a step, without and with checkpointing."""
    answers = {}
    for name in SHARED:
        counts = []
        for checkpointing in (False, True):
            calls: list[int] = []
            model = network("group")
            model.get_submodule("layer2.0.conv2").register_forward_hook(
                lambda *each, calls=calls: calls.append(1)
            )
            case = Case(name, {"gradient_checkpointing": checkpointing})
            with laboratory.prepared(case, model=model, warm=False) as (job, _):
                _step(job, 0)
            counts.append(len(calls))
        answers[name] = counts
    return answers


ALL: list[Callable[[Laboratory], Any]] = [
    checkpoints_are_exchanged,
    a_resumed_run_is_the_same_to_the_last_bit,
    one_rank_that_overflows_skips_the_step_everywhere,
    half_precision_is_close_to_one_device,
    statistics_are_the_first_ranks,
    blocks_are_computed_twice,
]


def _steps(
    laboratory: Laboratory,
    case: Case,
    first: int,
    end: int,
    state: dict[str, Any] | None = None,
    *,
    model: nn.Module | None = None,
    warm: bool = True,
) -> Trained:
    """Steps ``first`` to ``end`` of an epoch, from ``state``; of one process, by the first rank."""
    alone = case.strategy not in (*SHARED, "pipeline")
    if alone and not laboratory.world.first:
        return Trained()
    world = ALONE if alone else laboratory.world
    with laboratory.prepared(case, world=world, model=model, warm=warm) as (job, seen):
        if state is not None:
            job.strategy.restore(state)
        for number in range(end):
            if number < first:
                job.stream.next()
            else:
                _step(job, number)
    return seen


def _step(job: Job, number: int) -> float | None:
    """One step as the loop does it; returns what the update said."""
    batch, clock = job.stream.next(), job.telemetry.clock
    parts = batch.parts(job.plan.settings.accumulate)
    for part in parts:
        job.strategy.forward_backward(
            part, job.stream.images_of_step(number), clock, part is parts[-1]
        )
    applied = job.strategy.update(job.schedule(number), None, clock)
    return None if applied is None else float(applied)


def _for_all(seen: Trained) -> dict[str, Any]:
    """The last state of the first rank, on every rank."""
    told = [seen.states[-1] if seen.states else None]
    dist.broadcast_object_list(told, 0)
    assert told[0] is not None
    return told[0]


def spoil_first_pass(model: nn.Module, *, wanted: bool) -> None:
    """The gradient of the first layer's first channel overflows, once: under FSDP in a part of
    the weights that the first rank alone holds."""
    left = [wanted]

    def spoil(_: nn.Module, gradients: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        if not left.pop() if left else True:
            return gradients
        spoilt = gradients[0].clone()
        spoilt[:, 0] = torch.inf
        return (spoilt,)

    model.get_submodule("conv1").register_full_backward_pre_hook(spoil)


def _last_apart(seen: Trained, plain: Trained) -> float:
    """The norm of what the last weights differ by, relative to how far training moved them."""
    start = network("group", torch.float32).state_dict()
    one, other = (each.states[-1]["state_dict"] for each in (seen, plain))
    difference = sum(float((one[key] - other[key]).square().sum()) for key in one)
    moved = sum(float((other[key] - start[key]).square().sum()) for key in one)
    return float((difference / moved) ** 0.5)


def _same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(one[key], other[key]) for key in one)


def _largest(value: Tensor) -> float:
    return float(value.abs().max())
