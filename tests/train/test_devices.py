"""How torch is told to compute on a device."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import torch

from engine.train import devices
from tests.train.laboratory import CPU


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    devices.configure(CPU, threads)


@pytest.mark.parametrize("tf32", [True, False])
def test_what_torch_asks_of_itself_agrees_with_what_it_was_told(tf32: bool) -> None:
    """torch has old switches for TF32 and new ones, and raises where it reads one that disagrees:
    its compiler does so."""
    devices.configure(CPU, 1, tf32=not tf32)
    devices.configure(CPU, 1, tf32=tf32)
    assert torch.backends.cuda.matmul.allow_tf32 is tf32
    assert torch.backends.cudnn.allow_tf32 is tf32
    assert torch.get_float32_matmul_precision() == ("high" if tf32 else "highest")
    wanted = "tf32" if tf32 else "ieee"
    assert torch.backends.cuda.matmul.fp32_precision == wanted
    assert torch.backends.cudnn.conv.fp32_precision == wanted  # type: ignore[attr-defined]


def test_gpus_are_spelled_as_nvml_does() -> None:
    made = "8f2d5c1e-0d4b-5a55-a6f0-3c1c1f3f9a77"
    whole = SimpleNamespace(name="NVIDIA H100 80GB HBM3", uuid=made)
    part = SimpleNamespace(name="NVIDIA H100 80GB HBM3 MIG 1g.10gb", uuid=made)
    assert devices._spelled(whole) == f"GPU-{made}"
    assert devices._spelled(part) == f"MIG-{made}"
    assert devices.uuids([torch.device("cpu")]) == ()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_real_gpu_is_the_one_that_nvml_knows_by_that_name() -> None:
    (uuid,) = devices.uuids([torch.device("cuda", 0)] * 2)
    listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=True).stdout
    assert f"(UUID: {uuid})" in listed
