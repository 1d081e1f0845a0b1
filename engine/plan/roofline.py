"""How many images per second a device could train at most, if nothing but it counted. Pure.

The roofline of Williams et al. (2009, 10.1145/1498765.1498785), layer by layer: each pass of each
convolution (forward, gradient of its input, gradient of its weights) takes as long as its
arithmetic or its bytes, whichever takes longer; all else (normalising, ReLU, adding) moves bytes.

The peaks are those that vendors publish, which nothing reaches: on an H200 a matrix product was
measured at 790 of 989 TFLOP/s and a copy at 4.3 of 4.8 TB/s. So real training stays below.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from engine.plan.resnet_passes import Pass, work
from engine.plan.resnet_shapes import BLOCKS

Bound = Literal["compute", "bandwidth"]


@dataclass(frozen=True, slots=True)
class Roof:
    """An estimate for one device."""

    images_per_second: float
    bound: Bound
    """What takes most of the time: layers that the arithmetic holds up, or the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """Published peaks, dense (no sparsity): operations and bytes per second.

    Of 16-bit matrix products that are added up in 32 bits; ``None``: there are no units for them.
    """

    fp32: float
    tf32: float | None = None
    fp16: float | None = None
    bf16: float | None = None
    memory: float

    def operations(self, precision: str) -> float | None:
        match precision:
            case "fp32":
                return self.fp32
            case "tf32":
                return self.tf32
            case "fp16":
                return self.fp16
            case "bf16":
                return self.bf16
            case _:
                return None


def roof(
    device_name: str, precision: str, model: str, image_size: int, compiled: bool
) -> Roof | None:
    """Of a device by the name that torch gives it; ``precision`` is ``fp32``, ``tf32``, ``bf16`` or
    ``fp16``. ``None`` for CPUs, slices of GPUs, and whatever is not known."""
    peak = next((peak for name, peak in _PEAKS if re.fullmatch(name, device_name)), None)
    operations = peak.operations(precision) if peak is not None else None
    if peak is None or operations is None or model not in BLOCKS:
        return None
    return roof_of(operations, peak.memory, work(model, image_size), precision, compiled)


def roof_of(
    operations: float, memory: float, passes: Sequence[Pass], precision: str, compiled: bool
) -> Roof:
    """Of a device that does so many operations, and moves so many bytes, per second."""
    size = 2 if precision in ("bf16", "fp16") else 4
    outputs = sum(each.outputs for each in passes if each.forward)
    moving = outputs * size * (_MOVED_COMPILED if compiled else _MOVED) / memory
    computing = 0.0
    for each in passes:
        arithmetic, transfer = each.operations / operations, each.values * size / memory
        computing += arithmetic if arithmetic > transfer else 0.0
        moving += transfer if arithmetic <= transfer else 0.0
    return Roof(
        1 / (computing + moving),
        bound="compute" if computing > moving else "bandwidth",
    )


_MOVED = 15.8
_MOVED_COMPILED = 9.5
"""How often a value that a convolution puts out is read or written by all but convolutions.

Measured for ResNet-50 at 224 px in 16 bits, channels last: 480 MB of traffic per training image,
340 where compiled. Its convolutions move 129 of them and put out 11.1 million values."""

_T = 1e12
_G = 1e9

# NVIDIA's data sheets of the named GPUs, dense; for the GeForce ones the white papers of the GA102
# and AD102 chips. Matrix units of GeForce add up in 32 bits at half the rate of 16.
_PEAKS: tuple[tuple[str, Peak], ...] = (
    (
        r"Tesla V100-SXM2-(16|32)GB",
        Peak(fp32=15.7 * _T, fp16=125 * _T, memory=900 * _G),
    ),
    (
        r"Tesla V100-PCIE-(16|32)GB",
        Peak(fp32=14.0 * _T, fp16=112 * _T, memory=900 * _G),
    ),
    (
        r"NVIDIA A100-(SXM4|PCIE)-40GB",
        Peak(fp32=19.5 * _T, tf32=156 * _T, fp16=312 * _T, bf16=312 * _T, memory=1555 * _G),
    ),
    (
        r"NVIDIA A100-SXM4-80GB",
        Peak(fp32=19.5 * _T, tf32=156 * _T, fp16=312 * _T, bf16=312 * _T, memory=2039 * _G),
    ),
    (
        r"NVIDIA A100 80GB PCIe",
        Peak(fp32=19.5 * _T, tf32=156 * _T, fp16=312 * _T, bf16=312 * _T, memory=1935 * _G),
    ),
    (
        r"NVIDIA H100 80GB HBM3",
        Peak(fp32=67 * _T, tf32=494.5 * _T, fp16=989 * _T, bf16=989 * _T, memory=3350 * _G),
    ),
    (
        r"NVIDIA H100 PCIe",
        Peak(fp32=51 * _T, tf32=378 * _T, fp16=756 * _T, bf16=756 * _T, memory=2000 * _G),
    ),
    (
        r"NVIDIA H200",
        Peak(fp32=67 * _T, tf32=494.5 * _T, fp16=989 * _T, bf16=989 * _T, memory=4800 * _G),
    ),
    (
        r"NVIDIA L4",
        Peak(fp32=30.3 * _T, tf32=60 * _T, fp16=121 * _T, bf16=121 * _T, memory=300 * _G),
    ),
    (
        r"NVIDIA L40S",
        Peak(fp32=91.6 * _T, tf32=183 * _T, fp16=362 * _T, bf16=362 * _T, memory=864 * _G),
    ),
    (
        r"NVIDIA A10",
        Peak(fp32=31.2 * _T, tf32=62.5 * _T, fp16=125 * _T, bf16=125 * _T, memory=600 * _G),
    ),
    (
        r"Tesla T4",
        Peak(fp32=8.1 * _T, fp16=65 * _T, memory=320 * _G),
    ),
    (
        r"NVIDIA GeForce RTX 3090",
        Peak(fp32=35.6 * _T, tf32=35.6 * _T, fp16=71 * _T, bf16=71 * _T, memory=936 * _G),
    ),
    (
        r"NVIDIA GeForce RTX 4090",
        Peak(fp32=82.6 * _T, tf32=82.6 * _T, fp16=165.2 * _T, bf16=165.2 * _T, memory=1008 * _G),
    ),
)
"""By the whole name: a slice of a GPU has a longer one, and is slower."""
