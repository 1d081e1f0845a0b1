"""What opening a long run costs: CPU seconds and peak memory, each in a process of its own.

    python -m benchmarks.open_journal [--steps 1000000] [--metrics 12] [--per-event 250,25,1]

"read" is a headless reader that takes everything at once; "poll" is the dashboard's feed, in
pieces of 256 kB with a view after each. Bound: 2 CPU-s and 150 MB for 250 steps per event.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from engine.journal.events import STEP_METRICS

ROUNDS = 200
"""Repetitions of what is timed in microseconds."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--metrics", type=int, default=12)
    parser.add_argument("--per-event", default="250,25,1", help="steps per event, as 250,25,1")
    parser.add_argument("--child", choices=("write", "read", "poll"), help=argparse.SUPPRESS)
    parser.add_argument("--directory", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child == "write":
        _write(arguments.directory, arguments.steps, arguments.metrics, int(arguments.per_event))
    elif arguments.child:
        _open(arguments.directory, arguments.child)
    else:
        _table(arguments)


def _table(arguments: argparse.Namespace) -> None:
    print(f"{arguments.steps:,} steps, one rank, {arguments.metrics} metrics")
    head = ("steps/event", "how", "journal MB", "CPU s", "wall s", "peak MB", "freeze us")
    print(" ".join(f"{each:>11}" for each in (*head, "chart ms", "lag ms")))
    for per_event in arguments.per_event.split(","):
        with tempfile.TemporaryDirectory() as folder:
            _child(arguments, "write", folder, per_event)
            for how in ("read", "poll"):
                row = json.loads(_child(arguments, how, folder, per_event))
                figures = (
                    f"{row['bytes'] / 1e6:.0f}",
                    f"{row['cpu']:.2f}",
                    f"{row['wall']:.2f}",
                    f"{row['peak'] / 1e6:.0f}",
                    f"{row['freeze'] * 1e6:.1f}",
                    f"{row['chart'] * 1e3:.2f}",
                    f"{row['lag'] * 1e3:.1f}",
                )
                print(" ".join(f"{each:>11}" for each in (per_event, how, *figures)), flush=True)


def _child(arguments: argparse.Namespace, what: str, folder: str, per_event: str) -> str:
    command = [sys.executable, "-m", "benchmarks.open_journal", "--child", what]
    command += ["--directory", folder, "--per-event", per_event]
    command += ["--steps", str(arguments.steps), "--metrics", str(arguments.metrics)]
    environment = {**os.environ, "XDG_STATE_HOME": folder}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return done.stdout


def _write(directory: Path, steps: int, metrics: int, per_event: int) -> None:
    """An experiment with one run of so many steps; written, not measured."""
    from tests.journal.writing import Shape, write_experiment

    extra = tuple(f"extra_{number}" for number in range(metrics - len(STEP_METRICS)))
    names = (*STEP_METRICS, *extra)[:metrics]
    shape = Shape(
        total_steps=steps, steps_per_epoch=max(1, steps // 20), per_event=per_event, metrics=names
    )
    write_experiment(directory, Path("photographs"), shape=shape)


def _open(parent: Path, how: str) -> None:
    """Opens the experiment and prints what that took as JSON."""
    from engine.journal.reader import JournalReader

    directory = next(path for path in parent.iterdir() if (path / "experiment.json").is_file())
    began = time.perf_counter()
    reader = JournalReader(directory)
    view = reader.view()
    lag = 0.0
    if how == "read":
        view = reader.read_all()
    else:
        while not reader.caught_up:
            polled = time.perf_counter()
            reader.poll()
            view = reader.view()
            lag = max(lag, time.perf_counter() - polled)
    wall = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_SELF)
    history = view.runs[0].history
    freeze = time.perf_counter()
    for _ in range(ROUNDS):
        reader.view()
    freeze = (time.perf_counter() - freeze) / ROUNDS
    chart = time.perf_counter()
    low, high = history.extent("time") or (0.0, 0.0)
    for _ in range(ROUNDS):
        history.buckets("loss", "time", low, high, 300)
    chart = (time.perf_counter() - chart) / ROUNDS
    answer = {
        "bytes": view.bytes_total,
        "cpu": used.ru_utime + used.ru_stime,
        "wall": wall,
        "peak": used.ru_maxrss * 1024,
        "freeze": freeze,
        "chart": chart,
        "lag": lag,
        "steps": history.steps,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
