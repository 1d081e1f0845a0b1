"""What ranks measure of each other, and hold of one network; called as the proofs are."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch.distributed as dist

from engine.journal.step_columns import DEVICE_PARTS
from engine.train.clocks import HostClock, Part
from engine.train.job import Job
from tests.train.laboratory import Case, Laboratory, network

LATE = 0.1
"""Seconds by which the last rank's first gradient is later than all of the others'."""
_PATIENCE = 60.0


class Listening(HostClock):
    """Remembers what was marked."""

    def __init__(self) -> None:
        super().__init__(1)
        self.marks: list[Part] = []
        self.tell: Callable[[list[Part]], None] = lambda marks: None

    def mark(self, part: Part) -> None:
        super().mark(part)
        self.marks.append(part)
        self.tell(self.marks)


def gradients_are_waited_for(laboratory: Laboratory) -> dict[str, Any]:
    """An epoch of steps in two parts, by rank: marks and seconds of each step.

    In the first step the last rank begins its last backward pass when the others say that theirs is
    computed. In the last step some parts have no image.
    """
    world, notes = laboratory.world, laboratory.folder / f"computed{laboratory.world.size}"
    notes.mkdir(exist_ok=True)
    model, clock = network("wide"), Listening()
    if world.rank == world.size - 1:
        wait = partial(_wait_for_others, notes, world.size - 1, [0])
        model.get_submodule("fc").register_full_backward_pre_hook(wait)
    else:
        clock.tell = partial(_note, notes / str(world.rank))
    case = Case("ddp", {"accumulate": 2}, "wide")
    with laboratory.prepared(case, model=model, warm=False) as (job, _):
        told = [_step(job, clock, number) for number in range(3)]
    everyone: list[Any] = [None] * world.size
    dist.all_gather_object(everyone, told)
    return {"ranks": everyone}


def parts_make_a_whole(laboratory: Laboratory) -> dict[str, Any]:
    """Bytes that the ranks hold together, by strategy."""
    answers = {}
    for name in ("ddp", "fsdp", "pipeline"):
        with laboratory.prepared(Case(name), warm=False) as (job, _):
            everyone: list[Any] = [None] * laboratory.world.size
            dist.all_gather_object(everyone, job.strategy.held())
        answers[name] = {key: sum(each[key] for each in everyone) for key in everyone[0]}
    return answers


ALL: list[Callable[[Laboratory], Any]] = [gradients_are_waited_for, parts_make_a_whole]


def _step(job: Job, clock: Listening, number: int) -> dict[str, Any]:
    clock.marks = []
    clock.anchor()
    clock.begin(0)
    batch, count = job.stream.next(), job.stream.images_of_step(number)
    clock.loaded()
    first, last = batch.parts(2)
    job.strategy.forward_backward(first, count, clock, False)
    job.strategy.forward_backward(last, count, clock, True)
    job.strategy.update(0.1, None, clock)
    clock.end()
    parts = zip(DEVICE_PARTS, clock.read(0).device, strict=True)
    return {
        "marks": clock.marks,
        "seconds": {part: spent for part, spent in parts if not math.isnan(spent)},
    }


def _note(path: Path, marks: list[Part]) -> None:
    if marks == ["copy", "forward", "backward"] * 2:
        path.touch()


def _wait_for_others(notes: Path, others: int, passes: list[int], *_: Any) -> None:
    passes[0] += 1
    if passes[0] != 2:
        return
    deadline = time.monotonic() + _PATIENCE
    while len(list(notes.iterdir())) < others:
        assert time.monotonic() < deadline, "the others' gradients are never told to be computed"
        time.sleep(0.002)
    time.sleep(LATE)
