"""Following an experiment without the dashboard."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.experiment import Experiment
from engine.run import control
from tests.journal import writing
from tui.commands import follow
from tui.commands.interrupts import Interrupts


def test_the_table_is_of_all_that_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run may write its first word after the last look for new files, and end."""
    made = writing.write_experiment(tmp_path, tmp_path / "bees", state="done")
    (run,) = made.plan.runs
    late, aside = made.directory / run.run, tmp_path / "aside"
    late.rename(aside)
    looks = []

    def ended(experiment: Experiment) -> str | None:
        looks.append(experiment)
        if len(looks) == 1:
            return None
        aside.rename(late)
        return "done"

    monkeypatch.setattr(control, "ended", ended)
    monkeypatch.setattr(follow, "PERIOD", 0.0)
    with Interrupts() as interrupts:
        follow.follow(made, interrupts, own=False)
    told = capsys.readouterr().out.splitlines()
    *_, row = (line.split() for line in told if line.startswith("single "))
    # Batches of 32 images in 50 ms.
    assert "640" in row
