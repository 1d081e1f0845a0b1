"""The memory that strategies would take, as Setup tells it before anything is started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.plan.config import Settings
from engine.plan.footprint import footprint, largest_batch
from engine.plan.machine import Device, Machine
from engine.plan.runs import RunPlan
from engine.plan.strategies import STRATEGIES, strategy
from engine.plan.switches import combine
from tests.tui.driving import HERE, SIZES, drive
from tests.tui.on_disk import write_images
from tui.screens.setup_memory import Needs, in_parts, needs, of_ticked
from tui.start import Start
from tui.widgets import format as show

GIB = 1 << 30


def card(index: int, memory: int | None) -> Device:
    return Device(kind="cuda", index=index, name="a card", memory=memory, bf16=True)


def machine(*memory: int | None) -> Machine:
    cards = tuple(card(index, each) for index, each in enumerate(memory))
    return Machine(torch="2.15.0", cores=8, devices=cards)


def found(machine: Machine, images: int = 10_000, **settings: Any) -> dict[str, Needs]:
    return needs(STRATEGIES, Settings(**settings), machine, 1000, images)


def test_needs_are_those_of_the_plan_that_would_be_made() -> None:
    cards = machine(80 * GIB, 80 * GIB)
    known = found(cards, batch_size=64)
    assert set(known) == {each.name for each in STRATEGIES}
    settings = combine(strategy("ddp"), Settings(batch_size=64), cards)
    plan = RunPlan(run="", strategy=strategy("ddp"), settings=settings, dataset="")
    assert known["ddp"].total == footprint(plan, 1000).total
    assert (known["ddp"].device, known["ddp"].room) == ("GPU", 80 * GIB)
    assert not known["ddp"].too_much
    # A batch has no more images than there are.
    assert found(cards, images=40, batch_size=64)["single"].total == (
        found(cards, batch_size=40)["single"].total
    )


def test_the_smallest_gpu_that_is_used_counts() -> None:
    cards = machine(80 * GIB, 12 * GIB, 40 * GIB)
    assert found(cards)["ddp"].room == 12 * GIB
    assert found(cards, gpus=(0, 2))["ddp"].room == 40 * GIB
    assert found(machine(80 * GIB, None))["ddp"].room is None
    assert found(HERE)["single"].room is None


def test_what_cannot_run_needs_nothing() -> None:
    assert "dp" not in found(HERE)


def test_a_batch_that_will_not_fit_is_told_with_one_that_would() -> None:
    cards = machine(4 * GIB)
    known = found(cards, batch_size=256)
    settings = combine(strategy("single"), Settings(batch_size=256), cards)
    plan = RunPlan(run="", strategy=strategy("single"), settings=settings, dataset="")
    fits = largest_batch(plan, 1000, 4 * GIB)
    assert fits is not None
    assert known["single"].too_much
    said = of_ticked(known, ("amp", "single"))
    assert said.plain.endswith(
        f"per GPU, which has 4.0 GiB: a batch of ~{fits // 8 * 8} would fit (estimate)"
    )
    assert [each.style for each in said.spans] == ["$warning"]
    none = found(machine(GIB // 8), batch_size=256)
    assert "no batch would fit" in of_ticked(none, ("single",)).plain


def test_the_words() -> None:
    fits = Needs(total=5 * GIB, activations=4 * GIB, device="GPU", room=80 * GIB)
    less = Needs(total=2 * GIB, activations=1 * GIB, device="GPU")
    unknown = Needs(total=None, activations=None, device="GPU", unknown="nobody knows")
    known = {"a": fits, "b": less, "c": unknown}
    assert of_ticked(known, ("a", "b", "c")).plain == " · ~5.0 GiB per GPU of 80.0 GiB (estimate)"
    assert of_ticked(known, ("b",)).plain == " · ~2.0 GiB per GPU (estimate)"
    assert of_ticked(known, ("c",)).plain == " · memory –"
    assert of_ticked(known, ()).plain == of_ticked({}, ("a",)).plain == ""
    assert in_parts(fits, wide=True) == "~5.0 GiB, activations 4.0 GiB"
    assert in_parts(fits, wide=False) == "~5.0 GiB"
    assert in_parts(unknown, wide=True) == "memory –: nobody knows"
    assert in_parts(None, wide=True) == ""


@pytest.mark.parametrize("size", SIZES)
async def test_it_is_told_once_the_classes_are_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, size: tuple[int, int]
) -> None:
    pets = write_images(tmp_path / "data" / "pets", {"cat": 5, "dog": 7})
    start = Start(experiments_directory=tmp_path / "e", dataset=pets)
    small = machine(GIB)
    # Two of the twelve images are held out.
    known = needs(STRATEGIES, Settings(), small, 2, 10)
    assert known["single"].fitting == 9
    assert not known["amp"].too_much
    async with drive(monkeypatch, size, start, lambda: small) as driver:
        # A narrow screen breaks the line.
        await driver.until(lambda: "a batch of ~9 would fit (estimate)" in flat(driver.frame))
        await driver.press("1", "2")
        await driver.until_seen("Enter starts amp")
        said = f"~{show.gib(known['amp'].total)} per GPU of 1.0 GiB (estimate)"
        await driver.until(lambda: said in flat(driver.frame))


def flat(frame: str) -> str:
    return " ".join(frame.split())
