"""Where the time goes, drawn: ledgers as bars, the stall gauge, epochs; with known answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.journal.step_columns import DEVICE_PARTS, HOST_PARTS
from engine.report.epochs import EpochTime
from engine.report.ledger import Ledger
from engine.report.stall import Stall, Waiting
from tui.plain import plain
from tui.widgets.fitting import at_word, wrapped
from tui.widgets.stall import gauge, loader
from tui.widgets.time import LOOKS, Timing, legend, signed, stacked, summed, time_pane
from tui.widgets.time_tables import epoch_table, rank_table

HOST = Ledger(10.0, (("wait", 2.0), ("agree", 0.0), ("launch", 7.0), ("other", 1.0)))
DEVICE = Ledger(
    10.0,
    (("starved", 2.0), ("copy", 0.5), ("forward", 2.5), ("backward", 4.0), ("idle", 1.0)),
)
STALL = Stall(
    now=Waiting(epoch=2, median=0.2, worst=0.31, worst_rank=3),
    finished=(),
    workers=4,
    queued=1.8,
    queue=8,
    decode=0.0031,
)
TIMING = Timing(
    ledgers=(("host", HOST), ("device", DEVICE)),
    steps=200,
    ranks=2,
    stall=STALL,
    median_step=0.05,
    p95_step=0.0612,
    of_roofline=0.62,
    last=EpochTime(epoch=1, estimated=33.0, actual=30.0),
    at_hand=EpochTime(epoch=2, estimated=31.0, actual=None),
)


def rows(timing: Timing, width: int = 70, height: int = 12) -> list[str]:
    return time_pane(timing, width, height).plain.splitlines()


def test_a_bar_has_a_cell_for_each_twentieth_of_the_time() -> None:
    assert stacked(HOST, 20).plain == "░░░░██████████████··"
    assert stacked(DEVICE, 20).plain == "░░░░▌█████▓▓▓▓▓▓▓▓··"


def test_the_legend_says_the_share_and_the_time_per_step() -> None:
    assert [each.plain for each in legend(HOST, 200)] == [
        "░ waiting for data 20 %  10 ms",
        "█ launching 70 %  35 ms",
        "· other 10 % 5.0 ms",
    ]


def test_waiting_is_in_the_legend_even_where_there_was_none() -> None:
    calm = Ledger(1.0, (("starved", 0.0), ("forward", 1.0)))
    assert [each.plain.split()[0] for each in legend(calm, 1)] == ["░", "█"]


@given(
    st.lists(st.floats(0.0, 1e6), min_size=1, max_size=len(DEVICE_PARTS)),
    st.integers(1, 200),
)
def test_a_bar_is_as_long_as_its_room(spent: list[float], width: int) -> None:
    parts = tuple(zip(DEVICE_PARTS, spent, strict=False))
    assert stacked(Ledger(sum(spent), parts), width).cell_length == width


@pytest.mark.parametrize(
    "parts",
    [("wait", "agree", "compute", "other"), HOST_PARTS, (*DEVICE_PARTS[:6], "update", "idle")],
)
def test_parts_differ_without_colour_and_in_ascii(parts: tuple[str, ...]) -> None:
    glyphs = [LOOKS[part][0] for part in parts]
    assert len(set(glyphs)) == len(glyphs)
    assert len({plain(glyph) for glyph in glyphs}) == len(glyphs)
    assert "?" not in "".join(map(plain, glyphs))


def test_several_ranks_are_summed_part_by_part() -> None:
    other = Ledger(4.0, (("starved", 1.0), ("exchange", 3.0)))
    both = summed([DEVICE, other])
    assert both.seconds == 14.0
    assert both.of("starved") == 3.0
    assert both.of("exchange") == 3.0
    assert both.of("forward") == 2.5


def test_the_pane_says_it_all() -> None:
    assert rows(TIMING) == [
        "Time per step ───────────────────────────── mean of 2 ranks, 100 steps",
        "host    " + "░" * 12 + "█" * 44 + "·" * 6,
        "░ waiting for data 20 %  10 ms  █ launching 70 %  35 ms",
        "· other 10 % 5.0 ms",
        "device  " + "░" * 12 + "▌" * 4 + "█" * 15 + "▓" * 25 + "·" * 6,
        "░ waiting for data 20 %  10 ms  ▌ copy  5 % 2.5 ms",
        "█ forward 25 %  12 ms  ▓ backward 40 %  20 ms  · idle 10 % 5.0 ms",
        "waiting for data ━━━─────────────  20 % median  worst 31 % rank 3",
        "4 workers · 1.8 of 8 batches ready per rank · decode 3.1 ms per image",
        "step 50 ms median · 61 ms p95 · 62 % of the roofline",
        "epoch 2 took 30 s, estimated 33 s (+10 %) · epoch 3 ~31 s estimated",
    ]


@pytest.mark.parametrize("width", [46, 60, 70, 100])
@pytest.mark.parametrize("height", range(1, 14))
def test_what_matters_least_goes_first_and_nothing_is_too_long(width: int, height: int) -> None:
    shown = rows(TIMING, width, height)
    assert len(shown) <= max(1, height)
    assert all(len(row) <= width for row in shown)
    assert any(row.startswith("device") for row in shown) == (height > 1)
    if height > 6:
        assert any(row.startswith("waiting for data") for row in shown)


def test_what_was_not_measured_is_a_dash() -> None:
    assert rows(Timing())[1] == "nothing was measured yet"
    unknown = Timing(ledgers=(("CPU", DEVICE),), steps=10)
    assert "step – median · – p95 · – of the roofline" in rows(unknown)
    assert rows(unknown)[-1] == "epoch – estimated"


def test_a_small_share_of_the_roofline_is_not_none() -> None:
    shown = rows(Timing(ledgers=(("CPU", DEVICE),), steps=10, of_roofline=0.004))
    assert any(row.endswith("0.4 % of the roofline") for row in shown)


def test_an_error_has_a_sign_unless_there_is_none() -> None:
    told = [signed(share) for share in (0.06, -0.02, 0.004, -0.004, None)]
    assert told == ["+6 %", "-2 %", "0 %", "0 %", "–"]


def test_one_rank_has_no_median_and_no_workers_have_no_queue() -> None:
    alone = Stall(now=Waiting(epoch=0, median=0.5, worst=0.5, worst_rank=0), finished=(), workers=0)
    assert gauge(alone, 1, 70).plain == "waiting for data ━━━━━━━━────────  50 % of this epoch"
    assert loader(alone, 70).plain == "0 workers: read between steps · decode – per image"


def test_the_time_of_each_rank_in_figures() -> None:
    ledgers = [(0, 200, HOST), (1, 100, HOST)]
    shown = rank_table(ledgers, {"median": ["50 ms", "100 ms"]}, 78)
    assert [each.plain for each in shown] == [
        "  rank  median  waiting for data  waiting for ranks  launching   other",
        "     0   50 ms             10 ms             0.0 ms      35 ms  5.0 ms",
        "     1  100 ms             20 ms             0.0 ms      70 ms   10 ms",
    ]


def test_epochs_newest_first_with_the_error_of_the_estimate() -> None:
    epochs = [EpochTime(epoch=n, estimated=33.0, actual=30.0) for n in range(2)]
    waits = {0: {0: 0.1, 1: 0.3}, 1: {0: 0.2, 1: 0.4}}
    shown = [each.plain.split() for each in epoch_table(epochs, waits, 100)[1:]]
    assert shown[0] == ["2", "33", "s", "30", "s", "+10", "%", "30", "%", "20", "%", "40", "%"]
    assert shown[1] == ["1", "33", "s", "30", "s", "+10", "%", "20", "%", "10", "%", "30", "%"]
    at_hand = [EpochTime(epoch=0, estimated=33.0, actual=None)]
    assert epoch_table(at_hand, {}, 100)[1].plain.split() == ["1", "33", "s", "–", "–", "–"]


@given(st.text("ab ,.–", max_size=60), st.integers(3, 40))
def test_words_are_cut_between_them(text: str, width: int) -> None:
    cut = at_word(text, width)
    assert len(cut) <= width
    if len(text) > width:
        assert cut.endswith("…")
        kept = cut.removesuffix("…").rstrip()
        assert text.startswith(kept)
        if " " in text[: width - 2].strip():
            assert text[len(kept) : len(kept) + 1] in (" ", ",", "·", ":", ";", "")
    assert all(len(each) <= max(8, width) for each in wrapped(text, width))
