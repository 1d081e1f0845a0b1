from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from engine.journal.events import EndState
from engine.journal.machine_view import Conditions, GpuConditions
from engine.report.compare import compare
from engine.report.comparison import Choices, Comparison, Held, Source
from tests.report.tables import HASHES, plan_of, source, source_of

TWO = {"single": [100.0, 100.0], "amp": [140.0, 141.0]}


def held(comparison: Comparison) -> dict[str, Held]:
    return {each.what: each for each in comparison.held}


def told(what: str, *sources: Source) -> tuple[str, str]:
    found = held(compare(sources))[what]
    return found.constancy, found.detail


def under(recorded: Source, conditions: Mapping[str, Conditions]) -> Source:
    """The same, the machine having been so during the runs of these strategies."""
    runs = tuple(
        replace(run, conditions=conditions.get(run.strategy)) for run in recorded.view.runs
    )
    return replace(recorded, view=replace(recorded.view, runs=runs))


def test_what_is_equal_in_every_repeat_is_proven_by_hashes() -> None:
    found = held(compare([source(TWO)]))
    for what in ("initial weights", "split", "sample order", "augmentation", "batch sizes"):
        assert found[what] == Held(what, "equal", "in each of 2 repeats, another in each")
    one = held(compare([source({"single": [1.0], "amp": [1.0]})]))
    assert one["initial weights"] == Held("initial weights", "equal", "weights hash 0")
    assert found["evaluation"].detail == "100 images, 2 times"
    assert found["versions"].detail == "torch 2.15"
    assert found["hardware"].detail == "a processor, box, 2 cores"
    assert found["cores and workers"] == Held(
        "cores and workers", "equal", "2 threads and 0 workers"
    )
    assert found["precision of the baseline"].detail == "single: fp32"
    assert found["dataset and settings"].detail == "resnet50, 224 px, 2 epochs"
    assert found["other users of the cores"].constancy == "unknown"
    # Nothing to say of GPUs on a CPU.
    assert "clocks" not in found


@pytest.mark.parametrize("name", list(HASHES))
def test_who_differs_is_named_with_the_repeat(name: str) -> None:
    what = {
        "weights": "initial weights", "order": "sample order", "batches": "batch sizes",
    }.get(name, name)  # fmt: skip
    other = {each: f"{value} 1" for each, value in HASHES.items()} | {name: "another"}
    plan = plan_of(("single", "amp"), 2)
    second = next(run.run for run in plan.runs if run.strategy.name == "amp" and run.repeat == 1)
    recorded = source_of(plan, TWO, readies={second: {"hashes": other}})
    assert told(what, recorded) == ("differs", "amp from single (repeat 2)")
    others = [each for each in held(compare([recorded])).values() if each.constancy == "differs"]
    assert len(others) == 1


def test_what_a_run_does_not_tell_is_unknown() -> None:
    recorded = source(TWO, readies={"amp": {"hashes": {}}})
    assert told("split", recorded) == ("unknown", "not told by amp")
    nobody = source(TWO, readies={"amp": {"hashes": {}}, "single": {"hashes": {}}})
    assert told("split", nobody) == ("unknown", "")


def test_nothing_is_compared_before_two_strategies_are_done() -> None:
    assert compare([source({"single": [1.0]})]).held == ()
    assert compare([source({"single": [1.0, 1.0], "amp": [None, None]})]).held == ()


def test_versions_hardware_and_shares_of_cores() -> None:
    recorded = source(
        TWO,
        versions={"amp": {"python": "3.12", "torch": "2.16"}},
        readies={"amp": {"device_name": "another", "threads": 1, "workers": 4}},
    )
    assert told("versions", recorded) == (
        "differs",
        "single: torch 2.15; amp: python 3.12, torch 2.16",
    )
    assert told("hardware", recorded)[0] == "differs"
    assert told("cores and workers", recorded) == (
        "differs",
        "single: 2 threads and 0 workers; amp: 1 thread and 4 workers",
    )
    ddp = source({"single": [1.0], "ddp": [1.0]})
    assert told("cores and workers", ddp) == ("equal", "2 threads and 0 workers")


def test_an_experiment_with_other_settings_differs() -> None:
    plan = plan_of(("single",), model="resnet18")
    elsewhere = replace(plan, runs=tuple(replace(run, dataset="/older") for run in plan.runs))
    other = source_of(elsewhere, {"single": [100.0]}, name="older")
    assert told("dataset and settings", source({"single": [1.0]}), other) == (
        "differs",
        "dataset (first: single: /photographs; older: single: /older) and "
        "model (first: single: resnet50; older: single: resnet18)",
    )


def test_a_recipe_is_a_name_and_what_is_saved_changes_no_training() -> None:
    plan = plan_of(("single",), recipe="imagenet", save_steps=5, backup_epochs=0)
    other = source_of(plan, {"single": [100.0]}, name="older")
    assert told("dataset and settings", source({"single": [1.0]}), other)[0] == "equal"
    plan = plan_of(("single",), recipe="imagenet", label_smoothing=0.1, clip_grad=1.0)
    other = source_of(plan, {"single": [100.0]}, name="older")
    assert told("dataset and settings", source({"single": [1.0]}), other) == (
        "differs",
        "clip gradient (first: single: off; older: single: 1.0) and "
        "label smoothing (first: single: 0.0; older: single: 0.1)",
    )


