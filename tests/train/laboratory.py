"""Trains small networks with any strategy, through the real loop over real images, and compares."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

from engine.journal.events import AttemptEnded, AttemptStarted, ClassesJudged, Event
from engine.journal.files import writer_fields
from engine.plan import dataset, learning_rate
from engine.plan.config import Settings
from engine.plan.learning_rate import Schedule
from engine.plan.machine import ANY
from engine.plan.runs import RunPlan
from engine.plan.strategies import strategy
from engine.plan.switches import combine
from engine.train import devices
from engine.train.batch import Batch
from engine.train.checkpoint import Checkpoints
from engine.train.clocks import Clock, clock_for
from engine.train.course import Shard
from engine.train.damage import Damage
from engine.train.data import Stream
from engine.train.evaluating import evaluate
from engine.train.job import Job
from engine.train.loop import train_epoch
from engine.train.metrics import FINITE, Sums
from engine.train.preparing import class_counts
from engine.train.recorder import Recorder
from engine.train.stop import StopRequest
from engine.train.strategies.base import Strategy
from engine.train.strategies.choose import make
from engine.train.telemetry import SLOTS, Telemetry
from engine.train.world import ALONE, World
from tests.train.making import images

TRAIN, VAL, BATCH = 17, 11, 7
"""Numbers that nothing divides: batches of 7, 7 and 3, in a world of 3 down to 1 image a rank."""
CPU = torch.device("cpu")
OBJECTIVE = ("label_smoothing", "class_weights", "mixup", "cutmix")
"""Settings that say what is learned, and not how."""
LEARNING = ("optimizer", "nesterov", "decay_norm", "ema", "freeze")
"""Settings that say how weights follow their gradients."""


@dataclass(frozen=True, slots=True)
class Case:
    """A strategy with switches, to be compared with plain training of the same network.

    ``settings`` may hold any field of ``Settings``. ``network`` is a key of ``NETWORKS``.
    ``clip``: the norm to which gradients are cut.
    """

    strategy: str
    settings: dict[str, Any] = field(default_factory=dict)
    network: str = "group"
    clip: float | None = None
    damaged: bool = False
    dtype: torch.dtype = torch.float64

    @property
    def name(self) -> str:
        more = [f"{key}={value}" for key, value in self.settings.items()]
        more += [f"clip={self.clip}"] if self.clip else []
        more += ["damaged"] if self.damaged else []
        return " ".join([self.strategy, self.network, *more])

    @property
    def plain(self) -> Case:
        """What it must equal: the same network, batches and images, trained plainly."""
        kept = ("batch_size", "max_steps", *OBJECTIVE, *LEARNING)
        settings = {key: self.settings[key] for key in kept if key in self.settings}
        return Case("single", settings, self.network, self.clip, self.damaged, self.dtype)


class Narrow(ResNet):  # type: ignore[misc]
    """torchvision's ResNet with one block per layer and a part of the channels."""

    def __init__(
        self,
        block: type[nn.Module] = BasicBlock,
        norm: Callable[[int], nn.Module] | None = None,
        part: int = 8,
    ) -> None:
        self._part = part
        super().__init__(block, [1, 1, 1, 1], num_classes=4, norm_layer=norm)
        self.fc = nn.Linear(self.inplanes, 4)

    def _make_layer(self, block: Any, planes: int, *rest: Any, **more: Any) -> nn.Sequential:
        made: nn.Sequential = super()._make_layer(block, planes // self._part, *rest, **more)
        return made


class StillNorm(nn.BatchNorm2d):
    """Batch normalisation by running statistics, in training as well."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        assert self.running_mean is not None
        assert self.running_var is not None
        self.running_mean.uniform_(-0.5, 0.5)
        self.running_var.uniform_(0.5, 2.0)

    def train(self, mode: bool = True) -> StillNorm:
        super().train(False)
        return self


def _group(channels: int) -> nn.Module:
    return nn.GroupNorm(4, channels)


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "group": lambda: Narrow(norm=_group),
    "still": lambda: Narrow(norm=StillNorm),
    "bottleneck": lambda: Narrow(Bottleneck, norm=_group),
    "batch": Narrow,
    # Large enough for DDP to need more than one bucket.
    "wide": lambda: Narrow(norm=_group, part=2),
}


def network(name: str, dtype: torch.dtype = torch.float64) -> nn.Module:
    """Always the same weights."""
    torch.manual_seed(5)
    return NETWORKS[name]().to(dtype)


@dataclass(slots=True)
class Trained:
    """What a training was, on the rank that knows it all."""

    losses: list[list[float]] = field(default_factory=list)
    """Of each step: the tally over all ranks, ``[loss_sum, top1, top5, count, finite]``."""
    states: list[dict[str, Any]] = field(default_factory=list)
    """Captured after each step; where momentum starts from nothing, it shows every gradient."""
    rates: list[float] = field(default_factory=list)
    schedule: Schedule | None = None
    validation: Sums | None = None
    judged: ClassesJudged | None = None
    precision: str = ""


class Watched:
    """A strategy that notes what it does; all else is the strategy's own."""

    def __init__(self, inner: Strategy, world: World, seen: Trained, clip: float | None) -> None:
        self._inner, self._world, self._seen, self._clip = inner, world, seen, clip
        self._tally: Tensor | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def forward_backward(
        self, batch: Batch, global_count: int, clock: Clock, last: bool = True
    ) -> Tensor:
        tally = self._inner.forward_backward(batch, global_count, clock, last)
        noted = tally.double()
        self._tally = noted if self._tally is None else self._tally + noted
        return tally

    def update(self, lr: float, clip: float | None, clock: Clock) -> Tensor | None:
        applied = self._inner.update(lr, self._clip, clock)
        assert self._tally is not None
        total = self._tally[:FINITE].clone()
        if self._world.size > 1:
            torch.distributed.all_reduce(total)
        self._seen.rates.append(lr)
        self._seen.losses.append(total.tolist())
        self._seen.states.append(self._inner.capture())
        self._tally = None
        return applied


class Listening(Recorder):
    """Remembers what was last said of each class."""

    judged: ClassesJudged | None = None

    def post(self, event: Event) -> None:
        super().post(event)
        if isinstance(event, ClassesJudged):
            self.judged = event


class Laboratory:
    """The folder of images, and what all trainings of a process share."""

    def __init__(self, folder: Path, notes: Path, world: World = ALONE) -> None:
        self.folder, self.world = folder, world
        self._notes = notes
        first = AttemptStarted(**writer_fields(), rank=world.rank, world_size=world.size)
        self._recorder = Listening(notes / f"rank{world.rank}.jsonl", first)
        self._stop = StopRequest(notes / "stop")
        self._plain: dict[str, Trained] = {}

    def close(self) -> None:
        self._stop.close()
        self._recorder.close(AttemptEnded(state="done", step=0))

    def plan(self, case: Case) -> RunPlan:
        chosen = strategy(case.strategy)
        base = Settings(
            model="resnet18",
            image_size=32,
            batch_size=BATCH,
            epochs=1,
            lr=0.05,
            momentum=0.9,
            weight_decay=1e-3,
            warmup_epochs=0.0,
            device="cpu",
            workers=0,
            nproc=self.world.size,
        )
        part = "damaged" if case.damaged else "sound"
        settings = combine(chosen, base, ANY)
        return RunPlan(
            run="01-case",
            strategy=chosen,
            settings=replace(settings, **case.settings),
            dataset=str(self.folder / part),
        )

    def plain(self, case: Case) -> Trained:
        """The training that ``case`` must equal; done once."""
        name = case.plain.name
        if name not in self._plain:
            self._plain[name] = self.train(case.plain, world=ALONE)
        return self._plain[name]

    def train(
        self,
        case: Case,
        *,
        world: World | None = None,
        model: nn.Module | None = None,
        scale: float | None = None,
        warm: bool = True,
    ) -> Trained:
        """An epoch and its validation, by the real loop; ``scale``: what a scaler begins with."""
        with self.prepared(case, world=world, model=model, warm=warm) as (job, seen):
            if scale is not None:
                job.strategy.restore(scaled(job.strategy.capture(), scale))
            train_epoch(job, 0)
            seen.validation = evaluate(job, 0)
            seen.judged = self._recorder.judged
            seen.schedule = job.schedule
        return seen

    @contextmanager
    def prepared(
        self,
        case: Case,
        *,
        world: World | None = None,
        model: nn.Module | None = None,
        warm: bool = True,
    ) -> Iterator[tuple[Job, Trained]]:
        """All that ``engine.train.preparing`` makes, but with a network of our own."""
        world = world or self.world
        plan = self.plan(case)
        folder = dataset.load(Path(plan.dataset), plan.settings.val_fraction, plan.settings.seed)
        inner = make(plan, world)
        feed = inner.feed()
        stream = Stream(
            folder,
            plan.settings,
            shard=Shard(feed.shard, feed.shards),
            workers=0,
            pinned=False,
            parent=os.getpid(),
            images=feed.images,
        )
        inner.prepare(
            plan,
            model or network(case.network, case.dtype),
            devices.of_rank(plan, world.local_rank),
            class_counts(folder),
        )
        if warm:
            inner.warm_up(stream.sizes, plan.settings.image_size)
        seen = Trained(precision=inner.precision)
        yield (
            Job(
                plan=plan,
                classes=folder.classes,
                strategy=cast(Strategy, Watched(inner, world, seen, case.clip)),
                stream=stream,
                schedule=learning_rate.schedule(plan.settings, stream.steps_per_epoch),
                telemetry=Telemetry(CPU, clock_for(CPU, SLOTS), inner.tolerance),
                recorder=self._recorder,
                checkpoints=Checkpoints(self._notes, self._recorder),
                damage=Damage(folder, cast(Callable[[Event], None], self._recorder.post)),
                stop=self._stop,
                world=world,
                feed=feed,
                device=CPU,
            ),
            seen,
        )
        inner.close()
        stream.close()


def differences(seen: Trained, plain: Trained) -> dict[str, float]:
    """How far two trainings are apart at most, relative to the largest number of each tensor."""
    pairs = list(zip(seen.states, plain.states, strict=True))
    return {
        "steps": len(pairs),
        "loss": max(_apart(_exact(a), _exact(b)) for a, b in _tallies(seen, plain)),
        "gradients": max(_furthest(momenta(a), momenta(b)) for a, b in pairs),
        "weights": max(_furthest(a["state_dict"], b["state_dict"]) for a, b in pairs),
        "averages": max(_furthest(a.get("ema", {}), b.get("ema", {})) for a, b in pairs),
        "moved": _furthest(plain.states[0]["state_dict"], plain.states[-1]["state_dict"]),
    }


def scaled(state: dict[str, Any], scale: float) -> dict[str, Any]:
    """A captured state whose gradient scaler stands at ``scale``."""
    return {**state, "scaler": {**state["scaler"], "scale": scale}}


def momenta(state: dict[str, Any]) -> dict[str, Tensor]:
    """What an optimiser remembers of every gradient: its momentum, or AdamW's first average."""
    remembered = state["optimizer"]["state"].items()
    return {
        name: each["exp_avg"] if "exp_avg" in each else each["momentum_buffer"]
        for name, each in remembered
    }


def _tallies(seen: Trained, plain: Trained) -> list[tuple[list[float], list[float]]]:
    return list(zip(seen.losses, plain.losses, strict=True))


def _furthest(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    assert one.keys() == other.keys()
    return max((_apart(one[name], other[name]) for name in one), default=0.0)


def _apart(one: Tensor, other: Tensor) -> float:
    one, other = one.double(), other.double()
    scale = other.abs().max().clamp(min=1e-3)
    return float(((one - other).abs().max() / scale).item())


def lay_out(folder: Path) -> Path:
    """Two datasets: ``sound``, and the same one with an image that cannot be decoded."""
    for part in ("sound", "damaged"):
        images(folder / part, classes=4, train=5, val=3)
        for name in ("train/class0/000", "train/class1/001", "train/class3/004", "val/class2/001"):
            (folder / part / f"{name}.png").unlink()
    for world in (1, 2, 3):
        (folder / f"world{world}").mkdir()
    broken = folder / "damaged" / "train" / "class2" / "003.png"
    broken.write_bytes(broken.read_bytes()[:200])
    return folder


def _exact(numbers: list[float]) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)
