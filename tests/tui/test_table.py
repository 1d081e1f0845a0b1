"""The table at the end of a headless run, at every width."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest
from rich.console import Console

from engine.report.comparison import Comparison, Held
from tests.report.comparisons import BASELINE, comparison, faster, row
from tui.commands import results
from tui.commands.table import say
from tui.widgets import format as show

ROWS = (
    row("single", BASELINE, train_seconds=7500.0),
    row("gradient-checkpointing", faster(0.8), precision="bf16", images_per_second=1234.0,
        train_seconds=7600.0),
    row("gpipe", faster(1.004), batch_size_per_device=16, bubble=0.43, train_seconds=9500.0),
)  # fmt: skip
SEVERAL = comparison(
    *(row(name, BASELINE if name == "single" else faster(1.1), runs=3, experiment=place)
      for place in ("A", "B")
      for name in ("single", "amp")),
)  # fmt: skip


def drawn(table: Comparison, width: int) -> list[str]:
    console = Console(width=width, no_color=True)
    with console.capture() as capture:
        console.print(results.results(table.rows, table, width))
    return [line.rstrip() for line in capture.get().splitlines()]


@pytest.mark.parametrize("width", [80, 100, 120, 160, 240])
def test_every_name_and_number_is_whole(width: int) -> None:
    lines = drawn(comparison(*ROWS), width)
    assert len(lines) == 4
    assert all(len(line) <= width for line in lines)
    assert not any("…" in line for line in lines)
    assert lines[0].startswith("strategy                state  ")
    assert lines[2].startswith("gradient-checkpointing  done   ")
    assert "▲ 1,234" in lines[2]
    for word in ("images/s", "speed-up"):
        assert word in lines[0]


def test_the_weightiest_columns_come_first() -> None:
    heads = [drawn(comparison(*ROWS), width)[0].split("  ") for width in (80, 160)]
    narrow, wide = ({each.strip() for each in head if each} for head in heads)
    assert narrow < wide
    assert {"call", "top-1"} <= narrow
    assert {"peak memory", "training", "val loss", "stall"} <= wide


def test_a_wide_terminal_shows_how_a_run_was_spread() -> None:
    heads, *lines = drawn(comparison(*ROWS), 300)
    assert all(word in heads for word in ("precision", "per device", "bubble"))
    assert "43.0 %" in lines[2]
    assert "bf16" in lines[1]


def test_what_no_run_has_and_what_one_row_cannot_have_need_no_column() -> None:
    heads = drawn(comparison(*ROWS[:2]), 300)[0]
    assert not any(word in heads for word in ("bubble", "top-5", "repeats", "cost"))
    heads, line = drawn(comparison(ROWS[0]), 300)
    assert not any(word in heads for word in ("speed-up", "call"))
    assert "▲" not in line
    assert results.below(comparison(ROWS[0])) == []


def test_best_and_worst_are_marked_and_numbers_stay_below_one_another() -> None:
    lines = drawn(comparison(*ROWS), 160)
    assert [line.count("▲") for line in lines[1:]] == [1, 1, 0]
    assert lines[3].endswith("▼ 2 h 38 min")
    ends = {line.index(" min") for line in lines[1:]}
    assert len(ends) == 1


def test_ties_are_no_winners() -> None:
    tie = faster(1.001, call="tie", low=0.998, high=1.004)
    lines = drawn(
        comparison(row("single", BASELINE), row("amp", tie, images_per_second=128.2)), 160
    )
    assert "1.001x (0.998–1.004)" in lines[2]
    assert not any("▲" in line or "▼" in line for line in lines)


def test_repeats_are_told_only_where_there_are_some() -> None:
    part = row("amp", runs=3)
    lines = drawn(comparison(row("single", BASELINE, runs=3), part), 160)
    assert "repeats" in lines[0]
    assert "3 of 3" in lines[2]


def test_experiments_have_letters() -> None:
    lines = drawn(SEVERAL, 80)
    assert [line.split("  ")[0] for line in lines[1:]] == ["A single", "A amp", "B single", "B amp"]


def test_what_is_said_below() -> None:
    held = (
        Held("initial weights", "equal", "0a"),
        Held("sample order", "equal", "0b"),
        Held("BN batch", "differs", "gpipe: 16 of 64"),
        Held("clocks", "unknown"),
    )
    told = comparison(*ROWS, held=held, verdict="gpipe is fastest", remarks=("So and\x1b so.",))
    assert results.below(told) == [
        "▲ best  ▼ worst   speed-up: over the baseline, with its 95 % interval",
        "",
        "gpipe is fastest",
        "So and\ufffd so.",
        "held constant: initial weights, sample order",
        "differs: BN batch (gpipe: 16 of 64)",
        "not known to be equal: clocks",
    ]


def test_an_output_of_ascii_has_other_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert "^ best  v worst" in results.below(comparison(*ROWS))[0]
    lines = drawn(comparison(*ROWS), 160)
    assert "^ 1,234" in lines[2]


@pytest.mark.parametrize("rows", [(), ROWS[:1], ROWS])
def test_all_of_it_is_printed(rows: Any, capsys: pytest.CaptureFixture[str]) -> None:
    other = comparison(*(row(each.figures.name, device_kind="cuda") for each in rows))
    both = comparison(*rows, *other.rows, views=("equal", "best"))
    results.show([both])
    told = capsys.readouterr().out
    assert told.startswith("\nequal global batch:\n")
    assert told.count("strategy  ") == (2 if rows else 0)
    assert not any(line.endswith(" ") for line in told.splitlines())


@pytest.mark.parametrize(
    ("whole", "part", "expected"),
    [(64, 64, "64"), (64, 32, "64 = 2 x 32"), (64, 22, "64 in parts of 22"), (5, 9, "5")],
)
def test_a_batch_in_pieces(whole: int, part: int, expected: str) -> None:
    assert show.pieces(whole, part) == expected


@pytest.mark.parametrize("on_a_terminal", [True, False])
def test_a_sentence_is_broken_between_words_and_only_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, *, on_a_terminal: bool
) -> None:
    class Output(io.StringIO):
        def isatty(self) -> bool:
            return on_a_terminal

    monkeypatch.setattr(sys, "stdout", output := Output())
    monkeypatch.setenv("COLUMNS", "24")
    told = "amp wins: [1.3] times as fast as single, by more than noise"
    say(told)
    lines = output.getvalue().splitlines()
    assert (len(lines) > 2) == on_a_terminal
    assert max(map(len, lines)) <= 24 or not on_a_terminal
    assert " ".join(line.strip() for line in lines) == told
