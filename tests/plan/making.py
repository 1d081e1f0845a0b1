"""Folders of small images for tests."""

from __future__ import annotations

import os
from pathlib import Path

from PIL import Image


def image(path: Path | bytes, size: tuple[int, int] = (4, 3)) -> None:
    """Writes a small image of ``size`` (width, height), folders and all; the name may be bytes."""
    place = Path(os.fsdecode(path))
    place.parent.mkdir(parents=True, exist_ok=True)
    kind = {".jpg": "JPEG", ".jpeg": "JPEG", ".gif": "GIF", ".bmp": "BMP", ".webp": "WEBP"}
    with place.open("wb") as file:
        Image.new("RGB", size, (10, 200, 30)).save(file, kind.get(place.suffix.lower(), "PNG"))


def classes(root: Path, **counts: int) -> Path:
    """Class folders in ``root`` with so many images each, ``000.png`` and so on."""
    for name, count in counts.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            image(root / name / f"{number:03d}.png")
    return root


def tiny_imagenet(root: Path, wnids: tuple[str, ...], images: int = 3, val: int = 2) -> Path:
    """Tiny ImageNet as it is unpacked, with so many images per class."""
    annotations = []
    for wnid in wnids:
        for number in range(images):
            image(root / "train" / wnid / "images" / f"{wnid}_{number}.JPEG")
        (root / "train" / wnid / f"{wnid}_boxes.txt").write_text("x\t0\t0\t3\t3\n")
    for number in range(val * len(wnids)):
        name = f"val_{number}.JPEG"
        image(root / "val" / "images" / name)
        annotations.append(f"{name}\t{wnids[number % len(wnids)]}\t0\t0\t62\t62\n")
    (root / "val" / "val_annotations.txt").write_text("".join(annotations))
    (root / "words.txt").write_text(
        "n00000001\tentity\nn01443537\tgoldfish, Carassius auratus\nn02012849\tcrane\n"
        "n03126707\tcrane\n"
    )
    (root / "wnids.txt").write_text("\n".join(wnids))
    for number in range(2):
        image(root / "test" / "images" / f"test_{number}.JPEG")
    return root
