"""``resnet-tui doctor --model NAME``: a network layer by layer, before anything is built."""

from __future__ import annotations

import argparse
import json
from functools import partial
from typing import TYPE_CHECKING, Any

from engine.errors import WrongInput

if TYPE_CHECKING:
    from engine.plan.summary import Summary

_FLAGS = ("image_size", "batch_size", "classes", "json")
_CLASSES = 1000
_MOST_CLASSES = 1_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags; ``doctor`` adds them to its own."""
    from engine.plan.config import MODELS

    group = parser.add_argument_group("networks")
    group.add_argument(
        "--model",
        type=partial(_setting, "model"),
        metavar="|".join(MODELS),
        help="list the layers of a network, and nothing else: parameters, arithmetic, memory",
    )
    for name, about in (
        ("image_size", "side of the images in px (default 224)"),
        ("batch_size", "images that activations are counted for (default 1)"),
    ):
        group.add_argument(
            "--" + name.replace("_", "-"), type=partial(_setting, name), metavar="N", help=about
        )
    group.add_argument(
        "--classes", type=_classes, metavar="N", help=f"of the classifier (default {_CLASSES})"
    )
    group.add_argument("--json", action="store_true", default=None, help="as JSON, in plain units")


def _setting(name: str, text: str) -> Any:
    from engine.plan.values import parse

    return parse(name, text)


def _classes(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if not 1 <= value <= _MOST_CLASSES:
        from engine.plan.text import clean

        raise WrongInput(
            f"--classes is {clean(text[:60])!r}; give a whole number from 1 to {_MOST_CLASSES:,}"
        )
    return value


def wanted(arguments: argparse.Namespace) -> bool:
    """Whether a network is to be listed; raises where a flag of its is given without."""
    if arguments.model is None:
        for name in _FLAGS:
            if getattr(arguments, name) is not None:
                raise WrongInput(f"--{name.replace('_', '-')} goes with --model; add it")
    elif arguments.pipeline:
        raise WrongInput("--model and --pipeline are two lists; leave one of them out")
    return arguments.model is not None


def run(arguments: argparse.Namespace) -> int:
    from engine.plan.config import Settings
    from engine.plan.summary import summarize

    settings = Settings(
        model=arguments.model,
        image_size=arguments.image_size or 224,
        batch_size=arguments.batch_size or 1,
    )
    found = summarize(settings, arguments.classes or _CLASSES)
    if arguments.json:
        print(json.dumps(_plain(found), indent=1))
    else:
        _print(found)
    return 0


def _print(found: Summary) -> None:
    from rich.text import Text

    from tui.commands.table import emit, plain_table
    from tui.widgets.network import COLUMNS, cells, facts

    table = plain_table()
    for number, name in enumerate(COLUMNS):
        table.add_column(name, justify="right" if number else "left", no_wrap=True)
    for row in found.rows:
        table.add_row(*cells(row))
    emit(Text(found.model, style="bold"))
    emit(table)
    emit("")
    told = facts(found)
    width = max(len(name) for name, _ in told)
    for name, value in told:
        emit(f"{name:<{width}}  {value}")


def _plain(found: Summary) -> dict[str, Any]:
    """In counts and bytes: nothing is rounded."""
    held = found.held
    return {
        "model": found.model,
        "image_size": found.image_size,
        "classes": found.classes,
        "batch_size": found.batch_size,
        "parameters": found.parameters,
        "forward_flop_per_image": found.operations,
        "training_flop_per_image": found.training_operations,
        "activation_bytes": found.activations,
        "activation_bytes_16_bit": found.activations_half,
        "weight_bytes": held.weights,
        "gradient_bytes": held.gradients,
        "optimizer_bytes": held.optimizer,
        "layers": [
            {
                "name": row.name,
                "output": [row.channels, row.side, row.side],
                "parameters": row.parameters,
                "forward_flop_per_image": row.operations,
                "activation_bytes": row.activations,
            }
            for row in found.rows
        ],
    }
