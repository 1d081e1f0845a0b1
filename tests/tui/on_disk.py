"""Experiments and datasets on disk, made as the program itself makes them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec
from PIL import Image

from engine.experiment import Experiment, create, open_directory, write_atomically
from engine.journal import layout
from engine.plan.config import Settings
from engine.plan.strategies import strategy
from engine.summary import RunSummary, State, Summary


def write_images(folder: Path, counts: dict[str, int]) -> Path:
    """A folder with one level of class folders of small images."""
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            Image.new("L", (8, 8), number).save(folder / name / f"{number}.png")
    return folder


def write_experiment(
    parent: Path,
    dataset: Path,
    state: State,
    *,
    strategies: tuple[str, ...] = ("single",),
    best: float | None = None,
    age: float = 3600.0,
    seconds: float = 60.0,
    reason: str = "",
) -> Experiment:
    """An experiment ``age`` s old that took ``seconds``; ``best`` is its top-1 in 0..1."""
    made = create(
        parent,
        dataset,
        Settings(model="resnet18"),
        strategies=tuple(strategy(name) for name in strategies),
        sources={},
    )
    created = time.time() - age
    data = msgspec.json.decode((made.directory / layout.PLAN).read_bytes())
    data["created"] = created
    write_atomically(made.directory / layout.PLAN, msgspec.json.encode(data))
    summary = Summary(
        state=state,
        host=os.uname().nodename,
        boot="",
        pid=1,
        updated=created + seconds,
        runs=tuple(
            RunSummary(
                run=run.run, strategy=run.strategy.name, state=state, reason=reason, best_top1=best
            )
            for run in made.plan.runs
        ),
    )
    write_atomically(made.directory / layout.SUMMARY, msgspec.json.encode(summary))
    return open_directory(made.directory)
