"""Activation checkpointing: the activations inside residual blocks are computed again backward."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from torchvision.models.resnet import BasicBlock, Bottleneck

from engine.train import norm


class _Recomputed:
    """In front of a block's class, so that copies of the block (DataParallel) recompute as well.

    Not reentrant: a reentrant checkpoint of an input without gradient gives parameters none.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:  # type: ignore[attr-defined]
            return super().forward(x)  # type: ignore[misc,no-any-return]
        result: Tensor = checkpoint(
            super().forward,  # type: ignore[misc]
            x,
            use_reentrant=False,
            preserve_rng_state=False,  # There is nothing random in a residual block.
            context_fn=_contexts,
        )
        return result


class RecomputedBasicBlock(_Recomputed, BasicBlock):  # type: ignore[misc]
    pass


class RecomputedBottleneck(_Recomputed, Bottleneck):  # type: ignore[misc]
    pass


def recompute_blocks(model: nn.Module) -> int:
    """Lets every residual block of ``model`` recompute; returns how many there are.

    Keys and values stay. Batch normalisation must be deferred (``engine.train.norm.defer``), or its
    statistics move twice.
    """
    kinds: dict[type[nn.Module], type[nn.Module]] = {
        BasicBlock: RecomputedBasicBlock,
        Bottleneck: RecomputedBottleneck,
    }
    blocks = [each for each in model.modules() if type(each) in kinds]
    for block in blocks:
        block.__class__ = kinds[type(block)]
    return len(blocks)


def _contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """Around the first computation and around the second."""
    return nullcontext(), norm.recomputing()
