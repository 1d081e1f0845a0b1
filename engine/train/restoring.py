"""Going on from a checkpoint: what it must fit, what is put back, and what cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import torch

from engine.errors import CheckpointError, ResnetTuiError
from engine.journal.checkpoints import Header, read_header
from engine.plan.resuming import SCALE, not_kept
from engine.plan.runs import RunPlan
from engine.plan.text import clean
from engine.train import running_sums
from engine.train.course import Position
from engine.train.world import World


@dataclass(frozen=True, slots=True)
class Resumed:
    """A checkpoint that a training goes on from."""

    path: Path
    header: Header
    state: dict[str, Any]

    @property
    def position(self) -> Position:
        return position(self.header)

    @property
    def hashes(self) -> dict[str, str]:
        """Of the start of the training, as the first attempt told them."""
        return dict(self.state.get("hashes", {}))


def position(header: Header) -> Position:
    return Position(epoch=header.epoch, done=header.step_in_epoch, step=header.step)


def read(path: Path, plan: RunPlan, classes: tuple[str, ...]) -> Resumed:
    """Raises ``CheckpointError`` where the run of ``plan`` cannot go on from it."""
    from engine.train.checkpoint_reading import load

    header, state = read_header(path), load(path)
    wanted, theirs = plan.settings.model, header.model
    if wanted != theirs:
        raise CheckpointError(f"{path} is of a {theirs}, and this run trains a {wanted}")
    known = tuple(state.get("classes", ()))
    if known != classes:
        raise CheckpointError(
            f"{path} knows {len(known)} classes ({_some(known)}), and the dataset has "
            f"{len(classes)} ({_some(classes)}); to train on other classes from these weights, "
            f"begin a new experiment with --weights {path}"
        )
    return Resumed(path, header, state)


def check_same_course(resumed: Resumed, hashes: Mapping[str, str]) -> None:
    """Raises ``CheckpointError`` where the images are not those that were trained on."""
    for name, what in (("split", "images"), ("order", "order of images"), ("batches", "batches")):
        if resumed.hashes.get(name) not in (None, hashes[name]):
            raise CheckpointError(
                f"the {what} of the dataset changed since {resumed.path} was saved, so training "
                "cannot go on where it stood; put the images back, or begin a new experiment with "
                f"--weights {resumed.path}"
            )


def own_part(resumed: Resumed, plan: RunPlan, world: World) -> dict[str, Any]:
    """What this rank alone had; where ranks were otherwise, the sums of all go to the first."""
    ranks = resumed.state["ranks"]
    if is_same_way(resumed, plan, world):
        return dict(ranks[world.rank])
    steps = [each["steps"] for each in ranks]
    together = running_sums.of_all([each["sums"] for each in steps])
    if not world.first:
        together = {**running_sums.RunningSums().state(), "seconds": together["seconds"]}
    return {
        "strategy": {},
        "steps": {**steps[0], "sums": together},
        "epoch_seconds": max(each["epoch_seconds"] for each in ranks),
    }


def is_same_way(resumed: Resumed, plan: RunPlan, world: World) -> bool:
    """Whether as many ranks train in the same way as before: then nothing at all is lost."""
    before = resumed.state["config"]["strategy"]["parallelism"]
    return before == plan.strategy.parallelism and len(resumed.state["ranks"]) == world.size


def restore_random(own: Mapping[str, Any], device: torch.device) -> None:
    if "rng" not in own:
        return
    torch.set_rng_state(own["rng"])
    if own["device_rng"] is not None and device.type == "cuda":
        torch.cuda.set_rng_state(own["device_rng"], device)


def lost(resumed: Resumed, plan: RunPlan, precision: str) -> tuple[str, ...]:
    """What is lost by going on by ``plan``: see ``resuming.not_kept``, which says so before.

    ``precision``: what it computes in on this device.
    """
    try:
        before = msgspec.convert(resumed.state["config"], RunPlan)
    except (msgspec.ValidationError, ResnetTuiError):
        return ("how it was trained is told in another version's words",)
    gone = not_kept(before, plan)
    if precision == "fp16" and not resumed.state["scaler"] and SCALE not in gone:
        gone = (SCALE, *gone)
    return gone


def told(resumed: Resumed, plan: RunPlan, world: World, gone: tuple[str, ...]) -> str:
    """Where training goes on, and what could not be kept: ``gone``, as ``lost`` says it."""
    header = resumed.header
    epoch = min(header.epoch + 1, plan.settings.epochs)
    text = f"goes on from step {header.step} ({resumed.path.name}, epoch {epoch})"
    if not is_same_way(resumed, plan, world):
        text += (
            f" as {plan.strategy.name} on {_ranks(world.size)}, and was trained as "
            f"{clean(header.strategy)} on {_ranks(header.world_size)}"
        )
    return f"{text}; not kept: {'; '.join(gone)}" if gone else text


def _ranks(count: int) -> str:
    return f"{count} rank" + ("s" if count != 1 else "")


def _some(names: tuple[str, ...]) -> str:
    shown = ", ".join(clean(name) for name in names[:3])
    return f"{shown}, ..." if len(names) > 3 else shown
