"""What the dashboard costs: first paint, idling, a terminal that stops reading, keys, charts.

    python -m benchmarks.dashboard [--seconds 20] [--stall 25] [--steps 1000000]

The application runs in a pty of 160 x 48, as a user's does, on an experiment written here.
CPU seconds are of its whole process.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np

from engine.experiment import Experiment, write_atomically
from engine.journal import events, layout
from engine.journal.files import Appender, boot_id
from engine.journal.history import Buckets
from engine.journal.lock import Lock
from engine.summary import Summary
from tests.journal.writing import RankWriter, Shape, write_experiment
from tui.widgets.axis import Limits
from tui.widgets.plot import draw
from tui.widgets.series import Curve, Plot

BOUND_FIRST_PAINT = 0.5
BOUND_IDLE = 1.5
BOUND_LAG = 0.1


class App:
    """A dashboard in a pty; ``reading`` cleared is a line that stalls."""

    def __init__(self, *arguments: str) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 48, 160, 0, 0))
        command = [sys.executable, "-m", "tui.cli", *arguments]
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
        )
        os.close(slave)
        self.written = bytearray()
        self.reading = threading.Event()
        self.reading.set()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            self.reading.wait()
            if not select.select([self.master], [], [], 0.002)[0]:
                continue
            try:
                self.written += os.read(self.master, 1 << 16)
            except OSError:
                return

    def cpu(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self) -> float:
        """In MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def until(self, text: str, start: int = 0, timeout: float = 60.0) -> float:
        """Seconds until ``text`` was painted, beyond what was written before ``start``."""
        begun = time.perf_counter()
        while text.encode() not in self.written[start:]:
            if time.perf_counter() - begun > timeout:
                raise SystemExit(f"{text!r} was not painted within {timeout:g} s")
            time.sleep(0.001)
        return time.perf_counter() - begun

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.reading.set()
        self.process.wait(10)


@contextmanager
def app(*arguments: str) -> Iterator[App]:
    running = App(*arguments)
    try:
        yield running
    finally:
        running.end()


class Training:
    """Writes an experiment as one that trains, so many events a second."""

    def __init__(self, made: Experiment, per_second: float, first: int) -> None:
        self._step = first
        self._lock = Lock(made.directory / layout.LOCK)
        self._made, self._pause = made, 1.0 / per_second
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._summarise()
        self._thread.start()

    def _summarise(self) -> None:
        summary = Summary(
            state="running",
            host=os.uname().nodename,
            boot=boot_id(),
            pid=os.getpid(),
            updated=time.time(),
        )
        write_atomically(self._made.directory / layout.SUMMARY, msgspec.json.encode(summary))

    def _work(self) -> None:
        writer = RankWriter(self._made.directory, "01-single", time.time())
        writer.step = self._step
        node = Appender(layout.node_journal(self._made.directory, 0))
        sampled = 0.0
        while not self._stopping.wait(self._pause):
            writer.steps(max(1, round(20 * self._pause)))
            if time.monotonic() - sampled >= 1:
                sampled = time.monotonic()
                node.append(events.HostSample(cpu=0.9, memory_used=6 << 30, memory_total=16 << 30))
        self._step = writer.step
        writer.close()
        node.close()

    def end(self) -> int:
        """Stops writing; the next step's number."""
        self._stopping.set()
        self._thread.join()
        self._lock.release()
        return self._step


def first_paint(home: Path) -> list[tuple[str, str, str]]:
    rows = []
    for name, arguments, text in (
        ("home, nothing there", ("--experiments-dir", str(home)), "quit"),
        ("setup of a folder", ("sample_data",), "quit"),
    ):
        costs = []
        for _ in range(3):
            with app(*arguments) as running:
                running.until(text)
                costs.append(running.cpu())
        rows.append((f"first paint, {name}", f"{min(costs):.2f} CPU-s", f"{BOUND_FIRST_PAINT}"))
    return rows


