"""What it costs a step that all ranks agree before it: on stopping, on the time, on lost images.

    python -m benchmarks.agreeing [--worlds 2,3] [--steps 500] [--batch 64]

Every world is a real torchrun of CPU processes. "shared" is the agreement of a pipeline, whose
ranks share one batch and tell each other which of its images are damaged.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time

import torch

from engine.train.world import World, from_environment

WARM = 50
"""Agreements before those that count."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--worlds", default="2,3")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rank", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.rank:
        _rank(chosen.steps, chosen.batch)
        return
    print(f"{'ranks':>5}  {'batches':8} {'median':>9} {'p99':>9}")
    for ranks in chosen.worlds.split(","):
        for kind, seconds in _measure(ranks, chosen.steps, chosen.batch).items():
            p99 = sorted(seconds)[int(0.99 * len(seconds))]
            median = statistics.median(seconds)
            print(f"{ranks:>5}  {kind:8} {median * 1e6:6.0f} us {p99 * 1e6:6.0f} us")


def _measure(ranks: str, steps: int, batch: int) -> dict[str, list[float]]:
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
        *("--nproc-per-node", ranks, "-m", "benchmarks.agreeing", "--rank"),
        *("--steps", str(steps), "--batch", str(batch)),
    ]
    answer = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    told: dict[str, list[float]] = json.loads(answer.strip().splitlines()[-1])
    return told


def _rank(steps: int, batch: int) -> None:
    torch.set_num_threads(1)
    world = from_environment()
    world.join(torch.device("cpu"), 60.0)
    seconds = {
        "split": _time(world, steps, batch, shared=False),
        "shared": _time(world, steps, batch, shared=True),
    }
    if world.first:
        print(json.dumps(seconds), flush=True)
    world.wait_for_all()
    world.leave()


def _time(world: World, steps: int, batch: int, *, shared: bool) -> list[float]:
    taken = []
    for number in range(WARM + steps):
        began = time.perf_counter()
        world.agree(batch, shared=shared)
        if number >= WARM:
            taken.append(time.perf_counter() - began)
    return taken


if __name__ == "__main__":
    main()
