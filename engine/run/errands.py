"""What is done beside the runs once one is over: its figures are written as plain arrays.

The supervisor itself must not import numpy: a child does it, at the lowest priority, for the next
run is beginning then.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

import psutil

from engine.journal import layout
from engine.journal.events import Notice
from engine.plan.text import clean
from engine.run import kin
from engine.run.launch import python

PATIENCE = 10.0
"""Seconds for which the end of an experiment waits for them."""

_LONGEST = 500
"""Characters of a reason."""


@dataclass(slots=True)
class _Errand:
    run: str
    process: subprocess.Popen[bytes]
    errors: IO[bytes]


class Errands:
    """Children of the supervisor, one at a time, that ends of runs do not touch.

    To be used in its main thread. What goes wrong is returned as notices.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._waiting: deque[str] = deque()
        self._out: _Errand | None = None

    def write_metrics(self, run: str) -> None:
        """``metrics.npz`` of a run will be written, unless it ended before it measured anything."""
        if any(each.run == run for each in layout.rank_journals(self._directory)):
            self._waiting.append(run)

    def write_missing(self, runs: Iterable[str]) -> None:
        """The same for runs that were over when an earlier supervisor was killed."""
        for run in runs:
            if not (self._directory / run / layout.METRICS).exists():
                self.write_metrics(run)

    def poll(self) -> list[Notice]:
        """Goes on; what went wrong since the last call."""
        notices: list[Notice] = []
        if self._out is not None and self._out.process.poll() is not None:
            notices += self._bury(self._out)
            self._out = None
        while self._out is None and self._waiting:
            run = self._waiting.popleft()
            try:
                self._out = self._sent(run)
            except OSError as error:
                notices.append(_notice(run, error.strerror or str(error)))
        return notices

    def close(self, patience: float = PATIENCE) -> list[Notice]:
        """Waits for all of them, and kills what does not end; what went wrong."""
        end = time.monotonic() + patience
        notices = self.poll()
        while self._out is not None:
            try:
                self._out.process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._waiting.clear()
                self._out.process.kill()
                self._out.process.wait()
            notices += self.poll()
        return notices

    def _sent(self, run: str) -> _Errand:
        command = python("-m", "engine.report.metrics", str(self._directory), run)
        with ExitStack() as stack:
            errors = stack.enter_context(tempfile.TemporaryFile())
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                # One row of a run after the other: there is nothing to share out.
                env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
                # Safe here: the supervisor has one thread, and die_with allocates nothing.
                preexec_fn=partial(kin.die_with, os.getpid()),  # noqa: PLW1509
            )
            stack.pop_all()  # It is closed with the errand.
        kin.spare(process.pid)
        try:
            psutil.Process(process.pid).nice(19)
        except psutil.Error:
            pass  # It is over already.
        return _Errand(run, process, errors)

    def _bury(self, errand: _Errand) -> list[Notice]:
        kin.forget(errand.process.pid)
        with errand.errors as file:
            file.seek(0)
            said = file.read().decode("utf-8", "replace").strip()
        # Its exit code may have gone to ``kin.reap``: the file is what counts.
        written = (self._directory / errand.run / layout.METRICS).exists()
        if errand.process.returncode == 0 and written:
            return []
        if errand.process.returncode < 0:
            said = f"ended by signal {-errand.process.returncode}"
        return [_notice(errand.run, said.splitlines()[-1] if said else "it says nothing of why")]


def _notice(run: str, reason: str) -> Notice:
    text = f"{layout.METRICS} of {run} was not written: {clean(reason)[:_LONGEST]}"
    return Notice(level="warning", text=text, code="metrics")
