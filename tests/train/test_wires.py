from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.train.arithmetic import arithmetic
from engine.train.sequence import flatten
from engine.train.wires import Wire, wires
from tests.train.laboratory import Narrow, network
from tests.train.making import plan
from tests.train.staging import CPU


@pytest.mark.parametrize("last", [False, True])
def test_activations_arrive_as_they_were_sent_in_the_order_of_their_memory(last: bool) -> None:
    layout = torch.channels_last if last else torch.contiguous_format
    sent = torch.randn(2, 3, 4, 5).to(memory_format=layout)
    wire = Wire(sent.shape[1:], torch.float32, CPU, last)
    flat = wire.packed(sent)
    assert flat.data_ptr() == sent.data_ptr()  # Nothing is copied.
    received = wire.buffer(2).copy_(flat)
    arrived = wire.unpacked(received)
    assert torch.equal(arrived, sent)
    assert arrived.stride() == sent.stride()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_what_travels_is_known_without_computing(precision: str) -> None:
    model = network("batch", torch.float32)
    assert isinstance(model, Narrow)
    layers = flatten(model)
    made = arithmetic(plan(Path("unused"), "amp", precision=precision), layers, CPU)
    before = {name: value.clone() for name, value in layers.state_dict().items()}
    found = wires(layers, made, 32)
    assert all(torch.equal(before[name], value) for name, value in layers.state_dict().items())
    assert all(each.training for each in layers.modules())
    x = torch.randn(2, 3, 32, 32).to(memory_format=made.layout)
    assert found[0].shape == x.shape[1:]
    assert found[0].dtype == torch.float32
    with made.autocast():
        for layer, wire in zip(layers, found[1:], strict=True):
            x = layer(x)
            assert wire.shape == x.shape[1:]
            assert wire.dtype == x.dtype
