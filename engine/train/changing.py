"""What is done at random to a training image once it is cut out, by torchvision's transforms.

They draw from torch's generator, which is set for each image to what (seed, epoch, sample) say, and
afterwards put back to where it was: whoever reads an image, it is changed in the same way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torchvision.transforms import RandAugment, RandomErasing, TrivialAugmentWide

from engine.plan.config import Settings
from engine.train.augment import MEAN

POLICIES: dict[str, Callable[[], Any]] = {
    "randaugment": RandAugment,
    "trivialaugment": TrivialAugmentWide,
}
"""RandAugment (Cubuk et al. 2019, 1909.13719), two changes of magnitude 9 of 30; TrivialAugment
(Müller & Hutter 2021, 2103.10158), one change of any magnitude of the wide space. Both as
torchvision has them by default."""

GREY = tuple(float(round(255 * each)) for each in MEAN)
"""Blanked pixels in bytes: what normalisation turns into 0, or as near to it as a byte comes."""


class Changes:
    """The changes that ``settings`` ask for; to be called with what a crop left of an image."""

    def __init__(self, settings: Settings) -> None:
        self._seed = settings.seed
        policy = POLICIES.get(settings.augment)
        self._policy = policy() if policy is not None else None
        # Zhong et al. 2017 (1708.04896): a box of 2 % to 33 % of the area, torchvision's defaults.
        share = settings.random_erasing
        self._erasing = RandomErasing(share, value=GREY, inplace=True) if share > 0 else None

    def __call__(self, pixels: NDArray[np.uint8], epoch: int, sample: int) -> NDArray[np.uint8]:
        """``pixels``: (side, side, 3) RGB, left as they are; the result has the same shape."""
        if self._policy is not None:
            with drawing((self._seed, epoch, sample, "augment")):
                pixels = np.asarray(self._policy(Image.fromarray(pixels)))
        if self._erasing is not None:
            pixels = pixels.copy()
            with drawing((self._seed, epoch, sample, "erase")):
                self._erasing(torch.from_numpy(pixels).permute(2, 0, 1))
        return pixels


@contextmanager
def drawing(key: tuple[object, ...]) -> Iterator[None]:
    """What torch draws inside is a function of ``key``; what it draws afterwards is as before."""
    before = torch.get_rng_state()
    digest = hashlib.blake2b(repr(key).encode(), digest_size=7).digest()
    torch.default_generator.manual_seed(int.from_bytes(digest))
    try:
        yield
    finally:
        torch.set_rng_state(before)
