"""Pictures in cells, and what cannot be drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.color import Color

from engine.journal.predictions import Guess
from tui import pictures
from tui.widgets.guesses import guess_lines, truth_line
from tui.widgets.picture import in_characters, in_colours


def test_a_cell_holds_two_pixels() -> None:
    pixels = np.array([[[255, 0, 0]], [[0, 255, 0]], [[0, 0, 255]]], dtype=np.uint8)
    first, second = (list(row) for row in in_colours(pixels))
    assert [each.text for each in (*first, *second)] == ["▀", "▀"]
    assert first[0].style is not None and second[0].style is not None
    assert first[0].style.color == Color.from_rgb(255, 0, 0)
    assert first[0].style.bgcolor == Color.from_rgb(0, 255, 0)
    assert second[0].style.color == Color.from_rgb(0, 0, 255)
    assert second[0].style.bgcolor == Color.from_rgb(0, 0, 0)


def test_without_colours_lightness_is_a_character() -> None:
    """The mean of two pixels, 0.299 R + 0.587 G + 0.114 B, in ten steps."""
    pixels = np.zeros((2, 4, 3), dtype=np.uint8)
    pixels[:, 1] = 255
    pixels[0, 2] = 255  # 127.5 of 256: step 4
    pixels[:, 3] = (0, 255, 0)  # 149.7 of 256: step 5
    (row,) = in_characters(pixels)
    assert row.text == " @=+"


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "CMYK", "I;16", "F", "1", "LA"])
def test_a_picture_keeps_its_shape_in_the_room(tmp_path: Path, mode: str) -> None:
    image = Image.new("L", (40, 20), 200)
    name = tmp_path / ("x.tif" if mode in ("CMYK", "F") else "x.png")
    image.convert(mode.replace("I;16", "I")).convert(mode).save(name)
    found = pictures.read(str(name), (100, 30))
    assert (found.width, found.height, found.problem) == (40, 20, "")
    assert found.pixels is not None
    assert found.pixels.shape == (30, 60, 3)


def test_what_is_no_picture_has_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.png"
    Image.new("RGB", (64, 64)).save(path)
    whole = path.read_bytes()
    for data in (b"", b"hello", whole[: len(whole) // 2], whole[:20]):
        path.write_bytes(data)
        found = pictures.read(str(path), (10, 10))
        assert found.pixels is None
        assert found.problem
    assert pictures.read(str(tmp_path), (10, 10)).problem == "there is no such file"
    monkeypatch.setattr(pictures, "_LARGEST", 63 * 64)
    path.write_bytes(whole)
    assert "64 x 64 pixels are too many" in pictures.read(str(path), (10, 10)).problem


def test_guesses_are_told_by_signs_as_well() -> None:
    guesses = (Guess(1, "bees", 0.75), Guess(0, "ants", 0.25))
    lines = [each.plain for each in guess_lines(guesses, "ants", 40)]
    assert lines[0].startswith("✗ bees ")
    assert lines[0].endswith(" 75.0 %")
    assert lines[1].startswith("✓ ants ")
    room = lines[0].count("━") + lines[0].count("─")
    assert lines[0].count("━") == round(0.75 * room)
    assert {len(each) for each in lines} == {40}
    assert truth_line(guesses, "ants").plain == "true class: ants  guess 2 of 2"
    assert truth_line(guesses, "bees").plain == "true class: bees  right"
    assert truth_line(guesses, "wasps").plain == "true class: wasps  not among the best 2"
    assert truth_line(guesses, None).plain == "true class: not known"
