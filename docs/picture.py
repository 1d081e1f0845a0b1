"""Draws what `resnet-tui` shows in a terminal as a PNG: how the pictures of the README are made.

    python docs/picture.py --size 160x48 --keys '\\r' --wait 40 docs/dashboard.png -- resnet-tui ...

Runs the command in a real pty, types the keys, waits, and draws the screen cell by cell. Braille
and block characters are drawn as dots and boxes, because few fonts have them in the right width.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import pyte
from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.e2e.terminal import Terminal

WIDTH, HEIGHT = 9, 19
FONT = "DejaVuSansMono.ttf"
NAMED = {
    "black": "000000",
    "red": "cd3131",
    "green": "0dbc79",
    "brown": "e5e510",
    "blue": "2472c8",
    "magenta": "bc3fbc",
    "cyan": "11a8cd",
    "white": "e5e5e5",
}
DOTS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
"""Column and row of the dots of a braille character, by bit."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("command", nargs="+")
    parser.add_argument("--size", default="160x48")
    parser.add_argument("--keys", default="", help="typed one second apart; \\r is Enter")
    parser.add_argument("--first", type=float, default=5, help="seconds before the first key")
    parser.add_argument("--wait", type=float, default=10, help="seconds after the last key")
    chosen = parser.parse_args()
    columns, rows = map(int, chosen.size.split("x"))
    with Terminal(chosen.command, columns=columns, rows=rows) as terminal:
        time.sleep(chosen.first)
        for key in chosen.keys.encode().decode("unicode_escape"):
            terminal.send(key)
            time.sleep(1)
        time.sleep(chosen.wait)
        draw(terminal.screen).save(chosen.output, optimize=True)
        print(terminal.text())
    return 0


def draw(screen: pyte.Screen) -> Image.Image:
    """The screen as a picture, one box of ``WIDTH`` x ``HEIGHT`` pixels for each cell."""
    image = Image.new("RGB", (screen.columns * WIDTH, screen.lines * HEIGHT), "#121212")
    pen = ImageDraw.Draw(image)
    fonts = {
        False: ImageFont.truetype(FONT, 15),
        True: ImageFont.truetype(FONT.replace(".", "-Bold."), 15),
    }
    for row in range(screen.lines):
        for column in range(screen.columns):
            cell = screen.buffer[row][column]
            front, back = _colour(cell.fg, "e0e0e0"), _colour(cell.bg, "121212")
            if cell.reverse:
                front, back = back, front
            left, top = column * WIDTH, row * HEIGHT
            pen.rectangle((left, top, left + WIDTH - 1, top + HEIGHT - 1), back)
            _character(pen, (left, top), cell.data, front, fonts[cell.bold])
    return image


def _character(
    pen: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    character: str,
    colour: str,
    font: ImageFont.FreeTypeFont,
) -> None:
    left, top = corner
    code = ord(character[0]) if character else 32
    if 0x2800 <= code <= 0x28FF:
        for bit, (x, y) in enumerate(DOTS):
            if code - 0x2800 >> bit & 1:
                dot_left, dot_top = left + 1 + x * 4, top + 2 + y * 4.5
                pen.rectangle((dot_left, dot_top, dot_left + 2, dot_top + 2), colour)
    elif 0x2581 <= code <= 0x2588:
        filled = HEIGHT * (code - 0x2580) // 8
        pen.rectangle((left, top + HEIGHT - filled, left + WIDTH - 1, top + HEIGHT - 1), colour)
    elif character.strip():
        pen.text((left, top), character, colour, font)


def _colour(name: str, default: str) -> str:
    if name == "default":
        return f"#{default}"
    return f"#{NAMED.get(name, name)}" if len(NAMED.get(name, name)) == 6 else f"#{default}"


if __name__ == "__main__":
    raise SystemExit(main())
