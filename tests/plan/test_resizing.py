"""The side of the images in each epoch of a training that begins with small ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.plan.config import Settings
from engine.plan.resizing import full_from, side, sides
from tests.plan.test_switches import planned, refused


def test_it_is_the_ramp_of_ffcvs_recipe_of_88_epochs() -> None:
    settings = Settings(epochs=88, image_size=192, resize_from=160)
    theirs = np.round(np.interp(range(88), [65, 76], [160, 192]) / 32) * 32
    assert [side(settings, epoch) for epoch in range(88)] == theirs.tolist()


def test_a_known_ramp() -> None:
    settings = Settings(epochs=17, image_size=224, resize_from=128)
    # Epoch 12 of 0 to 16 is three quarters of the way, epoch 14 seven eighths, 13 in between.
    assert [side(settings, epoch) for epoch in range(11, 17)] == [128, 128, 192, 224, 224, 224]
    assert sides(settings) == (128, 192, 224)
    assert full_from(settings) == 14
    small = Settings(epochs=33, image_size=64, resize_from=36)
    assert sides(small) == (36, 40, 48, 56, 64)


def test_without_it_there_is_one_side() -> None:
    for first in (None, 224):
        settings = Settings(epochs=1_000_000, resize_from=first)
        assert (sides(settings), full_from(settings)) == ((224,), 0)


@given(st.integers(2, 200), st.integers(16, 512), st.integers(16, 512))
def test_sides_grow_from_the_first_to_the_full_one(epochs: int, first: int, full: int) -> None:
    first, full = sorted((first, full))
    settings = Settings(epochs=epochs, image_size=full, resize_from=first)
    all_ = [side(settings, epoch) for epoch in range(epochs)]
    assert (all_[0], all_[-1]) == (first, full)
    assert all_ == sorted(all_)
    assert all(each % 8 == 0 for each in set(all_) - {first, full})
    assert list(sides(settings)) == sorted(set(all_))
    assert all_.index(full) == full_from(settings)


def test_what_cannot_grow_is_refused() -> None:
    grows: dict[str, Any] = {"image_size": 64, "resize_from": 32, "epochs": 4}
    assert planned("single,ddp,gpipe", **grows)["gpipe"].resize_from == 32
    larger = refused("single", image_size=64, resize_from=96)
    assert "from 96 px (--resize-from) to 64 px" in larger
    assert "in one epoch" in refused("single", **{**grows, "epochs": 1})
    assert "what its stages send" in refused("pipeline", **grows)
    assert "--resize-from" in refused("single", **grows, compile=True)
    # Normalisation needs two images where the first epochs are small.
    lonely = refused("ddp", **grows, batch_size=2, nproc=2)
    assert "at 32 px; give a larger --batch-size or --resize-from" in lonely
    assert planned("ddp", batch_size=2, nproc=2, image_size=64)
