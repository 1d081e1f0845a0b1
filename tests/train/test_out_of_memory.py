"""Memory that is refused: for real in a rank of its own, and in the words of devices not here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from engine import cgroup
from engine.journal.events import AttemptEnded, Ready
from engine.plan.footprint import footprint, largest_batch
from engine.train.ending import explain
from engine.train.out_of_memory import Start, free_memory, is_refusal, refusal
from tests.train.making import arguments, images, journal, lay_out, plan

GIB = 1 << 30

LIMITED = """
import resource, runpy, sys
import psutil, torch, torchvision
most = psutil.Process().memory_info().vms + int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_AS, (most, most))
runpy.run_module("engine.train", run_name="__main__", alter_sys=True)
"""
"""A rank that may take so many bytes beside what importing torch takes."""

CUDA = (
    "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 1 has a total capacity of 79.11 GiB of "
    "which 1.50 GiB is free. Process 77 has 12.00 GiB memory in use. Including non-PyTorch memory, "
    "this process has 65.61 GiB memory in use. Of the allocated memory 64.00 GiB is allocated by "
    "PyTorch, and 512.00 MiB is reserved by PyTorch but unallocated. If reserved but unallocated "
    "memory is large try setting PYTORCH_ALLOC_CONF=expandable_segments:True to avoid fragmentation"
)
OLDER = (
    "CUDA out of memory. Tried to allocate 20.00 MiB (GPU 0; 7.93 GiB total capacity; 6.00 GiB "
    "already allocated; 0 bytes free; 7.00 GiB reserved in total by PyTorch)"
)
APPLE = (
    "MPS backend out of memory (MPS allocated: 6.00 GB, other allocations: 1.00 GB, max allowed: "
    "9.00 GB). Tried to allocate 3.00 GB on private pool. Use PYTORCH_MPS_HIGH_WATERMARK_RATIO=0.0"
)


def test_a_batch_that_does_not_fit_ends_the_run_with_a_sentence(tmp_path: Path) -> None:
    folder = images(tmp_path / "images", classes=2, train=16, val=1)
    made = lay_out(tmp_path, plan(folder, batch_size=32, image_size=384, workers=1))
    room = 1200 << 20
    rank = subprocess.Popen(
        [sys.executable, "-c", LIMITED, str(room), "fit", *arguments(tmp_path, made)],
        start_new_session=True,
    )
    try:
        assert rank.wait(60) == 1
    finally:
        rank.kill()
        rank.wait()
    events = journal(tmp_path, made)
    end = events[-1]
    assert isinstance(end, AttemptEnded)
    assert any(isinstance(each, Ready) for each in events)
    assert (end.state, end.step) == ("failed", 0)
    said = re.fullmatch(
        r"out of memory with a batch of 32 at 384 px: (\d+) MiB more were asked for"
        r"(?: and (\d+) (?:MiB|bytes) were free)?; a batch of about (\d+) would fit "
        r"\(an estimate\): lower --batch-size",
        end.reason,
    )
    assert said is not None, end.reason
    asked, free, fitting = said.groups()
    assert free is None or int(free) <= int(asked) or "bytes" in end.reason
    # What it says would fit does, by the estimate, beside what else there is.
    smaller = replace(made, settings=replace(made.settings, batch_size=int(fitting)))
    assert 1 <= int(fitting) <= 16
    assert (footprint(smaller, 2).activations or 0) < room
    assert end.traceback == "", "the sentence says all; the rest is for the log"
    # Nothing is left running: neither the rank nor the process that decodes for it.
    left = [each.pid for each in psutil.process_iter() if _session(each.pid) == rank.pid]
    assert left == []


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


def test_what_a_gpu_says_is_told_with_the_batch_that_would_fit() -> None:
    found = refusal(CUDA)
    assert found is not None
    assert (found.where, found.asked, found.free) == ("GPU 1", 2 * GIB, int(1.5 * GIB))
    # What torch has already, used or not, and what is free: the rest is others'.
    assert found.room == 66 * GIB
    made = plan(Path(), model="resnet50", image_size=224, batch_size=1024)
    told, code = explain(RuntimeError(CUDA), made, Start(1000, None))
    exactly = largest_batch(made, 1000, 66 * GIB)
    assert exactly is not None
    assert code == 1
    assert told == (
        "out of memory with a batch of 1024 at 224 px: 2.0 GiB more were asked for and 1.5 GiB of "
        f"79.1 GiB were free on GPU 1; a batch of about {exactly // 8 * 8} would fit (an "
        "estimate): lower --batch-size"
    )


def test_older_and_other_allocators_are_understood() -> None:
    older, apple = refusal(OLDER), refusal(APPLE)
    assert older is not None
    assert (older.where, older.asked, older.free) == ("GPU 0", 20 << 20, 0)
    assert (older.total, older.room) == (int(7.93 * GIB), 6 * GIB)
    assert apple is not None
    assert (apple.where, apple.asked, apple.free) == ("the GPU", 3 * GIB, 2 * GIB)
    assert (apple.total, apple.room) == (9 * GIB, 8 * GIB)
    assert refusal("something else") is None


@pytest.mark.parametrize(
    "text", ["CUDA error: out of memory", "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling x"]
)
def test_a_driver_that_says_little_is_still_answered(text: str) -> None:
    told, _ = explain(RuntimeError(text), plan(Path(), batch_size=64), Start(10, None))
    assert told == (
        "out of memory with a batch of 64 at 32 px; lower --batch-size, to 32 or less, or "
        "--image-size"
    )


def test_an_estimate_that_the_failure_belies_is_halved() -> None:
    # By the estimate thousands of such images fit: something that it does not know took the rest.
    told, _ = explain(RuntimeError(CUDA), plan(Path(), batch_size=64), Start(10, None))
    assert "a batch of about 32 would fit (an estimate)" in told


def test_all_ways_in_which_a_computer_refuses_are_known() -> None:
    refused: list[BaseException] = [MemoryError()]
    with pytest.raises(MemoryError) as numpys:
        np.empty(1 << 45, np.uint8)
    refused.append(numpys.value)
    refused.append(
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate")
    )
    refused.append(RuntimeError("std::bad_alloc"))
    assert all(map(is_refusal, refused))
    assert not is_refusal(RuntimeError("shape mismatch"))
    told, _ = explain(numpys.value, plan(Path(), batch_size=64), None)
    assert "32,768.0 GiB more were asked for" in told
    assert "to 32 or less" in told


def test_processes_share_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    made = plan(Path(), model="resnet50", image_size=224, batch_size=512)

    def about(**environment: str) -> int:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        told, _ = explain(MemoryError(), made, Start(1000, 16 * GIB))
        found = re.search(r"about (\d+) would fit", told)
        assert found is not None
        return int(found[1])

    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    alone = about()
    assert about(LOCAL_WORLD_SIZE="4") < alone / 3


def test_what_is_free_follows_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    now: Any = free_memory()
    assert 0 < now <= psutil.virtual_memory().total
    monkeypatch.setattr(cgroup, "memory_limit", lambda: 5000)
    monkeypatch.setattr(cgroup, "memory_used", lambda: 1000)
    assert free_memory() == 4000


def test_before_there_is_a_plan_it_is_said_as_well() -> None:
    told, _ = explain(MemoryError(), None)
    assert told.startswith("out of memory before training began")
