"""What a training will hold on one device, in bytes, before it starts. Pure arithmetic.

Counted are the tensors at the fullest moment of a step: weights, gradients, what the optimiser and
an average of weights remember, and what is kept for the backward pass. Not counted, because it
depends on the device and its libraries: the CUDA context, the workspaces of convolutions, the
gradient of one weight on its way into a sum, buffers of NCCL, and what torch's allocator reserves
and does not use. On a CPU, Python, torch and the decoded images come on top.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from engine.plan.config import Settings
from engine.plan.kept import FLOAT, one_pass, unkept
from engine.plan.resnet_shapes import Layer, layers
from engine.plan.runs import RunPlan
from engine.plan.shares import device_batch

_COMPILED = "torch.compile chooses itself what it keeps"
_UNCUT = "where the network is cut is measured when training begins"
_FROZEN = "what a frozen network takes in stages is not known beforehand"
_MOST = 1 << 24
"""Images of a batch beyond which nothing is sought."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """Bytes on the fullest device of a run. ``None`` is unknown, and ``unknown`` says why."""

    weights: int | None = None
    """Buffers included; of ``fsdp`` this rank's part."""
    gradients: int | None = None
    optimizer: int | None = None
    """SGD's momentum, or both averages of AdamW; 0 of SGD without momentum."""
    averaged: int = 0
    """Averaged weights and statistics (``ema``)."""
    activations: int | None = None
    """The images, what is kept of them for the backward pass, and autocast's copies of weights."""
    gathered: int = 0
    """Layers of ``fsdp`` that are put together while they compute, and the gradients of one."""
    unknown: str = ""

    @property
    def total(self) -> int | None:
        """The sum. Where a step has one part and one process, gradients come while activations go:
        its fullest moment is up to ``gradients`` lower."""
        parts = (self.weights, self.gradients, self.optimizer, self.activations)
        known = [each for each in parts if each is not None]
        if len(known) < len(parts):
            return None
        return sum(known) + self.averaged + self.gathered


