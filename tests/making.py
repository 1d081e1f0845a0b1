"""Experiments on disk, made as the program makes them, and what a supervisor would say of them."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from engine import experiment
from engine.experiment import Experiment
from engine.journal import layout
from engine.plan.config import Settings
from engine.plan.strategies import strategy
from engine.summary import State, Summary


def make(parent: Path, dataset: str = "digits") -> Experiment:
    return experiment.create(
        parent,
        parent / dataset,
        Settings(model="resnet18", seed=3, repeats=2),
        strategies=(strategy("single"), strategy("amp")),
        sources={"model": "flag"},
    )


def write_summary(made: Experiment, state: State, *, host: str, boot: str) -> None:
    summary = Summary(state=state, host=host, boot=boot, pid=1, updated=time.time())
    experiment.write_atomically(made.directory / layout.SUMMARY, msgspec.json.encode(summary))
