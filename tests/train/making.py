"""Small real datasets and plans for the tests of training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from PIL import Image

from engine.journal import layout
from engine.journal.events import AnyEvent, Steps
from engine.journal.files import parse
from engine.plan.config import Settings
from engine.plan.machine import ANY
from engine.plan.runs import RunPlan
from engine.plan.strategies import strategy
from engine.plan.switches import combine

TINY: dict[str, Any] = {
    "model": "resnet18",
    "image_size": 32,
    "batch_size": 16,
    "epochs": 2,
    "lr": 0.02,
    "workers": 0,
}


def images(folder: Path, *, classes: int = 3, train: int = 8, val: int = 4, side: int = 32) -> Path:
    """Noise of one colour per class: ``train`` and ``val`` images in each."""
    generator = np.random.default_rng(7)
    colours = generator.integers(0, 256, (classes, 3))
    for part, count in (("train", train), ("val", val)):
        for label in range(classes):
            place = folder / part / f"class{label}"
            place.mkdir(parents=True)
            for number in range(count):
                noise = generator.integers(-40, 41, (side, side, 3))
                pixels = np.clip(colours[label] + noise, 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(place / f"{number:03d}.png")
    return folder


def plan(dataset: Path, name: str = "single", **settings: Any) -> RunPlan:
    chosen = strategy(name)
    return RunPlan(
        run=f"01-{name}",
        strategy=chosen,
        settings=combine(chosen, Settings(**{**TINY, **settings}), ANY),
        dataset=str(dataset),
    )


def lay_out(experiment: Path, made: RunPlan) -> RunPlan:
    """Writes what a supervisor leaves for a rank."""
    (experiment / made.run).mkdir(parents=True, exist_ok=True)
    (experiment / made.run / layout.RUN_CONFIG).write_bytes(msgspec.json.encode(made))
    return made


def arguments(experiment: Path, made: RunPlan, attempt: int = 1) -> list[str]:
    return ["--experiment", str(experiment), "--run-name", made.run, "--attempt", str(attempt)]


def journal(experiment: Path, made: RunPlan, attempt: int = 1, rank: int = 0) -> list[AnyEvent]:
    """Everything a rank wrote; every line of it must be an event."""
    path = layout.rank_journal(experiment, made.run, attempt, rank)
    events, skipped = parse(path.read_bytes() if path.exists() else b"")
    assert skipped == 0
    return events


def column(events: list[AnyEvent], name: str) -> dict[int, float]:
    """A metric by step; every step must be there once."""
    rows: dict[int, float] = {}
    for event in events:
        if isinstance(event, Steps):
            values = np.frombuffer(event.columns[event.names.index(name)], "<f4")
            assert len(values) == event.count
            for offset, value in enumerate(values):
                assert event.first + offset not in rows
                rows[event.first + offset] = float(value)
    return rows
