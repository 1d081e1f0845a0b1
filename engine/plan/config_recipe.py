"""The settings of a recipe: how weights are learned, and what is done to the images before."""

from __future__ import annotations

from dataclasses import dataclass

from engine.plan.declaration import setting
from engine.plan.recipes import NAMES


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeSettings:
    """What the well-known recipes differ in. ``None`` means off."""

    recipe: str = setting(
        "none",
        "a known way of training, whose settings stand where no flag says otherwise",
        label="recipe",
        group="main",
        choices=("none", *NAMES),
    )
    optimizer: str = setting(
        "sgd",
        "how weights follow their gradients: SGD with momentum, or AdamW with betas 0.9 and 0.999",
        label="optimizer",
        group="recipe",
        choices=("sgd", "adamw"),
    )
    momentum: float = setting(
        0.9, "momentum of SGD", label="momentum", group="recipe", minimum=0.0, maximum=0.9999
    )
    nesterov: bool = setting(
        False, "Nesterov's form of the momentum of SGD", label="Nesterov", group="recipe"
    )
    weight_decay: float = setting(
        1e-4, "weight decay", label="weight decay", group="recipe", minimum=0.0
    )
    decay_norm: bool = setting(
        True,
        "let batch normalisation and biases decay as well",
        label="decay of norms",
        group="recipe",
    )
    scale_lr: bool = setting(
        False,
        "the learning rate is for a global batch of 256, and scaled linearly to the real one",
        label="scale lr",
        group="recipe",
    )
    warmup_epochs: float | None = setting(
        None,
        "epochs of linear warm-up before the cosine; auto: 5, or a tenth of a training under 50",
        label="warm-up",
        group="recipe",
        minimum=0.0,
        unit="epochs",
        none="auto",
    )
    warmup_start: float = setting(
        0.1,
        "share of the learning rate at which the warm-up begins",
        label="warm-up from",
        group="recipe",
        minimum=0.0,
        maximum=1.0,
    )
    lr_floor: float = setting(
        0.0,
        "learning rate at which the cosine ends",
        label="lr floor",
        group="recipe",
        minimum=0.0,
    )
    clip_grad: float | None = setting(
        None,
        "norm to which the gradient of a step is cut down",
        label="clip gradient",
        group="recipe",
        above=0.0,
        none="off",
    )
    ema: float | None = setting(
        None,
        "decay per step of averaged weights, which are then validated and saved as well",
        label="EMA",
        group="recipe",
        above=0.0,
        maximum=0.999999,
        none="off",
    )
    zero_init: bool = setting(
        False,
        "draw weights so that residual blocks add nothing at first: the last scale of each is 0",
        label="zero init",
        group="recipe",
    )
    freeze: bool = setting(
        False,
        "train the classifier alone and keep the rest of the network as its weights have it",
        label="freeze",
        group="recipe",
    )
    label_smoothing: float = setting(
        0.0,
        "share of each label that is spread over all classes",
        label="label smoothing",
        group="recipe",
        minimum=0.0,
        maximum=0.9,
    )
    class_weights: str = setting(
        "none",
        "weights of classes in the loss; balanced: rare classes count as much as common ones",
        label="class weights",
        group="recipe",
        choices=("none", "balanced"),
    )
    crop_min: float = setting(
        0.08,
        "smallest share of an image's area that a training crop keeps; 1: no crop",
        label="smallest crop",
        group="images",
        above=0.0,
        maximum=1.0,
    )
    flip: bool = setting(True, "mirror half of the training images", label="flip", group="images")
    augment: str = setting(
        "none",
        "random changes of colour and shape",
        label="augmentation",
        group="images",
        choices=("none", "randaugment", "trivialaugment"),
    )
    random_erasing: float = setting(
        0.0,
        "share of training images in which a random box is blanked",
        label="random erasing",
        group="images",
        minimum=0.0,
        maximum=1.0,
    )
    mixup: float = setting(
        0.0,
        "alpha of MixUp: pairs of images are blended; 0: off",
        label="MixUp",
        group="images",
        minimum=0.0,
        maximum=10.0,
    )
    cutmix: float = setting(
        0.0,
        "alpha of CutMix: a box of one image is put into another; 0: off",
        label="CutMix",
        group="images",
        minimum=0.0,
        maximum=10.0,
    )
    resize_from: int | None = setting(
        None,
        "side of the images in the first epoch, from which it grows to the full one",
        label="resize from",
        group="images",
        minimum=16,
        maximum=2048,
        unit="px",
        none="off",
    )
