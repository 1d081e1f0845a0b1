"""``resnet-tui status``: one line, cheap enough for a tmux status bar."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import TYPE_CHECKING

from tui.commands import arguments as shared

if TYPE_CHECKING:
    from engine.experiment import Experiment


def add_arguments(parser: argparse.ArgumentParser) -> None:
    shared.add_experiment(parser)


def run(arguments: argparse.Namespace) -> int:
    from engine.lookup import known

    if arguments.experiment is None and not known(shared.directory(arguments)):
        print("no experiment")
        return 0
    print(line(shared.experiment(arguments)))
    return 0


def line(experiment: Experiment) -> str:
    """``NAME running: single (1 of 2), epoch 3 of 5, best top-1 97.2 %``."""
    from engine.journal.commands import TAKEN_OUT
    from tui.commands.words import best_top1
    from tui.widgets import format as show

    summary = experiment.summary()
    state: str = experiment.state()
    if state == "running" and summary is not None and summary.stopping:
        state = "stopping"
    told = f"{experiment.title} {state}"
    if summary is None:
        return told
    parts = []
    # Counted in the order in which they are done, as on the screen: the queue can be moved.
    runs = [each for each in summary.runs if each.reason != TAKEN_OUT]
    over = sum(each.state not in ("queued", "running") for each in runs)
    training = [each for each in runs if each.state == "running"]
    for each in training:
        parts.append(f"{each.strategy} ({over + 1} of {len(runs)})")
        if each.epoch is not None and each.epochs is not None:
            parts.append(f"epoch {each.epoch + 1} of {each.epochs}")
    if state == "running" and runs and not training:
        parts.append(f"preparing, {over} of {len(runs)} over")
    failed = Counter(each.strategy for each in runs if each.state == "failed")
    if failed:
        words = [name if count == 1 else f"{name} ({count})" for name, count in failed.items()]
        parts.append(f"failed: {', '.join(words)}" if state != "failed" else ", ".join(words))
    best = best_top1(summary)
    if best is not None:
        parts.append(f"best top-1 {show.percent(best)}")
    return f"{told}: {', '.join(parts)}" if parts else told
