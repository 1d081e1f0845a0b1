"""What the convolutions of a ResNet compute and move for one training image. Pure.

See ``engine.plan.resnet_shapes`` for the networks. A pass is a convolution's forward, the gradient
of its input (which the first one does not need), or the gradient of its weights: each takes as
many operations, and touches its input and its output, or their gradients, once. Weights are shared
by a whole batch and do not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from engine.plan.resnet_shapes import BASIC, BLOCKS, STEM, WIDTHS, halved

_COLOURS = 3
_CLASSES = 1000
"""Of the classifier, which hardly counts however many they are."""


@dataclass(frozen=True, slots=True)
class Pass:
    """Of one image. A multiply-add is two operations."""

    operations: int
    values: int
    """Read or written."""
    outputs: int
    """That the convolution puts out in its forward pass."""
    forward: bool


@cache
def work(model: str, image_size: int) -> tuple[Pass, ...]:
    """All passes of a step."""
    return tuple(
        Pass(2 * kernel * before * outputs, inputs + outputs, outputs, forward=number == 0)
        for kernel, before, inputs, outputs in _convolutions(model, image_size)
        for number in range(2 if before == _COLOURS else 3)
    )


def _convolutions(model: str, image_size: int) -> Iterator[tuple[int, int, int, int]]:
    """Places of each one's kernel, channels before it, values of its input and of its output."""
    side = halved(image_size)
    yield 49, _COLOURS, _COLOURS * image_size**2, STEM * side * side
    side, before = halved(side), STEM
    for group, (blocks, width) in enumerate(zip(BLOCKS[model], WIDTHS, strict=True)):
        for number in range(blocks):
            stays = group == 0 or number > 0
            smaller = side if stays else halved(side)
            wide = width if model in BASIC else 4 * width
            area, less = side * side, smaller * smaller
            if model in BASIC:
                yield 9, before, before * area, width * less
                yield 9, width, width * less, width * less
            else:
                yield 1, before, before * area, width * area
                yield 9, width, width * area, width * less
                yield 1, width, width * less, wide * less
            if not stays or before != wide:
                yield 1, before, before * area, wide * less
            side, before = smaller, wide
    yield 1, before, before, _CLASSES
