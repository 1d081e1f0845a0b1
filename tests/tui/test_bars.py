"""The bars of a training without the dashboard, on terminals of every width."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from engine.journal.fold import ExperimentFold
from engine.plan.config import Settings
from engine.plan.runs import plan_runs
from engine.plan.strategies import Strategy
from tests.tui.queues import DATASET, supervised
from tui.commands import table
from tui.commands.bars import Bars, widths
from tui.widgets.fitting import in_middle

NAMES = ("resnet-all-in-bfloat16-on-two-gpus", "resnet-all-in-bfloat16-on-one-gpu", "plain")


def test_a_name_is_cut_in_its_middle() -> None:
    assert in_middle("resnet-a", 8) == "resnet-a"
    assert in_middle("resnet-all-in-a", 9) == "resn…in-a"
    assert in_middle("resnet-all-in-a", 8) == "res…in-a"
    assert [in_middle("resnet", each) for each in (2, 1, 0)] == ["…t", "…", ""]


@pytest.mark.parametrize("room", [60, 80, 100, 160])
def test_the_columns_fill_no_more_than_there_is(room: int) -> None:
    found = widths(NAMES, room)
    assert found.name + found.bar + found.doing + 6 + 3 <= room
    assert found.bar >= 8
    short = widths(["single", "amp"], room)
    assert short.name == 6, "a short name is whole"


@pytest.mark.parametrize("width", [80, 120])
def test_names_that_begin_alike_are_told_apart(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    written = io.StringIO()
    monkeypatch.setattr(
        table, "console", lambda: Console(file=written, width=width, force_terminal=True)
    )
    strategies = tuple(
        Strategy(name=name, explanation="as it says", accumulate=parts)
        for parts, name in enumerate(NAMES, 1)
    )
    fold = ExperimentFold()
    for event in supervised(plan_runs(DATASET, Settings(), strategies), [10.0], running=3.0):
        fold.apply_supervisor(event)  # type: ignore[arg-type]
    with Bars() as bars:
        bars.show(fold.freeze())
        told = Console(width=width).render_lines(bars._progress.get_renderable())
    lines = ["".join(segment.text for segment in line) for line in told]
    assert len(lines) == 4, "one for each, and one for all"
    assert all(len(line.rstrip()) <= width for line in lines)
    first = [line.split()[0] for line in lines]
    assert first[0] != first[1]
    assert first[0].endswith("-two-gpus")
    assert first[1].endswith("-one-gpu")
    assert first[2:] == ["plain", "all"]
    if width > 100:
        assert first[0] == NAMES[0]
