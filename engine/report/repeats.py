"""The repeats of a strategy as one row: medians, and the geometric mean of throughputs. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from engine.report.figures import Figures
from engine.report.paired import geometric_mean

_MEDIANS = (
    "batch_seconds_median", "batch_seconds_p95",
    "epoch_seconds_estimated", "epoch_seconds_actual",
    "stall_share", "device_idle_share", "bubble",
    "startup_seconds", "warmup_seconds", "first_epoch_seconds", "train_seconds", "wall_seconds",
    "gpu_hours", "cost", "peak_memory", "epochs", "optimizer_steps",
    "train_loss", "val_loss", "top1", "best_top1", "top5", "best_top5",
)  # fmt: skip
_OTHERWISE = (
    "name", "experiment", "run", "view", "repeat", "repeats", "state", "reason", "comment",
    "earlier_ways", "steady", "grown", "steps_rated", "steps_kept",
    "images_per_second", "epoch_seconds_error", "seconds_to_accuracy",
)  # fmt: skip
_COMMON = tuple(each.name for each in fields(Figures) if each.name not in (*_MEDIANS, *_OTHERWISE))
"""What a run was: of several that do not agree it is unknown."""

_WHOLE = ("peak_memory", "epochs", "optimizer_steps")


def together(runs: Sequence[Figures]) -> Figures:
    """All runs of a strategy as one: the figures of those that are done, or where none is, of the
    one at hand; the state and the reasons of all."""
    done = [each for each in runs if each.repeats]
    shown = _at_hand(runs) if not done else done[-1] if len(done) == 1 else _median(done)
    return replace(
        shown,
        run=shown.run if len(runs) == 1 else "",
        repeats=len(done),
        state=_state(runs),
        reason=_reason(runs),
    )


def _median(done: Sequence[Figures]) -> Figures:
    values: dict[str, Any] = {name: _middle(name, done) for name in _MEDIANS}
    values |= {name: _common([getattr(each, name) for each in done]) for name in _COMMON}
    estimated, actual = values["epoch_seconds_estimated"], values["epoch_seconds_actual"]
    return replace(
        done[-1],
        **values,
        images_per_second=geometric_mean(
            {number: each.images_per_second or 0.0 for number, each in enumerate(done)}
        ),
        # Of the two beside it: a reader may well do the sum.
        epoch_seconds_error=(
            (estimated - actual) / actual if estimated is not None and actual else None
        ),
        seconds_to_accuracy=_time_to_accuracy(done),
        steady=all(each.steady for each in done),
        grown=all(each.grown for each in done),
        steps_rated=min(each.steps_rated for each in done),
        steps_kept=min(each.steps_kept for each in done),
    )


def _middle(name: str, done: Sequence[Figures]) -> float | None:
    """The median of what is known; NaN, a loss that is not finite, is above every number."""
    values = [value for each in done if (value := getattr(each, name)) is not None]
    if not values:
        return None
    middle = statistics.median(math.inf if math.isnan(value) else value for value in values)
    if name in _WHOLE:
        return round(middle)
    return middle if math.isfinite(middle) else math.nan


def _time_to_accuracy(done: Sequence[Figures]) -> float | None:
    """A run that did not reach it took longer than any that did."""
    found = [each.seconds_to_accuracy for each in done]
    middle = statistics.median(math.inf if each is None else each for each in found)
    return middle if math.isfinite(middle) else None


def _common(values: Sequence[Any]) -> Any:
    return values[0] if all(each == values[0] for each in values) else None


def _at_hand(runs: Sequence[Figures]) -> Figures:
    """The one that runs; else the latest that trained; else the latest that ended; else the first.

    What is stopped while it waits ends as well, and has nothing to show.
    """
    running = [each for each in runs if each.state == "running"]
    trained = [each for each in runs if each.optimizer_steps is not None]
    ended = [each for each in runs if each.state != "queued"]
    return (running or trained or ended or list(runs[:1]))[-1]


def _state(runs: Sequence[Figures]) -> str:
    """``done`` where all are, ``2 of 3 done`` where some are and none runs."""
    states = [each.state for each in runs]
    if len(set(states)) == 1:
        return states[0]
    if "running" in states:
        return "running"
    if "done" in states:
        return f"{states.count('done')} of {len(states)} done"
    return next(each for each in ("failed", "crashed", "stopped", *states) if each in states)


def _reason(runs: Sequence[Figures]) -> str:
    """Why runs ended as they did: once where it is the same for all, else with their numbers."""
    told: dict[str, list[Figures]] = {}
    for each in runs:
        if each.reason:
            told.setdefault(each.reason, []).append(each)
    if len(told) == 1 and len(next(iter(told.values()))) == len(runs):
        return next(iter(told))
    return "; ".join(
        f"repeat {', '.join(str(each.repeat + 1) for each in those)}: {why}"
        for why, those in told.items()
    )
