"""A request that comes while a rank starts up."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from engine.journal.events import AttemptEnded, AttemptStarted
from engine.journal.files import parse, writer_fields
from engine.train.ending import Attempt
from engine.train.recorder import Recorder
from engine.train.stop import Stopped, StopRequest

pytestmark = pytest.mark.usefixtures("signals")


@pytest.mark.parametrize(("step", "state"), [(0, "stopped"), (3, "failed")])
def test_what_an_interrupted_import_breaks_is_no_failure(
    tmp_path: Path, step: int, state: str
) -> None:
    path = tmp_path / "rank0.jsonl"
    recorder = Recorder(path, AttemptStarted(**writer_fields(), rank=0, world_size=1, versions={}))
    with Attempt(recorder, StopRequest(tmp_path / "stop")) as running:
        try:
            running.stop.interrupt_startup()
            os.kill(os.getpid(), signal.SIGTERM)
        except Stopped:
            # As numpy does when it is asked for a module of which half was imported.
            running.step = step
            raise RecursionError("maximum recursion depth exceeded") from None
    events, _ = parse(path.read_bytes())
    ended = events[-1]
    assert isinstance(ended, AttemptEnded)
    assert ended.state == state
    assert (ended.reason == "stopped before the first step, as asked") is (state == "stopped")
