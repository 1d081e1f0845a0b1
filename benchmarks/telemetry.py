"""What telemetry's own calls cost the training thread per step.

    python -m benchmarks.telemetry [--steps 4000] [--step-ms 0,2,10] [--device cpu]

Between the calls the thread does arithmetic for about so many milliseconds, as a step would, while
the recorder's thread writes the journal. "median" to "max" is how long the calls took, waiting for
the interpreter included; "mean CPU" what the training thread itself spent in them; "no calls" what
timing so many empty functions gives (caches are cold after a long step); "recorder" the CPU time
of the other threads. Bound: 100 us per step.
What all of it does to a real training is in ``benchmarks.telemetry_on_off``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.journal.events import AttemptEnded, AttemptStarted, Steps
from engine.journal.files import Tail, parse, writer_fields
from engine.train.alerts import NotFinite, Readers, Starving
from engine.train.clocks import Part, clock_for
from engine.train.metrics import TALLY
from engine.train.recorder import Recorder
from engine.train.rows import Loading
from engine.train.telemetry import SLOTS, Telemetry

_MARKS: tuple[Part, ...] = ("copy", "forward", "backward", "exchange", "update")
"""As many as a strategy makes at most."""
WARM = 200
"""Steps before those that count."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--step-ms", default="0,2,10", help="lengths of a step, as 0,2,10")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(_measure(arguments.steps, float(arguments.step_ms), arguments.device)))
        return
    names = ("median", "p99", "max", "mean CPU", "no calls", "recorder", "rows")
    print(f"{arguments.steps:,} steps on {arguments.device}; us of the training thread per step")
    print(" ".join(f"{each:>10}" for each in ("step ms", *names)))
    for length in arguments.step_ms.split(","):
        steps = min(arguments.steps, max(500, int(20_000 / max(float(length), 1e-9))))
        command = [sys.executable, "-m", "benchmarks.telemetry", "--child"]
        command += ["--steps", str(steps), "--step-ms", length, "--device", arguments.device]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        row = json.loads(done.stdout)
        print(" ".join(f"{each:>10}" for each in (length, *(f"{row[n]:.1f}" for n in names))))


def _measure(steps: int, step_ms: float, device_name: str) -> dict[str, float]:
    """Microseconds per step."""
    torch.set_num_threads(1)
    device = torch.device(device_name)
    matrix = torch.randn(128, 128, device=device)
    tally, applied = torch.ones(TALLY, device=device), torch.ones((), device=device)
    observers = (Starving(Readers(2, 8)).step, NotFinite(scaled=False).step)
    telemetry = Telemetry(device, clock_for(device, SLOTS), observers=observers)
    loading = Loading(read=64, seconds=0.2, queued=3)
    wall, cpu, empty = np.empty(steps), np.empty(steps), np.empty(steps)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rank0.jsonl"
        first = AttemptStarted(rank=0, world_size=1, **writer_fields())
        recorder = Recorder(path, first)
        recorder.attach(telemetry)
        telemetry.begin_epoch()
        whole, process = time.perf_counter(), time.process_time()
        training = time.thread_time()
        for step in range(-WARM, steps):
            calls: list[Callable[[], object]] = [
                partial(telemetry.begin, step + WARM, 0.1),
                partial(telemetry.loaded, loading, 64),
                telemetry.clock.agreed,
                *(partial(telemetry.clock.mark, part) for part in _MARKS),
                partial(telemetry.end, tally, applied),
            ]
            spent = spent_cpu = 0
            for call in (*calls, _nothing):
                _work(matrix, step_ms / 1000 / len(calls))
                began_cpu, began = time.thread_time_ns(), time.perf_counter_ns()
                call()
                ended, ended_cpu = time.perf_counter_ns(), time.thread_time_ns()
                if call is _nothing:
                    empty[step] = (ended - began) * len(calls)
                    continue
                spent += ended - began
                spent_cpu += ended_cpu - began_cpu
            if step >= 0:
                wall[step], cpu[step] = spent, spent_cpu
        training = time.thread_time() - training
        telemetry.finish_epoch()
        recorder.sync(30.0)
        process = time.process_time() - process
        whole = time.perf_counter() - whole
        recorder.close(AttemptEnded(state="done", step=steps))
        events, _ = parse(Tail(path).read(1 << 30))
    rows = sum(event.count for event in events if isinstance(event, Steps))
    return {
        "median": float(np.median(wall)) / 1e3,
        "p99": float(np.quantile(wall, 0.99)) / 1e3,
        "max": float(wall.max()) / 1e3,
        "mean CPU": float(cpu.mean()) / 1e3,
        "no calls": float(np.median(empty)) / 1e3,
        "recorder": (process - training) / (steps + WARM) * 1e6,
        "rows": float(rows),
    }


def _nothing() -> None:
    """What is timed in place of a call, to know what timing alone costs."""


def _work(matrix: Tensor, seconds: float) -> None:
    """Arithmetic that lets other threads run, for about so long."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        matrix @ matrix


if __name__ == "__main__":
    main()
