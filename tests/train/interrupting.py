"""Trainings that are killed and go on, and what is left of them in the end."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.journal import layout
from engine.journal.checkpoints import newest
from engine.journal.events import AnyEvent, AttemptStarted, EpochEnded, Steps, Validated
from engine.journal.files import parse
from engine.plan.runs import RunPlan
from tests.train.making import arguments, lay_out
from tests.train.nursery import Nursery

_PATIENCE = 120.0
_MOST = 8
"""Ranks."""
_EXACT = ("loss", "top1", "top5", "lr", "images")
"""Columns of steps that are the same in every run; the others are times."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a training comes to, but for how long it took."""

    state: dict[str, Any]
    """Of the last checkpoint."""
    steps: dict[str, dict[int, bytes]]
    """The bits of every metric by step, of the attempts' first ranks, folded."""
    epochs: dict[int, tuple[Any, ...]]
    validations: dict[int, tuple[Any, ...]]


class Interrupted:
    """One run, trained in as many attempts as it takes."""

    def __init__(self, nursery: Nursery, directory: Path, plan: RunPlan, world: int = 1) -> None:
        self.directory, self.plan, self.world = directory, plan, world
        self._nursery = nursery
        self._attempt = 0
        directory.mkdir(exist_ok=True)
        lay_out(directory, plan)

    @property
    def run(self) -> Path:
        return self.directory / self.plan.run

    def change(self, plan: RunPlan, world: int) -> None:
        """From now on it is trained like this."""
        assert plan.run == self.plan.run
        self.plan, self.world = plan, world
        lay_out(self.directory, plan)

    def train(
        self,
        kill_after: int | None = None,
        delay: float = 0.0,
        then: tuple[int, Callable[[], None]] | None = None,
    ) -> int:
        """An attempt, which goes on from the newest checkpoint; the worst exit status.

        ``kill_after``: SIGKILL to all ranks, ``delay`` seconds after the first of them told of a
        step of that number. Where it ends before that, it ends by itself. ``then``: what is called
        after the step of that number.
        """
        self._attempt += 1
        asked = arguments(self.directory, self.plan, self._attempt)
        found = newest(self.run)
        if found is not None:
            asked += ["--resume", str(found[0].relative_to(self.run))]
        pids = [
            self._nursery.start(asked, environment, self.directory / f"log-{rank}.txt")
            for rank, environment in enumerate(self._environments())
        ]
        if kill_after is not None and self._reaches(kill_after, pids):
            time.sleep(delay)
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
        if then is not None and self._reaches(then[0], pids):
            then[1]()
        return min((self._nursery.wait(pid) for pid in pids), key=lambda code: (code == 0, code))

    def events(self) -> list[AnyEvent]:
        """What the first rank told in the last attempt."""
        return parse(self._journal(0, self._attempt).read_bytes())[0]

    def log(self) -> str:
        return (self.directory / "log-0.txt").read_text(encoding="utf-8")

    def outcome(self) -> Outcome:
        """After the last attempt ended well."""
        state = torch.load(self.run / "checkpoints" / "last.pt", weights_only=True)
        outcome = Outcome(state=state, steps={}, epochs={}, validations={})
        for attempt in range(1, self._attempt + 1):
            journals = [
                parse(path.read_bytes())[0]
                for rank in range(_MOST)
                if (path := self._journal(rank, attempt)).exists()
            ]
            for events in journals:
                _fold(outcome, events)
            _fold_epochs(outcome, journals)
        return outcome

    def _journal(self, rank: int, attempt: int) -> Path:
        return layout.rank_journal(self.directory, self.plan.run, attempt, rank)

    def _environments(self) -> list[dict[str, str]]:
        if self.world == 1:
            return [{"RANK": "0", "WORLD_SIZE": "1", "OMP_NUM_THREADS": "2"}]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        return [
            {
                "RANK": str(rank),
                "LOCAL_RANK": str(rank),
                "WORLD_SIZE": str(self.world),
                "LOCAL_WORLD_SIZE": str(self.world),
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": str(port),
                "OMP_NUM_THREADS": "1",
            }
            for rank in range(self.world)
        ]

    def _reaches(self, step: int, pids: Sequence[int]) -> bool:
        deadline = time.monotonic() + _PATIENCE
        path = self._journal(0, self._attempt)
        while time.monotonic() < deadline:
            events = parse(path.read_bytes())[0] if path.exists() else []
            if any(isinstance(each, Steps) and each.first + each.count > step for each in events):
                return True
            if not all(_is_alive(pid) for pid in pids):
                return False
            time.sleep(0.003)
        raise TimeoutError(f"step {step} was not reached")


def _is_alive(pid: int) -> bool:
    """Whether it has not ended, zombies aside."""
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")")[1].split()[0] != "Z"
        )
    except OSError:
        return False


def _fold(outcome: Outcome, events: Sequence[AnyEvent]) -> None:
    """The steps of a rank; an attempt that began at a step replaces what was told from there on."""
    first = events[0]
    assert isinstance(first, AttemptStarted)
    kept = {} if first.rank else outcome.steps
    for rows in kept.values():
        for step in [step for step in rows if step >= first.from_step]:
            del rows[step]
    for event in events:
        if not isinstance(event, Steps):
            continue
        for name in _EXACT:
            values = np.frombuffer(event.columns[event.names.index(name)], "<f4")
            rows = outcome.steps.setdefault(f"{first.rank} {name}", {})
            if first.rank:
                rows = outcome.steps[f"{first.rank} {name}"]
            rows.update({event.first + i: value.tobytes() for i, value in enumerate(values)})


def _fold_epochs(outcome: Outcome, journals: Sequence[Sequence[AnyEvent]]) -> None:
    """Epochs that all ranks ended, and validations; later attempts tell anew what they repeat."""
    ended: dict[int, list[EpochEnded]] = {}
    for events in journals:
        for event in events:
            if isinstance(event, EpochEnded):
                ended.setdefault(event.epoch, []).append(event)
            if isinstance(event, Validated):
                told = (event.step, event.images, event.loss_sum, event.top1, event.top5)
                outcome.validations[event.epoch] = told
    for epoch, all_ranks in ended.items():
        if len(all_ranks) == len(journals):
            outcome.epochs[epoch] = tuple(
                (each.step, each.images, each.loss_sum, each.top1, each.top5, each.read)
                for each in all_ranks
            )


def differences(one: Outcome, other: Outcome) -> list[str]:
    """Where two trainings differ in a single bit; their times do not count."""
    found = [
        name
        for name in ("steps", "epochs", "validations")
        if getattr(one, name) != getattr(other, name)
    ]
    for key in (one.state.keys() | other.state.keys()) - {"seconds", "ranks", "config"}:
        found += _apart(key, one.state.get(key), other.state.get(key))
    return found


def _apart(name: str, one: Any, other: Any) -> list[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        keys = [*one, *(key for key in other if key not in one)]
        return [
            each for key in keys for each in _apart(f"{name}.{key}", one.get(key), other.get(key))
        ]
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        same = one.dtype == other.dtype and torch.equal(one, other)
        return [] if same else [name]
    return [] if one == other else [name]
