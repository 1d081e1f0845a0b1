"""What is judged, and with what: looked up in threads, for the screen that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.errors import DatasetError, ResnetTuiError, WrongInput
from engine.experiment import Experiment, open_directory
from engine.plan import dataset
from engine.plan.pictures import class_of, pictures
from engine.plan.text import clean
from engine.run.chosen_checkpoint import Chosen, choose
from tui.judge_messages import CheckpointFound, NothingToJudgeWith, PathRead
from tui.widgets.picture_list import Named

_GIVEN = 10_000
"""Images of a folder that was typed, at most."""


@dataclass(frozen=True, slots=True)
class Found:
    """A checkpoint, and the validation images of what it was trained on."""

    chosen: Chosen
    experiment: str
    """Cleaned."""
    images: tuple[Named, ...]
    problem: str = ""
    """Why there are no images."""


def look_up(directory: Path, run: str | None) -> CheckpointFound | NothingToJudgeWith:
    """Of ``run``, else of the best one. Blocking: for a thread."""
    try:
        experiment = open_directory(directory)
        chosen = choose(experiment, run)
    except ResnetTuiError as error:
        return NothingToJudgeWith(clean(str(error)))
    try:
        images, problem = _validation(experiment), ""
    except DatasetError as error:
        images, problem = (), clean(str(error))
    return CheckpointFound(Found(chosen, experiment.title, images, problem))


def _validation(experiment: Experiment) -> tuple[Named, ...]:
    """The images that no run was trained on: those of the first seed's validation."""
    settings = experiment.plan.settings
    folder = Path(experiment.plan.dataset)
    classes, split = dataset.load_validation(folder, settings.val_fraction, settings.seed)
    return tuple(
        Named(path, classes[label], truth=classes[label])
        for path, label in zip(split.paths, split.labels, strict=True)
    )


def typed(text: str, names: tuple[str, ...]) -> PathRead:
    """The image or the images of the folder at a path; ``names``: the classes. Blocking."""
    path = Path(text).expanduser() if text.startswith("~") else Path(text)
    try:
        found = pictures([str(path)])
    except (WrongInput, RuntimeError, OSError) as error:
        return PathRead((), clean(str(error)))
    group = clean(str(path if path.is_dir() else path.parent))
    named = [Named(each, group, class_of(each, names)) for each in found[:_GIVEN]]
    return PathRead(tuple(named))
