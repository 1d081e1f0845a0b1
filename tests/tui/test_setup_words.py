"""What Setup says that Enter starts: how many trainings that is."""

from __future__ import annotations

import pytest

from engine.plan.config import Settings
from tui.screens.setup_words import summary


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(), "Enter starts single, amp · resnet50 · 90 epochs"),
        (Settings(repeats=5, epochs=1), "Enter starts single, amp · resnet50 · 1 epoch · 10 runs"),
        (
            Settings(find_batch=True),
            "Enter starts single, amp · resnet50 · 90 epochs · batch sizes searched, then up to "
            "4 runs",
        ),
        (
            Settings(find_batch=True, repeats=3),
            "Enter starts single, amp · resnet50 · 90 epochs · batch sizes searched, then up to "
            "12 runs",
        ),
    ],
)
def test_how_many_runs_are_started(settings: Settings, expected: str) -> None:
    assert summary(settings, ("single", "amp"), on_strategies=True).plain == expected