def opening(parent: Path, steps: int) -> list[tuple[str, str, str]]:
    metrics = (*events.STEP_METRICS, *(f"extra_{number}" for number in range(5)))
    shape = Shape(
        total_steps=steps, steps_per_epoch=max(1, steps // 20), per_event=250, metrics=metrics
    )
    made = write_experiment(parent, Path("/data"), shape=shape)
    with app("attach", str(made.directory)) as running:
        running.until("done")
        running.until("took")
        time.sleep(0.5)
        cpu, memory = running.cpu(), running.resident()
    return [
        (f"opening {steps:,} steps", f"{cpu:.2f} CPU-s", "2"),
        (f"opening {steps:,} steps, resident", f"{memory:.0f} MB", "150"),
    ]


def living(parent: Path, seconds: float, stall: float) -> list[tuple[str, str, str]]:
    shape = Shape(total_steps=2000, steps_per_epoch=500)
    made = write_experiment(parent, Path("/data"), shape=shape, state=None)
    rows = []
    first = 2000
    for per_second in (1.0, 20.0):
        training = Training(made, per_second, first)
        try:
            with app("attach", str(made.directory)) as running:
                running.until("running")
                time.sleep(2)
                cpu, size = running.cpu(), len(running.written)
                time.sleep(seconds)
                spent = (running.cpu() - cpu) * 60 / seconds
                sent = (len(running.written) - size) / seconds / 1000
                bound = f"{BOUND_IDLE}" if per_second == 1 else ""
                rows.append(
                    (f"{per_second:.0f} events/s", f"{spent:.2f} CPU-s/min, {sent:.1f} kB/s", bound)
                )
                if per_second > 1:
                    rows.append(("key to paint", _keys(running), ""))
                    rows.append(
                        (f"lag after a {stall:g} s stall", _stall(running, stall), "100 ms")
                    )
        finally:
            first = training.end()
    return rows


def _keys(running: App) -> str:
    """The key for the next metric, until its title is painted."""
    taken = []
    for _ in range(8):
        for title in ("Top-5 accuracy", "Images/s", "Waiting", "Step time", "Learning", "Top-1"):
            start = len(running.written)
            running.press("m")
            taken.append(running.until(title, start))
            time.sleep(0.15)
    taken.sort()
    p99 = taken[int(len(taken) * 0.98)]
    return f"median {statistics.median(taken) * 1000:.0f} ms, p98 {p99 * 1000:.0f} ms"


def _stall(running: App, seconds: float) -> str:
    running.reading.clear()
    time.sleep(seconds)
    size = len(running.written)
    running.press("x")
    running.reading.set()
    lag = running.until(" time", size)
    return f"{lag * 1000:.0f} ms, {(len(running.written) - size) / 1000:.0f} kB came at once"


def charts() -> list[tuple[str, str, str]]:
    rng = np.random.default_rng(0)
    rows = []
    for steps, per in ((10_000, 16), (1_000_000, 1024)):
        values = 1 + 0.1 * rng.standard_normal((steps // per, per)).astype(np.float32)
        found = Buckets(
            x=np.arange(len(values), dtype=np.float64) * per,
            low=values.min(axis=1),
            high=values.max(axis=1),
            mean=values.mean(axis=1),
            std=values.std(axis=1),
            count=np.full(len(values), per, dtype=np.int64),
        )
        plot = Plot(
            title="Loss",
            series=[Curve(name="train", meaning="train", buckets=found)],
            x=Limits(0, steps),
            smoothing=0.03,
        )
        for width, height in ((100, 30), (38, 10)):
            begun = time.perf_counter()
            for _ in range(50):
                draw(plot, width, height)
            each = (time.perf_counter() - begun) / 50 * 1000
            rows.append((f"chart {width} x {height} of {steps:,} steps", f"{each:.1f} ms", ""))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each idle measurement")
    parser.add_argument("--stall", type=float, default=25.0, help="of the terminal, in seconds")
    parser.add_argument("--steps", type=int, default=1_000_000, help="of the opened experiment")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        os.environ["XDG_STATE_HOME"] = directory
        os.environ["XDG_CACHE_HOME"] = directory
        parent = Path(directory)
        rows = charts()
        rows += first_paint(parent / "none")
        rows += living(parent / "living", chosen.seconds, chosen.stall)
        rows += opening(parent / "long", chosen.steps)
    print(f"{'what':<44} {'measured':<34} bound")
    for what, measured, bound in rows:
        print(f"{what:<44} {measured:<34} {bound}")


if __name__ == "__main__":
    main()
