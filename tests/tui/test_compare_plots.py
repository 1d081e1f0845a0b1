"""What stands below the table of the comparison: means of repeats, chosen rows, bars."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter

import numpy as np
import pytest

from engine.journal.history import Buckets
from tests.report.comparisons import comparison, row
from tui.screens import compare_bars
from tui.screens.compare_plots import MOST, drawn, together
from tui.widgets import format as show
from tui.widgets import plot_words
from tui.widgets.bars import Bar, bars


def buckets(x: list[float], mean: list[float], std: float = 0.0, count: int = 1) -> Buckets:
    values = np.array(mean, np.float32)
    return Buckets(
        x=np.array(x, np.float64),
        low=values - 1,
        high=values + 1,
        mean=values,
        std=np.full(len(x), std, np.float32),
        count=np.full(len(x), count, np.int64),
    )


def test_a_curve_is_the_mean_of_its_repeats_and_its_spread_is_over_them() -> None:
    mean = together([buckets([0, 1, 2], [4, 2, 1], 3.0), buckets([0, 1, 2], [2, 2, 5], 4.0)])
    assert mean.mean.tolist() == [3, 2, 3]
    assert mean.low.tolist() == [1, 1, 0]
    assert mean.high.tolist() == [5, 3, 6]
    assert mean.count.tolist() == [2, 2, 2]
    # The mean of the variances, and the variance of the means.
    assert mean.std == pytest.approx(np.sqrt([12.5 + 1, 12.5, 12.5 + 4]))


def test_repeats_with_steps_at_other_times_are_read_in_between_as_far_as_all_reach() -> None:
    fast = buckets([0, 1, 2, 3, 4], [4, 3, 2, 1, 0])
    slow = buckets([0, 2, 4, 6], [8, 6, 4, 2])
    mean = together([fast, slow])
    assert mean.x.tolist() == [0, 2, 4]
    assert mean.mean.tolist() == [6, 4, 2]


def test_one_repeat_is_itself_and_an_empty_one_changes_nothing() -> None:
    alone, nothing = buckets([0, 1], [1, 2]), buckets([0, 1], [0, 0], count=0)
    assert together([alone]) is alone
    assert together([nothing, alone]) is alone


def test_rows_that_are_drawn_hold_the_cursor_and_what_was_marked() -> None:
    rows = [row(f"s{n}") for n in range(20)]
    keys = [each.key for each in rows]
    assert drawn(rows, rows, keys[2], ()) == tuple(keys[:MOST])
    assert drawn(rows, rows, keys[9], ()) == (*keys[: MOST - 1], keys[9])
    assert drawn(rows, rows, keys[0], (keys[9], keys[4])) == (keys[0], keys[4], keys[9])
    # A sign goes by the plan, whatever the order of the table.
    assert drawn(rows[::-1], rows, keys[19], ()) == tuple(keys[14:])


def test_signs_differ_without_colour() -> None:
    for plain in (False, True):
        signs = {plot_words.dash_glyph(n, plain) for n in range(MOST)}
        marks = {plot_words.glyph(n, plain) for n in range(MOST)}
        assert len(signs) == len(marks) == MOST
    assert len(set(plot_words.DASHES)) == MOST


def test_bars_are_as_long_as_their_figures_and_say_them() -> None:
    found = [Bar("single", 100.0), Bar("amp", 200.0, 180.0, 220.0), Bar("ddp", None)]
    lines = [each.plain for each in bars("Images/s", found, show.rate, 1.0, 80, "$primary")]
    assert lines[0].startswith("Images/s ──")
    assert lines[0].endswith("lowest to highest repeat")
    assert all(len(line) <= 80 for line in lines)
    assert lines[1].startswith("single 100 ┤━")
    assert lines[2].startswith("amp    200 ┤━")
    assert lines[3].startswith("ddp      – ┤")
    assert "━" not in lines[3]
    assert lines[1].count("━") == pytest.approx(69 * 100 / 220, abs=2)
    assert "├" in lines[2] and lines[2].endswith("┤")
    assert len(lines) == 6
    assert lines[5].split() == ["0", "100", "200"]
    assert not any("\x1b" in line for line in lines)


def test_bars_of_nothing_say_so() -> None:
    lines = bars("Images/s", [Bar("single", None)], show.rate, 1.0, 80, "$primary")
    assert "nothing was measured yet" in lines[1].plain


def test_a_bar_ranges_over_the_repeats_that_are_done() -> None:
    one = row("amp", runs=3)
    rates = [100.0, 300.0, 200.0]
    kind = compare_bars.KINDS["throughput"]
    repeats = tuple(
        replace(each, images_per_second=rate) for each, rate in zip(one.repeats, rates, strict=True)
    )
    key = attrgetter("key")
    (bar,) = compare_bars.found(kind, [replace(one, repeats=repeats)], one.key, key)
    assert (bar.low, bar.high, bar.here) == (100.0, 300.0, True)
    (alone,) = compare_bars.found(kind, [row("amp")], "", key)
    assert (alone.value, alone.low, alone.here) == (128.0, None, False)


def test_time_to_accuracy_names_its_accuracy() -> None:
    kind = compare_bars.KINDS["time"]
    assert compare_bars.title(kind, comparison(target=0.9)) == "Seconds to 90.0 % top-1"
    assert compare_bars.title(kind, comparison()) == "Time to accuracy"
