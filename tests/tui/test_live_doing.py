"""A run that should train and does not: known answers, and what is no standstill."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.journal.reader import JournalReader
from engine.journal.views import PhaseView, RunView
from engine.report.progress import Progress
from tests.tui.measured import write_measured
from tui.screens.live_doing import doing

FAST = Progress(phase="training", step_seconds=0.1)


@pytest.fixture
def run(tmp_path: Path) -> RunView:
    (run,) = JournalReader(write_measured(tmp_path, ranks=2, state=None).directory).read_all().runs
    return run


def last_step(run: RunView) -> float:
    return run.history.segments[None][-1].track.ended


def test_no_step_for_a_while_is_told_with_its_seconds(run: RunView) -> None:
    assert doing(run, FAST, last_step(run) + 47.2) == "no step for 47 s"
    assert doing(run, FAST, last_step(run) + 200.0) == "no step for 3 min 20 s"


def test_steps_that_come_are_no_standstill(run: RunView) -> None:
    assert doing(run, FAST, last_step(run) + 9.9) == ""
    assert doing(run, FAST, last_step(run) - 1.0) == "", "clocks of two machines differ"


def test_long_steps_are_waited_for(run: RunView) -> None:
    slow = replace(FAST, step_seconds=20.0)
    assert doing(run, slow, last_step(run) + 99.0) == ""
    assert doing(run, slow, last_step(run) + 101.0) == "no step for 1 min 41 s"


def test_nothing_is_said_before_the_first_step(run: RunView) -> None:
    assert doing(None, None, 1e9) == ""
    assert doing(replace(run, history=type(run.history)()), FAST, 1e9) == ""


def test_validating_and_saving_are_no_standstill(run: RunView) -> None:
    began = last_step(run) + 1
    long = replace(run, phases=(PhaseView(name="validating", started=began, seconds=None),))
    assert doing(long, FAST, began + 9.9) == "validating"
    assert doing(long, FAST, began + 47.2) == "validating, 47 s", "it may hang"
