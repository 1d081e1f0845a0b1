"""The batch sizes that a strategy can be tried with, and the run that tries one. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from engine.errors import StrategyError
from engine.plan.config import Settings
from engine.plan.pairs import unit
from engine.plan.runs import RunPlan, resized
from engine.plan.shares import pieces

LONGEST = 60.0
"""Seconds of training after which a try ends by itself, if nobody ended it."""

_ENDLESS = 1_000_000
"""Epochs."""
_HARMLESS = 1e-6
"""Learning rate."""
_MOST = 1 << 24
"""Images of a batch beyond which nothing is sought."""
_LOOKED_AT = 256
"""Batches that the rules may refuse in a row before a place is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The global batches that a strategy can be trained with."""

    asked: int
    step: int = 1
    """They are multiples of this, so that all devices and parts get as many images."""
    images: int | None = None
    """In the training part of the dataset, no batch being larger; ``None``: not known yet."""
    allowed: Callable[[int], bool] = field(default=lambda size: True)
    """Whether the rules let a batch be."""

    def near(self, wanted: float, above: int = 0, below: int | None = None) -> int | None:
        """The largest up to ``wanted``, else the smallest beyond it; ``None`` where there is none
        between ``above`` and ``below``, both left out."""
        most = _MOST if self.images is None else self.images
        most = most if below is None else min(most, below - 1)
        start = int(min(wanted, most)) // self.step * self.step
        for size in range(start, above, -self.step)[:_LOOKED_AT]:
            if size > 0 and self.allowed(size):
                return size
        start = max(start, above // self.step * self.step)
        for size in range(start + self.step, most + 1, self.step)[:_LOOKED_AT]:
            if self.allowed(size):
                return size
        return None


def sizes_of(run: RunPlan, asked: Settings, images: int | None = None) -> Sizes:
    """Those of a run's strategy; ``asked``: the settings of the experiment."""

    def allowed(size: int) -> bool:
        try:
            resized(run, size, asked)
        except StrategyError:
            return False
        return True

    asked_for = run.settings.batch_size
    return Sizes(
        asked=asked_for, step=pieces(run) * unit(run.settings), images=images, allowed=allowed
    )


def trial_of(run: RunPlan, size: int, asked: Settings) -> RunPlan:
    """The run that measures a batch size of a strategy; ``asked`` as above.

    It goes on until it is ended. Its learning rate is so small that nothing can diverge: a batch
    that learns badly is no slower for it.
    """
    resized_run = resized(run, size, asked)
    settings = replace(
        resized_run.settings,
        epochs=_ENDLESS,
        max_steps=None,
        max_time=LONGEST,
        lr=_HARMLESS,
        scale_lr=False,
        warmup_epochs=0.0,
        resize_from=None,
        find_batch=False,
    )
    name = f"{run.strategy.name}-{size}"
    return replace(resized_run, run=name, settings=settings, view="best", trial=True)
