"""What a network is, layer by layer: parameters, arithmetic, and memory of its activations. Pure.

Counted by hand from torchvision's shapes (``engine.plan.resnet_shapes``); that torchvision, torch's
counter of operations and autograd say the same is tested.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from engine.plan.config import Settings
from engine.plan.footprint import Footprint, footprint
from engine.plan.kept import one_pass
from engine.plan.resnet_passes import forward_operations, work
from engine.plan.resnet_shapes import BASIC, BLOCKS, STEM, WIDTHS, halved, layers
from engine.plan.runs import RunPlan
from engine.plan.strategies import strategy

IMAGENET_CLASSES = 1000


@dataclass(frozen=True, slots=True)
class Row:
    """One of the layers that the network flattens into."""

    name: str
    """As torchvision calls it; ``stem`` is its first convolution up to its max pooling."""
    channels: int
    side: int
    """Of what it puts out, in pixels of its own."""
    parameters: int
    operations: int
    """Of the forward pass of one image; a multiply-add is two."""
    activations: int
    """Bytes that it keeps of a batch for the backward pass, in 32 bits. The images count with the
    first layer, what the loss keeps with the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A network that is trained as a whole by one device."""

    model: str
    image_size: int
    classes: int
    batch_size: int
    rows: tuple[Row, ...]
    training_operations: int
    """Of one image: the forward pass, and the gradients of inputs and of weights."""
    held: Footprint
    """In 32 bits, without gradient checkpointing."""
    activations_half: int
    """Bytes of ``held.activations`` where autocast computes in 16 bits, its copies of weights
    included."""

    @property
    def parameters(self) -> int:
        return sum(each.parameters for each in self.rows)

    @property
    def operations(self) -> int:
        """Of the forward pass of one image; a multiply-add is two."""
        return sum(each.operations for each in self.rows)

    @property
    def activations(self) -> int:
        """Bytes of a batch, in 32 bits."""
        return sum(each.activations for each in self.rows)


def summarize(settings: Settings, classes: int) -> Summary:
    """Of the model, the image size, the batch and the optimiser of ``settings``; what a strategy
    would switch is left out."""
    model, side, batch = settings.model, settings.image_size, settings.batch_size
    plain = replace(
        settings,
        precision="fp32",
        accumulate=1,
        gradient_checkpointing=False,
        compile=False,
        freeze=False,
    )
    network = layers(model, side, classes)
    return Summary(
        model=model,
        image_size=side,
        classes=classes,
        batch_size=batch,
        rows=tuple(_rows(model, side, classes, batch)),
        training_operations=_training(model, side, classes),
        held=footprint(
            RunPlan(run="", strategy=strategy("single"), settings=plain, dataset=""), classes
        ),
        activations_half=one_pass(network, batch, half=True).waiting,
    )


def _rows(model: str, image_size: int, classes: int, batch: int) -> Iterator[Row]:
    network = layers(model, image_size, classes)
    operations = forward_operations(model, image_size, classes)
    before = 0
    for number, (layer, (name, channels, side)) in enumerate(
        zip(network, _outputs(model, image_size, classes), strict=True)
    ):
        last = number == len(network) - 1
        kept = one_pass(network[: number + 1], batch, half=False, last=last).waiting
        yield Row(name, channels, side, layer.parameters, operations[number], kept - before)
        before = kept


def _outputs(model: str, image_size: int, classes: int) -> Iterator[tuple[str, int, int]]:
    """Each layer's name, and the channels and the side of what it puts out."""
    side = halved(halved(image_size))
    yield "stem", STEM, side
    for group, (blocks, width) in enumerate(zip(BLOCKS[model], WIDTHS, strict=True)):
        channels = width if model in BASIC else 4 * width
        side = halved(side) if group else side
        for number in range(blocks):
            yield f"layer{group + 1}.{number}", channels, side
    yield "avgpool", channels, 1
    yield "flatten", channels, 1
    yield "fc", classes, 1


def _training(model: str, image_size: int, classes: int) -> int:
    """All passes of a step; the classifier of ``work`` is ImageNet's."""
    convolutions = sum(each.operations for each in work(model, image_size))
    heads = (forward_operations(model, image_size, n)[-1] for n in (classes, IMAGENET_CLASSES))
    own, imagenet = heads
    return convolutions + 3 * (own - imagenet)
