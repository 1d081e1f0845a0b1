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


@dataclass(frozen=True, slots=True)
class _Convolution:
    places: int
    """Of its kernel."""
    before: int
    """Channels of its input."""
    inputs: int
    """Values of its input, and of its output."""
    outputs: int

    @property
    def operations(self) -> int:
        return 2 * self.places * self.before * self.outputs


@cache
def work(model: str, image_size: int) -> tuple[Pass, ...]:
    """All passes of a step."""
    return tuple(
        Pass(each.operations, each.inputs + each.outputs, each.outputs, forward=number == 0)
        for layer in _layers(model, image_size, _CLASSES)
        for each in layer
        for number in range(2 if each.before == _COLOURS else 3)
    )


@cache
def forward_operations(model: str, image_size: int, classes: int) -> tuple[int, ...]:
    """Operations of the forward pass of one image in each of the layers that the network flattens
    into (``engine.plan.layers``): those of convolutions and of the classifier, without its bias."""
    convolved = _layers(model, image_size, classes)
    found = [sum(each.operations for each in layer) for layer in convolved]
    # Average pooling and flattening stand before the classifier.
    return (*found[:-1], 0, 0, found[-1])


def _layers(model: str, image_size: int, classes: int) -> Iterator[list[_Convolution]]:
    """The convolutions of the stem, of each block, and the classifier."""
    side = halved(image_size)
    yield [_Convolution(49, _COLOURS, _COLOURS * image_size**2, STEM * side * side)]
    side, before = halved(side), STEM
    for group, (blocks, width) in enumerate(zip(BLOCKS[model], WIDTHS, strict=True)):
        for number in range(blocks):
            stays = group == 0 or number > 0
            smaller = side if stays else halved(side)
            wide = width if model in BASIC else 4 * width
            area, less = side * side, smaller * smaller
            if model in BASIC:
                block = [
                    _Convolution(9, before, before * area, width * less),
                    _Convolution(9, width, width * less, width * less),
                ]
            else:
                block = [
                    _Convolution(1, before, before * area, width * area),
                    _Convolution(9, width, width * area, width * less),
                    _Convolution(1, width, width * less, wide * less),
                ]
            if not stays or before != wide:
                block.append(_Convolution(1, before, before * area, wide * less))
            yield block
            side, before = smaller, wide
    yield [_Convolution(1, before, before, classes)]
