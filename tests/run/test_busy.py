"""How busy the cores are, by a control group that may have a part of them only."""

from __future__ import annotations

import time

import pytest

from engine import cgroup
from engine.run import busy


class Group:
    """A control group of one core and a half, on a machine of many."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.spent = 100.0, 7.0
        monkeypatch.setattr(busy, "_schedulable", lambda: list(range(64)))
        monkeypatch.setattr(cgroup, "cpu_limit", lambda: 1.5)
        monkeypatch.setattr(cgroup, "cpu_seconds", lambda: self.spent)
        monkeypatch.setattr(time, "monotonic", lambda: self.now)

    def passes(self, seconds: float, spent: float) -> None:
        self.now += seconds
        self.spent += spent


def test_of_what_a_control_group_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    group = Group(monkeypatch)
    cores = busy.Busy()
    assert cores.limit == 1.5
    group.passes(2.0, 1.5)
    assert cores.share() == pytest.approx(0.5)
    group.passes(1.0, 1.5)
    assert cores.share() == pytest.approx(1.0)
    group.passes(1.0, 0.0)
    assert cores.share() == 0.0


def test_of_all_cores_where_nothing_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroup, "cpu_limit", lambda: None)
    assert 0.0 <= busy.Busy().share() <= 1.0
