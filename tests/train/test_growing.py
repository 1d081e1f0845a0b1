"""A training whose images grow and are mixed, from its first pass to its end."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest
from torch import Tensor

from engine.journal.events import AttemptEnded, EpochEnded, Notice, Validated
from engine.train import fit
from engine.train.arithmetic import Arithmetic
from engine.train.batch import Batch
from engine.train.strategies.none import NoParallelism
from tests.train.making import arguments, journal, lay_out, plan

pytestmark = pytest.mark.usefixtures("signals")


def test_every_shape_of_a_step_is_rehearsed_and_validation_sees_the_full_side(
    tmp_path: Path, pictures: Path
) -> None:
    made = lay_out(
        tmp_path,
        plan(
            pictures,
            image_size=40,
            resize_from=32,
            batch_size=14,
            accumulate=3,
            mixup=0.4,
            label_smoothing=0.1,
            class_weights="balanced",
        ),
    )
    seen: dict[str, list[tuple[int, int]]] = {"warming": [], "train": [], "val": []}
    real_images, real_warm_up, warming = Arithmetic.images, NoParallelism.warm_up, [False]

    def images(self: Arithmetic, batch: Batch) -> Tensor:
        result = real_images(self, batch)
        seen["warming" if warming[0] else batch.part].append((len(result), result.shape[2]))
        return result

    def warm_up(self: NoParallelism, sizes: tuple[int, ...], side: int) -> None:
        assert not seen["train"]
        warming[0] = True
        real_warm_up(self, sizes, side)
        warming[0] = False

    with (
        patch.object(Arithmetic, "images", images),
        patch.object(NoParallelism, "warm_up", warm_up),
    ):
        assert fit.main(arguments(tmp_path, made)) == 0
    # 7 pairs in parts of 3, 2 and 2; the last batch has 5.
    steps = [6, 4, 4, 4, 4, 2]
    assert seen["train"] == [(each, side) for side in (32, 40) for each in steps]
    assert set(seen["train"]) == set(seen["warming"])
    assert {side for _, side in seen["val"]} == {40}

    events = journal(tmp_path, made)
    assert [each.images for each in events if isinstance(each, EpochEnded)] == [24, 24]
    assert [each.images for each in events if isinstance(each, Validated)] == [12, 12]
    assert not [each for each in events if isinstance(each, Notice) and each.level == "warning"]
    last = events[-1]
    assert isinstance(last, AttemptEnded)
    assert last.state == "done"
