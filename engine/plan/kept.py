"""What a pass through neighbouring layers of a network keeps for its way back. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.plan.resnet_shapes import Layer

FLOAT = 4
_HALF = 2
_INT64 = 8


@dataclass(frozen=True, slots=True)
class Pass:
    """Bytes of some images on their way, what came in included."""

    came_in: int
    waiting: int
    """Between the forward and the backward."""
    fullest: int
    """At the fullest moment of the backward: more than ``waiting`` where blocks are computed again,
    for then one of them is there as a whole beside the inputs of those before it, or at last the
    stem with its gradients, which are larger than all others."""


def one_pass(
    layers: Sequence[Layer],
    images: int,
    *,
    half: bool,
    first: bool = True,
    last: bool = True,
    again: bool = False,
) -> Pass:
    """``half``: autocast computes in 16 bits; ``first``, ``last``: images come in, losses go out;
    ``again``: residual blocks are computed twice instead of kept."""
    value = _HALF if half else FLOAT
    came_in = images * layers[0].input * (FLOAT if first else value)
    waiting = fullest = came_in
    there = not (first and half)  # The images in 16 bits are a copy.
    for layer in layers:
        inside = images * (layer.kept * value + layer.indices * _INT64)
        # Mean and deviation of every channel; copies of weights in 16 bits.
        inside += 2 * FLOAT * layer.channels + (_HALF * layer.convolved if half else 0)
        if layer.keeps_input and not there:
            waiting += images * layer.input * value
        if again and layer.is_block:
            fullest = max(fullest, waiting + inside)
            there = False
        else:
            waiting += inside
            there = layer.keeps_output
        if layer.indices:
            # The stem's gradients: of its ReLU and of its convolution, as large as what it keeps.
            fullest = max(fullest, waiting + images * layer.kept * value)
    if last:
        # The logarithms of the classes' shares, the labels, and the sum of their weights.
        waiting += images * (layers[-1].output * FLOAT + _INT64) + FLOAT
    return Pass(came_in, waiting, max(waiting, fullest))


def unkept(layers: Sequence[Layer], images: int, *, half: bool) -> int:
    """Bytes at the fullest moment of a pass from which nothing goes back, but from the classifier:
    the images, what came into a layer, and what is there at once inside."""
    value = _HALF if half else FLOAT
    given = images * layers[0].input * FLOAT
    first = images * (layers[0].input * value * half + layers[0].passing * value)
    later = [images * (each.input + each.passing) * value for each in layers[1:-1]]
    return given + max(first, *later)
