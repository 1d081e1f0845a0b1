"""The settings of a training, declared once.

Each field of ``Settings`` carries its help, bounds, choices and group. The command line's flags,
the form, validation, JSON and help texts are all made from these declarations: see
``engine.plan.options`` for the readers. Adding a setting is adding one field here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from engine.errors import SettingError

Group = Literal["main", "more"]

_LARGEST = 2**53
"""Beyond this a whole number is no longer exact everywhere it is stored."""

MODELS = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")


@dataclass(frozen=True, slots=True)
class Declaration:
    """What is known about a setting beside its type and default."""

    about: str
    group: Group
    label: str
    choices: tuple[str, ...] = ()
    open_choices: bool = False
    """The choices are suggestions: any other text is a path."""
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    """The value must be greater than this (``minimum`` is inclusive)."""
    unit: str = ""
    metavar: str = ""
    distinct: bool = True
    """Numbers of a list must differ, and count from 0; otherwise they are sizes, from 1."""
    none: str = ""
    """How ``None`` is shown in a form; empty where it means "no limit"."""


def _setting(default: Any, about: str, *, label: str, group: Group = "more", **more: Any) -> Any:
    declaration = Declaration(about=about, group=group, label=label, **more)
    return field(default=default, metadata={"declaration": declaration})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to train; the same for every strategy of an experiment.

    Raises ``SettingError`` for a value that cannot be used. ``None`` means "chosen by itself" or,
    for the limits, "no limit".
    """

    model: str = _setting(
        "resnet50", "the network, from torchvision", label="model", group="main", choices=MODELS
    )
    weights: str = _setting(
        "none",
        "initial weights: none, imagenet (torchvision's), or a checkpoint file",
        label="weights",
        group="main",
        choices=("none", "imagenet"),
        open_choices=True,
        metavar="none|imagenet|PATH",
    )
    epochs: int = _setting(
        10, "passes over the training images", label="epochs", group="main", minimum=1
    )
    batch_size: int = _setting(
        64,
        "global batch: images per optimiser step, over all devices",
        label="batch size",
        group="main",
        minimum=1,
        unit="images",
    )
    image_size: int = _setting(
        224,
        "side of the square the network sees",
        label="image size",
        group="main",
        minimum=16,
        maximum=2048,
        unit="px",
    )
    # 0.05 at a batch of 256, scaled linearly to the default batch (Goyal et al. 2017, 1706.02677).
    lr: float = _setting(
        0.0125, "peak learning rate", label="learning rate", group="main", above=0.0
    )
    momentum: float = _setting(
        0.9, "momentum of SGD", label="momentum", minimum=0.0, maximum=0.9999
    )
    weight_decay: float = _setting(1e-4, "weight decay", label="weight decay", minimum=0.0)
    warmup_epochs: float = _setting(
        0.5,
        "epochs of linear warm-up before the cosine",
        label="warm-up",
        minimum=0.0,
        unit="epochs",
    )
    seed: int = _setting(
        0,
        "seed of weights, sample order and augmentation",
        label="seed",
        minimum=0,
        maximum=2**31 - 1,
    )
    workers: int | None = _setting(
        None,
        "processes that decode images, per node; auto: from the cores",
        label="workers",
        group="main",
        minimum=0,
        maximum=256,
        none="auto",
    )
    device: str = _setting(
        "auto", "where to train", label="device", choices=("auto", "cuda", "mps", "cpu")
    )
    gpus: tuple[int, ...] | None = _setting(
        None, "which GPUs to use, as 0,2; auto: all", label="GPUs", metavar="0,2", none="auto"
    )
    precision: str = _setting(
        "auto",
        "format of the arithmetic, where a strategy leaves it open; mixed: bf16, else fp16",
        label="precision",
        choices=("auto", "fp32", "tf32", "mixed", "bf16", "fp16"),
    )
    gradient_checkpointing: bool = _setting(
        False,
        "compute the activations of the residual blocks twice instead of keeping them",
        label="gradient checkpointing",
    )
    accumulate: int = _setting(
        1,
        "parts in which a global batch is computed, one after another, for one optimiser step",
        label="accumulate",
        minimum=1,
        maximum=4096,
    )
    nproc: int | None = _setting(
        None,
        "devices to spread over: GPUs, or processes on a CPU; auto: all GPUs, 2 on a CPU",
        label="processes",
        minimum=1,
        maximum=1024,
        none="auto",
    )
    stages: int | None = _setting(
        None, "stages of a pipeline; auto: one per device", label="stages", minimum=2, none="auto"
    )
    micro_batches: int | None = _setting(
        None,
        "pieces of a batch that follow one another through a pipeline; auto: 4 per stage",
        label="micro-batches",
        minimum=1,
        none="auto",
    )
    schedule: str = _setting(
        "auto",
        "order of a pipeline's micro-batches; auto: 1f1b where it can be had, else gpipe",
        label="schedule",
        choices=("auto", "gpipe", "1f1b"),
    )
    balance: tuple[int, ...] | None = _setting(
        None,
        "layers in each stage of a pipeline, as 3,17; auto: measured and split evenly",
        label="balance",
        metavar="3,17",
        none="auto",
        distinct=False,
    )
    recompute: str = _setting(
        "auto",
        "for which micro-batches gpipe computes activations twice; auto: except_last",
        label="recompute",
        choices=("auto", "always", "except_last", "never"),
    )
    compile: bool = _setting(False, "let torch compile the network", label="compile")
    channels_last: str = _setting(
        "auto",
        "memory format; auto: where it helps",
        label="channels last",
        choices=("auto", "yes", "no"),
    )
    sync_bn: bool = _setting(
        False,
        "normalise over the batches of all processes together (GPUs only)",
        label="sync BN",
    )
    hang_timeout: float = _setting(
        300.0,
        "end a run of several processes in which nothing has moved for so long",
        label="hang timeout",
        above=0.0,
        unit="s",
        metavar="5m",
    )
    crop_min: float = _setting(
        0.08,
        "smallest share of an image's area that a training crop keeps; 1: no crop",
        label="smallest crop",
        above=0.0,
        maximum=1.0,
    )
    flip: bool = _setting(True, "mirror half of the training images", label="flip")
    val_fraction: float = _setting(
        0.2,
        "share of each class held out where a folder has no validation images",
        label="held out",
        above=0.0,
        maximum=0.9,
    )
    max_steps: int | None = _setting(
        None, "end early and well after so many steps", label="max steps", minimum=1
    )
    max_time: float | None = _setting(
        None,
        "end early and well after so long, as 90s, 5m or 2h",
        label="max time",
        above=0.0,
        unit="s",
        metavar="5m",
    )

    def __post_init__(self) -> None:
        for each in fields(self):
            check(each.name, getattr(self, each.name), each.metadata["declaration"])


