"""Whether a training step ever waits for the device: a profile of ten steps of the real loop.

    python -m benchmarks.no_sync [--device cuda] [--steps 10]

Lists every call inside the steps that makes a thread wait for the device or reads a number from
it, and how often it came; the exit code is 1 where there is any. On a CPU only the latter can be.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile, record_function

from benchmarks.real_loop import real_loop
from engine.train.job import Job
from engine.train.loop import _train_step

WAITING = frozenset(
    {
        "cudaDeviceSynchronize",
        "cudaStreamSynchronize",
        "cudaEventSynchronize",
        "cuCtxSynchronize",
        "cuStreamSynchronize",
        "cuEventSynchronize",
        "aten::item",
        "aten::_local_scalar_dense",
        "aten::is_nonzero",
        "aten::nonzero",
    }
)
_RANGE = "the steps"
_WARM = 5
"""Steps before those that are looked at: libraries choose their algorithms."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--steps", type=int, default=10)
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        real_loop(Path(folder), chosen.device, batch_size=16, side=64) as job,
    ):
        found, seen = waits(job, chosen.steps)
    print(f"{chosen.steps} steps on {chosen.device}: {seen} calls, of which wait for the device:")
    for name, count in found.items():
        print(f"  {name} {count} times")
    if not found:
        print("  none")
    sys.exit(1 if found else 0)


def waits(job: Job, steps: int) -> tuple[Counter[str], int]:
    """The calls of so many steps that wait for the device, and how many calls there were."""
    job.telemetry.begin_epoch()
    take(job, _WARM)
    activities = [ProfilerActivity.CPU]
    if torch.cuda.is_available():
        activities.append(ProfilerActivity.CUDA)
    with profile(activities=activities) as profiled, record_function(_RANGE):
        take(job, steps)
    job.telemetry.finish_epoch()
    events = profiled.events() or ()
    # The profiler itself waits for the device when it ends.
    (whole,) = (each.time_range for each in events if each.name == _RANGE and not _on_device(each))
    names = [
        each.name
        for each in events
        if not _on_device(each) and whole.start <= each.time_range.start <= whole.end
    ]
    return Counter(name for name in names if name in WAITING), len(names)


def take(job: Job, steps: int) -> None:
    """So many steps of the loop."""
    for number in range(steps):
        _train_step(job, number % job.stream.steps_per_epoch)


def _on_device(event: object) -> bool:
    return str(getattr(event, "device_type", "")).endswith("CUDA")


if __name__ == "__main__":
    main()
