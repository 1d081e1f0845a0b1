from __future__ import annotations

from engine.journal.events import GpuFacts, GpuReading, GpuSample
from engine.run.ownership import Ownership

FACTS = [GpuFacts(index=index, uuid=f"GPU-{index}", name="H100") for index in range(2)]


def sample(*ours: int | None) -> GpuSample:
    return GpuSample(
        readings=tuple(GpuReading(memory_used=9, memory_ours=each, power=70.0) for each in ours)
    )


def told(
    ownership: Ownership, ours: tuple[int | None, ...], *training: str, running: bool = True
) -> list[int | None]:
    settled = ownership.settle(FACTS, sample(*ours), training, running=running)
    assert [reading.power for reading in settled.readings] == [70.0, 70.0]
    return [reading.memory_ours for reading in settled.readings]


def test_what_the_driver_lists_is_believed() -> None:
    ownership = Ownership(hidden=False)
    assert told(ownership, (0, 0)) == [0, 0]
    assert told(ownership, (5, 0), "GPU-0") == [5, 0]
    assert told(ownership, (5, None), "GPU-0") == [5, None]


def test_none_of_ours_on_a_gpu_that_trains_means_they_are_hidden() -> None:
    ownership = Ownership(hidden=False)
    assert told(ownership, (0, 0), "0") == [None, 0], "as torch spells it"
    assert told(Ownership(hidden=False), (0, 0), "GPU-0") == [None, 0]
    # The next run has not said yet what it trains on.
    assert told(ownership, (0, 0)) == [None, None]
    # Nothing of ours runs at all.
    assert told(ownership, (0, 0), running=False) == [0, 0]
    # They are listed after all.
    assert told(ownership, (5, 0), "GPU-0") == [5, 0]
    assert told(ownership, (0, 0)) == [0, 0]


def test_in_a_container_it_is_unknown_until_one_is_seen() -> None:
    ownership = Ownership(hidden=True)
    assert told(ownership, (0, 0), running=False) == [0, 0]
    assert told(ownership, (0, 0)) == [None, None]
    assert told(ownership, (0, 0), "GPU-1") == [0, None]
    assert told(ownership, (0, 7), "GPU-1") == [0, 7]
