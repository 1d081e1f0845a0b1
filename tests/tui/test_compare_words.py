"""The lines around the table of the comparison, at every width."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.journal.events import BatchTried
from engine.journal.views import PhaseView, SearchView
from engine.plan.runs import RunPlan
from engine.report.comparison import Held
from tests.report.comparisons import comparison, row, usual
from tests.report.tables import plan_of
from tests.report.views import NOW, folded
from tui.screens import compare_words as words
from tui.screens.compare_evidence import evidence
from tui.screens.compare_settings import differing

HELD = (
    Held("initial weights", "equal", "1f3a"),
    Held("split", "equal", "77aa"),
    Held("sample order", "equal", "0a1b"),
    Held("optimiser steps", "differs", "ddp: 20, the others 40"),
    Held("clocks", "unknown"),
)
WIDTHS = (40, 58, 78, 158)


@pytest.mark.parametrize("width", WIDTHS)
def test_what_differs_is_told_before_what_was_equal(width: int) -> None:
    line = words.held(HELD, width).plain
    assert len(line) == width
    assert line.startswith("≠ differs: ")
    assert line.endswith("i evidence")
    if width >= 78:
        assert line.startswith("≠ differs: optimiser steps   ? unknown: clocks   = equal: ")
    assert ("= equal: initial weights, split, sample order " in line) == (width == 158)


def test_a_list_that_does_not_fit_counts_the_rest() -> None:
    many = tuple(Held(f"thing {n}", "equal") for n in range(9))
    assert words.held(many, 58).plain.startswith("= equal: thing 0, thing 1, thing 2, thing 3 +5")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("rows", [1, 2, 4])
def test_sentences_keep_to_their_rows(width: int, rows: int) -> None:
    table = replace(usual(), remarks=("All of it on a CPU: " * 5, "Something else."))
    for lines in (words.verdict("faster " * 40, width, rows), words.remarks(table, width, rows)):
        assert len(lines) <= rows
        assert all(line.cell_length <= width for line in lines)


def test_a_row_that_failed_says_why_and_another_what_the_diagnosis_says() -> None:
    failed = row("gpipe", state="failed", reason="out of memory", repeats=0)
    assert words.of_row(failed, 78).plain == "gpipe failed: out of memory"
    told = row("amp", comment="waiting for data")
    assert words.of_row(told, 78).plain == "amp: waiting for data"
    assert words.of_row(told, 78, "B older").plain == "amp of B older: waiting for data"
    assert words.of_row(row("amp"), 78).plain == ""


@pytest.mark.parametrize("width", WIDTHS)
def test_the_legend_fits(width: int) -> None:
    line = words.legend(
        width,
        marked=True,
        sorted_by="sorted by images/s, best first",
        across=(1, 6, 21),
        repeats=True,
        added=[("B", "2026-11-20_153211_bees")],
    ).plain
    assert len(line) <= width
    assert line.startswith("▲ best  ▼ worst   ← → columns 1–6 of 21")


@pytest.mark.parametrize("width", WIDTHS)
def test_the_view_is_in_the_title_and_the_key_for_the_other(width: int) -> None:
    both = comparison(row("single"), view="best", views=("equal", "best"))
    line = words.title("2026-11-20_153211_bees", both, 1, width).plain
    assert len(line) == width
    assert ("each at its best batch (w" in line) == (width >= 58)
    assert line.endswith("_bees + 1") == (width >= 78)


def test_what_is_done_now_is_told() -> None:
    view = folded([])
    assert words.progress(view, False, NOW, 78).plain == ""
    told = words.progress(view, True, NOW, 78).plain
    assert told == "● single trains, epoch 1 · 0 of 1 runs over"
    search = SearchView(
        strategy="ddp",
        tried=(
            BatchTried(strategy="ddp", batch_size=32, fits=True),
            BatchTried(strategy="ddp", batch_size=64, fits=True),
        ),
    )
    doing = PhaseView(name="finding the best batch of ddp: 128", started=NOW, seconds=None)
    view = replace(view, preparing=doing, searches=(search,), queue=("02-ddp",))
    told = words.progress(view, True, NOW + 12, 100).plain
    assert told == (
        "● finding the best batch of ddp: 128, 12 s · 32, 64 tried · 0 of 1 runs over · 1 waiting"
    )
    assert words.progress(view, True, NOW + 12, 60).plain.endswith("12 s · 32, 64 tried")


@pytest.mark.parametrize("width", [58, 110])
def test_all_evidence_is_listed(width: int) -> None:
    lines = [line.plain for line in evidence(replace(usual(), held=HELD), width)]
    assert all(len(line) <= width for line in lines)
    text = "\n".join(lines)
    for part in ("amp is the fastest", "≠ differs  optimiser steps", "= equal    split", "77aa"):
        assert part in text


def test_settings_that_differ_are_those_of_the_way_of_training() -> None:
    runs: dict[str, RunPlan] = {}
    for plan in plan_of(["single", "ddp", "gradient-checkpointing"], 2).runs:
        runs.setdefault(plan.strategy.name, plan)
    again = replace(runs["single"].settings, seed=7)
    assert differing(replace(runs["single"], settings=again), runs["single"]) == []
    told = {label: (one, other) for label, one, other in differing(runs["ddp"], runs["single"])}
    assert told["parallelism"] == ("ddp", "none")
    checkpointing = differing(runs["gradient-checkpointing"], runs["single"])
    assert ("gradient checkpointing", "yes", "no") in checkpointing
