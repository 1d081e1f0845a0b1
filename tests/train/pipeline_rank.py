"""One rank of the pipeline's tests: ``torchrun -m tests.train.pipeline_rank FOLDER WHAT``.

``proofs`` leaves what came out in ``answers.json``, which ``test_pipeline.py`` judges; ``ends``
is ended by what the last rank's stage computes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from engine.journal.events import PipelinePlanned, StagesMeasured
from engine.plan.stages import Balance
from engine.train import devices
from engine.train.arithmetic import arithmetic
from engine.train.pipelined import Kind, Pipelined, Post
from engine.train.stage import Stage
from engine.train.stage_clock import StageClock
from engine.train.strategies.gpipe import GPipe
from engine.train.strategies.none import NoParallelism
from engine.train.strategies.pipeline import Pipeline
from engine.train.wires import Wire
from engine.train.world import World, from_environment
from tests.train.laboratory import Narrow, network
from tests.train.making import plan
from tests.train.staging import CPU, Ends, Nap, batch, step

NAP = 0.03
MICRO_BATCHES = 4
BALANCE = (4, 4)


def naps(world: World) -> Any:
    """Stages that sleep equally long: busy seconds of each rank, and those of the step."""
    answers = {}
    wire = Wire(torch.Size((2,)), torch.float32, CPU, channels_last=False)
    post = Post(world.rank, world.size, wire, wire)
    kinds: tuple[Kind, ...] = ("gpipe", "1f1b")
    for kind in kinds:
        clock = StageClock((world.rank,), (CPU,))
        made = arithmetic(plan(Path("unused")), Nap(0.0), CPU)
        layers = nn.Sequential(Nap(NAP))
        stage = Stage(layers, world.rank, made, clock.busy[0], needs_company=False)
        pipelined = Pipelined(stage, post, kind, MICRO_BATCHES)
        x, labels = torch.zeros(2 * MICRO_BATCHES, 2), torch.zeros(2 * MICRO_BATCHES)
        for _ in range(2):  # The first step meets the neighbours as well.
            clock.measured(0, 0)
            world.wait_for_all()
            clock.steps.begin()
            pipelined.step(x, labels, lambda logits, _: logits.sum())
            clock.steps.end()
        event = clock.measured(0, 1)
        answers[kind] = _told(world, (event.busy[0], event.seconds))
    return answers


def plans_and_measurements(world: World) -> Any:
    """What the ranks have to tell: the plan from the first one, the stages from all."""
    strategy = Pipeline(world)
    events = strategy.prepare(_plan(world), network("group"), [CPU])
    planned = [each for each in events if isinstance(each, PipelinePlanned)]
    step(strategy, batch(8, blind=not world.first))
    (event,) = strategy.measured(0, 1)
    assert isinstance(event, StagesMeasured)
    shown = [[sum(each.balance), len(each.layer_seconds), each.schedule] for each in planned]
    return _told(world, (shown, list(event.stages), event.busy[0], event.seconds))


def statistics(world: World) -> Any:
    """Batch normalisation in training, beside the whole batch's and beside gpipe's."""
    answers = {}
    for checkpointing in (False, True):
        strategy = _prepared(
            world, network("batch"), gradient_checkpointing=checkpointing, image_size=64
        )
        step(strategy, batch(7, side=64, blind=not world.first), parts=2)
        state = strategy.capture()
        if world.first:
            plain, gpipe = NoParallelism(), GPipe()
            plain.prepare(plan(Path("unused"), image_size=64), network("batch"), [CPU])
            made = plan(
                Path("unused"), "gpipe", stages=2, micro_batches=MICRO_BATCHES, image_size=64
            )
            made = replace(made, settings=replace(made.settings, balance=BALANCE))
            gpipe.prepare(made, network("batch"), [CPU] * 2)
            step(plain, batch(7, side=64))
            step(gpipe, batch(7, side=64), parts=2)
            wanted, same = plain.capture()["state_dict"], gpipe.capture()["state_dict"]
            own = state["state_dict"]
            stem = ("bn1.running_mean", "bn1.running_var")
            answers[str(checkpointing)] = {
                "whole batch": max(_apart(own[name], wanted[name]) for name in stem),
                "gpipe": max(_apart(own[name], same[name]) for name in own),
                "batches": sorted({int(v) for k, v in own.items() if k.endswith("tracked")}),
            }
    return answers


def lone_images_and_none(world: World) -> Any:
    """Five images of 32 px in four micro-batches, of which one is a lone image; then none."""
    strategy = _prepared(world, network("batch"))
    tally, _ = step(strategy, batch(5, blind=not world.first))
    before = strategy.capture()
    nothing, applied = step(strategy, batch(0, blind=not world.first))
    empty = strategy.evaluate(None).tolist() + strategy.evaluate(batch(0)).tolist()
    after = strategy.capture()
    same = (
        all(torch.equal(v, after["state_dict"][k]) for k, v in before["state_dict"].items())
        if (world.first)
        else True
    )
    return _told(world, (tally.tolist(), nothing.tolist(), applied is None, empty, same))


def an_overflow_on_one_rank(world: World) -> Any:
    """fp16: the last rank's gradients are infinite in the first of two steps."""
    torch.manual_seed(5)
    model = Narrow(part=4)
    strategy = _prepared(world, model, precision="fp16")
    before = strategy.capture()
    infinite = [True]

    def spoil(_: nn.Module, gradients: Any) -> Any:
        return (gradients[0] * (float("inf") if infinite[0] else 2.0**-8),)

    if world.rank == world.size - 1:
        model.fc.register_full_backward_pre_hook(spoil)
    answers = []
    for _ in range(2):
        _, applied = step(strategy, batch(8, blind=not world.first))
        infinite[0] = False
        after = strategy.capture()
        moved = world.first and not torch.equal(
            before["state_dict"]["conv1.weight"], after["state_dict"]["conv1.weight"]
        )
        scale = after["scaler"]["scale"] if world.first else None
        answers.append((applied.item(), moved, scale))
    return _told(world, answers)


