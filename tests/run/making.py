"""Small data sets and experiments that are really run."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil
from PIL import Image

from engine import experiment
from engine.experiment import Experiment
from engine.journal import layout
from engine.journal.files import Tail, parse
from engine.plan.config import Settings
from engine.plan.strategies import strategy

TINY = {"model": "resnet18", "image_size": 32, "batch_size": 8, "workers": 0, "device": "cpu"}
"""Settings with which a step takes some milliseconds."""


def make_dataset(folder: Path, images: int = 16) -> Path:
    """Red and blue squares: ``images`` for training and half as many for validation, per class."""
    for split, count in (("train", images), ("val", images // 2)):
        for name, colour in (("blue", (20, 20, 200)), ("red", (200, 20, 20))):
            (folder / split / name).mkdir(parents=True)
            for number in range(count):
                shade = tuple(channel + 3 * number for channel in colour)
                Image.new("RGB", (32, 32), shade).save(folder / split / name / f"{number}.png")
    return folder


def make_experiment(parent: Path, dataset: Path, *names: str, **settings: object) -> Experiment:
    """An experiment that nobody runs yet."""
    return experiment.create(
        parent,
        dataset,
        Settings(**{**TINY, **settings}),  # type: ignore[arg-type]
        strategies=tuple(strategy(name) for name in names or ("single",)),
        sources={},
    )


def supervisor_events(made: Experiment) -> list[str]:
    """The kinds of events in the supervisor's journal, in order."""
    return [kind_of(event) for event in read(made.directory / layout.SUPERVISOR_JOURNAL)]


def read(journal: Path) -> list[object]:
    tail = Tail(journal)
    events: list[object] = []
    while data := tail.read():
        events.extend(parse(data)[0])
    return events


def kind_of(event: object) -> str:
    return type(event).__name__


def processes(directory: Path) -> list[psutil.Process]:
    """Living processes that have the directory in their command: supervisor, ranks, workers."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if process.info["status"] != psutil.STATUS_ZOMBIE and any(
            str(directory) in word for word in words
        ):
            found.append(process)
    return found


def rank_of(made: Experiment) -> psutil.Process:
    """The process that trains: the child of the supervisor."""
    supervisors = [
        each for each in processes(made.directory) if "engine.run.supervise" in each.cmdline()
    ]
    # Beside it there may be the process that reads GPUs.
    (rank,) = (each for each in supervisors[0].children() if "engine.train" in each.cmdline())
    return rank


def eventually(true: Callable[[], object], seconds: float = 60.0) -> None:
    """Fails where something does not become true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"still not after {seconds:g} s"
        time.sleep(0.05)


def has_trained(made: Experiment, run: str, attempt: int = 1) -> bool:
    """Whether steps of an attempt are in its journal."""
    journal = layout.rank_journal(made.directory, run, attempt, 0)
    return any(kind_of(event) == "Steps" for event in read(journal))
