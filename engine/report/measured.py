"""The figures of one run: from its plan what it was to be, from its journals all the rest. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.journal.views import RunView
from engine.plan.resizing import full_from
from engine.plan.runs import RunPlan
from engine.plan.shares import device_batch, norm_batch
from engine.report.accuracy_time import seconds_to_accuracy
from engine.report.epochs import EpochTime, epoch_times
from engine.report.figures import Figures
from engine.report.steady import steady
from engine.report.ways import earlier_ways, own_from

_WARMING = ("warming up", "compiling")
"""The phases of starting up that only make later steps faster."""


def planned(plan: RunPlan, experiment: str, state: str = "queued") -> Figures:
    """Of a run that has told nothing yet: what its plan decides."""
    settings = plan.settings
    pipelined = plan.strategy.parallelism in ("gpipe", "pipeline")
    return Figures(
        name=plan.strategy.name,
        experiment=experiment,
        run=plan.run,
        view=plan.view,
        repeat=plan.repeat,
        repeats=0,
        state=state,
        reason="",
        model=settings.model,
        image_size=settings.image_size,
        seed=settings.seed,
        batch_size=settings.batch_size,
        batch_size_per_device=device_batch(plan),
        norm_batch=norm_batch(plan),
        num_workers=settings.workers,
        gradient_checkpointing=settings.gradient_checkpointing,
        parallelism=plan.strategy.parallelism,
        stages=settings.stages if pipelined else None,
        micro_batches=settings.micro_batches if pipelined else None,
        steady=False,
    )


def measured(
    run: RunView,
    plan: RunPlan,
    experiment: str,
    *,
    crashed: bool = False,
    price: float | None = None,
) -> Figures:
    """What is known of the run so far. ``crashed``: its supervisor is dead, so that what the
    journals left running does not run."""
    state = "crashed" if crashed and run.state == "running" else run.state
    figures = planned(plan, experiment, state)
    earlier = earlier_ways(run)
    wall = _wall(run)
    return replace(
        figures,
        repeats=int(run.state == "done"),
        reason=run.reason,
        **_spread(run, figures),
        **_speed(run, full_from(plan.settings)),
        **_learnt(run),
        startup_seconds=_startup(run),
        warmup_seconds=_warmup(run),
        # What several ways took together is the time of none of them.
        wall_seconds=None if earlier else wall,
        **_paid(run, wall, price),
        peak_memory=_peak_memory(run),
        earlier_ways=earlier,
    )


def with_target(figures: Figures, run: RunView | None, target: float | None) -> Figures:
    """The same, with the time that it took to an accuracy."""
    if target is None:
        return figures
    tells = run is not None and not figures.earlier_ways
    seconds = seconds_to_accuracy(run, target) if run is not None and tells else None
    return replace(figures, target_accuracy=target, seconds_to_accuracy=seconds)


def _spread(run: RunView, figures: Figures) -> dict[str, Any]:
    """How it was spread over devices."""
    found: dict[str, Any] = {}
    if (ready := run.ready) is not None:
        found = {
            "model": ready.model,
            "batch_size": ready.batch_size,
            "batch_size_per_device": ready.device_batch or figures.batch_size_per_device,
            "norm_batch": ready.norm_batch or figures.norm_batch,
            "num_workers": ready.workers,
            "precision": ready.precision or None,
            "ranks": run.world_size,
            "device_kind": ready.device.partition(":")[0],
            "device_name": ready.device_name or None,
            "device_count": run.attempts[-1].devices or None if run.attempts else None,
        }
    if run.pipeline is not None:
        found["stages"] = run.pipeline.stages
        found["micro_batches"] = run.pipeline.micro_batches
        found["bubble_in_theory"] = run.pipeline.bubble_in_theory
    return found


def _speed(run: RunView, grown_from: int) -> dict[str, Any]:
    """Rates, times, and shares of the time."""
    rates = steady(run, grown_from)
    ended = [epoch for epoch in run.epochs if epoch.images]
    expected = _expected(run)
    alike = own_from(run) == 0
    return {
        "images_per_second": rates.images_per_second,
        "batch_seconds_median": rates.batch_seconds_median,
        "batch_seconds_p95": rates.batch_seconds_p95,
        "steps_rated": rates.steps,
        "steps_kept": rates.steps_kept,
        "steady": rates.warm,
        "grown": rates.grown,
        "epoch_seconds_estimated": expected.estimated,
        "epoch_seconds_actual": expected.actual,
        "epoch_seconds_error": expected.error,
        "stall_share": rates.stall_share,
        "device_idle_share": rates.device_idle_share,
        "bubble": rates.bubble,
        "first_epoch_seconds": ended[0].seconds if len(ended) > 1 and alike else None,
        "train_seconds": sum(epoch.seconds for epoch in ended) if ended and alike else None,
    }


def _expected(run: RunView) -> EpochTime:
    """The last whole epoch, one that was estimated where there is one; before one has ended the one
    at hand."""
    own, length = own_from(run), run.ready.steps_per_epoch if run.ready is not None else 0
    times = [each for each in epoch_times(run) if each.whole and each.epoch * length >= own]
    ended = [each for each in times if each.actual is not None]
    foreseen = [each for each in ended if each.estimated is not None]
    nothing = EpochTime(epoch=0, estimated=None, actual=None)
    return (foreseen or ended or times or [nothing])[-1]


def _learnt(run: RunView) -> dict[str, Any]:
    ended = [epoch for epoch in run.epochs if epoch.images]
    validations = [each for each in run.validations if each.images]
    last = validations[-1] if validations else None
    # Among five classes or fewer the right one is always in the top five.
    tells = run.ready is not None and len(run.ready.classes) > 5
    return {
        "epochs": _epochs_done(run),
        "optimizer_steps": run.step if run.ready is not None else None,
        "train_loss": ended[-1].loss if ended else None,
        "val_loss": last.loss if last else None,
        "top1": last.top1 if last else None,
        "best_top1": max((each.top1 for each in validations), default=None),
        "top5": last.top5 if last and tells else None,
        "best_top5": max((each.top5 for each in validations if tells), default=None),
    }


def _epochs_done(run: RunView) -> int:
    """Epochs whose last step was trained: one that a limit cut short is not done."""
    if run.ready is None:
        return len(run.epochs)
    length = run.ready.steps_per_epoch
    return sum(epoch.end_step >= (epoch.epoch + 1) * length for epoch in run.epochs)


def _startup(run: RunView) -> float | None:
    """Of the latest attempt, where it has made a step."""
    segments = run.history.segments.get(None, ())
    if run.started is None or not segments:
        return None
    seconds = segments[-1].track.begun - run.started
    # The steps of an earlier attempt began before the latest was started.
    return seconds if seconds >= 0 else None


def _warmup(run: RunView) -> float | None:
    """``None`` until it is over."""
    found = [each.seconds for each in run.phases if each.name in _WARMING]
    known = [each for each in found if each is not None]
    return sum(known) if known and len(known) == len(found) else None


def _wall(run: RunView) -> float | None:
    """Of all attempts, what lies between them left out."""
    if run.started is None or run.ended is None or run.state in ("queued", "running"):
        return None
    if run.earlier_seconds is None:
        return None
    return max(0.0, run.ended - run.started) + run.earlier_seconds


def _paid(run: RunView, wall: float | None, price: float | None) -> dict[str, Any]:
    if run.ready is None or run.ready.device == "cpu" or wall is None:
        return {}
    hours = sum(each.devices * (each.seconds or 0.0) for each in run.attempts) / 3600
    return {"gpu_hours": hours, "cost": hours * price if price is not None else None}


def _peak_memory(run: RunView) -> int | None:
    told = [each for _, each in run.rank_memory]
    reserved = [each.peak_reserved for each in told if each.peak_reserved is not None]
    return max(reserved or [each.peak_rss for each in told], default=None)
