"""The one line of ``status``, from summaries of every condition."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from engine.experiment import Experiment
from engine.journal.commands import TAKEN_OUT
from engine.summary import RunSummary, Summary
from tui.commands.status import line


def told(state: str, *runs: tuple[str, str] | tuple[str, str, str]) -> str:
    summaries = tuple(
        RunSummary(
            run=f"{number:02}-{strategy}",
            strategy=strategy,
            state=each,
            reason=reason[0] if reason else "",
            epoch=1 if each == "running" else None,
            epochs=2 if each == "running" else None,
        )
        for number, (strategy, each, *reason) in enumerate(runs, start=1)
    )
    summary = Summary(state="running", host="h", boot="b", pid=1, updated=1.0, runs=summaries)
    made = SimpleNamespace(title="bees", summary=lambda: summary, state=lambda: state)
    return line(cast("Experiment", made))


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        (
            [("a", "done"), ("b", "queued"), ("b", "running")],
            "bees running: b (2 of 3), epoch 2 of 2",
        ),
        (
            [("a", "stopped", TAKEN_OUT), ("b", "running")],
            "bees running: b (1 of 1), epoch 2 of 2",
        ),
        ([("a", "queued"), ("b", "queued")], "bees running: preparing, 0 of 2 over"),
        (
            [("a", "failed"), ("b", "failed"), ("a", "failed"), ("b", "running")],
            "bees running: b (4 of 4), epoch 2 of 2, failed: a (2), b",
        ),
        ([], "bees running"),
    ],
)
def test_where_it_is_and_what_failed(
    runs: list[tuple[str, str] | tuple[str, str, str]], expected: str
) -> None:
    assert told("running", *runs) == expected


def test_what_failed_is_said_once() -> None:
    assert told("failed", ("a", "failed"), ("b", "done"), ("a", "failed")) == "bees failed: a (2)"
