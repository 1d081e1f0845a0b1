from __future__ import annotations

import mmap
import os
import sys

import pytest
import torch

from engine.train.memory import Gauge

MIB = 2**20


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux forgets peaks")
@pytest.mark.skipif(
    not os.access("/proc/self/clear_refs", os.W_OK), reason="this system keeps peaks as they are"
)
def test_a_peak_before_the_training_is_none_of_it() -> None:
    gauge = Gauge([torch.device("cpu")])
    high = _held(300 * MIB)
    before = gauge.read()
    assert before.rss >= 300 * MIB
    assert before.peak_rss >= before.rss
    high.close()
    gauge.forget_peaks()
    after = gauge.read()
    assert before.peak_rss - after.peak_rss > 200 * MIB
    again = _held(200 * MIB)
    risen = gauge.read()
    assert risen.peak_rss - after.peak_rss > 150 * MIB
    again.close()
    # The kernel counts in batches of pages, and may say less than before.
    for _ in range(50):
        _held(MIB).close()
        assert gauge.read().peak_rss >= risen.peak_rss
    assert after.allocated is after.peak_allocated is after.retries is None


def _held(size: int) -> mmap.mmap:
    """Memory from the system: what malloc gives may have been resident before."""
    memory = mmap.mmap(-1, size)
    for page in range(0, size, mmap.PAGESIZE):
        memory[page] = 1
    return memory


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_peaks_of_a_gpu_leave_out_the_first_batch_of_every_size() -> None:
    device = torch.device("cuda", 0)
    gauge = Gauge([device])
    torch.empty(400 * MIB, dtype=torch.uint8, device=device)
    gauge.forget_peaks()
    start = gauge.read().peak_allocated
    assert start is not None
    peaks = []
    for images, size, validating in (
        (8, 300, False),
        (8, 100, False),
        (3, 200, False),
        (8, 50, False),
        (8, 350, True),
        (8, 120, True),
    ):
        gauge.begin(images, validating=validating)
        torch.empty(size * MIB, dtype=torch.uint8, device=device)
        gauge.end()
        told = gauge.read()
        assert told.peak_allocated is not None
        assert (told.retries, told.failures) == (0, 0)
        peaks.append((told.peak_allocated - start) // MIB)
    assert peaks == [0, 100, 100, 100, 100, 120]
