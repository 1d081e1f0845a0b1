"""Known ways of training, as data. Each is a table of settings, with where it comes from.

What a recipe does not name stays as it is without one. The schedule is always a linear warm-up and
then a cosine (``engine.plan.learning_rate``), whatever the source used: so the steps of an older
recipe become a cosine here, and its source's figure is no promise. None of the figures named below
was measured with this program.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Settings that stand where nothing that counts more says otherwise."""

    name: str
    about: str
    """One line: what it is for."""
    source: str
    """Where the values come from: a paper or a script, and what differs from it here."""
    settings: Mapping[str, Any]


_IMAGENET = Recipe(
    name="imagenet",
    about="from scratch on photographs by the thousand, as ResNet-50 is trained on ImageNet",
    source="Goyal et al. 2017 (arXiv 1706.02677): 90 epochs, learning rate 0.1 for a batch of 256 "
    "and scaled linearly, 5 epochs of warm-up, Nesterov momentum 0.9, weight decay 1e-4 but not of "
    "batch normalisation, its last scale of each block 0 at first, crops of 8 to 100 % of the "
    "area, mirrored. He et al. 2018 (arXiv 1812.01187): a cosine instead of steps, no decay of "
    "biases either, label smoothing 0.1; with all of their changes 79.3 % top-1 instead of 75.3. "
    "torchvision documents 76.1 % for ResNet-50 after 90 epochs with steps (IMAGENET1K_V1). "
    "Differs: warm-up of small batches too; none of He's colour jitter, MixUp, distillation and "
    "changed network.",
    settings=MappingProxyType(
        {
            "weights": "none",
            "epochs": 90,
            "batch_size": 256,
            "image_size": 224,
            "lr": 0.1,
            "scale_lr": True,
            "warmup_epochs": 5.0,
            "optimizer": "sgd",
            "momentum": 0.9,
            "nesterov": True,
            "weight_decay": 1e-4,
            "decay_norm": False,
            "zero_init": True,
            "label_smoothing": 0.1,
            "crop_min": 0.08,
            "flip": True,
        }
    ),
)

_TINY_IMAGENET = Recipe(
    name="tiny-imagenet",
    about="from scratch on small pictures: 64 px, 200 classes of 500",
    source="README_tiny_imagenet.md of github.com/zeyuanyin/torchvision-tiny-imagenet: "
    "torchvision's reference script with 100 epochs, a batch of 256, momentum 0.9, weight decay "
    "1e-4 and a cosine; 60.7 % top-1 with ResNet-18 (README.md there). The learning rate and crops "
    "of 8 to 100 % of the area, mirrored, are those of Yun et al. 2020 (arXiv 2003.13964, train.py "
    "and datasets.py of github.com/alinlab/cs-kd, at 32 px): 0.1 for a batch of 128, so 0.2 "
    "for 256, where the first script has 0.5. Differs: 5 epochs of warm-up. The network has "
    "the large first convolution that is meant for 224 px, which costs accuracy at 64.",
    settings=MappingProxyType(
        {
            "weights": "none",
            "epochs": 100,
            "batch_size": 256,
            "image_size": 64,
            "lr": 0.2,
            "scale_lr": True,
            "warmup_epochs": 5.0,
            "optimizer": "sgd",
            "momentum": 0.9,
            "weight_decay": 1e-4,
            "crop_min": 0.08,
            "flip": True,
        }
    ),
)

_FINETUNE = Recipe(
    name="finetune",
    about="a few hundred images per class or fewer, from ImageNet weights",
    source="PyTorch's transfer learning tutorial (its part on finetuning the whole network, on "
    "hymenoptera): ImageNet weights, 25 epochs, SGD with momentum 0.9, learning rate 0.001 for a "
    "batch of 4, crops of 8 to 100 % of the area, mirrored. Kornblith et al. 2019 (arXiv "
    "1805.08974): a cosine, Nesterov momentum, weight decay, and a grid of learning rates from "
    "1e-4 to 0.1. Differs: a batch of 32, for batch normalisation, with a learning "
    "rate of 0.005 between the tutorial's (0.008 when scaled linearly) and the middle of the grid "
    "(0.003); one epoch of warm-up, because the classifier is new.",
    settings=MappingProxyType(
        {
            "weights": "imagenet",
            "epochs": 25,
            "batch_size": 32,
            "image_size": 224,
            "lr": 0.005,
            "scale_lr": False,
            "warmup_epochs": 1.0,
            "optimizer": "sgd",
            "momentum": 0.9,
            "nesterov": True,
            "weight_decay": 1e-4,
            "freeze": False,
            "crop_min": 0.08,
            "flip": True,
        }
    ),
)

_QUICK = Recipe(
    name="quick",
    about="a first look within minutes: a small network, small images, 5 epochs",
    source="fastai's train_imagenette.py (github.com/fastai/imagenette, 128 px and 5 epochs: "
    "about 85 % top-1 on ten classes of 900 images): a batch of 64, crops of at least 35 % of the "
    "area, mirrored, label smoothing 0.1. Differs: ResNet-18 where they have larger networks, and "
    "SGD where they have Ranger, with our own default learning rate, 0.05 for a batch of 256.",
    settings=MappingProxyType(
        {
            "model": "resnet18",
            "epochs": 5,
            "batch_size": 64,
            "image_size": 128,
            "lr": 0.05,
            "scale_lr": True,
            "warmup_epochs": 0.5,
            "optimizer": "sgd",
            "momentum": 0.9,
            "label_smoothing": 0.1,
            "crop_min": 0.35,
            "flip": True,
        }
    ),
)

RECIPES: tuple[Recipe, ...] = (_IMAGENET, _TINY_IMAGENET, _FINETUNE, _QUICK)

NAMES = tuple(each.name for each in RECIPES)


def settings_of(name: str) -> Mapping[str, Any]:
    """What the recipe ``name`` sets; nothing for ``none``."""
    return next((each.settings for each in RECIPES if each.name == name), {})
