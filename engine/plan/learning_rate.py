"""The learning rate as a function of the step. Training obeys it, the dashboard draws it. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.plan.config import Settings

REFERENCE_BATCH = 256
"""The global batch that a scaled learning rate is for (Goyal et al. 2017, 1706.02677)."""


_WARMUP = 5.0
"""Epochs of warm-up in Goyal et al. 2017."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Linear warm-up, then a cosine (Loshchilov & Hutter 2016, 1608.03983), in closed form.

    Step ``s`` of the warm-up has ``peak * (start + (1 - start) * s / warmup_steps)``; the step
    after it has ``peak``, and the step after the last would have ``floor``.
    """

    peak: float
    warmup_steps: int
    total_steps: int
    start: float = 0.0
    """Of the warm-up, as a share of ``peak``."""
    floor: float = 0.0

    def __call__(self, step: int) -> float:
        if step < self.warmup_steps:
            share = self.start + (1.0 - self.start) * step / self.warmup_steps
            return self.peak * share
        left = self.total_steps - self.warmup_steps
        progress = min(1.0, (step - self.warmup_steps) / left) if left > 0 else 1.0
        floor = min(self.floor, self.peak)
        return floor + (self.peak - floor) * 0.5 * (1.0 + math.cos(math.pi * progress))


def peak(settings: Settings) -> float:
    """The learning rate after the warm-up."""
    if not settings.scale_lr:
        return settings.lr
    return settings.lr * settings.batch_size / REFERENCE_BATCH


def warmup_epochs(settings: Settings) -> float:
    """Epochs of warm-up, by themselves 5, but never the most of a short training."""
    if settings.warmup_epochs is not None:
        return settings.warmup_epochs
    return min(_WARMUP, settings.epochs / 10)


def schedule(settings: Settings, steps_per_epoch: int) -> Schedule:
    """The schedule of a whole training; ``max_steps`` cuts it off and does not compress it."""
    total = settings.epochs * steps_per_epoch
    return Schedule(
        peak=peak(settings),
        warmup_steps=min(round(warmup_epochs(settings) * steps_per_epoch), total),
        total_steps=total,
        start=settings.warmup_start,
        floor=settings.lr_floor,
    )


def batch_sizes(images: int, batch_size: int) -> list[int]:
    """How many images each step of an epoch takes: no image is left out.

    A lone image left at the end joins the batch before it, because batch normalisation has
    nothing to compare it with.
    """
    whole, rest = divmod(images, batch_size)
    sizes = [batch_size] * whole + ([rest] if rest else [])
    if rest == 1 and whole and batch_size > 1:
        sizes[-2:] = [batch_size + 1]
    return sizes


def peak_words(settings: Settings) -> str:
    """``0.05``, or where it is scaled ``0.4 = 0.1 x 1024 / 256``."""
    shown = f"{peak(settings):.4g}"
    if not settings.scale_lr:
        return shown
    return f"{shown} = {settings.lr:.4g} x {settings.batch_size} / {REFERENCE_BATCH}"


def sentence(settings: Settings, images: int) -> str:
    """The schedule of a training on so many images: ``lr 0.05: warm-up 5 epochs from 0.005, cosine
    to 0 over 90 epochs, 31,680 steps``."""
    made = schedule(settings, len(batch_sizes(images, settings.batch_size)))
    parts = []
    if made.warmup_steps:
        length = _epochs(min(warmup_epochs(settings), settings.epochs))
        parts.append(f"warm-up {length} from {made(0):.4g}")
    if made.warmup_steps < made.total_steps:
        parts.append(f"cosine to {min(made.floor, made.peak):.4g} over {_epochs(settings.epochs)}")
    parts.append(f"{made.total_steps:,} step" + ("s" if made.total_steps != 1 else ""))
    if settings.max_steps is not None and settings.max_steps < made.total_steps:
        verb = "is" if settings.max_steps == 1 else "are"
        parts.append(f"of which {settings.max_steps:,} {verb} trained")
    return f"lr {peak_words(settings)}: {', '.join(parts)}"


def _epochs(count: float) -> str:
    return f"{count:.4g} epoch" + ("s" if count != 1 else "")
