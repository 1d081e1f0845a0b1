"""What telemetry costs a real training: with it and without it, in blocks by turns.

    python -m benchmarks.telemetry_on_off [--device cpu] [--pairs 60] [--steps 10] [--batch 8]
                                          [--side 32] [--threads 1]

Each pair is two blocks of steps of the same network over the same images, in an order drawn by lot:
in one of them the loop's telemetry and recorder do what they always do, in the other one every
call of telemetry does nothing and there is nothing to record. The ratio is throughput with
telemetry by throughput without it: the geometric mean over pairs, and the 95 % interval of that
mean by bootstrap over pairs.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.real_loop import real_loop
from engine.train.job import Job
from engine.train.loop import _train_step
from engine.train.telemetry import Telemetry

WARM = 20


class Off:
    """A telemetry, and a clock, that do nothing."""

    def __init__(self) -> None:
        self.clock = self
        self.not_finite = None

    def __getattr__(self, name: str) -> Any:
        return _nothing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--side", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        real_loop(Path(folder), chosen.device, batch_size=chosen.batch, side=chosen.side) as job,
    ):
        torch.set_num_threads(chosen.threads)
        on, off = measure(job, pairs=chosen.pairs, steps=chosen.steps)
    images = chosen.steps * chosen.batch
    mean, low, high = ratio(off / on)
    print(f"ResNet-18, {chosen.batch} images of {chosen.side} px, on {chosen.device}")
    print(f"{chosen.pairs} pairs of blocks of {chosen.steps} steps")
    print(f"on:  {images / np.median(on):8.1f} images/s, {_step(on, chosen.steps)}")
    print(f"off: {images / np.median(off):8.1f} images/s, {_step(off, chosen.steps)}")
    print(f"throughput on / off: {mean:.4f} (95 % interval {low:.4f} to {high:.4f})")


def measure(job: Job, *, pairs: int, steps: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Seconds per block with telemetry, and without it."""
    real, nothing = job.telemetry, cast(Telemetry, Off())
    seconds: dict[bool, list[float]] = {True: [], False: []}
    lot = np.random.default_rng(5)
    real.begin_epoch()
    _block(job, WARM)
    for _ in range(pairs):
        first = bool(lot.integers(2))
        for wanted in (first, not first):
            job.telemetry = real if wanted else nothing
            # Without a source the recorder's thread only looks for one.
            job.recorder._source = real if wanted else None
            if wanted:
                real.begin_epoch()
            seconds[wanted].append(_block(job, steps))
            if wanted:
                real.finish_epoch()
    job.telemetry = real
    return np.array(seconds[True]), np.array(seconds[False])


def ratio(pairs: NDArray[np.float64]) -> tuple[float, float, float]:
    """The geometric mean of ratios, and the 95 % interval of that mean by bootstrap."""
    logs, lot = np.log(pairs), np.random.default_rng(6)
    means = logs[lot.integers(len(logs), size=(10_000, len(logs)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(np.exp(logs.mean())), float(np.exp(low)), float(np.exp(high))


def _block(job: Job, steps: int) -> float:
    """So many steps of the loop; waits for the device before and after them."""
    _wait_for_device()
    began = time.perf_counter()
    for number in range(steps):
        _train_step(job, number % job.stream.steps_per_epoch)
    _wait_for_device()
    return time.perf_counter() - began


def _wait_for_device() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _step(seconds: NDArray[np.float64], steps: int) -> str:
    return f"{1000 * float(np.median(seconds)) / steps:.2f} ms a step"


def _nothing(*_: object, **__: object) -> int:
    return 0


if __name__ == "__main__":
    main()
