"""torch.compile: every shape before the first step, and a sentence where it cannot be done."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import torch
from torch import Tensor, nn
from torch._dynamo.utils import counters
from torch._inductor.runtime.cache_dir_utils import default_cache_dir

from engine.errors import TrainingError
from engine.run.temporary import compiled_code
from engine.train.clocks import HostClock
from engine.train.strategies.none import NoParallelism
from tests.train.laboratory import CPU
from tests.train.making import plan
from tests.train.test_norm import _batch


class Tiny(nn.Module):
    """Little to compile, with statistics that a rehearsal must not move."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.conv = nn.Conv2d(3, 4, 3)
        self.bn = nn.BatchNorm2d(4)

    def forward(self, images: Tensor) -> Tensor:
        maps: Tensor = self.bn(self.conv(images))
        return maps.mean(dim=(2, 3))


@pytest.fixture(autouse=True)
def no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that was compiled before is found again."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "compiled"))
    torch._dynamo.reset()
    counters.clear()


def _prepared(*, compiled: bool) -> NoParallelism:
    made = plan(Path("unused"), "ddp", compile=compiled, image_size=40, batch_size=7, accumulate=2)
    strategy = NoParallelism()
    strategy.prepare(made, Tiny(), [CPU])
    return strategy


def _state_after_steps(strategy: NoParallelism) -> dict[str, Tensor]:
    clock = HostClock(1)
    for size in (7, 7, 3):
        parts = _batch(size, side=40).parts(2)
        for part in parts:
            strategy.forward_backward(part, size, clock, part is parts[-1])
        strategy.update(0.1, None, clock)
    state: dict[str, Tensor] = strategy.capture()["state_dict"]
    return state


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs g++ on a CPU")
def test_every_shape_is_compiled_before_the_first_step_and_leaves_no_trace() -> None:
    strategy = _prepared(compiled=True)
    before = strategy.capture()
    strategy.warm_up((7, 3), 40)
    after = strategy.capture()
    for name, value in before["state_dict"].items():
        assert torch.equal(after["state_dict"][name], value), name
    assert all(not each["momentum_buffer"].any() for each in after["optimizer"]["state"].values())
    compiled = counters["stats"]["unique_graphs"]
    assert compiled > 0
    seen = _state_after_steps(strategy)
    assert counters["stats"]["unique_graphs"] == compiled
    wanted = _state_after_steps(_prepared(compiled=False))
    for name, value in wanted.items():
        torch.testing.assert_close(seen[name], value, rtol=1e-4, atol=1e-5)


def test_a_machine_without_a_compiler_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("torch._inductor.config.cpp.cxx", ("no-such-compiler",))
    with pytest.raises(TrainingError, match=r"it needs a C\+\+ compiler") as caught:
        _prepared(compiled=True).warm_up((7,), 40)
    assert "train without --compile" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_shape_is_compiled_once_however_many_parts_a_step_has() -> None:
    """Ten parts of two sizes are two graphs, and each goes on computing its own size."""
    seen: list[int] = []

    def remembering(graph: torch.fx.GraphModule, examples: list[Tensor]) -> Callable[..., Any]:
        number = len(compiled)
        compiled.append(graph)

        def run(*arguments: Any) -> Any:
            seen.append(number)
            return graph(*arguments)

        return run

    compiled: list[torch.fx.GraphModule] = []
    made = plan(Path("unused"), "ddp", compile=True, image_size=40, batch_size=25, accumulate=10)
    with torch._dynamo.config.patch(recompile_limit=2, fail_on_recompile_limit_hit=True):
        with patch("torch.compile", partial(torch.compile, backend=remembering)):
            strategy = NoParallelism()
            strategy.prepare(made, Tiny(), [CPU])
        for _ in range(2):
            parts = _batch(25, side=40).parts(10)
            for part in parts:
                strategy.forward_backward(part, 25, HostClock(1), part is parts[-1])
            strategy.update(0.1, None, HostClock(1))
    assert seen == [*[0] * 5, *[1] * 5] * 2
    assert strategy.capture()["state_dict"]["bn.num_batches_tracked"] == 2


def test_what_is_compiled_is_kept_where_torch_keeps_it() -> None:
    assert str(compiled_code(Path(tempfile.gettempdir()))) == default_cache_dir()
