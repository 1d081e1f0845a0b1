"""Exact means: sums and counts over all ranks, divided once."""

from __future__ import annotations

import math

from engine.journal.events import EpochEnded, Validated
from engine.journal.views import EpochView, ValidationView


def epoch_view(ranks: dict[int, EpochEnded]) -> EpochView:
    """One epoch from what each of its ranks told.

    A rank without images, such as a pipeline's first stage, has no loss: what it says of one does
    not count.
    """
    events = list(ranks.values())
    images = sum(event.images for event in events)
    loss = sum(
        math.nan if event.loss_sum is None else event.loss_sum for event in events if event.images
    )
    return EpochView(
        epoch=events[0].epoch,
        end_step=max(event.step for event in events),
        images=images,
        loss=_share(loss, images),
        top1=_share(sum(event.top1 for event in events), images),
        top5=_share(sum(event.top5 for event in events), images),
        seconds=max(event.seconds for event in events),
        wait_seconds=max(event.wait_seconds for event in events),
        t=max(event.t for event in events),
        estimated_seconds=max(
            (each.estimated_seconds for each in events if each.estimated_seconds is not None),
            default=None,
        ),
        by_rank=tuple(sorted(ranks.items())),
    )


def validation_view(event: Validated) -> ValidationView:
    """One validation, its counts as shares."""
    return ValidationView(
        epoch=event.epoch,
        step=event.step,
        images=event.images,
        loss=_share(math.nan if event.loss_sum is None else event.loss_sum, event.images),
        top1=_share(event.top1, event.images),
        top5=_share(event.top5, event.images),
        seconds=event.seconds,
        t=event.t,
    )


def _share(part: float, whole: int) -> float:
    return part / whole if whole > 0 else math.nan
