"""nn.DataParallel: one process copies the model to all its GPUs in every step."""

from __future__ import annotations

from torch import Tensor, nn

from engine.errors import StrategyError
from engine.plan.runs import RunPlan
from engine.train.arithmetic import Arithmetic
from engine.train.strategies.none import NoParallelism


class Autocasting(nn.Module):
    """Enters autocast inside ``forward``: DataParallel calls copies of it in threads of their own,
    which know nothing of an autocast around them."""

    def __init__(self, model: nn.Module, chosen: Arithmetic) -> None:
        super().__init__()
        self.model = model
        self._chosen = chosen

    def forward(self, images: Tensor) -> Tensor:
        with self._chosen.autocast():
            logits: Tensor = self.model(images)
        return logits


class DataParallelism(NoParallelism):
    """Every batch is cut into one chunk per GPU; weights, labels, losses and the running
    statistics that are kept are the first GPU's."""

    def _spread(self, plan: RunPlan, model: nn.Module) -> nn.Module:
        gpus = [device for device in self._devices if device.type == "cuda"]
        if len(set(gpus)) < 2:
            # By itself it would train on one device and say nothing.
            raise StrategyError(
                f"dp spreads over 2 GPUs or more, and this run has {len(set(gpus))}; use single "
                "for one device, or ddp for several processes on a CPU"
            )
        return nn.DataParallel(Autocasting(model, self._arithmetic), device_ids=gpus)

    def _is_lonely(self, images: int) -> bool:
        return super()._is_lonely(smallest_chunk(images, len(self._devices)))


def smallest_chunk(images: int, devices: int) -> int:
    """Images in the last of the chunks that ``torch.chunk`` makes, the smallest one."""
    largest = -(-images // devices)
    return images - largest * (-(-images // largest) - 1)
