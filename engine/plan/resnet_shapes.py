"""What each layer of a ResNet holds and keeps, from its shapes alone. Pure.

The networks are torchvision's (He et al. 2015, 1512.03385, with the stride in the 3x3 convolution
of a bottleneck). Counts are of values, not bytes; of activations they are per image.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

BLOCKS = {
    "resnet18": (2, 2, 2, 2),
    "resnet34": (3, 4, 6, 3),
    "resnet50": (3, 4, 6, 3),
    "resnet101": (3, 4, 23, 3),
    "resnet152": (3, 8, 36, 3),
}
"""Residual blocks of each of the four groups."""

BASIC = ("resnet18", "resnet34")
WIDTHS = (64, 128, 256, 512)
STEM = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One of the layers that the network flattens into (see ``engine.plan.layers``)."""

    convolved: int = 0
    """Weights of convolutions, and of the classifier without its bias."""
    bias: int = 0
    channels: int = 0
    """Over all its batch normalisations: each has a scale, a shift and two statistics of each."""
    norms: int = 0
    kept: int = 0
    """What its operations keep for the backward pass, besides the layer's input."""
    indices: int = 0
    """Places in an image that are kept as well, as 64-bit numbers."""
    passing: int = 0
    """The most that is there at once inside, besides the layer's input, where nothing is kept."""
    input: int = 0
    output: int = 0
    keeps_output: bool = False
    """Whether ``output`` is counted in ``kept``."""

    @property
    def parameters(self) -> int:
        return self.convolved + self.bias + 2 * self.channels

    @property
    def keeps_input(self) -> bool:
        return self.convolved > 0

    @property
    def is_block(self) -> bool:
        """A residual block: what gradient checkpointing computes twice."""
        return self.keeps_output


@cache
def layers(model: str, image_size: int, classes: int) -> tuple[Layer, ...]:
    """The stem, the blocks, average pooling, flattening and the classifier, in order.

    A convolution keeps its input, a normalisation its input, a ReLU (in place) its output, and
    max pooling, beside its input, the place of each maximum. What two of them share counts once.
    Adding the two branches of a block keeps nothing, nor do pooling by the mean and flattening.
    """
    side = halved(image_size)
    convolved = STEM * side * side
    side = halved(side)
    pooled = STEM * side * side
    found = [
        Layer(
            convolved=STEM * 3 * 7 * 7,
            channels=STEM,
            norms=1,
            kept=2 * convolved,
            indices=pooled,
            passing=2 * convolved,
            input=3 * image_size * image_size,
            output=pooled,
        )
    ]
    before = STEM
    for group, (blocks, width) in enumerate(zip(BLOCKS[model], WIDTHS, strict=True)):
        for number in range(blocks):
            stride = 2 if group and number == 0 else 1
            make = _basic if model in BASIC else _bottleneck
            found.append(make(before, width, side, stride))
            side = halved(side) if stride == 2 else side
            before = width if model in BASIC else 4 * width
    pooling = Layer(passing=before, input=before * side * side, output=before)
    flattening = Layer(input=before, output=before)
    head = Layer(convolved=before * classes, bias=classes, input=before, output=classes)
    return (*found, pooling, flattening, head)


def _basic(before: int, width: int, side: int, stride: int) -> Layer:
    """Two 3x3 convolutions."""
    after = halved(side) if stride == 2 else side
    area = width * after * after
    shortcut = stride != 1 or before != width
    return Layer(
        convolved=9 * width * (before + width) + shortcut * before * width,
        channels=(2 + shortcut) * width,
        norms=2 + shortcut,
        kept=(4 + shortcut) * area,
        passing=(2 + shortcut) * area,
        input=before * side * side,
        output=area,
        keeps_output=True,
    )


def _bottleneck(before: int, width: int, side: int, stride: int) -> Layer:
    """1x1, 3x3 (which has the stride) and 1x1 convolutions."""
    after = halved(side) if stride == 2 else side
    wide = 4 * width
    shortcut = stride != 1 or before != wide
    inner = width * (2 * side * side + 2 * after * after)
    # The first convolution and its normalisation, or the last one's and those of the shortcut.
    passing = max(2 * width * side * side, (2 + shortcut) * wide * after * after)
    return Layer(
        convolved=before * width + 9 * width * width + width * wide + shortcut * before * wide,
        channels=2 * width + (1 + shortcut) * wide,
        norms=3 + shortcut,
        kept=inner + (2 + shortcut) * wide * after * after,
        passing=passing,
        input=before * side * side,
        output=wide * after * after,
        keeps_output=True,
    )


def halved(side: int) -> int:
    """The side after a convolution or pooling with a stride of 2, padded as ResNets do it."""
    return (side + 1) // 2
