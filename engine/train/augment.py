"""Where an image is cut, as a function of (seed, epoch, sample index) alone.

No worker, rank or batch has a say in it, so neither worker count nor strategy changes what is
trained on. What else is done to images at random is in ``engine.train.changing`` and, for pairs of
them, in ``engine.train.mixing``.
"""

from __future__ import annotations

import math
import random
from typing import NamedTuple

_TRIES = 10
_RATIO = (3 / 4, 4 / 3)
_VAL_SHARE = 224 / 256
"""The share of the shorter side that validation keeps: resize to 256, cut out 224."""

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""Of ImageNet's images, in 0..1, red green blue: what torchvision's weights were trained with."""


class Crop(NamedTuple):
    """A box in the source image in pixels, and whether it is mirrored."""

    left: float
    top: float
    width: float
    height: float
    mirrored: bool


def training_crop(
    size: tuple[int, int], *, seed: int, epoch: int, index: int, smallest: float, flip: bool
) -> Crop:
    """A random box of ``smallest`` to 1 of the area with sides of 3:4 to 4:3, as torchvision's
    RandomResizedCrop draws it; the central one of an allowed shape where ten draws do not fit.

    ``size`` is (width, height) of the source. With ``smallest`` = 1 it is the whole image.
    """
    # Only random() is the same in every version of Python. The parts cannot run into each other.
    draw = random.Random((seed << 96) | (epoch << 64) | index).random
    mirrored = draw() < 0.5 and flip
    width, height = size
    if smallest >= 1.0:
        return Crop(0, 0, width, height, mirrored)
    low, high = math.log(_RATIO[0]), math.log(_RATIO[1])
    for _ in range(_TRIES):
        area = width * height * (smallest + (1.0 - smallest) * draw())
        ratio = math.exp(low + (high - low) * draw())
        wide, tall = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < wide <= width and 0 < tall <= height:
            left = int(draw() * (width - wide + 1))
            top = int(draw() * (height - tall + 1))
            return Crop(left, top, wide, tall, mirrored)
    wide = min(width, round(height * _RATIO[1]))
    tall = min(height, round(width / _RATIO[0]))
    return Crop((width - wide) // 2, (height - tall) // 2, wide, tall, mirrored)


def validation_crop(size: tuple[int, int]) -> Crop:
    """The central square of 224/256 of the shorter side: resize and centre crop in one."""
    width, height = size
    side = min(width, height) * _VAL_SHARE
    return Crop((width - side) / 2, (height - side) / 2, side, side, False)
