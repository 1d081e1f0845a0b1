"""``resnet-tui list``: the experiments on disk, newest first. Reads summaries, no journals."""

from __future__ import annotations

import argparse
from pathlib import Path

from tui.commands import arguments as shared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    shared.add_experiments_directory(parser)


def run(arguments: argparse.Namespace) -> int:
    from rich.text import Text

    from engine.lookup import known
    from engine.plan.text import clean
    from tui.commands.table import emit, plain_table
    from tui.commands.words import best_top1
    from tui.widgets import format as show

    experiments = known(shared.directory(arguments))
    if not experiments:
        print("no experiment yet; 'resnet-tui train DATASET' starts one")
        return 0
    table = plain_table()
    table.add_column("experiment", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("dataset", overflow="fold")
    table.add_column("strategies", overflow="fold")
    table.add_column("best top-1", justify="right", no_wrap=True)
    for experiment in experiments:
        names = dict.fromkeys(run.strategy.name for run in experiment.plan.runs)
        cells = (
            experiment.title,
            experiment.state(),
            clean(Path(experiment.plan.dataset).name),
            ", ".join(names),
            show.percent(best_top1(experiment.summary())),
        )
        table.add_row(*map(Text, cells))
    emit(table)
    return 0
