"""How torch is told to compute on a device."""

from __future__ import annotations

from collections.abc import Iterator

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
