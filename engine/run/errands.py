"""What is done beside the runs once one is over: its figures are written as plain arrays.

The supervisor itself must not import numpy: a child does it, at the lowest priority, for the next
run is beginning then.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
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
    """Children of the supervisor that ends of runs do not touch. To be used in its main thread."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._out: list[_Errand] = []

    def write_metrics(self, run: str) -> list[Notice]:
        """Begins to write ``metrics.npz`` of a run; what went wrong with that."""
        if not any(each.run == run for each in layout.rank_journals(self._directory)):
            return []  # It ended before anything was measured.
        command = python("-m", "engine.report.metrics", str(self._directory), run)
        errors = tempfile.TemporaryFile()  # noqa: SIM115 (it is closed in _bury)
        try:
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
        except OSError as error:
            errors.close()
            return [_notice(run, str(error.strerror))]
        kin.spare(process.pid)
        try:
            psutil.Process(process.pid).nice(19)
        except psutil.Error:
            pass
        self._out.append(_Errand(run, process, errors))
        return []

    def poll(self) -> list[Notice]:
        """What those that are over by now say of what went wrong."""
        over = [each for each in self._out if each.process.poll() is not None]
        self._out = [each for each in self._out if each not in over]
        return [notice for each in over for notice in self._bury(each)]

    def close(self, patience: float = PATIENCE) -> list[Notice]:
        """Waits for them, and kills what does not end; what went wrong."""
        end = time.monotonic() + patience
        for each in self._out:
            try:
                each.process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                each.process.kill()
                each.process.wait()
        return self.poll()

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
