from __future__ import annotations

import pytest

from engine.journal.events import GpuFacts
from engine.run.visible import visible

YES, NO, UNKNOWN = True, False, None
BUS = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}

ALIKE = [GpuFacts(index=index, uuid=f"GPU-{index}a-{index}", name="H100") for index in range(3)]
MIXED = [*ALIKE[:2], GpuFacts(index=2, uuid="GPU-2a-2", name="T4")]
SLICED = [
    GpuFacts(index=0, uuid="GPU-0a", name="A100"),
    GpuFacts(index=1, slice=0, uuid="MIG-10", name="A100 MIG 1g.5gb"),
    GpuFacts(index=1, slice=1, uuid="MIG-11", name="A100 MIG 1g.5gb"),
]


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ("0,1,2", [YES, YES, YES]),
        ("2", [NO, NO, YES]),
        (" 2 , 0 ", [YES, NO, YES]),
        ("1gpu,2nd", [NO, YES, YES]),
        ("+1", [NO, YES, NO]),
        ("", [NO, NO, NO]),
        ("-1", [NO, NO, NO]),
        ("none", [NO, NO, NO]),
        ("0,-1,1", [YES, NO, NO]),
        ("0,7,1", [YES, NO, NO]),
        ("0,,1", [YES, NO, NO]),
        ("0,1,0", [NO, NO, NO]),
        ("GPU-1a-1", [NO, YES, NO]),
        ("GPU-2,GPU-0", [YES, NO, YES]),
        ("GPU-1,GPU-9,GPU-0", [NO, YES, NO]),
        ("GPU-", [NO, NO, NO]),
        ("GPU-1,1", [NO, YES, NO]),
        ("GPU-1,GPU-1a", [NO, NO, NO]),
    ],
)
def test_what_the_variable_leaves(value: str, left: list[bool]) -> None:
    environment = {"CUDA_VISIBLE_DEVICES": value}
    assert visible(ALIKE, environment) == left
    assert visible(MIXED, environment | BUS) == left


def test_without_the_variable_all_are_left() -> None:
    assert visible(MIXED, {}) == [YES, YES, YES]
    assert visible([], {}) == []


def test_numbers_say_nothing_where_cuda_sorts_by_speed() -> None:
    for order in ({}, {"CUDA_DEVICE_ORDER": "FASTEST_FIRST"}):
        assert visible(MIXED, {"CUDA_VISIBLE_DEVICES": "0"} | order) == [UNKNOWN] * 3
        assert visible(MIXED, {"CUDA_VISIBLE_DEVICES": "2,1,0"} | order) == [YES] * 3
        assert visible(MIXED, {"CUDA_VISIBLE_DEVICES": "GPU-2"} | order) == [NO, NO, YES]
        assert visible(MIXED, {"CUDA_VISIBLE_DEVICES": "-1"} | order) == [NO] * 3


def test_slices_are_known_by_their_uuid_alone() -> None:
    assert visible(SLICED, {"CUDA_VISIBLE_DEVICES": "MIG-11"}) == [NO, NO, YES]
    assert visible(SLICED, {"CUDA_VISIBLE_DEVICES": "GPU-0a"}) == [YES, NO, NO]
    assert visible(SLICED, {"CUDA_VISIBLE_DEVICES": "0"} | BUS) == [YES, NO, NO]
    assert visible(SLICED, {"CUDA_VISIBLE_DEVICES": "1"} | BUS) == [NO, UNKNOWN, UNKNOWN]
    assert visible(SLICED, {}) == [UNKNOWN, UNKNOWN, UNKNOWN]
    older = {"CUDA_VISIBLE_DEVICES": "MIG-GPU-1b/1/0"}
    assert visible(SLICED, older) == [NO, UNKNOWN, UNKNOWN]
