"""What of DataParallel can be seen without a GPU: all but the copying itself."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from engine.errors import StrategyError
from engine.train import norm
from engine.train.arithmetic import arithmetic
from engine.train.clocks import HostClock
from engine.train.recompute import recompute_blocks
from engine.train.strategies.dp import Autocasting, DataParallelism, smallest_chunk
from engine.train.strategies.none import NoParallelism
from tests.train.laboratory import CPU, network
from tests.train.making import plan
from tests.train.test_norm import _batch

TWO_GPUS = pytest.mark.skipif(
    torch.cuda.device_count() < 2, reason="DataParallel copies a model to 2 GPUs or more"
)


def test_it_refuses_to_train_on_one_device_in_silence() -> None:
    with pytest.raises(StrategyError, match="2 GPUs or more"):
        DataParallelism().prepare(plan(Path("unused"), "dp"), network("batch"), [CPU])


def test_a_thread_of_its_own_computes_in_the_precision_asked_for() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3))
    made = plan(Path("unused"), "dp", precision="bf16")
    inside = Autocasting(model, arithmetic(made, model, CPU))
    seen: dict[str, torch.dtype] = {}

    def compute(name: str, called: nn.Module) -> None:
        seen[name] = called(torch.randn(1, 3, 8, 8)).dtype

    with torch.autocast("cpu", dtype=torch.bfloat16):
        for name, called in (("bare", model), ("inside", inside)):
            thread = threading.Thread(target=compute, args=(name, called))
            thread.start()
            thread.join()
    assert seen == {"bare": torch.float32, "inside": torch.bfloat16}


@pytest.mark.parametrize("images", range(1, 18))
@pytest.mark.parametrize("devices", [2, 3, 8])
def test_the_smallest_chunk_is_torchs(images: int, devices: int) -> None:
    chunks = torch.zeros(images).chunk(devices)
    assert smallest_chunk(images, devices) == min(map(len, chunks))


def test_copies_of_a_model_share_its_notes_and_recompute() -> None:
    """What DataParallel makes of a module, by its own means, on the home device."""
    model = network("batch").train()
    norm.defer(model)
    assert recompute_blocks(model) == 4
    block: Any = model.get_submodule("layer1.0")
    copied: Any = block._replicate_for_data_parallel()
    assert type(copied) is type(block)
    layer: Any = model.get_submodule("bn1")
    replica = layer._replicate_for_data_parallel()
    replica.weight, replica.bias = layer.weight, layer.bias
    replica(torch.randn(4, 64, 2, 2, dtype=torch.float64))
    assert len(layer._passes) == 1


def test_a_copy_on_another_device_notes_nothing() -> None:
    layer: Any = nn.Sequential(nn.BatchNorm2d(3))
    norm.defer(layer)
    elsewhere = layer[0]._replicate_for_data_parallel()
    for name in ("running_mean", "running_var", "weight", "bias"):
        setattr(elsewhere, name, getattr(layer[0], name).detach().to("meta"))
    elsewhere(torch.empty(4, 3, 2, 2, device="meta"))
    assert layer[0]._passes == []
    layer[0](torch.randn(4, 3, 2, 2))
    assert len(layer[0]._passes) == 1


@TWO_GPUS
@pytest.mark.parametrize("checkpointing", [False, True])
def test_two_gpus_train_as_one(checkpointing: bool) -> None:
    gpus = [torch.device("cuda", 0), torch.device("cuda", 1)]
    states = []
    for strategy, used in ((NoParallelism(), gpus[:1]), (DataParallelism(), gpus)):
        more = {"image_size": 48, "gradient_checkpointing": checkpointing}
        made = plan(Path("unused"), "dp", device="cuda", **more)
        strategy.prepare(made, network("group"), used)
        for number in range(3):
            strategy.forward_backward(_batch(7, seed=number), 7, HostClock(1))
            strategy.update(0.05, None, HostClock(1))
        states.append(strategy.capture()["state_dict"])
    for name, value in states[0].items():
        torch.testing.assert_close(states[1][name], value, rtol=1e-10, atol=1e-10)
