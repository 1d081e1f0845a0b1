"""The children that write down what a run measured, beside the runs."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np

from engine.journal import layout
from engine.run import kin
from engine.run.errands import Errands
from tests.run.making import processes

RUN = "01-single"


def begun(directory: Path) -> Path:
    """A run of which nothing is known but that it began; where its figures will be."""
    journal = layout.rank_journal(directory, RUN, 1, 0)
    journal.parent.mkdir(parents=True)
    journal.write_bytes(b"")
    return directory / RUN / layout.METRICS


def test_figures_are_written_beside_the_runs(tmp_path: Path) -> None:
    errands = Errands(tmp_path)
    errands.write_metrics(RUN)
    assert errands.poll() == []
    assert processes(tmp_path) == []  # Nothing was measured.
    figures = begun(tmp_path)
    errands.write_missing([RUN])
    assert errands.poll() == []
    (child,) = processes(tmp_path)
    # The end of a run touches only what comes from the run.
    assert child.pid not in [each.pid for each in kin.descendants()]
    assert errands.close() == []
    assert np.load(figures)["train_step"].size == 0
    errands.write_missing([RUN])
    assert errands.poll() == []
    assert processes(tmp_path) == []  # It is there.


def test_what_goes_wrong_is_told_and_ends_nothing(tmp_path: Path) -> None:
    figures = begun(tmp_path)
    figures.mkdir()
    errands = Errands(tmp_path)
    errands.write_metrics(RUN)
    (notice,) = errands.close()
    assert notice.text.startswith("metrics.npz of 01-single was not written: cannot write")
    assert errands.poll() == errands.close() == []

    # One that hangs is not waited for any longer than that.
    errands.write_metrics(RUN)
    errands.poll()
    (child,) = processes(tmp_path)
    child.send_signal(signal.SIGSTOP)
    (notice,) = errands.close(0.1)
    assert notice.text.endswith("was not written: ended by signal 9")
    assert processes(tmp_path) == []
