"""The table at the end of a headless run, at every width."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.console import Console

from engine.report.rows import Row, rows
from tests.report.views import folded
from tui.commands import table
from tui.widgets import format as show


def made(strategy: str, **more: object) -> Row:
    (row,) = rows(folded([], queued_only=True, strategy=strategy))
    known: dict[str, object] = {
        "state": "done",
        "epochs": 5,
        "top1": 0.5,
        "images_per_second": 1234.0,
        "train_seconds": 7500.0,
        "batch_size": 64,
        "device_batch": 64,
        "precision": "fp32",
    }
    return replace(row, **{**known, **more})  # type: ignore[arg-type]


ROWS = [
    made("single"),
    made("gradient-checkpointing", precision="bf16"),
    made("gpipe", device_batch=16, bubble=0.43),
]


def drawn(found: list[Row], width: int) -> list[str]:
    console = Console(width=width, no_color=True)
    with console.capture() as capture:
        console.print(table.results(found, width))
    return [line.rstrip() for line in capture.get().splitlines()]


@pytest.mark.parametrize("width", [80, 100, 120, 160, 240])
def test_every_name_and_number_is_whole(width: int) -> None:
    lines = drawn(ROWS, width)
    assert len(lines) == 4
    assert all(len(line) <= width for line in lines)
    assert not any("…" in line for line in lines)
    assert lines[0].startswith("strategy                state  epochs")
    assert all("50.0 %" in line and "1,234" in line for line in lines[1:])
    assert lines[2].startswith("gradient-checkpointing  done")
    assert all(line.endswith("2 h 05 min") for line in lines[1:])


def test_a_wide_terminal_shows_how_a_run_was_spread() -> None:
    heads, *lines = drawn(ROWS, 200)
    assert all(word in heads for word in ("precision", "per device", "bubble"))
    assert "16 of 64" in lines[2]
    assert "43 %" in lines[2]
    assert "bf16" in lines[1]


def test_what_no_run_has_needs_no_column() -> None:
    heads = drawn(ROWS[:2], 240)[0]
    assert "bubble" not in heads
    assert "top-5" not in heads


@pytest.mark.parametrize(
    ("whole", "part", "expected"),
    [(64, 64, "64"), (64, 32, "64 = 2 x 32"), (64, 22, "64 in parts of 22"), (5, 9, "5")],
)
def test_a_batch_in_pieces(whole: int, part: int, expected: str) -> None:
    assert show.pieces(whole, part) == expected
