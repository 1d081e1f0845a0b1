"""``resnet-tui predict``: what a trained network takes images for."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from tui.commands import arguments as shared
from tui.commands import checkpoints

if TYPE_CHECKING:
    from engine.journal.predictions import Judge
    from engine.run.judging import Judging
    from tui.commands.predictions import Line

_BATCH = 32
"""Images that are judged at once."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "experiment",
        metavar="EXPERIMENT|CHECKPOINT",
        help="an experiment (its name, the beginning of its name, or its path), a checkpoint, or "
        "any file of a ResNet's weights (.pt, .safetensors)",
    )
    parser.add_argument(
        "images", nargs="+", metavar="IMAGE|FOLDER", help="folders with all images below them"
    )
    shared.add_experiments_directory(parser)
    group = checkpoints.add_choice(parser)
    group.add_argument(
        "--model", metavar="NAME", help="only where it cannot be told from the file, as resnet50"
    )
    parser.add_argument(
        "--image-size",
        type=int,
        metavar="N",
        help="px across, where the file does not say what it was trained with (default: 224 then)",
    )
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda", "mps"),
        default="auto",
        help="default: a GPU where there is one",
    )
    output = parser.add_argument_group("output")
    either = output.add_mutually_exclusive_group()
    either.add_argument(
        "--json", action="store_true", help="one JSON object per image, and nothing else"
    )
    either.add_argument(
        "--csv",
        metavar="FILE",
        help="write a table to FILE, over what is there; -: standard output",
    )


def run(arguments: argparse.Namespace) -> int:
    from engine.errors import EXIT_DONE, EXIT_WRONG_INPUT
    from engine.plan.pictures import pictures
    from engine.plan.text import clean
    from engine.run.judging import Judging
    from tui.commands import predictions

    paths = pictures(arguments.images)
    chosen = checkpoints.chosen(arguments)
    target = predictions.writable(arguments.csv)
    plain = arguments.json or arguments.csv == "-"
    judging = Judging(
        chosen.path,
        model=arguments.model,
        image_size=arguments.image_size,
        device=arguments.device,
    )
    judging.start()
    lines: list[Line] = []
    with closing(judging):
        judge = _ready(judging)
        about = sys.stderr if plain else sys.stdout
        print(
            clean(f"{checkpoints.told(chosen, judge)}, on {judge.device}"), file=about, flush=True
        )
        if unknown := predictions.unknown(judge):
            print(unknown, file=about, flush=True)
        for line in _lines(judging, judge, paths):
            lines.append(line)
            if arguments.json:
                print(predictions.to_json(line), flush=True)
    if arguments.csv is not None:
        predictions.write_csv(lines, judge, target)
    elif not arguments.json:
        predictions.show_table(lines, judge)
    summary = predictions.summary(lines, judge)
    if summary:
        print(summary, file=about, flush=True)
    return EXIT_DONE if any(line.guesses for line in lines) else EXIT_WRONG_INPUT


def _ready(judging: Judging) -> Judge:
    """Waits for the network; raises ``WrongInput`` where it cannot be had."""
    from engine.errors import WrongInput
    from engine.journal.predictions import Doing, Judge, Refused
    from tui.commands.waiting import while_waiting

    what = "starting"
    while True:
        with while_waiting(what):
            told = judging.next()
        if isinstance(told, Judge):
            return told
        if isinstance(told, Doing):
            what = told.what
        elif isinstance(told, Refused):
            raise WrongInput(told.sentence)
        else:
            raise WrongInput("the images cannot be judged: the process ended without a word")


def _lines(judging: Judging, judge: Judge, paths: list[str]) -> Iterator[Line]:
    """One per image, in order, as they are answered; raises ``ResnetTuiError``."""
    from engine.errors import ResnetTuiError
    from engine.journal.predictions import Judgement, Refused
    from engine.plan.pictures import class_of
    from tui.commands.predictions import Line

    counting = sys.stderr.isatty()
    for first in range(0, len(paths), _BATCH):
        batch = paths[first : first + _BATCH]
        if counting:
            print(f"\r{first:,} of {len(paths):,} images", end="", file=sys.stderr, flush=True)
        judging.ask(batch)
        for path in batch:
            told = judging.next()
            if not isinstance(told, Judgement):
                raise ResnetTuiError(
                    told.sentence if isinstance(told, Refused) else "the images cannot be judged"
                )
            if counting:
                print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            yield Line(_shown(path), class_of(path, judge.names), told.guesses, told.problem)


def _shown(path: str) -> str:
    """Relative to here where it lies below."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except ValueError:
        return path
