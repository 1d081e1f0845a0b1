"""What Setup says would make a start fail, and what it waits for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.plan.inspection import inspect
from engine.plan.machine import Device, Machine
from tests.tui.on_disk import write_images
from tui.draft import Draft, look_up
from tui.readiness import Readiness

CPU = Machine(torch="2.15.0", cores=2)
ONE_GPU = Machine(torch="2.15.0", devices=(Device(kind="cuda", index=0, name="a GPU"),))


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    return write_images(tmp_path / "pets", {"cat": 5, "dog": 7})


def readiness(
    dataset: Path, *ticked: str, machine: Machine | None = CPU, **flags: Any
) -> Readiness:
    """With everything known, the machine perhaps."""
    draft = Draft(flags)
    draft.choose(dataset)
    assert draft.take(look_up(*draft.question()))
    *_, report = inspect(dataset, 0.2, 0)
    return Readiness(draft=draft, report=report, problem="", machine=machine, ticked=ticked)


def test_what_can_be_trained_has_nothing_in_its_way(pets: Path) -> None:
    ready = readiness(pets, "single", "ddp", "gpipe", nproc=3)
    assert (ready.hindrance(), ready.waiting()) == (None, "")


@pytest.mark.parametrize(
    ("ticked", "machine", "flags", "sentence"),
    [
        (["dp"], CPU, {}, "dp cannot run here: DataParallel needs 2 GPUs"),
        (["single", "ddp"], ONE_GPU, {}, "--device cpu trains with 2 CPU processes"),
        (["gpipe"], CPU, {"compile": True}, "torch.compile crashes under torchgpipe"),
        (["single"], CPU, {"sync_bn": True}, "choose ddp or fsdp"),
        (["single"], Machine(problem="torch is broken"), {}, "torch is broken"),
        # Not known yet, and not needed for this one.
        (["single"], None, {"sync_bn": True}, "choose ddp or fsdp"),
    ],
)
def test_what_would_fail_is_told_before_it_is_started(
    pets: Path, ticked: list[str], machine: Machine | None, flags: dict[str, Any], sentence: str
) -> None:
    found = readiness(pets, *ticked, machine=machine, **flags).hindrance()
    assert found is not None
    assert sentence in found[0]
    assert found[1] == "strategies"


def test_one_gpu_is_no_hindrance_where_everything_trains_on_the_cpu(pets: Path) -> None:
    assert readiness(pets, "single", "ddp", machine=ONE_GPU, device="cpu").hindrance() is None


def test_only_what_depends_on_the_machine_waits_for_it(pets: Path) -> None:
    assert readiness(pets, "single", "amp", machine=None).waiting() == ""
    for ticked, flags in ((["amp", "ddp"], {}), (["single"], {"precision": "tf32"})):
        ready = readiness(pets, *ticked, machine=None, **flags)
        assert (ready.hindrance(), ready.waiting()) == (None, "looking at this machine")


def test_defaults_of_the_dataset_are_no_hindrance_to_what_cannot_use_them(pets: Path) -> None:
    (pets / "resnet-tui.toml").write_text("[training]\nmicro_batches = 4\n")
    assert readiness(pets, "single").hindrance() is None
    asked = readiness(pets, "single", micro_batches=4).hindrance()
    assert asked is not None and "micro-batches (--micro-batches)" in asked[0]
