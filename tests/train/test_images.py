from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.train.augment import Crop, validation_crop
from engine.train.images import Damaged, decode, prepare_pillow


def _whole(size: tuple[int, int]) -> Crop:
    return Crop(0, 0, *size, False)


def _read(path: Path, side: int = 8) -> np.ndarray:
    prepare_pillow()
    return decode(str(path), side, _whole)


@pytest.mark.parametrize("mode", ["L", "LA", "1", "P", "RGBA", "CMYK", "YCbCr"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("x.tif" if mode in ("CMYK", "YCbCr") else "x.png")
    Image.new("RGB", (20, 16), (255, 255, 255)).convert(mode).save(path)
    pixels = _read(path)
    assert pixels.shape == (8, 8, 3)
    assert pixels.dtype == np.uint8
    assert pixels.min() >= 250


def test_16_bit_grey_keeps_its_tones(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    pixels = _read(tmp_path / "deep.png")
    expected = np.repeat((ramp / 257.0).round().astype(np.uint8)[:, :, None], 3, axis=2)
    np.testing.assert_array_equal(pixels, expected)


def test_a_palette_with_transparency_is_read_in_silence(tmp_path: Path) -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 10, 200, 30])
    image.save(tmp_path / "x.png", transparency=bytes([0, 128]))
    assert tuple(_read(tmp_path / "x.png")[0, 0]) == (10, 200, 30)


def test_mirroring_mirrors(tmp_path: Path) -> None:
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:, :4] = 255
    Image.fromarray(pixels).save(tmp_path / "x.png")
    mirrored = decode(str(tmp_path / "x.png"), 8, lambda size: Crop(0, 0, *size, True))
    np.testing.assert_array_equal(mirrored, pixels[:, ::-1])


def test_a_large_jpeg_decoded_small_looks_like_itself(tmp_path: Path) -> None:
    y, x = np.mgrid[0:600, 0:800]
    picture = np.stack([x * 255 // 800, y * 255 // 600, (x + y) % 256 // 2], axis=2)
    image = Image.fromarray(picture.astype(np.uint8))
    image.save(tmp_path / "x.jpg", quality=95)
    image.save(tmp_path / "x.png")
    for choose in (_whole, validation_crop):
        jpeg = decode(str(tmp_path / "x.jpg"), 32, choose).astype(int)
        png = decode(str(tmp_path / "x.png"), 32, choose).astype(int)
        assert np.abs(jpeg - png).mean() < 3


@pytest.mark.parametrize("damage", ["truncated png", "truncated jpeg", "text", "empty", "gone"])
def test_what_is_no_whole_image_is_damaged(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "x.png"
    if damage.startswith("truncated"):
        noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(noise).save(path, format=damage.split()[1])
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif damage != "gone":
        path.write_text("hello" if damage == "text" else "")
    with pytest.raises(Damaged, match=r"\w"):
        _read(path)


def test_a_decompression_bomb_is_damage_and_not_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("1", (600, 600)).save(tmp_path / "x.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 200_000)
    with pytest.raises(Damaged, match="360000 pixels"):
        _read(tmp_path / "x.png")
