"""Random changes of images: torchvision's own, and the same whoever reads an image."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import RandAugment, RandomErasing, TrivialAugmentWide

from engine.plan import dataset
from engine.plan.config import Settings
from engine.train.arithmetic import Arithmetic
from engine.train.augment import MEAN, STD
from engine.train.augmentation import augmentation_hash
from engine.train.changing import GREY, Changes, drawing
from engine.train.course import Shard
from engine.train.data import Stream
from tests.train.making import TINY, images

PIXELS = np.random.default_rng(5).integers(0, 256, (40, 40, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("name", "theirs"), [("randaugment", RandAugment), ("trivialaugment", TrivialAugmentWide)]
)
def test_policies_are_torchvisions_for_the_same_draws(name: str, theirs: Any) -> None:
    changes, seen = Changes(Settings(seed=2, augment=name)), set()
    for sample in range(40):
        with drawing((2, 1, sample, "augment")):
            wanted = np.asarray(theirs()(Image.fromarray(PIXELS)))
        made = changes(PIXELS, 1, sample)
        np.testing.assert_array_equal(made, wanted)
        seen.add(made.tobytes())
    assert len(seen) > 25  # Some draw the identity, and clipping makes others alike.


def test_erasing_is_torchvisions_for_the_same_draws() -> None:
    changes, erased = Changes(Settings(seed=2, random_erasing=0.4)), 0
    theirs = RandomErasing(0.4, value=GREY)
    for sample in range(300):
        with drawing((2, 1, sample, "erase")):
            wanted = theirs(torch.from_numpy(PIXELS).permute(2, 0, 1)).permute(1, 2, 0)
        made = changes(PIXELS, 1, sample)
        np.testing.assert_array_equal(made, wanted.numpy())
        blank = (made == np.array(GREY)).all(axis=2).sum()
        erased += bool(blank)
        assert not blank or 0.01 < blank / 1600 < 0.36
    assert 90 < erased < 150


def test_blanked_pixels_are_the_mean_as_near_as_bytes_come() -> None:
    for grey, mean, std in zip(GREY, MEAN, STD, strict=True):
        assert abs(grey / 255 - mean) / std < 0.01


def test_changes_leave_torchs_generator_and_the_image_alone() -> None:
    before, state = PIXELS.copy(), torch.get_rng_state()
    for name in ("randaugment", "trivialaugment"):
        Changes(Settings(augment=name, random_erasing=1.0))(PIXELS[:, ::-1], 0, 0)
    np.testing.assert_array_equal(PIXELS, before)
    assert torch.equal(torch.get_rng_state(), state)
    assert Changes(Settings())(PIXELS, 0, 0) is PIXELS


def test_workers_and_shards_read_the_same_images(tmp_path: Path) -> None:
    """Everything on at once, images growing: one process, two workers, and two ranks."""
    folder = dataset.load(images(tmp_path / "photos"), 0.2, 0)
    settings = Settings(
        **{**TINY, "batch_size": 7, "image_size": 40},
        augment="trivialaugment",
        random_erasing=0.5,
        mixup=0.4,
        cutmix=1.0,
        resize_from=32,
    )
    arithmetic = Arithmetic(
        device=torch.device("cpu"),
        precision=None,  # type: ignore[arg-type]
        layout=torch.channels_last,
        dtype=torch.float32,
        mean=torch.zeros(1, 3, 1, 1),
        scale=torch.ones(1, 3, 1, 1),
        classes=len(folder.classes),
    )

    def read(workers: int, shard: Shard) -> list[tuple[torch.Tensor, torch.Tensor]]:
        stream = Stream(
            folder, settings, shard=shard, workers=workers, pinned=False, parent=os.getpid()
        )
        found = []
        try:
            for _ in range(settings.epochs):
                for _ in range(stream.steps_per_epoch):
                    batch = stream.next()
                    found.append((arithmetic.images(batch), arithmetic.labels(batch)))
                for batch in stream.validation():
                    assert batch.mix is None
                    assert not len(batch) or batch.images.shape[1] == 40
        finally:
            stream.close()
        return found

    alone = read(0, Shard())
    assert [each.shape[2] for each, _ in alone] == [32] * 4 + [40] * 4
    for other in (read(2, Shard()), _joined(read(0, Shard(0, 2)), read(1, Shard(1, 2)))):
        assert len(other) == len(alone)
        for (one, labels), (another, theirs) in zip(alone, other, strict=True):
            assert torch.equal(one, another)
            assert torch.equal(labels, theirs)


def _joined(
    *ranks: list[tuple[torch.Tensor, torch.Tensor]],
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return [
        (
            torch.cat([images for images, _ in batch if len(images)]),
            torch.cat([labels for _, labels in batch if len(labels)]),
        )
        for batch in zip(*ranks, strict=True)
    ]


def test_whatever_is_done_to_images_is_in_the_hash() -> None:
    plain = Settings(image_size=64)
    changed: list[dict[str, Any]] = [
        {"crop_min": 0.5},
        {"flip": False},
        {"augment": "randaugment"},
        {"augment": "trivialaugment"},
        {"random_erasing": 0.1},
        {"mixup": 0.2},
        {"cutmix": 0.2},
        {"mixup": 0.2, "cutmix": 0.2},
        {"resize_from": 32},
        {"seed": 1},
        {"seed": 1, "augment": "randaugment", "crop_min": 1.0, "flip": False},
        {"seed": 2, "augment": "randaugment", "crop_min": 1.0, "flip": False},
    ]
    hashes = [augmentation_hash(Settings(image_size=64, **each), 40) for each in changed]
    assert len({augmentation_hash(plain, 40), *hashes}) == len(changed) + 1
    assert augmentation_hash(plain, 40) == augmentation_hash(Settings(lr=1.0, image_size=64), 40)
