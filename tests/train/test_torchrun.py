"""Whole trainings of several ranks, started as a user starts them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import torch
import torchvision

from engine.journal import layout
from engine.journal.events import AnyEvent, AttemptEnded, Ready, Validated
from engine.journal.files import parse
from engine.plan.runs import RunPlan
from engine.train import fit
from tests.conftest import REPOSITORY
from tests.train.making import arguments, journal, lay_out, plan

RANKS = 2


def _launch(experiment: Path, made: RunPlan) -> None:
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
        *("--nproc-per-node", str(RANKS), "-m", "engine.train", "fit"),
        *arguments(experiment, made),
    ]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, env=environment, capture_output=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr.decode()[-3000:]


def _ready(events: list[AnyEvent]) -> Ready:
    (ready,) = (each for each in events if isinstance(each, Ready))
    return ready


@pytest.mark.usefixtures("signals")
def test_both_start_from_the_same_point_and_end_in_torchvisions_layout(
    tmp_path: Path, pictures: Path
) -> None:
    made = {name: plan(pictures, name, epochs=1, batch_size=10) for name in ("single", "fsdp")}
    for name, each in made.items():
        lay_out(tmp_path, each)
        if name == "single":
            assert fit.main(arguments(tmp_path, each)) == 0
        else:
            _launch(tmp_path, each)
    events = {name: journal(tmp_path, each) for name, each in made.items()}
    hashes = [_ready(each).hashes for each in events.values()]
    assert set(hashes[0]) >= {"weights", "split", "order", "augmentation"}
    assert hashes == hashes[:1] * 2
    for name, each in made.items():
        (validated,) = (event for event in events[name] if isinstance(event, Validated))
        assert validated.images == 12
        saved = torch.load(tmp_path / each.run / "checkpoints" / "last.pt", weights_only=True)
        torchvision.models.resnet18(num_classes=3).load_state_dict(saved["state_dict"])
        assert saved["step"] == 3
        if name != "single":
            _judge_the_other_rank(tmp_path, each)


def _judge_the_other_rank(experiment: Path, made: RunPlan) -> None:
    path = layout.rank_journal(experiment, made.run, 1, 1)
    events, skipped = parse(path.read_bytes())
    assert skipped == 0
    assert isinstance(events[-1], AttemptEnded)
    assert (events[-1].state, events[-1].step) == ("done", 3)
    assert not any(isinstance(each, Validated) for each in events)
    assert msgspec.structs.asdict(_ready(events))["device_batch"] == 5
