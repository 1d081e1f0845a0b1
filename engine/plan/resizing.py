"""Progressive resizing: early epochs see smaller images, and are faster for it. Pure.

The idea is Howard's (fast.ai's DAWNBench entry, 2018) and EfficientNetV2's (Tan & Le 2021,
2104.00298); the course of the sides is that of FFCV's ResNet-50 recipes (libffcv/ffcv-imagenet,
``rn50_88_epochs.yaml``): small until epoch 65 of 88, full from 76 on, linear in between and rounded
to multiples of 32 pixels.
"""

from __future__ import annotations

from engine.plan.config import Settings

_RAMP = (3 / 4, 7 / 8)
"""Where sides begin to grow, and where they are full, as shares of a training's epochs."""
_STEP, _FINE_STEP = 32, 8
"""Sides are multiples of so many pixels: of the second where the full side is below ``_FINE``."""
_FINE = 128


def side(settings: Settings, epoch: int) -> int:
    """Of the training images of an epoch, in pixels; epochs are numbered from 0.

    The first epoch has ``resize_from`` and the last one ``image_size``, which validation has too.
    """
    first, full = smallest(settings), settings.image_size
    if first == full:
        return full
    begin, end = _RAMP
    progress = (epoch / max(1, settings.epochs - 1) - begin) / (end - begin)
    if progress <= 0.0:
        return first
    if progress >= 1.0:
        return full
    step = _STEP if full >= _FINE else _FINE_STEP
    return min(full, max(first, step * round((first + (full - first) * progress) / step)))


def sides(settings: Settings) -> tuple[int, ...]:
    """Those that occur in training, the smallest first."""
    if not grows(settings):
        return (settings.image_size,)
    return tuple(dict.fromkeys(side(settings, epoch) for epoch in range(settings.epochs)))


def full_from(settings: Settings) -> int:
    """The first epoch whose images have the full side."""
    if not grows(settings):
        return 0
    full = (each for each in range(settings.epochs) if side(settings, each) == settings.image_size)
    return next(full, settings.epochs)


def grows(settings: Settings) -> bool:
    """Whether there is a smaller side before the full one."""
    return smallest(settings) < settings.image_size


def smallest(settings: Settings) -> int:
    """The smallest side that occurs."""
    return min(settings.resize_from or settings.image_size, settings.image_size)
