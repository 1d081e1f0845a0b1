"""Pictures made small enough for a terminal, in threads: what a file holds may be anything."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.plan.headers import UNREADABLE
from engine.plan.text import clean

_LARGEST = 90_000_000
"""Pixels beyond which a picture is not drawn: about what Pillow takes for a bomb."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """What can be drawn of a file."""

    path: str
    pixels: NDArray[np.uint8] | None
    """(height, width, 3), as large as it fits; ``None`` where there is nothing to be drawn."""
    width: int = 0
    """Of the file's own image, in pixels."""
    height: int = 0
    problem: str = ""


def read(path: str, room: tuple[int, int]) -> Picture:
    """The whole picture in at most ``room`` (width, height) pixels, its shape kept. Blocking.

    An EXIF orientation is not applied: it is shown as the network sees it.
    """
    try:
        if not Path(path).is_file():
            return Picture(path, None, problem="there is no such file")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                return _small(path, image, room)
    except UNREADABLE as error:
        return Picture(path, None, problem=clean(str(error)) or type(error).__name__)


def _small(path: str, image: Image.Image, room: tuple[int, int]) -> Picture:
    width, height = image.size
    if width * height > _LARGEST:
        problem = f"{width:,} x {height:,} pixels are too many to be drawn"
        return Picture(path, None, width, height, problem)
    scale = min(room[0] / width, room[1] / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if image.format == "JPEG":
        image.draft("RGB", size)
    small = _rgb(image).resize(
        size, Image.Resampling.BOX if scale < 1 else Image.Resampling.NEAREST
    )
    return Picture(path, np.asarray(small), width, height)


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        values = np.asarray(image).astype(np.float64)
        top = max(float(values.max(initial=0.0)), 1e-9)
        return Image.fromarray((255.0 * values.clip(0) / top).astype(np.uint8)).convert("RGB")
    if image.mode == "P" and "transparency" in image.info:
        return image.convert("RGBA").convert("RGB")
    return image.convert("RGB")
