"""Where experiments lie, which there are, and which one is meant by a name."""

from __future__ import annotations

import os
from pathlib import Path

from engine import registry
from engine.errors import ExperimentError
from engine.experiment import Experiment, open_directory
from engine.journal import layout
from engine.plan.text import clean


def experiments_directory(chosen: str | None = None) -> Path:
    """Where new experiments go: the flag, else the environment, else ``./experiments``."""
    return Path(chosen or os.environ.get("RESNET_TUI_EXPERIMENTS") or "experiments").absolute()


def known(parent: Path | None = None) -> list[Experiment]:
    """Every experiment that is registered or lies in ``parent``, newest first, but damaged ones."""
    directories = {path.resolve() for path in registry.registered()}
    if parent is not None and parent.is_dir():
        directories.update(path.parent.resolve() for path in parent.glob(f"*/{layout.PLAN}"))
    experiments = []
    for directory in directories:
        try:
            experiments.append(open_directory(directory))
        except ExperimentError:
            continue
    return sorted(experiments, key=lambda each: each.plan.created, reverse=True)


def find(name: str | None, parent: Path) -> Experiment:
    """The experiment meant by a path, a name or a unique prefix of one.

    Without a name: the newest running one in ``parent``, else the newest running anywhere, else
    the newest.
    """
    if name and (Path(name) / layout.PLAN).is_file():
        return open_directory(Path(name).resolve())
    experiments = known(parent)
    if not experiments:
        raise ExperimentError("there is no experiment yet; 'resnet-tui train DATASET' starts one")
    if not name:
        running = [each for each in experiments if each.state() in ("starting", "running")]
        here = [each for each in running if each.directory.parent == parent.resolve()]
        return (here or running or experiments)[0]
    exact = [each for each in experiments if each.name == name]
    matching = exact or [each for each in experiments if each.name.startswith(name)]
    if not matching:
        raise ExperimentError(
            f"no experiment is called {clean(name)!r}; 'resnet-tui list' names them"
        )
    if len(matching) > 1:
        names = ", ".join(str(each.directory) for each in matching[:5])
        raise ExperimentError(
            f"{clean(name)!r} could be {names}; give more of the name, or its path"
        )
    return matching[0]
