"""A picture in cells: two pixels in each, one above the other, or one by its lightness."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

_UPPER = "▀"
_RAMP = " .:-=+*#%@"
"""From dark to light, on a dark ground."""
_LUMA = np.array((0.299, 0.587, 0.114))
"""ITU-R BT.601: what red, green and blue add to lightness."""


class PictureView(Widget):
    """Draws what it is shown in its middle. A terminal with fewer colours gets the nearest ones."""

    DEFAULT_CSS = """
    PictureView {
        height: 1fr;
        width: 1fr;
    }
    """

    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self._rows: Sequence[Strip] = ()

    @property
    def room(self) -> tuple[int, int]:
        """Pixels across and down that can be told apart, two of them in a cell."""
        return self.size.width, 2 * self.size.height

    def show(self, rows: Sequence[Strip]) -> None:
        """``rows`` as ``in_colours`` or ``in_characters`` makes them; none: nothing."""
        self._rows = rows
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        number = y - max(0, self.size.height - len(self._rows)) // 2
        if not 0 <= number < len(self._rows):
            return Strip.blank(width, self.rich_style)
        row = self._rows[number]
        left = max(0, width - row.cell_length) // 2
        blank = Segment(" " * left, self.rich_style)
        painted = row.apply_style(self.rich_style)
        return Strip([blank, *painted]).adjust_cell_length(width, self.rich_style)


def in_colours(pixels: NDArray[np.uint8]) -> list[Strip]:
    """(height, width, 3) as half blocks: the upper pixel in front, the lower one behind it."""
    if len(pixels) % 2:
        pixels = np.concatenate([pixels, np.zeros_like(pixels[:1])])
    pairs = zip(pixels[0::2].tolist(), pixels[1::2].tolist(), strict=True)
    return [
        Strip(
            [
                Segment(_UPPER, _style(tuple(over), tuple(under)))
                for over, under in zip(upper, lower, strict=True)
            ]
        )
        for upper, lower in pairs
    ]


def in_characters(pixels: NDArray[np.uint8]) -> list[Strip]:
    """The same by lightness alone, for terminals without colours or blocks: a cell is the mean of
    its two pixels."""
    if len(pixels) % 2:
        pixels = np.concatenate([pixels, pixels[-1:]])
    light = (pixels.astype(np.float64) @ _LUMA).reshape(len(pixels) // 2, 2, -1).mean(axis=1)
    places = np.minimum(light / 256.0 * len(_RAMP), len(_RAMP) - 1).astype(int)
    return [Strip([Segment("".join(_RAMP[place] for place in row))]) for row in places.tolist()]


@lru_cache(maxsize=8192)
def _style(over: tuple[int, int, int], under: tuple[int, int, int]) -> Style:
    return Style(color=Color.from_rgb(*over), bgcolor=Color.from_rgb(*under))
