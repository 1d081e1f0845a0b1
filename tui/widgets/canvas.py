"""A canvas of braille dots, two across and four down in each character cell, drawn in layers.

A later layer *replaces* the cells it touches: or-ing the dots of two series makes blobs in which
neither can be read.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

ACROSS, DOWN = 2, 4
"""Dots of a cell."""

_BITS = (
    (0, 0, 0),
    (1, 1, 0),
    (2, 2, 0),
    (3, 0, 1),
    (4, 1, 1),
    (5, 2, 1),
    (6, 3, 0),
    (7, 3, 1),
)
"""Bit of the character code, and where its dot is: down, across."""
_BRAILLE = 0x2800

Ints = NDArray[np.int64]


class Canvas:
    """``rows`` x ``columns`` cells; dots count from the upper left, y downwards.

    After drawing, ``glyphs`` holds a character code per cell (0: empty) and ``layers`` the number
    of the layer that owns it (-1: none).
    """

    def __init__(self, columns: int, rows: int, ascii_marks: str = "") -> None:
        self.columns, self.rows = columns, rows
        self.glyphs: NDArray[np.uint32] = np.zeros((rows, columns), dtype=np.uint32)
        self.layers: NDArray[np.int16] = np.full((rows, columns), -1, dtype=np.int16)
        self._ascii = ascii_marks
        """Where braille cannot be shown: one character per layer instead."""

    @property
    def width(self) -> int:
        """In dots."""
        return self.columns * ACROSS

    @property
    def height(self) -> int:
        return self.rows * DOWN

    def dots(self, x: Ints, y: Ints, layer: int) -> None:
        """Single dots; those outside are left out."""
        mask = np.zeros((self.height, self.width), dtype=bool)
        inside = (x >= 0) & (x < self.width) & (y >= 0) & (y < self.height)
        mask[y[inside], x[inside]] = True
        self._stamp(mask, layer)

    def columns_between(self, x: Ints, top: Ints, bottom: Ints, layer: int, weave: int = 1) -> None:
        """Vertical bars from ``top`` to ``bottom`` (both included), one per ``x``.

        With ``weave`` 2 every second dot is left out, as on a chess board.
        """
        mask = np.zeros((self.height, self.width), dtype=bool)
        inside = (x >= 0) & (x < self.width)
        y = np.arange(self.height)[:, None]
        mask[:, x[inside]] = (y >= top[inside]) & (y <= bottom[inside])
        if weave > 1:
            mask &= (y + np.arange(self.width)[None, :]) % weave == 0
        self._stamp(mask, layer)

    def line(self, x: Ints, y: Ints, layer: int, dash: tuple[int, int] = (1, 0)) -> None:
        """A line through the points (x ascending), joined with straight strokes.

        ``dash`` is how many dot columns are drawn and how many left out.
        """
        if not len(x):
            return
        if len(x) > 1:
            every = np.arange(x[0], x[-1] + 1)
            rounded = np.rint(np.interp(every, x, y)).astype(np.int64)
        else:
            every, rounded = x, y
        previous = np.concatenate((rounded[:1], rounded[:-1]))
        # The stroke of a column begins beside the last one's end, so that a steep line is whole.
        top = np.where(previous < rounded, np.minimum(previous + 1, rounded), rounded)
        bottom = np.where(previous > rounded, np.maximum(previous - 1, rounded), rounded)
        drawn = (every % sum(dash)) < dash[0]
        height = self.height
        shown = drawn & (bottom >= 0) & (top < height)
        self.columns_between(every[shown], top[shown], bottom[shown], layer)

    def mark(self, column: int, row: int, character: str, layer: int) -> None:
        """A whole character in one cell; nothing happens outside."""
        if 0 <= column < self.columns and 0 <= row < self.rows:
            self.glyphs[row, column] = ord(character)
            self.layers[row, column] = layer

    def _stamp(self, mask: NDArray[np.bool_], layer: int) -> None:
        bits = mask.view(np.uint8)
        codes = np.zeros((self.rows, self.columns), dtype=np.uint8)
        for bit, down, across in _BITS:
            # Eight small sums are several times faster than one over two axes.
            codes |= bits[down::DOWN, across::ACROSS] << bit
        touched = codes > 0
        if self._ascii:
            self.glyphs[touched] = ord(self._ascii[layer % len(self._ascii)])
        else:
            self.glyphs[touched] = codes[touched] + np.uint32(_BRAILLE)
        self.layers[touched] = layer

    def row(self, number: int) -> list[tuple[str, int]]:
        """One row of cells as runs of (text, layer)."""
        glyphs, layers = self.glyphs[number], self.layers[number]
        text = np.where(glyphs == 0, 32, glyphs).astype("<u4").tobytes().decode("utf-32-le")
        cuts = [0, *(np.flatnonzero(np.diff(layers)) + 1).tolist(), self.columns]
        return [
            (text[start:end], int(layers[start])) for start, end in pairwise(cuts) if end > start
        ]
