"""The lines, panels and numbers of the live view, and its viewport, without an application."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from engine.journal.views import PhaseView
from tui import output
from tui.plain import Ascii, plain
from tui.widgets import format as show
from tui.widgets import panels, summary
from tui.widgets.axis import Limits
from tui.widgets.line import bar, sparkline
from tui.widgets.viewport import Viewport


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "–"),
        (math.nan, "–"),
        (0.0, "0"),
        (1.08349, "1.083"),
        (0.000012, "1.2e-05"),
        (12345.6, "12,346"),
    ],
)
def test_plain_numbers(value: float | None, expected: str) -> None:
    assert show.plain(value) == expected


def test_units() -> None:
    assert show.percent(0.7266) == "72.7 %"
    assert show.percent(None) == "–"
    assert show.rate(23477.2) == "23,477"
    assert show.rate(8.26) == "8.3"
    assert show.gib(3 * 2**30) == "3.0 GiB"
    assert show.gib(200 * 2**20) == "200 MiB"
    assert show.seconds(0.043) == "43 ms"
    assert show.seconds(200) == "3 min 20 s"
    assert show.seconds(7500) == "2 h 05 min"


def test_an_estimate_is_marked_as_one() -> None:
    assert show.about(12) == "~12 s"
    assert show.about(180) == "~3 min"
    assert show.about(7800) == "~2 h 10 min"
    assert show.about(None) == "–"


def test_a_bar_shows_a_little_as_something_and_unknown_as_nothing() -> None:
    assert bar(0.02, 10, "red").plain == "━─────────"
    assert bar(1.0, 10, "red").plain == "━━━━━━━━━━"
    assert bar(None, 10, "red").plain == "──────────"


def test_a_sparkline_keeps_unknown_places_free() -> None:
    assert sparkline([0.0, None, 1.0], 4, 1.0) == " ▁ █"
    assert sparkline([0.5] * 9, 3, 1.0) == "▄▄▄"


@pytest.mark.parametrize("width", [40, 78, 120, 158])
def test_the_lines_above_the_charts_always_fit(width: int) -> None:
    figures = summary.Figures(
        loss=12.345, top1=1.0, val_top1=0.999, best_top1=1.0, throughput=123456.0, wait_share=0.5
    )
    assert summary.numbers(figures, width).cell_length <= width
    about = (
        "a-data-set-with-quite-a-long-name",
        "resnet152",
        "single (fp32)",
        "224 px",
        "a device",
    )
    line = summary.status("running", "running · validating", about, "run 2 of 6", width)
    assert line.cell_length <= max(width, 75)
    tabs = [summary.Tab(n, "single", "queued", None, n == 1, False) for n in range(1, 20)]
    assert summary.tabs(tabs, width).cell_length <= width


def test_states_differ_by_their_sign() -> None:
    signs = [sign for sign, _ in summary.SIGNS.values()]
    assert len(set(signs)) == len(signs) - 1, "only failed and crashed look alike"


def test_phases_are_shown_as_they_happen() -> None:
    shown = (
        PhaseView(name="importing torch", started=100.0, seconds=3.14),
        PhaseView(name="building model", started=103.2, seconds=None),
    )
    lines = panels.phases(shown, 105.4, 60, 10).plain.splitlines()
    assert lines[1].split() == ["✓", "importing", "torch", "3.1", "s"]
    assert lines[2].split() == ["●", "building", "model", "2", "s"]


# The viewport

EXTENT = Limits(0.0, 1000.0)


def test_the_whole_is_shown_and_ends_at_the_plan() -> None:
    assert Viewport().limits(EXTENT, at_most=1100.0) == Limits(0.0, 1000.0)
    assert Viewport().limits(Limits(0.0, 1010.0), at_most=1100.0) == Limits(0.0, 1100.0)


def test_zooming_in_follows_the_newest_step_and_out_again_shows_all() -> None:
    shown = Viewport().limits(EXTENT)
    near = Viewport().zoomed(0.5, EXTENT, shown, 8.0)
    assert near.limits(EXTENT).high == 1000.0
    grown = Limits(0.0, 1500.0)
    assert near.limits(grown) == Limits(1000.0, 1500.0)
    assert near.zoomed(4.0, grown, near.limits(grown), 8.0).window is None


def test_zooming_keeps_the_cursor_in_its_place() -> None:
    viewport = Viewport(cursor=250.0)
    shown = viewport.limits(EXTENT)
    near = viewport.zoomed(0.5, EXTENT, shown, 8.0).limits(EXTENT)
    assert (250.0 - near.low) / near.span == pytest.approx((250.0 - shown.low) / shown.span)


def test_zoom_and_pan_stay_with_the_data() -> None:
    viewport = Viewport(cursor=0.0)
    for _ in range(30):
        viewport = viewport.zoomed(0.5, EXTENT, viewport.limits(EXTENT), 8.0)
    assert viewport.limits(EXTENT).span == pytest.approx(8.0)
    for _ in range(500):
        viewport = viewport.panned(0.25, EXTENT, viewport.limits(EXTENT))
    assert viewport.limits(EXTENT).high == pytest.approx(1000.0)
    assert viewport.following
    viewport = viewport.panned(-1e9, EXTENT, viewport.limits(EXTENT))
    assert viewport.limits(EXTENT).low == 0.0
    assert not viewport.following


def test_the_cursor_begins_at_the_newest_step_and_stops_at_the_ends() -> None:
    viewport = Viewport().pointed(-0.1, EXTENT, Limits(0.0, 1200.0))
    assert viewport.cursor == 1000.0
    assert viewport.pointed(5.0, EXTENT, Limits(0.0, 1200.0)).cursor == 1000.0
    assert viewport.pointed(-5.0, EXTENT, Limits(0.0, 1200.0)).cursor == 0.0


# The terminal


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, True),
        ({"LANG": "en_GB.UTF-8"}, True),
        ({"LC_ALL": "C", "LANG": "en_GB.UTF-8"}, False),
        ({"LC_CTYPE": "C.utf8", "LANG": "C"}, True),
        ({"LANG": "de_DE.ISO-8859-1"}, False),
    ],
)
def test_the_locale_says_whether_braille_arrives(
    environment: dict[str, str], expected: bool
) -> None:
    assert output.is_utf8(environment) is expected


def test_ascii_keeps_every_width() -> None:
    text = "● running ━━── 72 % – ◆ ✓ 漢 \u2800"
    assert plain(text).isascii()
    assert plain(text) == "* running ==-- 72 % - o + ??  "
    style = Style(bold=True)
    shown = Ascii().apply([Segment("│", style)], Color(0, 0, 0))
    assert shown == [Segment("|", style)]


class _Writer:
    def __init__(self, waiting: int) -> None:
        self._queue = SimpleNamespace(qsize=lambda: waiting)


@pytest.mark.parametrize(
    ("driver", "expected"),
    [
        (SimpleNamespace(_writer_thread=_Writer(7)), 7),
        (SimpleNamespace(_writer_thread=None), 0),
        (SimpleNamespace(), 0),
        (None, 0),
    ],
)
def test_the_backlog_is_what_waits_for_the_terminal(driver: object, expected: int) -> None:
    assert output.backlog(SimpleNamespace(_driver=driver)) == expected  # type: ignore[arg-type]


def test_textual_still_has_the_queue_that_the_backlog_is_read_from() -> None:
    from textual.drivers._writer_thread import WriterThread

    with open("/dev/null", "w", encoding="utf-8") as file:  # noqa: PTH123
        writer = WriterThread(file)
        writer.write("one")
        writer.write("two")
        app = SimpleNamespace(_driver=SimpleNamespace(_writer_thread=writer))
        assert output.backlog(app) == 2  # type: ignore[arg-type]


def test_the_figures_of_a_run_that_has_ended_say_so() -> None:
    figures = summary.Figures(
        loss=0.9, top1=0.66, val_top1=0.79, throughput=107.0, wait_share=0.028
    )
    now, ended = summary.numbers(figures, 78), summary.numbers(figures, 78, ended=True)
    assert not now.plain.startswith("at end")
    assert ended.plain.startswith("at end  loss ")
    assert "2.8 %" in now.plain
    assert ended.plain.endswith("waiting  2.8 %"), "as much is told as of one that trains"
    assert summary.numbers(figures, 158, ended=True).plain.startswith("at its end    loss ")