def footprint(plan: RunPlan, classes: int) -> Footprint:
    """Of the fullest device: the first GPU of ``dp``, the fullest stage of a pipeline.

    A pipeline is unknown until its ``balance`` is in the settings, which is measured otherwise.
    """
    settings = plan.settings
    network = layers(settings.model, settings.image_size, classes)
    if plan.strategy.parallelism in ("gpipe", "pipeline"):
        if settings.balance is None or settings.compile or settings.freeze:
            why = _COMPILED if settings.compile else _FROZEN if settings.freeze else _UNCUT
            return Footprint(unknown=why)
        return _of_stages(plan, network)
    held = _held(plan, network)
    if plan.strategy.parallelism == "fsdp":
        held = _sharded(held, network, plan)
    if settings.compile:
        return replace(held, unknown=_COMPILED)
    images = device_batch(plan)
    if settings.freeze:
        activations = unkept(network, images, half=_is_half(plan))
    else:
        again = settings.gradient_checkpointing
        activations = one_pass(network, images, half=_is_half(plan), again=again).fullest
    if plan.strategy.parallelism == "dp":
        # The images of all GPUs come to the first one.
        whole = -(-settings.batch_size // settings.accumulate)
        activations += (whole - images) * network[0].input * FLOAT
    return replace(held, activations=activations)


def largest_batch(plan: RunPlan, classes: int, room_bytes: int) -> int | None:
    """The largest global batch whose ``total`` fits, everything else being as it is; ``None`` where
    not even one image fits, or the total is unknown."""

    def fits(batch: int) -> bool:
        settings = replace(plan.settings, batch_size=batch)
        total = footprint(replace(plan, settings=settings), classes).total
        return total is not None and total <= room_bytes

    if not fits(1):
        return None
    low, high = 1, 2
    while high <= _MOST and fits(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _is_half(plan: RunPlan) -> bool:
    """Whether autocast computes in 16 bits: ``mixed`` is one format of 16 bits or the other."""
    return plan.settings.precision in ("mixed", "bf16", "fp16")


def _held(plan: RunPlan, network: Sequence[Layer]) -> Footprint:
    """What is there whatever the batch."""
    settings = plan.settings
    parameters = FLOAT * sum(each.parameters for each in network)
    statistics = FLOAT * sum(2 * each.channels for each in network)
    counters = 8 * sum(each.norms for each in network)
    learning = FLOAT * network[-1].parameters if settings.freeze else parameters
    followed = learning if settings.freeze else learning + statistics
    return Footprint(
        weights=parameters + statistics + counters,
        gradients=learning,
        optimizer=_of_optimizer(settings) * learning,
        averaged=followed if settings.ema is not None else 0,
    )


def remembered(settings: Settings) -> int:
    """Numbers that are kept of each weight that learns, beside it and its gradient."""
    return _of_optimizer(settings) + (settings.ema is not None)


def _of_optimizer(settings: Settings) -> int:
    """AdamW has two averages; its count of steps is one number for a whole tensor."""
    return 2 if settings.optimizer == "adamw" else int(settings.momentum > 0)


def _sharded(held: Footprint, network: Sequence[Layer], plan: RunPlan) -> Footprint:
    """Each process has a part; what is not a residual block stays together from the forward to the
    backward, and while a block computes the next one is put together already."""
    settings = plan.settings
    processes = settings.nproc or 1
    sizes = [FLOAT * each.parameters for each in network if each.is_block]
    rest = sum(FLOAT * each.parameters for each in network if not each.is_block)
    neighbours = max(map(sum, zip(sizes, [*sizes[1:], 0], strict=True)))
    assert held.weights is not None
    assert held.gradients is not None
    whole = rest + sum(sizes)
    part, own = -(-whole // processes), -(-held.gradients // processes)
    averaged = own + held.averaged - held.gradients if held.averaged else 0
    return Footprint(
        weights=part + held.weights - whole,
        gradients=own,
        optimizer=_of_optimizer(settings) * own,
        averaged=averaged,
        # Of a frozen network the one gradient is that of the classifier.
        gathered=rest + neighbours + (held.gradients if settings.freeze else max(sizes)),
    )


def _of_stages(plan: RunPlan, network: Sequence[Layer]) -> Footprint:
    """The fullest stage, or all of them where they share one device."""
    settings = plan.settings
    assert settings.balance is not None
    ends = list(accumulate(settings.balance))
    stages = [network[end - own : end] for end, own in zip(ends, settings.balance, strict=True)]
    if plan.strategy.parallelism == "pipeline":
        found = [_of_pipeline(plan, stages, number) for number in range(len(stages))]
    elif settings.nproc == 1 or settings.device == "cpu":
        found = [_of_gpipe(plan, stages, network, first=True, last=True)]
    else:
        found = [
            _of_gpipe(plan, [each], each, first=each is stages[0], last=each is stages[-1])
            for each in stages
        ]
    return max(found, key=lambda each: each.total or 0)


def _of_gpipe(
    plan: RunPlan,
    stages: Sequence[Sequence[Layer]],
    together: Sequence[Layer],
    *,
    first: bool,
    last: bool,
) -> Footprint:
    """One device: all micro-batches wait on it, but those that are computed again wait as what
    came into each of the ``stages``; one of them is whole, in all stages or in one at a time."""
    settings, half = plan.settings, _is_half(plan)
    count, images = settings.micro_batches or 1, device_batch(plan)
    whole = one_pass(together, images, half=half, first=first, last=last).fullest
    parts = [
        one_pass(
            each,
            images,
            half=half,
            first=first and each is stages[0],
            last=last and each is stages[-1],
        )
        for each in stages
    ]
    came_in = sum(each.came_in for each in parts)
    if settings.recompute == "never":
        activations = count * whole
    elif settings.recompute == "always":
        activations = count * came_in + max(each.fullest - each.came_in for each in parts)
    else:
        activations = (count - 1) * came_in + whole
    return replace(_held(plan, together), activations=activations)


def _of_pipeline(plan: RunPlan, stages: Sequence[Sequence[Layer]], number: int) -> Footprint:
    """One process: what comes in for all micro-batches, and the gradients of what goes out, have
    their room all the time; activations are those of the micro-batches on their way."""
    settings, half = plan.settings, _is_half(plan)
    own, count, images = stages[number], settings.micro_batches or 1, device_batch(plan)
    first, last = number == 0, number == len(stages) - 1
    waits = min(count, len(stages) - number) if _takes_turns(plan) else count
    one = one_pass(
        own,
        images,
        half=half,
        first=first,
        last=last,
        again=settings.gradient_checkpointing,
    )
    activations = (
        count * one.came_in
        + (waits - 1) * (one.waiting - one.came_in)
        + (one.fullest - one.came_in)
    )
    if not last:
        activations += count * images * own[-1].output * (2 if half else FLOAT)
    return replace(_held(plan, own), activations=activations)


def _takes_turns(plan: RunPlan) -> bool:
    """Whether the schedule is 1F1B, which needs as many micro-batches as there are stages."""
    settings = plan.settings
    stages = len(settings.balance or ())
    return settings.schedule != "gpipe" and (settings.micro_batches or 1) >= stages
