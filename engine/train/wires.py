"""What travels between the stages of a pipeline whose stages are processes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from engine.train.arithmetic import Arithmetic


@dataclass(frozen=True, slots=True)
class Wire:
    """Between two stages: the activations of a micro-batch one way, their gradient the other.

    They travel flat, as they lie in memory. torch's pipelining receives into contiguous tensors
    whatever the sender's memory format is (2.11 does), so that a batch in channels-last would
    arrive in another order, unnoticed.
    """

    shape: torch.Size
    """Of one image's activations: channels, height, width, or features."""
    dtype: torch.dtype
    device: torch.device
    channels_last: bool
    learns: bool = True
    """Whether a gradient comes back: something before it learns."""

    def packed(self, x: Tensor) -> Tensor:
        if self.channels_last and x.dim() == 4:
            x = x.permute(0, 2, 3, 1)
        return x.to(self.dtype).reshape(-1)

    def unpacked(self, flat: Tensor) -> Tensor:
        if self.channels_last and len(self.shape) == 3:
            channels, height, width = self.shape
            return flat.view(-1, height, width, channels).permute(0, 3, 1, 2)
        return flat.view(-1, *self.shape)

    def buffer(self, images: int) -> Tensor:
        """Room for ``images``."""
        return torch.empty(images * self.shape.numel(), dtype=self.dtype, device=self.device)

    def described(self, images: int, *, flat: bool) -> Tensor:
        """A tensor without memory: packed, or as it is at the ends of the pipeline."""
        if flat:
            size = (images * self.shape.numel(),)
            return torch.empty(size, dtype=self.dtype, device="meta", requires_grad=self.learns)
        last = self.channels_last and len(self.shape) == 3
        layout = torch.channels_last if last else torch.contiguous_format
        size = (images, *self.shape)
        return torch.empty(size, dtype=self.dtype, device="meta", memory_format=layout)


def wires(sequence: nn.Sequential, arithmetic: Arithmetic, side: int) -> list[Wire]:
    """In front of each layer of ``sequence`` and behind the last one, for images of ``side``
    pixels. Nothing is computed."""
    dtype = arithmetic.precision.dtype or arithmetic.dtype
    last = arithmetic.layout is torch.channels_last
    x = torch.empty(1, 3, side, side, dtype=arithmetic.dtype, device="meta")
    found = [Wire(x.shape[1:], arithmetic.dtype, arithmetic.device, last)]
    learns = False
    for layer in sequence.eval():
        held = {**dict(layer.named_parameters()), **dict(layer.named_buffers())}
        ghosts = {name: each.detach().to("meta") for name, each in held.items()}
        x = functional_call(layer, ghosts, (x,))
        learns = learns or any(each.requires_grad for each in layer.parameters())
        found.append(Wire(x.shape[1:], dtype, arithmetic.device, last, learns))
    sequence.train()
    return found


class Wired(nn.Module):
    """A stage with the wires before and after it; there is none at the ends of the pipeline."""

    def __init__(self, stage: nn.Module, before: Wire | None, after: Wire | None) -> None:
        super().__init__()
        self.stage = stage
        self._before, self._after = before, after

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.stage(x if self._before is None else self._before.unpacked(x))
        return y if self._after is None else self._after.packed(y)
