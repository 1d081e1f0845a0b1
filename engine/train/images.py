"""From a file to a small square of RGB bytes."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.errors import TrainingError
from engine.plan.headers import UNREADABLE
from engine.train.augment import Crop


class Damaged(TrainingError):
    """An image cannot be decoded; the message is the reason."""


def prepare_pillow() -> None:
    """Once per process that decodes: a picture too large to be true is damage, not a warning."""
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    warnings.filterwarnings("ignore", category=UserWarning, module="PIL")


def decode(path: str, side: int, choose: Callable[[tuple[int, int]], Crop]) -> NDArray[np.uint8]:
    """The crop that ``choose`` makes of the image's (width, height), as (side, side, 3) RGB.

    Grey, palette, CMYK and 16-bit images become RGB, transparency is dropped, and an EXIF
    orientation is not applied, all as torchvision's ImageFolder does it (but 16-bit images keep
    their tones). Raises ``Damaged`` for what cannot be decoded whole.
    """
    try:
        with Image.open(path) as image:
            crop = choose(image.size)
            box = _shrink_while_decoding(image, crop, side)
            rgb = _as_rgb(image)
            small = rgb.resize((side, side), Image.Resampling.BILINEAR, box=box, reducing_gap=3.0)
            pixels = np.asarray(small)
    except UNREADABLE as error:
        raise Damaged(str(error) or type(error).__name__) from error
    return pixels[:, ::-1] if crop.mirrored else pixels


def _shrink_while_decoding(
    image: Image.Image, crop: Crop, side: int
) -> tuple[float, float, float, float]:
    """Lets a JPEG be decoded at a half, quarter or eighth of its size where the crop stays larger
    than what is asked for; returns the crop's box in the size it will have."""
    width, height = image.size
    scale = min(crop.width, crop.height) / side
    if image.format == "JPEG" and scale >= 2.0:
        image.draft(image.mode, (int(width / scale), int(height / scale)))
    x, y = image.size[0] / width, image.size[1] / height
    return (
        max(0.0, crop.left * x),
        max(0.0, crop.top * y),
        min(float(image.size[0]), (crop.left + crop.width) * x),
        min(float(image.size[1]), (crop.top + crop.height) * y),
    )


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        image.load()
        return image
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Image.fromarray(_to_bytes(np.asarray(image).astype(np.float64))).convert("RGB")
    if image.mode == "P" and "transparency" in image.info:
        return image.convert("RGBA").convert("RGB")
    return image.convert("RGB")


def _to_bytes(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Deep grey values as bytes: 16-bit ones lose their lower half, fractions grow to 0..255."""
    highest = float(values.max(initial=0.0))
    factor = 255.0 if highest <= 1.0 else 1.0 if highest <= 255.0 else 1.0 / 257.0
    return np.clip(np.rint(values * factor), 0, 255).astype(np.uint8)
