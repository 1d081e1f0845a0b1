"""Which experiments there are, and which one is meant."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine import lookup
from engine.errors import ExperimentError
from engine.journal import layout
from engine.journal.lock import Lock
from tests.making import make, write_summary


def test_found_by_path_name_and_prefix_from_anywhere(tmp_path: Path) -> None:
    ants, bees = make(tmp_path / "a", "ants"), make(tmp_path / "b", "bees")
    elsewhere = tmp_path / "elsewhere"
    assert lookup.find(str(ants.directory), elsewhere).directory == ants.directory
    assert lookup.find(bees.name, elsewhere).directory == bees.directory
    assert lookup.find(None, elsewhere).directory == bees.directory
    with pytest.raises(ExperimentError, match="could be"):
        lookup.find(ants.name[:4], elsewhere)
    with pytest.raises(ExperimentError, match="resnet-tui list"):
        lookup.find("no-such", elsewhere)


def test_without_a_name_the_running_one_comes_first(tmp_path: Path) -> None:
    running = make(tmp_path, "running")
    newer = make(tmp_path, "newer")
    write_summary(newer, "done", host="", boot="")
    lock = Lock(running.directory / layout.LOCK)
    assert lookup.find(None, tmp_path).directory == running.directory
    lock.release()


def test_nothing_there_yet(tmp_path: Path) -> None:
    assert lookup.known(tmp_path) == []
    with pytest.raises(ExperimentError, match="resnet-tui train"):
        lookup.find(None, tmp_path)


def test_a_user_without_a_home_has_experiments_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    made = make(tmp_path)
    assert lookup.known(tmp_path)[0].directory == made.directory
    assert lookup.known() == []
