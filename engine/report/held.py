"""What was held constant over the rows of a table, by evidence. Pure.

Nothing is taken from a plan where a journal can tell it: each run hashes the weights, the split,
the order and the augmentation that it really has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter
from os.path import normpath
from typing import Any

from engine.plan.config import Settings, declarations
from engine.plan.strategies import SWITCHES
from engine.plan.text import clean
from engine.plan.values import show
from engine.report.comparison import Held
from engine.report.conditions import clocks, other_users_of_cores, other_users_of_gpus
from engine.report.evidence import Value, Witness, by_repeat, everywhere
from engine.report.names import listed
from engine.report.spelling import count

_HASHED = (
    ("initial weights", "weights"),
    ("split", "split"),
    ("sample order", "order"),
    ("augmentation", "augmentation"),
    ("batch sizes", "batches"),
)

_NOT_THE_TRAINING = (
    *SWITCHES, "seed", "batch_size", "device", "gpus", "workers", "hang_timeout", "repeats",
    "find_batch", "memory_budget", "target_accuracy", "price",
    "recipe", "backup_epochs", "save_steps", "save_time",
)  # fmt: skip
_TRAINING = tuple(each.name for each in fields(Settings) if each.name not in _NOT_THE_TRAINING)
"""Settings that say what is trained; the others have lines of their own, or are the strategy. A
recipe is only a name for some of them."""
_TRAINED = attrgetter(*_TRAINING)


def held(witnesses: Sequence[Witness], baseline: str) -> tuple[Held, ...]:
    """Of the runs of two rows or more: else there is nothing to compare. ``baseline`` is its row's
    name."""
    if len({each.name for each in witnesses}) < 2:
        return ()
    found = [
        _training(witnesses),
        *(by_repeat(what, witnesses, _hash(name)) for what, name in _HASHED),
        everywhere("optimiser steps", witnesses, _steps, count),
        everywhere("evaluation", witnesses, _evaluation, _evaluated),
        _precision([each for each in witnesses if each.name == baseline]),
        everywhere("versions", witnesses, _versions),
        everywhere("hardware", witnesses, _hardware),
        everywhere("cores and workers", witnesses, _shares, _shared_out),
        other_users_of_cores(witnesses),
    ]
    if not all(each.on_cpu for each in witnesses):
        found += [clocks(witnesses), other_users_of_gpus(witnesses)]
    return tuple(found)


def _training(witnesses: Sequence[Witness]) -> Held:
    """The dataset and the settings: of one experiment they are those of all, but a strategy that
    came later may have others, and so may older experiments."""
    what = "dataset and settings"
    unlike = []
    if len({_dataset(each) for each in witnesses}) > 1:
        unlike = [everywhere("dataset", witnesses, _dataset, clean)]
    values = {_TRAINED(each.plan.settings) for each in witnesses}
    if len(values) > 1:
        all_ = [
            everywhere(declarations()[each].label, witnesses, _shown(each)) for each in _TRAINING
        ]
        unlike += [each for each in all_ if each.constancy == "differs"]
    if unlike:
        return Held(what, "differs", listed([f"{each.what} ({each.detail})" for each in unlike]))
    settings = witnesses[0].plan.settings
    epochs = f"{settings.epochs} epoch{'s' if settings.epochs != 1 else ''}"
    return Held(what, "equal", f"{settings.model}, {settings.image_size} px, {epochs}")


def _dataset(each: Witness) -> str:
    """One folder may be named from two places: ``/a/b`` and ``/a/c/../b``."""
    return normpath(each.plan.dataset)


def _shown(name: str) -> Value[str]:
    """A setting as people write it."""

    def told(each: Witness) -> str:
        # A limit that there is not is shown as nothing in a form, where its name stands beside it.
        return clean(show(name, getattr(each.plan.settings, name))) or "none"

    return told


def _hash(name: str) -> Value[str]:
    def told(each: Witness) -> str | None:
        return each.run.ready.hashes.get(name) if each.run.ready is not None else None

    return told


def _steps(each: Witness) -> int | None:
    return each.run.step or None


def _evaluation(each: Witness) -> tuple[tuple[int, ...], int] | None:
    """How many images each validation was of, and how many validations; which images they are is
    in the split."""
    validations = each.run.validations
    if not validations:
        return None
    return tuple(dict.fromkeys(one.images for one in validations)), len(validations)


def _evaluated(told: tuple[tuple[int, ...], int]) -> str:
    images, times = told
    return (
        f"{listed([count(each) for each in images])} images, {'once' if times == 1 else times}"
        + ("" if times == 1 else " times")
    )


def _precision(witnesses: Sequence[Witness]) -> Held:
    """Of the baseline, whose float32 may be TF32 without anybody's asking: not here."""
    told = {
        each.run.ready.precision
        for each in witnesses
        if each.run.ready is not None and each.run.ready.precision
    }
    what = "precision of the baseline"
    if not told:
        return Held(what, "unknown", "" if witnesses else "it is not done")
    name = witnesses[0].name
    if len(told) > 1:
        return Held(what, "differs", f"{name}: {listed(sorted(told))}")
    (precision,) = told
    off = "" if witnesses[0].on_cpu or precision != "fp32" else ", TF32 off"
    return Held(what, "equal", f"{name}: {precision}{off}")


def _versions(each: Witness) -> str | None:
    return ", ".join(f"{name} {version}" for name, version in each.run.versions) or None


def _hardware(each: Witness) -> str | None:
    """The kind of device, not how many: that is the strategy's."""
    ready = each.run.ready
    if ready is None or not ready.device_name:
        return None
    parts = [ready.device_name]
    # On a CPU the device and the machine have one name.
    parts += [each.machine] if each.machine not in ("", ready.device_name) else []
    parts += [f"{each.cores} cores"] if each.cores else []
    return clean(", ".join(parts))


def _shares(each: Witness) -> tuple[int, int] | None:
    """Threads of all ranks together, and processes that decode images."""
    ready: Any = each.run.ready
    return None if ready is None else (ready.threads * each.run.world_size, ready.workers)


def _shared_out(told: tuple[int, int]) -> str:
    threads, workers = told
    return f"{_count(threads, 'thread')} and {_count(workers, 'worker')}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
