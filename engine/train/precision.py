"""In which format a strategy computes."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from engine.plan.config import Settings
from engine.train.devices import cpu_has_bf16


@dataclass(frozen=True, slots=True)
class Precision:
    """``dtype`` is the autocast format; ``None``: float32, in ``tf32`` through tensor cores.

    fp16 needs a scaled loss.
    """

    name: str
    dtype: torch.dtype | None = None
    scaled: bool = False
    notice: str = ""


FP32 = Precision("fp32")


def choose(settings: Settings, device: torch.device) -> Precision:
    """``mixed`` is bf16 where the device computes in it by itself, or is a CPU; else fp16."""
    wanted = settings.precision
    native = _has_bf16(device)
    if wanted == "mixed":
        wanted = "bf16" if native or device.type == "cpu" else "fp16"
    if wanted == "fp16":
        slow = "fp16 is many times slower than fp32 on a CPU; --precision bf16 is made for it"
        notice = slow if device.type == "cpu" else ""
        return Precision("fp16", torch.float16, scaled=True, notice=notice)
    if wanted == "bf16":
        notice = "" if native else f"this {_noun(device)} has no bf16 of its own: no speed-up"
        return Precision("bf16", torch.bfloat16, notice=notice)
    return Precision("tf32") if wanted == "tf32" else FP32


def _has_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "mps":
        return bool(torch.backends.mps.is_macos_or_newer(14, 0))
    return cpu_has_bf16()


def _noun(device: torch.device) -> str:
    return "CPU" if device.type == "cpu" else "GPU"
