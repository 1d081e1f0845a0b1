"""When a training is saved, and what a checkpoint holds: all that going on to the bit takes."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import torch
from torch import Tensor

from engine.errors import TrainingError
from engine.journal.checkpoints import Header
from engine.journal.event import now
from engine.train.job import BrokenOff, Job

SAVING = "saving a checkpoint"
"""The phase, and what a rank does meanwhile."""


def wanted(job: Job) -> bool:
    """Whether this rank knows a reason to save within the epoch: all are told of it."""
    every = job.plan.settings.save_time
    return job.stop.save_wanted or (every is not None and time.monotonic() - job.saved >= every)


def is_due(job: Job) -> bool:
    """After a step, the same on all ranks: they told each other of it before, or it is its turn."""
    every = job.plan.settings.save_steps
    by_turn = every is not None and job.step % every == 0
    return not job.plan.trial and (job.saving or by_turn)


def save(job: Job, *, best: bool = False, backup: int | None = None) -> str:
    """Every rank gives its part and puts its journal on the disk; then the first one saves.
    Returns on all ranks why it could not, as the rest of a sentence; empty where it did.

    The others wait for it here: in their next step it would be taken for training time. Raises
    ``TrainingError`` where there is nothing left to save: the checkpoint before stays the last.
    ``best``, ``backup``: see ``Checkpoints.save``.
    """
    job.telemetry.place.at(SAVING)
    state = _state(job)
    if not job.world.first:
        job.checkpoints.sync_journal()
    job.world.wait_for_all()
    problem = ""
    if job.world.first:
        _check_finite(job, state["state_dict"])
        problem = job.checkpoints.save(state, _header(job), best=best, backup=backup)
    problem = job.world.told_by_first(problem)
    job.saved = time.monotonic()
    job.saving = job.stop.save_wanted = False
    return problem


def _header(job: Job) -> Header:
    plan = job.plan
    return Header(
        saved=now(),
        model=plan.settings.model,
        classes=len(job.classes),
        strategy=plan.strategy.name,
        world_size=job.world.size,
        epoch=job.epoch,
        step=job.step,
        step_in_epoch=job.done,
        best_acc=job.best,
        attempt=job.attempt,
    )


def _state(job: Job) -> dict[str, Any]:
    """Tensors and plain types, nothing else; collective, whole on the first rank.

    The first six are what readers of other programs' checkpoints look for.
    """
    captured = job.strategy.capture()
    ranks = job.world.gather_objects(_own(job))
    return {
        "epoch": job.epoch,
        "best_acc": job.best if job.best is not None else 0.0,
        "scheduler": msgspec.to_builtins(job.schedule),
        **captured,
        "step": job.step,
        "step_in_epoch": job.done,
        "best_epoch": job.best_epoch,
        "broken_off": _before(job.broken_off),
        "seconds": job.seconds(),
        "classes": list(job.classes),
        "config": msgspec.to_builtins(job.plan),
        "hashes": dict(job.hashes),
        "ranks": ranks,
    }


def _before(broken_off: BrokenOff | None) -> dict[str, Any] | None:
    if broken_off is None:
        return None
    return {"best_acc": broken_off.best, "best_epoch": broken_off.best_epoch}


def _own(job: Job) -> dict[str, Any]:
    """What this rank alone knows: its random numbers, and the sums of the epoch at hand."""
    device = job.device
    steps = job.telemetry.state()
    if job.done == 0:
        steps["sums"] = {}
    return {
        "rng": torch.get_rng_state(),
        "device_rng": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
        "strategy": job.strategy.capture_own(),
        "steps": steps,
        "epoch_seconds": job.watch.seconds if job.done else 0.0,
    }


def _check_finite(job: Job, weights: dict[str, Tensor]) -> None:
    """A loss is computed before the update that ruins the weights: they are looked at as well."""
    for name, value in weights.items():
        if value.is_floating_point() and not bool(value.isfinite().all()):
            raise TrainingError(
                f"{name} is not finite after step {job.step - 1}, at learning rate "
                f"{job.schedule(max(0, job.step - 1)):.4g}; it was not saved, and the last good "
                f"checkpoint is kept: lower --lr ({job.plan.settings.lr:g}) or lengthen "
                "--warmup-epochs"
            )
