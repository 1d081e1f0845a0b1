"""The verdict in a line and in full, small tables, log rows, numbers: known answers."""

from __future__ import annotations

import pytest
from textual.content import Content

from engine.plan.footprint import Footprint
from engine.report.memory import MemoryReport, RankMemory
from engine.report.verdict import Verdict
from tui.widgets import format as show
from tui.widgets.memory import memory_lines
from tui.widgets.panels import log_rows
from tui.widgets.tables import table
from tui.widgets.verdict import verdict_line, verdict_lines

MIB = 2**20

DATA = Verdict(
    kind="data",
    title="waiting for data",
    finding="42 % of the time went to waiting: 2 workers make 90 images/s",
    change="raise --workers from 2 to 6",
    evidence=(("decode", "3.1 ms per image"), ("workers", "2")),
)


@pytest.mark.parametrize(
    ("width", "said"),
    [
        (
            158,
            "▲ waiting for data · 42 % of the time went to waiting: 2 workers make 90 images/s"
            " → raise --workers from 2 to 6",
        ),
        (
            100,
            "▲ waiting for data · 42 % of the time went to waiting → raise --workers from 2 to 6",
        ),
        (78, "▲ waiting for data → raise --workers from 2 to 6"),
        (48, "▲ waiting for data → raise --workers …"),
    ],
)
def test_what_to_change_stays_longest(width: int, said: str) -> None:
    line = verdict_line(DATA, width).plain
    assert line == said.ljust(width - len("i why")) + "i why"


@pytest.mark.parametrize("width", range(30, 160, 7))
def test_the_line_is_as_wide_as_the_screen(width: int) -> None:
    assert verdict_line(DATA, width).cell_length == width


def test_nothing_wrong_is_calm() -> None:
    fine = Verdict(kind="fine", title="nothing wrong", finding="the CPU computes 99 % of the time")
    line = verdict_line(fine, 78)
    assert line.plain.startswith("✓ nothing wrong · the CPU computes 99 % of the time ")
    assert not any("warning" in str(span.style) for span in line.spans)
    assert any("warning" in str(span.style) for span in verdict_line(DATA, 78).spans)
    measuring = Verdict(kind="measuring", title="measuring", finding="")
    assert verdict_line(measuring, 40).plain.startswith("◔ measuring   ")


def test_the_whole_verdict_with_its_evidence() -> None:
    assert [each.plain.rstrip() for each in verdict_lines(DATA, 48)] == [
        "▲ waiting for data",
        "  42 % of the time went to waiting: 2 workers",
        "  make 90 images/s",
        "  → raise --workers from 2 to 6",
        "",
        "  decode   3.1 ms per image",
        "  workers  2",
    ]


def test_a_table_puts_titles_in_two_rows_where_they_are_too_wide() -> None:
    rows = [("1", "2 ms", "3 ms")]
    titles = ("rank", "waiting for data", "copy")
    assert [each.plain for each in table(titles, rows, 40)] == [
        "  rank  waiting for data  copy",
        "     1              2 ms  3 ms",
    ]
    assert [each.plain for each in table(titles, rows, 24)] == [
        "         waiting      ",
        "  rank  for data  copy",
        "     1      2 ms  3 ms",
    ]
    assert all(each.cell_length <= 12 for each in table(titles, rows, 12))


def rank(number: int, peak: int | None) -> RankMemory:
    return RankMemory(
        rank=number,
        device="cuda:0",
        peak=peak,
        reserved=None,
        now=None,
        before=None,
        weights=40 * MIB,
        gradients=30 * MIB,
        optimizer=30 * MIB,
        retries=2,
        failures=0,
    )


def test_memory_by_rank_beside_its_estimate() -> None:
    estimate = Footprint(
        weights=40 * MIB, gradients=30 * MIB, optimizer=30 * MIB, activations=500 * MIB
    )
    report = MemoryReport(
        ranks=(rank(0, 500 * MIB), rank(1, None)),
        estimate=estimate,
        compared="peak allocated",
        expected=600 * MIB,
        came=500 * MIB,
    )
    lines = [each.plain for each in memory_lines(report, 78)]
    assert lines[1] == "  rank     held  activations     peak  reserved  retries  refused"
    assert lines[2].split() == ["0", "100", "MiB", "400", "MiB", "500", "MiB", "–", "2", "0"]
    assert lines[3].split() == ["1", "100", "MiB", "–", "–", "–", "2", "0"]
    told = " ".join(" ".join(lines[4:]).split())
    assert "peak allocated: estimated 600 MiB, came 500 MiB (+20 %)" in told
    assert all(len(each) <= 78 for each in lines)
    nothing = MemoryReport(
        ranks=(), estimate=Footprint(), compared="peak allocated", expected=None, came=None
    )
    assert memory_lines(nothing, 78)[1].plain == "  nothing was told yet"


def test_the_log_is_never_cut_inside_a_word() -> None:
    lines = [Content("12:00:00  " + "word " * 30), Content("12:00:01  done")]
    wide = [each.plain for each in log_rows(lines, 70, 5)]
    assert wide[0].endswith("word …")
    assert len(wide) == 2
    narrow = [each.plain for each in log_rows(lines, 38, 6)]
    assert narrow[-1] == "12:00:01  done"
    assert len(narrow) == 6
    assert all(len(each) <= 38 for each in narrow)
    assert [each.plain for each in log_rows(lines, 38, 3)] == ["12:00:01  done"]


def test_numbers_in_few_cells() -> None:
    assert [show.brief(each) for each in (0.0031, 0.043, 0.4, 1.25, 120.0, None)] == (
        ["3.1 ms", "43 ms", "400 ms", "1.2 s", "120 s", "–"]
    )
    assert show.of_gib(1.5 * 2**30, 23.5 * 2**30) == "1.5 of 23.5 GiB"
    assert show.of_gib(61 * 2**30, 80 * 2**30) == "61 of 80 GiB"
    assert show.of_gib(None, 80 * 2**30) == "– of 80 GiB"
    assert show.of_gib(MIB, 8 * 2**30) == "<0.1 of 8.0 GiB"
    assert show.of_gib(0, 512 * MIB) == "0 of 512 MiB"
    assert show.per_second(12.3 * 2**30) == "12.3 GiB/s"
    assert show.per_second(0.4 * MIB) == "0.4 MiB/s"
    assert show.per_second(1000.0) == "<0.1 MiB/s"
    assert show.per_second(0.0) == "0 MiB/s"