def declarations() -> dict[str, Declaration]:
    """Every setting's declaration by name, in the order of the form."""
    return {each.name: each.metadata["declaration"] for each in fields(Settings)}


def flag(name: str) -> str:
    """A setting's name on the command line: ``batch_size`` is ``--batch-size``."""
    return "--" + name.replace("_", "-")


def check(name: str, value: Any, declared: Declaration) -> None:
    """Raises ``SettingError`` where ``value`` is of the right type but cannot be used."""
    if value is None:
        return
    shown = f"{declared.label} ({flag(name)})"
    if isinstance(value, str):
        if declared.choices and value not in declared.choices and not declared.open_choices:
            raise SettingError(
                name, f"{shown} is {value!r}; choose one of {', '.join(declared.choices)}"
            )
        if not value:
            raise SettingError(name, f"{shown} is empty; leave it out for its default")
        return
    if isinstance(value, tuple):
        if declared.distinct and (not value or len(set(value)) != len(value) or min(value) < 0):
            raise SettingError(
                name, f"{shown} is {value!r}; name each once, counting from 0, as 0,2"
            )
        if not declared.distinct and (not value or min(value) < 1):
            raise SettingError(name, f"{shown} is {value!r}; give each stage 1 layer or more")
        return
    if isinstance(value, bool):
        return
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise SettingError(name, f"{shown} is {str(value)[:20]}...; that is too large a number")
    if not math.isfinite(value):
        raise SettingError(name, f"{shown} is {value}; give a number")
    if declared.above is not None and value <= declared.above:
        raise SettingError(name, f"{shown} is {value}; it must be above {declared.above:.12g}")
    if declared.minimum is not None and value < declared.minimum:
        raise SettingError(name, f"{shown} is {value}; it must be at least {declared.minimum:.12g}")
    if declared.maximum is not None and value > declared.maximum:
        raise SettingError(name, f"{shown} is {value}; it must be at most {declared.maximum:.12g}")
