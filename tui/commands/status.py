"""``resnet-tui status``: one line, cheap enough for a tmux status bar."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tui.commands import arguments as shared

if TYPE_CHECKING:
    from engine.experiment import Experiment


def add_arguments(parser: argparse.ArgumentParser) -> None:
    shared.add_experiment(parser)


def run(arguments: argparse.Namespace) -> int:
    from engine.experiment import known

    if arguments.experiment is None and not known(shared.directory(arguments)):
        print("no experiment")
        return 0
    print(line(shared.experiment(arguments)))
    return 0


def line(experiment: Experiment) -> str:
    """``NAME running: single (1 of 2), epoch 3 of 5, best top-1 97.2 %``."""
    from tui.commands.words import best_top1
    from tui.widgets import format as show

    summary = experiment.summary()
    state: str = experiment.state()
    if state == "running" and summary is not None and summary.stopping:
        state = "stopping"
    told = f"{experiment.name} {state}"
    if summary is None:
        return told
    parts = []
    for number, each in enumerate(summary.runs, start=1):
        if each.state == "running":
            parts.append(f"{each.strategy} ({number} of {len(summary.runs)})")
            if each.epoch is not None and each.epochs is not None:
                parts.append(f"epoch {each.epoch + 1} of {each.epochs}")
    failed = [each.strategy for each in summary.runs if each.state == "failed"]
    if failed:
        parts.append(f"failed: {' '.join(failed)}")
    best = best_top1(summary)
    if best is not None:
        parts.append(f"best top-1 {show.percent(best)}")
    return f"{told}: {', '.join(parts)}" if parts else told
