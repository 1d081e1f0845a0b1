"""The settings of a training, declared once.

Each field of ``Settings`` carries its help, bounds, choices and group. The command line's flags,
the form, validation, JSON and help texts are all made from these declarations: see
``engine.plan.values`` and ``engine.plan.options``. Adding a setting is adding one field here.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from engine.plan.config_saving import SavingSettings
from engine.plan.declaration import Declaration, Group, check
from engine.plan.declaration import setting as _setting

MODELS = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")


_ORDER: tuple[Group, ...] = ("main", "switches", "recipe", "images", "saving", "more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SavingSettings):
    """How to train; the same for every strategy of an experiment.

    Raises ``SettingError`` for a value that cannot be used. ``None`` means "chosen by itself" or,
    for the limits, "no limit".
    """

    model: str = _setting(
        "resnet50", "the network, from torchvision", label="model", group="main", choices=MODELS
    )
    weights: str = _setting(
        "none",
        "initial weights: none, imagenet (torchvision's), or a checkpoint, .pt or .safetensors",
        label="weights",
        group="main",
        choices=("none", "imagenet"),
        open_choices=True,
        metavar="none|imagenet|PATH",
    )
    epochs: int = _setting(
        90, "passes over the training images", label="epochs", group="main", minimum=1
    )
    batch_size: int = _setting(
        256,
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
    repeats: int = _setting(
        1,
        "runs of each strategy, each with its own seed; 3 or more tell a difference from noise",
        label="repeats",
        group="main",
        minimum=1,
        maximum=100,
    )
    lr: float = _setting(0.05, "peak learning rate", label="learning rate", group="main", above=0.0)
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
        group="switches",
        choices=("auto", "fp32", "tf32", "mixed", "bf16", "fp16"),
    )
    gradient_checkpointing: bool = _setting(
        False,
        "compute the activations of the residual blocks twice instead of keeping them",
        label="gradient checkpointing",
        group="switches",
    )
    accumulate: int = _setting(
        1,
        "parts in which a global batch is computed, one after another, for one optimiser step",
        label="accumulate",
        group="switches",
        minimum=1,
        maximum=4096,
    )
    nproc: int | None = _setting(
        None,
        "devices to spread over: GPUs, or processes on a CPU; auto: all GPUs, 2 on a CPU",
        label="processes",
        group="switches",
        aliases=("--num-gpus",),
        minimum=1,
        maximum=1024,
        none="auto",
    )
    stages: int | None = _setting(
        None,
        "stages of a pipeline; auto: one per device",
        label="stages",
        group="switches",
        minimum=2,
        none="auto",
    )
    micro_batches: int | None = _setting(
        None,
        "pieces of a batch that follow one another through a pipeline; auto: 4 per stage",
        label="micro-batches",
        group="switches",
        minimum=1,
        none="auto",
    )
    schedule: str = _setting(
        "auto",
        "order of a pipeline's micro-batches; auto: 1f1b where it can be had, else gpipe",
        label="schedule",
        group="switches",
        choices=("auto", "gpipe", "1f1b"),
    )
    balance: tuple[int, ...] | None = _setting(
        None,
        "layers in each stage of a pipeline, as 3,17; auto: measured and split evenly",
        label="balance",
        group="switches",
        metavar="3,17",
        none="auto",
        distinct=False,
    )
    recompute: str = _setting(
        "auto",
        "for which micro-batches gpipe computes activations twice; auto: except_last",
        label="recompute",
        group="switches",
        choices=("auto", "always", "except_last", "never"),
    )
    compile: bool = _setting(
        False, "let torch compile the network", label="compile", group="switches"
    )
    channels_last: str = _setting(
        "auto",
        "memory format; auto: where it helps",
        label="channels last",
        group="switches",
        choices=("auto", "yes", "no"),
        bare="yes",
    )
    sync_bn: bool = _setting(
        False,
        "normalise over the batches of all processes together; on GPUs only",
        label="sync BN",
        group="switches",
    )
    hang_timeout: float = _setting(
        300.0,
        "end a run of several processes in which nothing has moved for so long",
        label="hang timeout",
        above=0.0,
        unit="s",
        metavar="5m",
    )
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

    find_batch: bool = _setting(
        False,
        "search the batch size at which each strategy is fastest, and compare these as well",
        label="find batch",
    )
    memory_budget: float | None = _setting(
        None,
        "memory that the search for a batch size may use, in GiB; auto: most of what is free",
        label="memory budget",
        above=0.0,
        unit="GiB",
        metavar="GIB",
        none="auto",
    )
    target_accuracy: float | None = _setting(
        None,
        "validation accuracy (0 to 1) that time to accuracy is measured to; auto: the highest that "
        "every strategy reached",
        label="target accuracy",
        above=0.0,
        maximum=1.0,
        none="auto",
    )
    price: float | None = _setting(
        None, "of a GPU hour, for the cost in the table", label="price", minimum=0.0, none="none"
    )

    def __post_init__(self) -> None:
        for each in fields(self):
            check(each.name, getattr(self, each.name), each.metadata["declaration"])


def declarations() -> dict[str, Declaration]:
    """Every setting's declaration by name, in the order of the form."""
    found = {each.name: each.metadata["declaration"] for each in fields(Settings)}
    return dict(sorted(found.items(), key=lambda each: _ORDER.index(each[1].group)))
