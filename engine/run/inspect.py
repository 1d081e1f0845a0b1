"""Inspecting a folder in a process of its own, so that a screen never waits for a disk.

``Inspection`` is the screen's side; ``python -m engine.run.inspect`` is the other, which prints
one JSON line per report. That process reads its standard input only to notice its end: it ends
when the screen's process does, however that ends.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import msgspec

from engine.errors import DatasetError
from engine.plan import inspection
from engine.plan.inspection import Report
from engine.plan.text import clean


class _Line(msgspec.Struct, omit_defaults=True):
    """One line of the other process: a report, or why there is none."""

    report: Report | None = None
    error: str = ""


class Inspection:
    """One inspection of one folder. ``poll`` never waits; ``cancel`` may be called at any time."""

    def __init__(self, folder: Path, val_fraction: float, seed: int) -> None:
        self.folder = folder
        self.done = False
        """Whether nothing more will come."""
        self._arguments = [os.fspath(folder), repr(val_fraction), str(seed)]
        self._process: subprocess.Popen[bytes] | None = None
        self._newest: Report | DatasetError | None = None
        self._cancelled = False

    def start(self) -> None:
        """Spawns the process; a failure to do so is what ``poll`` answers then."""
        argv = [sys.executable, "-m", "engine.run.inspect", *self._arguments]
        try:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            self._newest = DatasetError(
                f"{clean(str(self.folder))} cannot be inspected: no process could be started "
                f"({error.strerror}); close other programs and try again"
            )
            self.done = True
            return
        threading.Thread(
            target=self._listen, args=(self._process,), name="inspection", daemon=True
        ).start()

    def poll(self) -> Report | DatasetError | None:
        """The newest report, or what is wrong with the folder; ``None`` before either."""
        return self._newest

    def cancel(self) -> None:
        """Ends the process at once; reports that came until now stay."""
        self._cancelled = True
        self.done = True
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None and process.stdout is not None
        decoder = msgspec.json.Decoder(_Line)
        last_words = ""
        with process.stdin, process.stdout:
            for data in process.stdout:
                try:
                    line = decoder.decode(data)
                except msgspec.MsgspecError:
                    last_words = clean(data.decode("utf-8", "replace").strip()) or last_words
                    continue
                self._newest = DatasetError(line.error) if line.error else line.report
        code = process.wait()
        if code != 0 and not self._cancelled and not isinstance(self._newest, DatasetError):
            self._newest = DatasetError(
                f"{clean(str(self.folder))} could not be inspected to its end "
                f"({last_words or f'the process ended with code {code}'}); choose it again"
            )
        self.done = True


def main(arguments: list[str]) -> int:
    """Prints the reports on a folder as lines of JSON; ends when standard input does."""
    folder, val_fraction, seed = arguments
    threading.Thread(target=_end_with_parent, name="end with parent", daemon=True).start()
    os.nice(5)
    try:
        for report in inspection.inspect(Path(folder), float(val_fraction), int(seed)):
            _print(_Line(report=report))
    except DatasetError as error:
        _print(_Line(error=str(error)))
        return error.exit_code
    return 0


def _print(line: _Line) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
    sys.stdout.buffer.flush()


def _end_with_parent() -> None:
    while os.read(0, 4096):
        continue
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