def checkpoints_fit_everywhere(world: World) -> Any:
    """Saved after a step, continued by one device and by a pipeline cut elsewhere."""
    strategy = _prepared(world, network("group"))
    blind = not world.first
    step(strategy, batch(7, seed=1, blind=blind))
    told = [strategy.capture()]
    dist.broadcast_object_list(told, 0)
    other = _prepared(world, network("group"), balance=(2, 6), seed=9)
    other.restore(told[0])
    step(other, batch(7, seed=2, blind=blind))
    state = other.capture()
    if not world.first:
        return None
    plain = NoParallelism()
    plain.prepare(plan(Path("unused")), network("group"), [CPU])
    keys = list(plain.capture()["state_dict"]) == list(told[0]["state_dict"])
    plain.restore(told[0])
    step(plain, batch(7, seed=2))
    wanted = plain.capture()
    return {
        "keys": keys,
        "apart": max(_apart(v, state["state_dict"][k]) for k, v in wanted["state_dict"].items()),
        "groups": wanted["optimizer"]["param_groups"] == state["optimizer"]["param_groups"],
    }


def ends(world: World) -> None:
    """The last rank's stage asks the process to end, in the second step."""
    model = network("group")
    inner = Ends(model.get_submodule("layer4.0"))
    model.get_submodule("layer4").__setattr__("0", inner)
    strategy = _prepared(world, model)
    step(strategy, batch(8, blind=not world.first))
    inner.error = SystemExit(0)
    step(strategy, batch(8, blind=not world.first))


PROOFS: tuple[Callable[[World], Any], ...] = (
    naps,
    plans_and_measurements,
    statistics,
    lone_images_and_none,
    an_overflow_on_one_rank,
    checkpoints_fit_everywhere,
)


def _plan(world: World, **settings: Any) -> Any:
    base = {"micro_batches": MICRO_BATCHES, "nproc": world.size, "image_size": 32}
    return plan(Path("unused"), "pipeline", **{**base, **settings})


def _prepared(
    world: World, model: nn.Module, *, balance: Balance = BALANCE, **settings: Any
) -> Pipeline:
    strategy = Pipeline(world)
    made = _plan(world, **settings)
    made = replace(made, settings=replace(made.settings, balance=balance))
    strategy.prepare(made, model, [CPU])
    return strategy


def _told(world: World, own: Any) -> list[Any]:
    """What every rank has to say."""
    told: list[Any] = [None] * world.size
    dist.all_gather_object(told, own)
    return told


def _apart(one: Tensor, other: Tensor) -> float:
    return float((one.double() - other.double()).abs().max())


def main(folder: Path, what: str) -> None:
    world = from_environment()
    devices.configure(CPU, 1)
    world.join(CPU, 60.0)
    if what == "ends":
        ends(world)
    answers = {each.__name__: each(world) for each in PROOFS}
    if world.first:
        (folder / "answers.json").write_text(json.dumps(answers))
    world.wait_for_all()
    world.leave()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
