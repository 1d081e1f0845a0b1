"""GPUs and the host, drawn: known answers, no colour, nothing unknown shown as 0."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from engine.journal.machine_view import GpusView
from tests.tui.measured import GIB, facts, gpus, host, reading, uuid
from tui.plain import plain
from tui.screens.devices import devices_lines
from tui.screens.live_devices import ranks_on
from tui.widgets import gpu
from tui.widgets.devices import Devices, devices_pane, devices_strip
from tui.widgets.host import host_rows, ours, tree

from engine.journal.events import GpuReading, HostSample  # isort: skip


def machine(view: GpusView, **more: Any) -> Devices:
    ranks = tuple((place,) for place in range(len(view.found)))
    return Devices(gpus=view, ranks=ranks, host=host(), cores=2, machine="a machine", **more)


def pane(shown: Devices, width: int = 46, height: int = 12) -> list[str]:
    return devices_pane(shown, width, height).plain.splitlines()


# One GPU's bar


def test_memory_is_this_runs_of_others_and_free() -> None:
    bar = gpu.memory_bar(facts(0), reading(memory_used=40 * GIB, memory_ours=30 * GIB), 16)
    assert bar.plain == "━━━━━━▒▒────────"


def test_memory_of_nobody_knows_whom_is_neither_ours_nor_of_others() -> None:
    bar = gpu.memory_bar(facts(0), reading(memory_used=40 * GIB, memory_ours=None), 16)
    assert bar.plain == "╍╍╍╍╍╍╍╍────────"
    assert gpu.memory_bar(facts(0), GpuReading(), 16).plain == "─" * 16


def test_whose_memory_it_is_can_be_told_without_colour_and_in_ascii() -> None:
    glyphs = [gpu.OURS, gpu.OTHERS, gpu.WHOSE, gpu.FREE]
    assert len(set(glyphs)) == 4
    assert len({plain(each) for each in glyphs}) == 4


def test_a_little_memory_is_not_none_and_all_of_it_not_more() -> None:
    little = gpu.memory_bar(facts(0), reading(memory_used=GIB, memory_ours=GIB), 16).plain
    assert little == "━" + "─" * 15
    full = gpu.memory_bar(facts(0), reading(memory_used=80 * GIB, memory_ours=90 * GIB), 16).plain
    assert full == "━" * 16


# The pane


def test_eight_gpus_are_eight_lines() -> None:
    shown = pane(machine(gpus(8)))
    assert shown[0] == "Devices ──────────── 8 x NVIDIA H100 80GB HBM3"
    assert shown[1] == "0 r0 ━━━━───  50 % ━━━▒─── 40 of 80 GiB 60 °C"
    assert shown[8] == "7 r7 ━━━━━━─  85 % ━━━▒─── 47 of 80 GiB 67 °C"
    assert shown[9] == "CPU  60 %, training 1.2 of 2 cores"
    assert shown[10] == "memory 6.0 of 16.0 GiB, training ≤3.0 GiB"


def test_one_gpu_is_large_with_its_last_minutes() -> None:
    shown = pane(machine(gpus(1, {0: reading(0, pcie_in=1.5 * GIB, pcie_out=2.0 * 2**20)})))
    assert shown[1] == "0 NVIDIA H100 80GB HBM3 · rank 0"
    assert shown[2] == "utilisation  " + "▄" * 20 + "         50 %"
    assert shown[3] == "memory       ━━━━━━━━▒▒────────── 40 of 80 GiB"
    assert shown[4] == "power        " + "▅" * 20 + " 400 of 700 W"
    assert shown[5] == "temperature  " + "▅" * 20 + "        60 °C"
    assert shown[6] == "SM clock     1,980 MHz"
    assert shown[7] == "PCIe         in  1.5 GiB/s  out  2.0 MiB/s"


@pytest.mark.parametrize("count", [1, 2, 8, 16])
@pytest.mark.parametrize("width", [38, 46, 60, 100])
@pytest.mark.parametrize("height", [4, 8, 12])
def test_the_pane_always_fits(count: int, width: int, height: int) -> None:
    view = gpus(count, {0: reading(0, throttled=("power cap", "heat"))})
    shown = pane(machine(view), width, height)
    assert len(shown) <= height
    assert all(len(row) <= width for row in shown)
    if count > 1 and count > height - 2:
        hidden = [row for row in shown if "more: d shows all" in row]
        assert len(hidden) == 1
        drawn = sum("%" in row and " GiB" in row and "CPU" not in row for row in shown)
        assert hidden[0].startswith(f"+{count - drawn} more")


def test_what_a_gpu_does_not_say_is_a_dash() -> None:
    shown = pane(machine(gpus(2, {1: GpuReading()})))
    assert shown[2].split() == ["1", "r1", "─" * 7, "–", "─" * 7, "–", "of", "80", "GiB", "–"]
    alone = pane(machine(gpus(1, {0: GpuReading()})))
    assert [row.split()[-1] for row in alone[2:]][:6] == ["–", "GiB", "–", "–", "–", "–"]
    assert alone[3].endswith("– of 80 GiB")


def test_before_the_first_sample_everything_is_unknown() -> None:
    view = replace(gpus(2), samples=())
    assert "  – " in pane(machine(view))[1]


def test_a_lost_gpu_says_so_in_its_line() -> None:
    shown = pane(machine(gpus(8, {3: GpuReading(problem="GPU is lost")})))
    assert shown[4] == "3 – GPU is lost"
    assert shown[5].startswith("4 r4 ━")


def test_why_a_gpu_is_slowed_down_is_said_once() -> None:
    slow = {place: reading(place, throttled=("heat",)) for place in (2, 5)}
    shown = pane(machine(gpus(8, slow)))
    assert [row.endswith("▼") for row in shown[1:9]] == [n in (2, 5) for n in range(8)]
    assert shown[9] == "▼ 2 5: heat"
    alone = pane(machine(gpus(1, {0: reading(0, throttled=("power cap",))})))
    assert "SM clock     1,980 MHz  ▼ power cap" in alone


# The line of a small terminal


def test_all_gpus_in_one_line() -> None:
    view = gpus(8, {3: GpuReading(problem="GPU is lost"), 0: reading(0, throttled=("heat",))})
    assert devices_strip(machine(view), 100).plain == (
        "8 GPUs ▄▅▅–▆▆▇▇  68 % · 1 lost · ▼ heat · fullest 47 of 80 GiB · hottest 67 °C · CPU  60 %"
    )


def test_one_gpu_in_one_line() -> None:
    assert devices_strip(machine(gpus(1)), 78).plain == (
        "GPU ▄▄▄▄▄▄▄▄▄▄▄▄  50 % · 40 of 80 GiB · 60 °C · 400 W · CPU  60 %"
    )
    unknown = devices_strip(machine(gpus(1, {0: GpuReading()})), 78).plain
    assert unknown.startswith("GPU") and "– · – · –" in unknown and "0 %" not in unknown[:30]


@pytest.mark.parametrize("width", [48, 60, 78])
@pytest.mark.parametrize("count", [0, 1, 8, 64])
def test_the_line_fits(count: int, width: int) -> None:
    assert devices_strip(machine(gpus(count)), width).cell_length <= width


# Without a driver, and the screen of its own


def test_without_a_driver_the_host_and_one_quiet_line() -> None:
    why = "No GPU here: libnvidia-ml.so.1 is not there."
    shown = pane(machine(GpusView(problem=why)))
    assert shown[1].startswith("CPU ")
    assert shown[1].endswith("60 % of 2 cores")
    assert shown[-1] == why


def test_the_screen_shows_every_gpu_and_what_the_bars_mean() -> None:
    view = gpus(3, {1: GpuReading(problem="GPU is lost")})
    shown = machine(replace(view, found=(facts(0), facts(1), facts(2, visible=False))))
    lines = [each.plain for each in devices_lines(replace(shown, ranks=((0,), (), ())), 78)]
    assert lines[0] == "0 NVIDIA H100 80GB HBM3 · rank 0"
    assert "1 NVIDIA H100 80GB HBM3 · not of this run" in lines
    assert "  – GPU is lost" in lines
    assert "2 NVIDIA H100 80GB HBM3 · hidden by CUDA_VISIBLE_DEVICES" in lines
    assert "━ this run  ▒ others  ─ free" in lines
    assert any(line.startswith("Host ") for line in lines)
    assert all(len(line) <= 78 for line in lines)


# The host


def test_the_host_row_by_row() -> None:
    samples = host(shm_total=8 * GIB, shm_free=6 * GIB, tree_read=12.0 * 2**20)
    lines = [each.plain for each in host_rows(samples, 2, 46)]
    assert [line.split()[0] for line in lines] == (
        ["CPU", "training", "memory", "training", "/dev/shm", "disk", "disk"]
    )
    for line, value in zip(
        lines,
        (
            "60 % of 2 cores",
            "1.2 cores",
            "6.0 of 16.0 GiB",
            " ≤3.0 GiB",
            "2.0 of 8.0 GiB",
            "12 MiB/s",
            "100.0 GiB",
        ),
        strict=True,
    ):
        assert line.endswith(value)


def test_unknown_figures_of_the_host_are_dashes() -> None:
    lines = [each.plain for each in host_rows((), None, 50)]
    assert sum(line.count("–") for line in lines) == 4
    sample = HostSample(cpu=0.5, memory_used=2**30, memory_total=2**32)
    text = "\n".join(each.plain for each in host_rows((sample,), 2, 50))
    assert "50 % of 2 cores" in text
    assert "1.0 of 4.0 GiB" in text
    assert text.count("–") == 2


def test_shared_pages_count_once_where_that_is_known() -> None:
    summed = HostSample(cpu=0, memory_used=0, memory_total=GIB, tree_rss=5 * GIB)
    split = HostSample(cpu=0, memory_used=0, memory_total=GIB, tree_rss=5 * GIB, tree_pss=2 * GIB)
    assert tree((summed,)) == 5 * GIB
    assert tree((summed, split, summed)) == 2 * GIB
    assert tree((split, *[summed] * 60)) == 5 * GIB, "what was told minutes ago is no longer so"
    assert tree(()) is None
    # A sum of what is shared may exceed all that is used: it is a bound, and says so.
    assert [ours(each) for each in ((summed,), (summed, split), ())] == ["≤5.0 GiB", "2.0 GiB", "–"]
    assert plain(ours((summed,))) == "<5.0 GiB"


# Whose GPU


def test_ranks_are_matched_by_uuid_whatever_its_spelling_and_order() -> None:
    run: Any = SimpleNamespace(
        readies=(
            (0, SimpleNamespace(uuids=(uuid(1).removeprefix("GPU-").lower(),))),
            (1, SimpleNamespace(uuids=(uuid(0).upper(),))),
            (2, SimpleNamespace(uuids=())),
        )
    )
    found = (facts(0), facts(1), facts(2))
    assert ranks_on(found, run) == ((1,), (0,), ())
    assert ranks_on(found, None) == ((), (), ())
