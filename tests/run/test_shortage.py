"""What is told where the system killed a rank because memory ran out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from engine.journal.events import Memory, Ready
from engine.plan.config import Settings
from engine.plan.footprint import footprint, largest_batch
from engine.plan.machine import ANY
from engine.plan.room import BESIDE_TENSORS
from engine.plan.runs import RunPlan
from engine.plan.strategies import strategy
from engine.plan.switches import combine
from engine.run.shortage import Told, sentence, shortage

GIB = 1 << 30


def planned(name: str = "single", **settings: Any) -> RunPlan:
    chosen = strategy(name)
    combined = combine(chosen, Settings(batch_size=512, **settings), ANY)
    return RunPlan(run="01", strategy=chosen, settings=combined, dataset="/data")


def told(*ranks: tuple[int, int], device: str = "cpu") -> Told:
    """By ranks that had so many bytes before the first step and at last."""
    found = Told()
    for rank, (first, last) in enumerate(ranks):
        found.apply(rank, ready(device))
        for size in (first, last):
            found.apply(rank, Memory(t=1.0, rss=size, peak_rss=size))
    return found


def ready(device: str) -> Ready:
    return Ready(
        t=1.0,
        model="resnet50",
        parameters=1,
        classes=("ant", "bee"),
        train_images=1000,
        val_images=1,
        epochs=1,
        steps_per_epoch=1,
        total_steps=1,
        batch_size=512,
        device=device,
        device_name="",
        precision="fp32",
        workers=0,
        threads=1,
    )


def test_it_says_what_there_was_and_what_would_fit() -> None:
    plan = planned()
    held = footprint(plan, 2)
    tensors = (held.weights or 0) + (held.optimizer or 0)
    # Half a GiB was no tensor's, and more comes beside them.
    fits = largest_batch(plan, 2, int(7.5 * GIB) - BESIDE_TENSORS)
    assert fits is not None
    assert fits < 512
    assert sentence(plan, told((GIB // 2 + tensors, 6 * GIB)), 8 * GIB) == (
        "memory ran out: there are 8.0 GiB, and it had 6.0 GiB when last told; a batch of about "
        f"{fits // 8 * 8} would fit (an estimate): lower --batch-size, or use fewer workers"
    )


def test_ranks_share_what_there_is() -> None:
    plan = planned("ddp")
    said = sentence(plan, told((GIB, 3 * GIB), (GIB, 4 * GIB)), 8 * GIB)
    assert "and its 2 ranks had 7.0 GiB when last told" in said
    held = footprint(plan, 2)
    others = GIB - (held.weights or 0) - (held.optimizer or 0)
    fits = largest_batch(plan, 2, 4 * GIB - others - BESIDE_TENSORS)
    assert fits is not None
    assert f"about {fits // 8 * 8} would fit" in said


def test_where_tensors_are_on_a_gpu_no_batch_is_promised() -> None:
    said = sentence(planned(), told((GIB, 6 * GIB), device="cuda:0"), 8 * GIB)
    assert said.endswith("when last told; use fewer workers or a smaller batch")


def test_nothing_known_is_still_a_sentence(tmp_path: Path) -> None:
    plain = "memory ran out; use fewer workers or a smaller batch"
    assert sentence(None, told((GIB, GIB)), GIB) == plain
    assert sentence(planned(), Told(), GIB) == plain
    killed = replace(told((GIB, GIB)), kills_before=-1)
    assert shortage(tmp_path, killed) == plain
    (tmp_path / "config.json").write_bytes(msgspec.json.encode(planned()))
    assert shortage(tmp_path, killed).startswith("memory ran out: there are ")
    assert shortage(tmp_path, told((GIB, GIB))) == ""
