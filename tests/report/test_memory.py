"""A run's memory by rank, and the estimate beside it: known answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.journal.events import Memory, PipelinePlanned
from engine.plan.config import Settings
from engine.plan.footprint import footprint
from engine.plan.machine import ANY
from engine.plan.runs import RunPlan
from engine.plan.strategies import strategy
from engine.plan.switches import combine
from engine.report.memory import MemoryReport, memory_report
from tests.report.views import NOW, folded, ready, run_of

MIB = 1 << 20
HELD = {"weights": 50 * MIB, "gradients": 40 * MIB, "optimizer": 30 * MIB}


def planned(name: str = "single", **settings: Any) -> RunPlan:
    chosen = strategy(name)
    given = {"model": "resnet18", "image_size": 64, "batch_size": 8, **settings}
    return RunPlan(
        run="01-single",
        strategy=chosen,
        settings=combine(chosen, Settings(**given), ANY),
        dataset="/data",
    )


def memory(rss: int, **more: int) -> Memory:
    return Memory(t=NOW, rss=rss * MIB, peak_rss=more.pop("peak_rss", rss) * MIB, **more)


def report(*events: Any, plan: RunPlan | None = None, **told: Any) -> MemoryReport:
    first = ready(epochs=1, steps_per_epoch=1, held=HELD, **told)
    return memory_report(run_of(folded([first, *events])), plan or planned())


def test_on_a_gpu_what_is_left_of_the_peak_are_activations() -> None:
    gpu = {
        "allocated": 130 * MIB,
        "reserved": 500 * MIB,
        "peak_allocated": 420 * MIB,
        "peak_reserved": 512 * MIB,
        "retries": 2,
        "failures": 1,
    }
    found = report(memory(900, **gpu), device="cuda:0")
    (rank,) = found.ranks
    assert (rank.rank, rank.device, rank.on_cpu) == (0, "cuda:0", False)
    assert (rank.peak, rank.reserved, rank.now) == (420 * MIB, 512 * MIB, 130 * MIB)
    assert (rank.held, rank.activations) == (120 * MIB, 300 * MIB)
    assert (rank.retries, rank.failures) == (2, 1)
    assert (rank.before, rank.grown) == (None, None)
    assert (found.compared, found.came) == ("peak allocated", 420 * MIB)
    expected = footprint(planned(), 2).total
    assert expected is not None
    assert found.expected == expected
    assert found.error == pytest.approx(expected / (420 * MIB) - 1)


def test_on_a_cpu_the_growth_of_resident_memory_is_compared() -> None:
    found = report(memory(700), memory(800, peak_rss=1000))
    (rank,) = found.ranks
    assert (rank.before, rank.now, rank.peak) == (700 * MIB, 800 * MIB, 1000 * MIB)
    assert (rank.grown, rank.activations, rank.reserved) == (300 * MIB, None, None)
    assert found.compared == "growth of resident memory"
    assert "libraries" in found.beside
    # Weights and momentum were there before the first step.
    estimate = footprint(planned(), 2)
    assert found.expected == (estimate.gradients or 0) + (estimate.activations or 0)
    assert found.came == 300 * MIB


def test_what_was_not_told_is_unknown() -> None:
    silent = memory_report(run_of(folded([])), planned())
    assert (silent.ranks, silent.expected, silent.came, silent.error) == ((), None, None, None)
    assert silent.estimate.unknown
    assert report().ranks == ()
    without = ready(epochs=1, steps_per_epoch=1, device="cuda:0")
    (rank,) = memory_report(run_of(folded([without, memory(900)])), planned()).ranks
    assert (rank.held, rank.activations, rank.peak, rank.retries) == (None, None, None, None)


def test_a_pipeline_is_estimated_once_it_is_cut() -> None:
    plan = planned("gpipe", micro_batches=4)
    assert report(memory(700), plan=plan).expected is None
    cut = PipelinePlanned(
        t=NOW, schedule="gpipe", micro_batches=4, balance=(5, 7), layers=("x",) * 12
    )
    found = report(cut, memory(700), plan=plan)
    with_balance = replace(plan.settings, balance=(5, 7), device="cpu")
    expected = footprint(replace(plan, settings=with_balance), 2)
    assert expected.total is not None
    assert found.estimate == expected
