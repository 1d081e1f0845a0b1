"""Whether a try had enough memory, from what its ranks told."""

from __future__ import annotations

import pytest

from engine.journal.events import Memory
from engine.run.budget import MOST, Budget, budget, fills_gpu, refused
from engine.run.evidence import silent_end
from engine.run.host import busyness

GIB = 1 << 30
FREE, GIVEN = Budget(20 * GIB, given=False), Budget(4 * GIB, given=True)


def on_gpu(peak: float | None, room: float | None = None) -> Memory:
    return Memory(
        rss=GIB,
        peak_rss=GIB,
        peak_reserved=None if peak is None else int(peak * GIB),
        room=None if room is None else int(room * GIB),
    )


@pytest.mark.parametrize(
    ("told", "limit", "why"),
    [
        ([], FREE, ""),
        ([on_gpu(None)], GIVEN, ""),
        ([on_gpu(76.0, 79.0), on_gpu(70.0, 79.0)], FREE, ""),
        (
            [on_gpu(70.0, 79.0), on_gpu(78.0, 79.0)],
            FREE,
            "it took 78.0 GiB of the 79.0 GiB that it could have of its GPU, and more than 97% "
            "would not last for hours",
        ),
        ([on_gpu(30.0)], FREE, ""),
        (
            [on_gpu(5.0, 79.0)],
            GIVEN,
            "it took 5.0 GiB of its GPU, more than the 4.0 GiB of the memory budget "
            "(--memory-budget)",
        ),
    ],
)
def test_what_fills_a_gpu(told: list[Memory], limit: Budget, why: str) -> None:
    assert fills_gpu(told, limit) == why


def test_what_memory_did_is_told_from_what_it_did_not() -> None:
    gpu = (
        "out of memory with a batch of 512 at 224 px: 2.0 GiB more were asked for and 1.1 GiB of "
        "79.2 GiB were free on GPU 0; a batch of about 448 would fit (an estimate)"
    )
    assert refused(["rank 1 lost rank 0", gpu]) == gpu.partition(";")[0]
    killed = silent_end("rank 1", -9, "memory ran out: there are 8.0 GiB, and it had 7.9 GiB", "")
    assert refused([killed]) == killed
    assert refused([silent_end("rank 1", -9, "", "")]) == ""
    assert refused(["the loss of step 3 is not a finite number"]) == ""
    assert refused([]) == ""


def test_a_budget_is_what_was_given_or_most_of_what_is_free() -> None:
    assert budget(1.5) == Budget(int(1.5 * GIB), given=True)
    found = budget(None)
    assert not found.given
    assert 0 < found.bytes < busyness().memory_total * MOST + 1
    assert str(FREE) == "20.0 GiB, 80% of what was free"
