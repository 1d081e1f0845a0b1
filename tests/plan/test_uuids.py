from __future__ import annotations

from engine.plan.uuids import bare, is_among


def test_a_gpu_is_the_same_however_it_is_spelled() -> None:
    spelled = ("GPU-5A1e-22", "gpu-5a1e-22", "5a1e-22", "MIG-5a1e-22", "MIG-GPU-5a1e-22")
    assert {bare(each) for each in spelled} == {"5a1e22"}
    assert is_among("GPU-5A1e-22", ["0-0", "5a1e-22"])
    assert not is_among("GPU-5A1e-23", ["0-0", "5a1e-22"])


def test_an_unknown_uuid_is_nobodys() -> None:
    assert not is_among("", ["", "GPU-"])
