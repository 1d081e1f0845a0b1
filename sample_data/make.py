"""Writes the images of this folder: ``python sample_data/make.py`` (needs scikit-learn).

The files come out byte for byte the same wherever this runs: the pixels are whole numbers, the
PNG is written here without compression, and which images validate depends on their numbers alone.
"""

from __future__ import annotations

import shutil
import struct
import sys
import zlib
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

SIDE = 8
LEVELS = 16
"""The originals count, in each of 8 x 8 cells, how many of 16 pixels of a scan were ink."""
HELD_OUT = 5
"""Every fifth image of a class is for validation."""


def main(folder: Path) -> None:
    """Replaces ``folder``'s train and val by the 1,797 images."""
    digits = load_digits()
    for part in ("train", "val"):
        shutil.rmtree(folder / part, ignore_errors=True)
    seen: defaultdict[int, int] = defaultdict(int)
    for number, (ink, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        part = "val" if seen[label] % HELD_OUT == HELD_OUT - 1 else "train"
        seen[label] += 1
        path = folder / part / str(label) / f"{number:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(grey(ink)))


def grey(ink: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Ink counts of 0..16 as grey values of 0..255, white ink on black as in the original."""
    assert ink.shape == (SIDE, SIDE)
    return (ink.astype(np.uint16) * 255 // LEVELS).astype(np.uint8)


def png(pixels: NDArray[np.uint8]) -> bytes:
    """A greyscale PNG of ``pixels`` (height x width), stored without compression."""
    height, width = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(rows, 0))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
