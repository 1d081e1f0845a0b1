"""A supervisor on another machine: whether it may still live."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import msgspec
import pytest

from engine.errors import ExperimentError
from engine.experiment import Experiment, write_atomically
from engine.journal import layout
from engine.run import control, heard, resume
from engine.summary import Summary
from tests.run.making import make_experiment


def elsewhere(made: Experiment, age: float) -> None:
    """As a supervisor on another machine left it ``age`` seconds ago."""
    summary = Summary(state="running", host="far", boot="b", pid=1, updated=time.time() - age)
    write_atomically(made.directory / layout.SUMMARY, msgspec.json.encode(summary))


def test_who_was_heard_of_lately_still_runs(tmp_path: Path) -> None:
    made = make_experiment(tmp_path, tmp_path / "no data")
    elsewhere(made, 5.0)
    assert made.state() == "silent"
    with pytest.raises(ExperimentError, match=r"runs on far: last heard of 5 s ago; stop it there"):
        resume.resume(made)
    with pytest.raises(ExperimentError, match="runs on far"):
        control.retry(made)
    # A clock that is ahead of ours is no reason to take it for dead.
    elsewhere(made, -500.0)
    with pytest.raises(ExperimentError, match="last heard of 0 s ago"):
        heard.must_be_gone(made)


def test_clocks_may_differ_but_its_samples_are_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_experiment(tmp_path, tmp_path / "no data")
    elsewhere(made, 3600.0)
    monkeypatch.setattr(heard, "LISTEN", 0.3)
    heard.must_be_gone(made)
    monkeypatch.setattr(heard, "LISTEN", 10.0)
    journal = layout.node_journal(made.directory, 0)
    journal.write_bytes(b"{}\n")
    timer = threading.Timer(0.2, journal.write_bytes, [b"{}\n{}\n"])
    timer.start()
    with pytest.raises(ExperimentError, match="heard of right now"):
        heard.must_be_gone(made)
    timer.join()
