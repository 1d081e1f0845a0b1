"""The headers of image files: what an image's size is and whether it opens, without its pixels."""

from __future__ import annotations

import os
import struct
import warnings
import zlib
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from PIL import Image

from engine.plan.text import clean

_NAMES = 10
"""How many unreadable files are named."""


UNREADABLE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    LookupError,
    TypeError,
    ArithmeticError,
    MemoryError,
    RuntimeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
"""What Pillow raises for files that are not the images they say they are."""


class Header(NamedTuple):
    """Width and height in pixels, ``None`` where the file is no image; ``size`` in bytes."""

    width: int | None
    height: int | None
    size: int


class Headers:
    """What the headers read so far say together."""

    def __init__(self, folder: str) -> None:
        self._prefix = len(folder) + 1
        self.read = 0
        self.bytes = 0
        self.unreadable = 0
        self.unreadable_names: list[str] = []
        self._widths: Counter[int] = Counter()
        self._heights: Counter[int] = Counter()

    def add(self, paths: Iterable[str]) -> None:
        """Reads the headers of a few files."""
        with warnings.catch_warnings():
            # Nothing may print on somebody's screen. An image too large to be true is refused, as
            # training refuses it.
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            for path in paths:
                self._add(path)

    def _add(self, path: str) -> None:
        header = read_header(path)
        self.read += 1
        self.bytes += header.size
        if header.width is None or header.height is None:
            self.unreadable += 1
            if len(self.unreadable_names) < _NAMES:
                self.unreadable_names.append(clean(path[self._prefix :]))
            return
        self._widths[header.width] += 1
        self._heights[header.height] += 1

    @property
    def typical_width(self) -> int | None:
        """The median; ``None`` before a header was read."""
        return _median(self._widths)

    @property
    def typical_height(self) -> int | None:
        return _median(self._heights)


def read_header(path: str) -> Header:
    """One file's header. What cannot be opened, or is no image, has no width and height."""
    size = 0
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (100,000 times)
            size = os.fstat(file.fileno()).st_size
            with Image.open(file) as image:
                return Header(image.width, image.height, size)
    except UNREADABLE:
        return Header(None, None, size)


def _median(counts: Counter[int]) -> int | None:
    """The lower median."""
    half = (counts.total() + 1) // 2
    for value in sorted(counts):
        half -= counts[value]
        if half <= 0:
            return value
    return None
