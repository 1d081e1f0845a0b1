from __future__ import annotations

import json

from engine.journal.events import Event, Notice, RunEnded
from engine.journal.views import ExperimentView
from tests.report.views import (
    NOW,
    RUN,
    folded,
    phase,
    ready,
    run_of,
    steps,
    trained,
    validated,
)
from tui.commands.stream import plain
from tui.commands.table import failures
from tui.commands.words import told
from tui.narrate import Narrator


def said(narrator: Narrator, view: ExperimentView) -> list[str]:
    return [told(line, view) for line in narrator.lines(view)]


def test_each_line_is_told_once_and_an_epoch_with_its_validation() -> None:
    narrator = Narrator()
    rank: list[Event] = [phase("importing torch", 1.0)]
    assert said(narrator, folded(rank)) == ["single  importing torch"]
    rank += [ready(epochs=3, steps_per_epoch=2), steps(0, [1.0, 1.0], [0.2, 0.0], [8, 8])]
    assert said(narrator, folded(rank)) == [
        "single  resnet18, 2 classes, 16 + 100 images, a processor, fp32, batch 8"
    ]
    rank += [trained(0, 2, 16, 32.0, 2.0, 0.2), phase("validating", 3.0)]
    assert said(narrator, folded(rank)) == []
    rank += [validated(0, 2, top1=60, loss_sum=90.0)]
    assert said(narrator, folded(rank)) == [
        "single  epoch 1/3   loss 2.000   val loss 0.9000   top-1 60.0 %   8.0 images/s   "
        "waiting for data 10.0 %   2.0 s"
    ]
    rank += [Notice(t=NOW + 9, level="warning", text="mind \x1b[2J this")]
    assert said(narrator, folded(rank)) == ["single  warning: mind \ufffd[2J this"]
    rank += [trained(1, 3, 8, 8.0, 1.0, 0.0)]
    ended = RunEnded(t=NOW + 10, run=RUN, attempt=1, state="stopped", reason="stopped, as asked")
    first, second = said(narrator, folded(rank, ended=ended))
    assert "epoch 2/3   loss 1.000   8.0 images/s" in first
    assert second == "single  stopped, as asked"
    assert said(narrator, folded(rank, ended=ended)) == []


def test_lines_know_when_and_of_which_run() -> None:
    rank: list[Event] = [phase("importing torch", 1.0), ready(epochs=1, steps_per_epoch=2)]
    rank += [steps(0, [1.0, 1.0], [0.2, 0.0], [8, 8]), trained(0, 2, 16, 32.0, 2.0, 0.2)]
    rank += [validated(0, 2, top1=60, loss_sum=90.0)]
    view = folded(rank)
    first, *_, last = Narrator().lines(view)
    assert (first.t, first.run, first.level) == (NOW + 1, RUN, "info")
    assert last.t == run_of(view).validations[0].t
    assert last.text.startswith("epoch 1/1")


def test_a_failure_is_told_with_the_ranks_own_last_lines() -> None:
    ended = RunEnded(
        t=NOW, run=RUN, attempt=1, state="failed", reason="out of memory", detail="a\n\x1b[31mb"
    )
    view = folded([], ended=ended)
    assert failures(view) == ["single failed: out of memory", "    a", "    \ufffd[31mb"]
    assert run_of(view).state == "failed"


def test_steps_as_plain_numbers() -> None:
    event = plain(steps(3, [0.5, float("nan")], [0.25, float("inf")], [8, 8]))
    assert event["metrics"] == {
        "images": [8.0, 8.0],
        "step_seconds": [0.5, None],
        "wait_seconds": [0.25, None],
    }
    assert (event["type"], event["first"], event["count"]) == ("steps", 3, 2)
    assert "columns" not in event
    json.dumps(event, allow_nan=False)
