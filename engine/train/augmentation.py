"""What augmentation does to the images of a training, in a few letters."""

from __future__ import annotations

import hashlib

from engine.plan.config import Settings
from engine.plan.pairs import mixes
from engine.plan.resizing import sides
from engine.train.augment import training_crop
from engine.train.mixing import draw

_FIRST = 1000
_SIZE = (640, 480)


def augmentation_hash(settings: Settings, images: int) -> str:
    """A short hash of what is drawn for the first epoch: equal where the same is trained on.

    Of the crops of up to 1,000 samples, as if each were 640 x 480, and of how pairs of them would
    be mixed. Changes of colour and shape, blanked boxes and the sides of the images follow from
    what was asked for and the seed.
    """
    digest = hashlib.blake2b(digest_size=8)
    known = min(images, _FIRST)
    for index in range(known):
        crop = training_crop(
            _SIZE,
            seed=settings.seed,
            epoch=0,
            index=index,
            smallest=settings.crop_min,
            flip=settings.flip,
        )
        digest.update(repr(crop).encode())
    if settings.augment != "none" or settings.random_erasing > 0:
        changes = (settings.seed, settings.augment, settings.random_erasing)
        digest.update(repr(changes).encode())
    if mixes(settings):
        for index in range(0, known - 1, 2):
            drawn = draw(settings, 0, index, index + 1, settings.image_size)
            digest.update(repr(tuple(drawn)).encode())
    if len(sides(settings)) > 1:
        digest.update(repr(sides(settings)).encode())
    return digest.hexdigest()