def test_a_dataset_that_was_named_from_elsewhere_is_the_same() -> None:
    plan = plan_of(("single",))
    runs = tuple(replace(run, dataset="/home/../photographs/") for run in plan.runs)
    other = source_of(replace(plan, runs=runs), {"single": [100.0]}, name="older")
    assert told("dataset and settings", source({"single": [1.0]}), other)[0] == "equal"


def gpu_run(**readings: Any) -> Conditions:
    known = {"name": "NVIDIA H200", "uuid": "GPU-0", "samples": 9, **readings}
    other = GpuConditions(name="NVIDIA H200", uuid="GPU-1", samples=9, sm_clock=300.0)
    return Conditions(samples=9, gpus=(GpuConditions(**known), other))


def on_gpu(single: Conditions, amp: Conditions) -> Source:
    ready = {"device": "cuda:0", "uuids": ("GPU-0",)}
    recorded = source(TWO, readies={"single": ready, "amp": ready})
    return under(recorded, {"single": single, "amp": amp})


def test_clocks_that_differ_by_more_than_three_percent() -> None:
    fast, slower = gpu_run(sm_clock=1980.0), gpu_run(sm_clock=1930.0)
    assert told("clocks", on_gpu(fast, slower)) == (
        "equal",
        "1930 to 1980 MHz, on average over a run",
    )
    throttled = gpu_run(sm_clock=1500.0)
    assert told("clocks", on_gpu(fast, throttled)) == (
        "differs",
        "amp ran at 1500 MHz, single at 1980",
    )
    assert told("clocks", on_gpu(fast, gpu_run())) == ("unknown", "not told by amp")
    assert told("precision of the baseline", on_gpu(fast, fast)) == (
        "equal",
        "single: fp32, TF32 off",
    )


def test_other_users_of_the_gpus() -> None:
    alone, beside = gpu_run(others_memory=2**20), gpu_run(others_memory=3 * 2**30)
    assert told("other users of the GPUs", on_gpu(alone, alone)) == ("equal", "none")
    assert told("other users of the GPUs", on_gpu(alone, beside)) == (
        "differs",
        "others held up to 3.0 GiB beside amp",
    )
    assert told("other users of the GPUs", on_gpu(alone, gpu_run())) == (
        "unknown",
        "not told by amp",
    )


def test_other_users_of_the_cores() -> None:
    def cores(single: float, amp: float) -> Source:
        return under(
            source(TWO),
            {
                "single": Conditions(samples=9, other_cores=single),
                "amp": Conditions(samples=9, other_cores=amp),
            },
        )

    assert told("other users of the cores", cores(0.1, 0.2)) == (
        "equal",
        "at most 0.2 of 2 cores, on average over a run",
    )
    assert told("other users of the cores", cores(0.1, 1.1)) == (
        "differs",
        "1.1 cores busy with others beside amp, 0.1 beside single",
    )


def test_repeats_of_one_strategy_are_told_apart() -> None:
    recorded = source(TWO)
    runs = tuple(
        replace(run, conditions=Conditions(samples=9, other_cores=float(run.run == "03-amp")))
        for run in recorded.view.runs
    )
    crowded = replace(recorded, view=replace(recorded.view, runs=runs))
    assert [run.run for run in runs if run.strategy == "amp"] == ["02-amp", "03-amp"]
    alike = told("other users of the cores", replace(crowded, view=crowded.view))
    assert alike == ("differs", "1.0 cores busy with others beside amp, 0.0 beside single")
    calm = tuple(
        replace(run, conditions=Conditions(samples=9, other_cores=0.5))
        if run.strategy == "single"
        else run
        for run in runs
    )
    assert told(
        "other users of the cores", replace(crowded, view=replace(crowded.view, runs=calm))
    ) == (
        "differs",
        "1.0 cores busy with others beside repeat 2 of amp, 0.0 beside repeat 1 of amp",
    )


def test_what_was_never_done_by_two_is_not_proven() -> None:
    """Of one strategy the first repeat failed, of the other the second."""
    ends: dict[str, tuple[EndState, str]] = {
        run.run: ("failed", "")
        for run in plan_of(("single", "amp"), 2).runs
        if (run.strategy.name == "amp") == (run.repeat == 0)
    }
    recorded = source(TWO, ends=ends)
    assert told("split", recorded) == ("unknown", "no other has done a repeat of single and amp")
    # The first repeat of both is done, the second of one.
    ends = {run: how for run, how in ends.items() if run.endswith("single")}
    assert told("split", source(TWO, ends=ends)) == ("equal", "split hash 0")


def test_precision_is_of_the_baseline_or_not_known() -> None:
    three = {"single": [1.0], "amp": [1.0], "ddp": [1.0]}
    recorded = source(three, ends={"01-single": ("failed", "why")})
    assert told("precision of the baseline", recorded) == ("equal", "amp: fp32")
    chosen = compare([recorded], Choices(baseline="first/single"))
    precision = held(chosen)["precision of the baseline"]
    assert (precision.constancy, precision.detail) == ("unknown", "it is not done")


def test_a_limit_that_is_not_there_is_called_so() -> None:
    other = source({"single": [1.0]}, name="older", settings={"max_steps": 6})
    constancy, detail = told("dataset and settings", source({"single": [1.0]}), other)
    assert (constancy, detail) == ("differs", "max steps (first: single: none; older: single: 6)")
