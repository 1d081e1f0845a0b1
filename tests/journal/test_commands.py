"""Requests to a supervisor: left, taken once, and harmless where they are damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import ExperimentError
from engine.journal import commands, layout


def test_each_request_is_handed_out_once(tmp_path: Path) -> None:
    first = commands.send(tmp_path, "stop-run", "01-single")
    second = commands.send(tmp_path, "kill")
    taken = commands.receive(tmp_path)
    assert {(each.id, each.action, each.run) for each in taken} == {
        (first, "stop-run", "01-single"),
        (second, "kill", ""),
    }
    assert commands.receive(tmp_path) == []


@pytest.mark.parametrize("damage", [b"", b"{", b'{"id":"x","action":"format-disk"}', b"\0" * 40])
def test_what_is_no_request_goes(tmp_path: Path, damage: bytes) -> None:
    directory = tmp_path / layout.COMMANDS
    directory.mkdir()
    (directory / "x.json").write_bytes(damage)
    (directory / ".half-written").write_bytes(b"{")
    assert commands.receive(tmp_path) == []
    assert not (directory / "x.json").exists()
    assert (directory / ".half-written").exists()


def test_nowhere_to_leave_it(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="cannot leave a request"):
        commands.send(tmp_path / "gone", "stop")
