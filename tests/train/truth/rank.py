"""A real rank whose images and network sleep: ``python -m tests.train.truth.rank TRIALS``.

It trains one case after another by the real ``fit``. Only what decodes an image and the network are
replaced, by ones that sleep and note, by a clock of their own, when they did.
"""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from engine.plan.config import Settings
from engine.train import fit
from engine.train.__main__ import leave
from engine.train.kinship import bind_to_supervisor
from tests.train.truth.injection import Injection


class Trial(msgspec.Struct, frozen=True):
    """``slow_image`` is the path of the training's first image; notes go into ``notes``."""

    injection: Injection
    experiment: str
    run: str
    notes: str
    slow_image: str


class Notes:
    """When things began and ended: a file for each process, a line for each time."""

    def __init__(self, directory: Path, rank: int) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory, self._rank = directory, rank
        self._file = -1
        self._owner = 0

    def add(self, what: str, began: float, of: str = "") -> None:
        """``what`` began then and ends now; ``perf_counter`` is the same clock in all processes."""
        line = f"{what}\t{began!r}\t{time.perf_counter()!r}\t{of}\n"
        if self._owner != os.getpid():
            self._owner = os.getpid()
            path = self._directory / f"{self._rank}-{self._owner}"
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(self._file, line.encode())


def main(trials: Path) -> int:
    bind_to_supervisor()
    rank = int(os.environ.get("RANK", "0"))
    for number, trial in enumerate(msgspec.json.decode(trials.read_bytes(), type=list[Trial])):
        inject(trial, rank)
        if "TORCHELASTIC_RUN_ID" in os.environ:
            meet_anew(number)
        chosen = ("--experiment", trial.experiment, "--run-name", trial.run, "--attempt", "1")
        if (code := fit.main(chosen)) != 0:
            return code
    return 0


def inject(trial: Trial, rank: int) -> None:
    """Lets the trainings of this process sleep from now on."""
    import torch
    from torch import Tensor, nn

    from engine.train import images, loop, model, reading
    from engine.train.batch import Batch
    from engine.train.data import Stream
    from engine.train.job import Job

    notes = Notes(Path(trial.notes), rank)
    forward, backward = trial.injection.passes(rank)
    began = False

    def decode(path: str, *chosen: Any) -> Any:
        start = time.perf_counter()
        if f"{os.sep}train{os.sep}" in path:
            time.sleep(trial.injection.image)
            time.sleep(trial.injection.first if path == trial.slow_image else 0.0)
        pixels = images.decode(path, *chosen)
        notes.add("read", start, path)
        return pixels

    class Sleep(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, features: Tensor) -> Tensor:
            rest("forward", forward)
            return features.view_as(features)

        @staticmethod
        def backward(context: Any, *gradients: Any) -> Any:
            rest("backward", backward)
            return gradients[0]

    class Sleeping(nn.Module):
        def forward(self, features: Tensor) -> Tensor:
            # A validation does not.
            slept: Tensor = Sleep.apply(features) if self.training else features
            return slept

    def rest(what: str, seconds: float) -> None:
        start = time.perf_counter()
        if began:  # DDP warms up with passes of its own.
            time.sleep(seconds)
            notes.add(what, start)

    def build(settings: Settings, classes: int) -> tuple[nn.Module, list[str]]:
        torch.manual_seed(settings.seed)
        colours = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        # The first layer's gradients come after the sleep: with them DDP exchanges all.
        first, last = nn.Linear(3, 4), nn.Linear(4, classes)
        return nn.Sequential(colours, first, Sleeping(), last), []

    def following(stream: Stream) -> Batch:
        nonlocal began
        began, start = True, time.perf_counter()
        batch: Batch = original(stream)
        notes.add("asked", start)
        return batch

    def go_back(*gradients: Any, **more: Any) -> None:
        start = time.perf_counter()
        backwards(*gradients, **more)
        if began:
            notes.add("returned", start)

    def train_epoch(job: Job, epoch: int) -> None:
        start = time.perf_counter()
        whole(job, epoch)
        notes.add("epoch", start)

    original, backwards = _truly(Stream, "next"), _truly(torch.autograd, "backward")
    whole = _truly(loop, "train_epoch")
    for owner, name, ours in (
        (reading, "decode", decode),
        (Stream, "next", following),
        (model, "build", build),
        (torch.autograd, "backward", go_back),
        (loop, "train_epoch", train_epoch),
    ):
        setattr(owner, name, ours)


def _truly(owner: Any, name: str) -> Any:
    """What ``owner`` had under this name before any case."""
    if not hasattr(owner, f"truly_{name}"):
        setattr(owner, f"truly_{name}", getattr(owner, name))
    return getattr(owner, f"truly_{name}")


def meet_anew(case: int) -> None:
    """Ranks that part and meet again in the same processes need a place of their own for it, which
    no real training does."""
    import torch.distributed as dist
    from torch.distributed import PrefixStore, TCPStore  # type: ignore[attr-defined]

    host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    store = PrefixStore(f"case{case}", TCPStore(host, port, is_master=False))
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    dist.init_process_group = partial(
        _truly(dist, "init_process_group"),
        store=store,
        rank=rank,
        world_size=size,
    )


if __name__ == "__main__":
    leave(main(Path(sys.argv[1])))
