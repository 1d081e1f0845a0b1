"""What the driver of this machine says, beside torch."""

from __future__ import annotations

import torch

from engine.plan.accelerators import unusable
from engine.train.driver import facts


def test_the_facts_of_this_machine_agree_with_each_other() -> None:
    gpus = range(torch.cuda.device_count())
    seen = tuple(str(torch.cuda.get_device_properties(index).uuid) for index in gpus)
    found = facts(seen)
    assert found.torch == torch.__version__
    assert found.torch_cuda == torch.version.cuda
    blind = bool(found.driver) and found.gpus is None and not seen
    hidden = found.gpus is not None and len(found.gpus) > len(seen)
    assert bool(unusable(found)) == ((blind or hidden) and torch.version.hip is None)
    assert bool(found.problem) == (found.gpus is None)
    if found.gpus is not None and len(found.gpus) == len(seen):
        assert {each.uuid.removeprefix("GPU-") for each in found.gpus} == set(seen)
