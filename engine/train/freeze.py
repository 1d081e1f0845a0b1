"""A frozen backbone: the classifier learns, and all else stays as its weights have it.

No other parameter has a gradient, and batch normalisation computes by its running statistics, in
training as in validation, and leaves them alone. So a network is fitted to a small dataset as a
linear classifier on features that were learned elsewhere (Kornblith et al. 2019, 1805.08974).
"""

from __future__ import annotations

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from engine.plan.config import Settings
from engine.train.norm import norms

_HEAD = "fc."


class _Still(_BatchNorm):
    """In front of a class of normalisation layers: in training as in validation."""

    def train(self, mode: bool = True) -> _Still:
        super().train(False)
        return self


_classes: dict[type[_BatchNorm], type[_Still]] = {}


def learns(name: str, settings: Settings) -> bool:
    """Whether the parameter ``name`` of torchvision's network is trained."""
    return not settings.freeze or name.startswith(_HEAD)


def learned(model: nn.Module, settings: Settings) -> int:
    """Numbers that are trained; asked before a strategy takes the network apart."""
    return sum(each.numel() for name, each in model.named_parameters() if learns(name, settings))


def freeze(model: nn.Module, settings: Settings) -> None:
    """Lets nothing but the classifier of ``model`` learn, where ``settings`` ask for it.

    Keys, values and copies of the model stay what they were.
    """
    if not settings.freeze:
        return
    for name, each in model.named_parameters():
        each.requires_grad_(learns(name, settings))
    for layer in norms(model):
        kind = type(layer)
        if kind not in _classes:
            _classes[kind] = type(f"Still{kind.__name__}", (_Still, kind), {})
        layer.__class__ = _classes[kind]
        layer.train()


def is_still(layer: nn.Module) -> bool:
    """Whether a normalisation layer keeps its running statistics."""
    return isinstance(layer, _Still)
