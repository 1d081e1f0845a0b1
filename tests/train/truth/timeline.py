"""What came of an injection, from the notes that the sleepers took: the truth to be measured."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.plan.dataset import Dataset
from engine.plan.runs import RunPlan
from engine.train.course import Course, Shard

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Timeline:
    """Of one rank, by step; absolute times by ``perf_counter``, in seconds."""

    asked: Floats
    """When a batch was asked for."""
    received: Floats
    """When it was there."""
    ready: Floats
    """When the last image of the batch had been read."""
    passing: Floats
    """When the forward pass fell asleep."""
    returning: Floats
    """When the backward pass began."""
    computed: Floats
    """When it had slept."""
    returned: Floats
    """When it was over, gradients of other ranks included."""
    decode: Floats
    """Mean time of the batch's images."""
    epoch: float
    """Wall time of the training part of the epoch."""

    @property
    def wait(self) -> Floats:
        """Until the batch was read; none where it lay ready. It then has to come from the process
        that read it, which takes ``handover`` more."""
        return np.maximum(self.ready - self.asked, 0.0)

    @property
    def handover(self) -> Floats:
        return self.received - self.asked - self.wait

    @property
    def forward(self) -> Floats:
        """The sleep, and what a small network computes after it."""
        return self.returning - self.passing

    @property
    def backward(self) -> Floats:
        return self.computed - self.returning

    @property
    def step(self) -> Floats:
        """From asking to asking; of the last step to the end of its passes."""
        return np.diff(self.asked, append=self.computed[-1])

    @property
    def queued(self) -> Floats:
        """Batches that had been read when one was asked for."""
        steps = np.arange(len(self.asked))
        there = self.ready[None, :] <= self.asked[:, None]
        ahead: Floats = (there & (steps[None, :] >= steps[:, None])).sum(1, dtype=np.float64)
        return ahead

    def waited(self, first: int = 0) -> float:
        """The share of the time that went to waiting for data, from the step ``first`` on."""
        return float((self.received - self.asked)[first:].sum() / self.step[first:].sum())

    def met(self, first: int = 0) -> float:
        """The share of the time that went to meeting other ranks, from the step ``first`` on: with
        a batch in hand, and with gradients that are computed."""
        meeting = (self.passing - self.received) + (self.returned - self.computed)
        return float(meeting[first:].sum() / self.step[first:].sum())


def timelines(notes: Path, plan: RunPlan, folder: Dataset, ranks: int) -> tuple[Timeline, ...]:
    """Of every rank of a training."""
    return tuple(
        _timeline(notes, rank, _batches(plan, folder, rank, ranks)) for rank in range(ranks)
    )


def lateness(times: Sequence[Floats], rank: int) -> Floats:
    """How much later than ``rank`` the last rank came, by step: so long it waited for it."""
    latest: Floats = np.max(np.stack(times), axis=0)
    return latest - times[rank]


def first_image(plan: RunPlan, folder: Dataset) -> str:
    """Of the whole training; the first rank reads it."""
    return _batches(plan, folder, 0, 1)[0][0]


def _batches(plan: RunPlan, folder: Dataset, rank: int, ranks: int) -> list[list[str]]:
    """The images of each step, by path."""
    course = Course(folder, plan.settings, Shard(rank, ranks))
    return [
        [folder.train.paths[key.sample] for key in keys]
        for keys in course
        if keys and keys[0].part == "train"
    ]


def _timeline(notes: Path, rank: int, batches: list[list[str]]) -> Timeline:
    spans: dict[str, list[tuple[float, float]]] = defaultdict(list)
    reads: dict[str, tuple[float, float]] = {}
    for file in notes.glob(f"{rank}-*"):
        for line in file.read_text().splitlines():
            what, began, ended, path = line.split("\t")
            if what == "read":
                reads[path] = (float(began), float(ended))
            else:
                spans[what].append((float(began), float(ended)))
    read = [np.array([reads[path] for path in batch]) for batch in batches]
    # What follows is asked for by a validation.
    asked = np.array(spans["asked"])[: len(batches)]
    ((first, last),) = spans["epoch"]
    backward, returned = np.array(spans["backward"]), np.array(spans["returned"])
    return Timeline(
        asked=asked[:, 0],
        received=asked[:, 1],
        ready=np.array([each[:, 1].max() for each in read]),
        passing=np.array(spans["forward"])[:, 0],
        returning=returned[:, 0],
        computed=backward[:, 1],
        returned=returned[:, 1],
        decode=np.array([(each[:, 1] - each[:, 0]).mean() for each in read]),
        epoch=last - first,
    )
