from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.plan import dataset
from engine.plan.config import Settings
from engine.plan.learning_rate import batch_sizes
from engine.train.batch import Batch
from engine.train.course import Shard, order
from engine.train.data import Stream, automatic_workers
from engine.train.images import Damaged, decode
from tests.train.making import TINY

SETTINGS = Settings(**{**TINY, "batch_size": 7})


def _stream(folder: Path, settings: Settings, workers: int = 0) -> Stream:
    return Stream(
        dataset.load(folder, settings.val_fraction, settings.seed),
        settings,
        shard=Shard(),
        workers=workers,
        pinned=False,
        parent=os.getpid(),
    )


def _everything(folder: Path, settings: Settings, workers: int) -> list[Batch]:
    stream = _stream(folder, settings, workers)
    batches = []
    try:
        for _ in range(settings.epochs):
            batches += [stream.next() for _ in range(stream.steps_per_epoch)]
            batches += list(stream.validation())
    finally:
        stream.close()
    return batches


def test_an_order_belongs_to_its_seed_and_epoch() -> None:
    np.testing.assert_array_equal(order(100, 3, 5), order(100, 3, 5))
    assert sorted(order(100, 3, 5)) == list(range(100))
    assert list(order(100, 3, 5)) != list(order(100, 3, 6))
    assert list(order(100, 3, 5)) != list(order(100, 4, 5))


@pytest.mark.parametrize(
    ("images", "batch", "sizes"),
    [
        (24, 8, [8, 8, 8]),
        (26, 8, [8, 8, 8, 2]),
        (25, 8, [8, 8, 9]),  # a lone image joins the batch before it
        (9, 8, [9]),
        (3, 8, [3]),
        (1, 8, [1]),
        (3, 1, [1, 1, 1]),
    ],
)
def test_no_image_is_left_out_and_none_is_alone(images: int, batch: int, sizes: list[int]) -> None:
    assert batch_sizes(images, batch) == sizes


def test_batches_are_the_same_with_any_number_of_workers(pictures: Path) -> None:
    alone = _everything(pictures, SETTINGS, 0)
    helped = _everything(pictures, SETTINGS, 2)
    assert len(alone) == len(helped) == 2 * (4 + 2)
    for one, other in zip(alone, helped, strict=True):
        assert (one.part, one.epoch) == (other.part, other.epoch)
        assert torch.equal(one.images, other.images)
        assert torch.equal(one.labels, other.labels)
    # The same images in both epochs, but neither their order nor their crops.
    assert not torch.equal(alone[0].images, alone[6].images)
    assert torch.equal(alone[4].images, alone[10].images)


def test_every_image_comes_once_in_an_epoch(pictures: Path) -> None:
    batches = _everything(pictures, SETTINGS, 0)
    assert [len(batch) for batch in batches[:6]] == [7, 7, 7, 3, 7, 5]
    for part, per_class in (("train", 8), ("val", 4)):
        labels = torch.cat([batch.labels for batch in batches[:6] if batch.part == part])
        assert torch.bincount(labels).tolist() == [per_class] * 3


@pytest.mark.parametrize("workers", [0, 1])
def test_an_early_end_goes_on_with_a_whole_validation(pictures: Path, workers: int) -> None:
    stream = _stream(pictures, replace(SETTINGS, batch_size=4), workers)
    try:
        stream.next()
        stream.cut()
        seen = list(stream.validation())
    finally:
        stream.close()
    assert [len(batch) for batch in seen] == [4, 4, 4]
    assert {batch.epoch for batch in seen} == {0}


def test_a_limit_on_steps_is_known_ahead(pictures: Path) -> None:
    stream = _stream(pictures, replace(SETTINGS, max_steps=2))
    assert [stream.next().part for _ in range(2)] == ["train", "train"]
    assert sum(len(batch) for batch in stream.validation()) == 12
    with pytest.raises(StopIteration):
        stream.next()


def test_shards_are_a_batch_cut_up_and_validation_is_not_padded(pictures: Path) -> None:
    folder = dataset.load(pictures, 0.2, 0)
    whole = _stream(pictures, SETTINGS)
    ranks = [
        Stream(folder, SETTINGS, shard=Shard(k, 5), workers=0, pinned=False, parent=os.getpid())
        for k in range(5)
    ]
    for _ in range(whole.steps_per_epoch):
        together = torch.cat([rank.next().images for rank in ranks])
        assert torch.equal(whole.next().images, together)
    counts = [[len(batch) for batch in rank.validation()] for rank in ranks]
    # Two at a time on each of five ranks, as in training; and as many batches on every rank.
    assert counts == [[2, 1], [2, 1], [2, 0], [2, 0], [2, 0]]


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_what_workers_have_ready_is_counted(pictures: Path) -> None:
    stream = _stream(pictures, replace(SETTINGS, epochs=1), workers=2)
    try:
        assert stream.queue == 4
        for taken in range(2):
            _until(lambda: stream.queued() == 4)  # and no more, however long nobody asks
            stream.next()
            assert stream.queued() in (3, 4), taken
        left = [stream.next(), stream.next(), *stream.validation()]
        assert len(left) == 4
        assert stream.queued() == 0
    finally:
        stream.close()
    alone = _stream(pictures, SETTINGS)
    assert (alone.queue, alone.queued()) == (None, None)


@pytest.mark.parametrize("workers", [0, 1])
def test_reading_is_timed_where_it_is_done(
    pictures: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """Every image takes 5 ms more, and those that cannot be decoded as well."""
    asked: list[int] = []

    def slow(*arguments: Any) -> Any:
        time.sleep(0.005)
        asked.append(1)
        if len(asked) == 3:
            raise Damaged("torn")
        return decode(*arguments)

    monkeypatch.setattr("engine.train.reading.decode", slow)
    began = time.monotonic()
    batches = _everything(pictures, replace(SETTINGS, epochs=1), workers)
    took = time.monotonic() - began
    assert [batch.read for batch in batches] == [7, 7, 7, 3, 7, 5]
    assert all(batch.read_seconds >= 0.005 * batch.read for batch in batches)
    assert sum(batch.read_seconds for batch in batches) <= took
    assert len(batches[0]) == 6


@pytest.mark.parametrize(
    ("cores", "device", "loaders", "expected"),
    [(1, "cpu", 2, 0), (2, "cpu", 1, 1), (2, "cpu", 2, 2), (16, "cpu", 2, 4), (16, "cuda", 2, 8)],
)
def test_workers_that_nobody_chose_are_enough_for_every_strategy(
    cores: int, device: str, loaders: int, expected: int
) -> None:
    assert automatic_workers(cores, device, loaders) == expected
