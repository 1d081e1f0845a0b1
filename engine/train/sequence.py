"""A torchvision ResNet as a sequence of layers that can be cut into stages.

The layers are the network's own modules, not copies: what one form learns the other has. Names
map one to one::

    conv1, bn1, relu, maxpool -> stem        layer1.0 -> layer1_0        avgpool, flatten, fc
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Collection

from torch import nn
from torchvision.models.resnet import ResNet

STEM = ("conv1", "bn1", "relu", "maxpool")
"""What the first layer is made of: by itself each of them is too light to be a layer."""
_HEAD = ("avgpool", "flatten", "fc")
_BLOCK = re.compile(r"(layer\d+)\.(\d+)")
_FLAT_BLOCK = re.compile(r"(layer\d+)_(\d+)")


def flatten(model: ResNet) -> nn.Sequential:
    """The layers of ``model`` in order: ``stem``, ``layer1_0``, ..., ``avgpool``, ``flatten``,
    ``fc``. It computes what ``model`` computes, with the same modules."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["stem"] = nn.Sequential(OrderedDict((name, model.get_submodule(name)) for name in STEM))
    for name, group in model.named_children():
        if name not in STEM and name not in _HEAD:
            for number, block in group.named_children():
                layers[f"{name}_{number}"] = block
    layers["avgpool"], layers["flatten"] = model.avgpool, nn.Flatten(1)
    layers["fc"] = model.fc
    return nn.Sequential(layers)


def keep_only(model: ResNet, layers: Collection[str]) -> None:
    """Lets go of all modules of ``model`` but those of ``layers``, as ``flatten`` names them.

    What is left keeps its names: ``state_dict`` is the part of the whole one that belongs to
    ``layers``. The model can no longer be called.
    """
    for name, child in list(model.named_children()):
        if _FLAT_BLOCK.fullmatch(f"{name}_0"):
            for number, _ in list(child.named_children()):
                if f"{name}_{number}" not in layers:
                    setattr(child, number, nn.Identity())
        elif layer_of(name) not in layers:
            setattr(model, name, nn.Identity())


def layer_of(key: str) -> str:
    """The layer to which a module or a weight of the network belongs: ``layer1.0.bn1.weight`` is
    in ``layer1_0``."""
    return sequence_key(key).partition(".")[0]


def sequence_key(key: str) -> str:
    """A key of the network's ``state_dict`` as ``flatten`` has it."""
    if (block := _BLOCK.match(key)) is not None:
        return f"{block[1]}_{block[2]}{key[block.end() :]}"
    return f"stem.{key}" if key.partition(".")[0] in STEM else key


def network_key(key: str) -> str:
    """The inverse of ``sequence_key``: torchvision's layout, in which checkpoints are kept."""
    if (block := _FLAT_BLOCK.match(key)) is not None:
        return f"{block[1]}.{block[2]}{key[block.end() :]}"
    return key.removeprefix("stem.")
