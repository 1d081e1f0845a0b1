"""Which strategies a machine can run, and what is said of the others."""

from __future__ import annotations

from typing import Any

import pytest

from engine.plan.config import Settings
from engine.plan.machine import ANY, Machine
from engine.plan.strategies import STRATEGIES, strategy
from engine.plan.switches import availability, runs_anywhere
from tests.plan.machines import APPLE, CPU, with_gpus

ALONE = ("single", "amp", "gradient-checkpointing")
SHARING = ("ddp", "fsdp", "pipeline")


def judged(name: str, machine: Machine, **settings: Any) -> tuple[str, str]:
    can = availability(strategy(name), machine, Settings(**settings))
    return can.status, can.reason


@pytest.mark.parametrize(
    ("machine", "device", "sharing", "dp", "gpipe"),
    [
        (ANY, "auto", "available", "unavailable", "functional only"),
        (CPU, "auto", "available", "unavailable", "functional only"),
        (with_gpus(1), "auto", "unavailable", "unavailable", "functional only"),
        (with_gpus(1), "cpu", "available", "unavailable", "functional only"),
        (with_gpus(2), "auto", "available", "available", "available"),
        (with_gpus(2), "cpu", "available", "unavailable", "functional only"),
        (APPLE, "auto", "unavailable", "unavailable", "unavailable"),
        (APPLE, "cpu", "available", "unavailable", "functional only"),
    ],
)
def test_what_each_machine_can_run(
    machine: Machine, device: str, sharing: str, dp: str, gpipe: str
) -> None:
    for name in ALONE:
        assert judged(name, machine, device=device) == ("available", "")
    for name in SHARING:
        assert judged(name, machine, device=device)[0] == sharing
    assert judged("dp", machine, device=device)[0] == dp
    assert judged("gpipe", machine, device=device)[0] == gpipe


def test_whatever_is_no_plain_yes_has_a_reason() -> None:
    for machine in (ANY, CPU, APPLE, with_gpus(1), with_gpus(3)):
        for each in STRATEGIES:
            can = availability(each, machine)
            assert (can.status == "available") == (can.reason == "")


@pytest.mark.parametrize(
    ("name", "machine", "settings", "status", "reason"),
    [
        ("ddp", with_gpus(1), {}, "unavailable", "--device cpu trains with 2 CPU processes, every"),
        ("pipeline", APPLE, {}, "unavailable", "--device cpu trains with 2 CPU processes, every"),
        ("ddp", with_gpus(3), {"gpus": (1,)}, "unavailable", "there is 1 in --gpus"),
        ("ddp", with_gpus(2), {"nproc": 3}, "unavailable", "(--nproc) is 3, and there are 2"),
        ("gpipe", with_gpus(2), {"nproc": 3}, "unavailable", "(--nproc) is 3, and there are 2"),
        ("pipeline", with_gpus(2), {"stages": 3}, "unavailable", "each of 3 stages needs a GPU"),
        ("ddp", with_gpus(1), {"nproc": 1}, "functional only", "one process on one device"),
        ("dp", with_gpus(2), {"nproc": 1}, "unavailable", "needs 2 GPUs, and --nproc is 1"),
        ("fsdp", CPU, {"nproc": 1}, "functional only", "one process on one device"),
        ("gpipe", CPU, {}, "functional only", "no speed-up"),
        ("gpipe", with_gpus(1), {}, "functional only", "no speed-up"),
        ("gpipe", with_gpus(4), {"nproc": 1}, "functional only", "no speed-up"),
        ("gpipe", with_gpus(2), {"stages": 3}, "functional only", "there are 2 for 3 stages"),
        ("ddp", CPU, {"nproc": 64}, "available", ""),
        ("amp", CPU, {"precision": "fp16"}, "available", ""),
        ("single", CPU, {"device": "cuda"}, "unavailable", "sees no GPU here"),
        ("single", CPU, {"gpus": (0,)}, "unavailable", "sees none here"),
        ("single", CPU, {"device": "mps"}, "unavailable", "no Apple GPU"),
        ("single", with_gpus(2), {"gpus": (0, 2)}, "unavailable", "GPU 2, and this machine has 2"),
        ("single", with_gpus(1), {"precision": "tf32"}, "available", ""),
        ("amp", CPU, {"precision": "tf32"}, "available", ""),
        ("single", Machine(problem="no torch"), {}, "unavailable", "no torch"),
    ],
)
def test_the_settings_count_as_well(
    name: str, machine: Machine, settings: dict[str, Any], status: str, reason: str
) -> None:
    found = judged(name, machine, **settings)
    assert found[0] == status
    assert reason in found[1]
    assert bool(reason) == bool(found[1])


def test_what_runs_anywhere_needs_no_look_at_the_machine() -> None:
    assert [each.name for each in STRATEGIES if runs_anywhere(each)] == list(ALONE)
    tf32 = Settings(precision="tf32")
    assert not runs_anywhere(strategy("single"), tf32)
    assert runs_anywhere(strategy("amp"), tf32)
