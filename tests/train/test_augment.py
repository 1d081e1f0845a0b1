from __future__ import annotations

import pytest

from engine.train.augment import Crop, training_crop, validation_crop


def _crop(index: int, *, epoch: int = 0, seed: int = 0, smallest: float = 0.08) -> Crop:
    return training_crop(
        (200, 120), seed=seed, epoch=epoch, index=index, smallest=smallest, flip=True
    )


def test_a_crop_is_a_function_of_seed_epoch_and_index_alone() -> None:
    first = [_crop(index) for index in range(50)]
    assert first == [_crop(index) for index in reversed(range(50))][::-1]
    assert first != [_crop(index, epoch=1) for index in range(50)]
    assert first != [_crop(index, seed=1) for index in range(50)]
    assert len(set(first)) == 50


def test_crops_lie_inside_and_keep_their_share_and_shape() -> None:
    crops = [_crop(index, smallest=0.25) for index in range(500)]
    for crop in crops:
        assert crop.left >= 0
        assert crop.top >= 0
        assert crop.left + crop.width <= 200
        assert crop.top + crop.height <= 120
        assert 0.24 * 200 * 120 <= crop.width * crop.height <= 200 * 120
        assert 0.74 <= crop.width / crop.height <= 1.36
    mirrored = sum(crop.mirrored for crop in crops)
    assert 200 < mirrored < 300


def test_a_smallest_crop_of_one_keeps_the_whole_image() -> None:
    crop = training_crop((50, 30), seed=0, epoch=3, index=9, smallest=1.0, flip=False)
    assert crop == Crop(0, 0, 50, 30, False)


@pytest.mark.parametrize(("size", "shape"), [((1000, 10), 4 / 3), ((10, 1000), 3 / 4)])
def test_a_strip_gets_the_central_box_of_an_allowed_shape(
    size: tuple[int, int], shape: float
) -> None:
    crop = training_crop(size, seed=0, epoch=0, index=0, smallest=0.9, flip=False)
    assert crop.width / crop.height == pytest.approx(shape, rel=0.1)
    assert crop.left + crop.width / 2 == pytest.approx(size[0] / 2, abs=1)
    assert crop.top + crop.height / 2 == pytest.approx(size[1] / 2, abs=1)


def test_validation_takes_the_middle_as_resize_256_and_crop_224_would() -> None:
    assert validation_crop((256, 256)) == Crop(16, 16, 224, 224, False)
    assert validation_crop((512, 256)) == Crop(144, 16, 224, 224, False)
