"""The command ``resnet-tui``: parses first, imports what the command needs after.

Nothing heavy is imported here: ``resnet-tui --help`` must come at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol

from engine.errors import (
    EXIT_INTERRUPTED,
    EXIT_TRAINING_FAILED,
    EXIT_WRONG_INPUT,
    ResnetTuiError,
    WrongInput,
)

COMMANDS = {
    "train": "train without the dashboard; a table at the end",
    "inspect": "what a folder of images holds, and what is wrong with it",
    "list": "the experiments on disk",
    "status": "one line on an experiment, for a status bar",
    "attach": "show an experiment that runs or is over",
    "stop": "end an experiment: gently, a second time at once",
    "resume": "go on with what failed, was stopped or was cut off, where it was",
    "retry": "the same from its beginning",
    "save": "have a checkpoint saved of the run that trains, now",
    "predict": "what a trained network takes images for",
    "export": "the table, plots, event files or trained weights of an experiment",
    "compare": "several experiments in one table, and whether one became slower",
    "doctor": "what this machine has, and which strategies it can run",
}
"""Each is a module of ``tui.commands``."""

ABOUT = "Which way of training a ResNet on your images and your devices is best, and why?"


class Command(Protocol):
    """What a module of ``tui.commands`` offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, arguments: argparse.Namespace) -> int:
        """Does it and returns the exit code; raises errors of ours."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; what goes wrong is told in one sentence."""
    _write_what_can_be_written()
    try:
        code = _dispatch(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
        return code
    except ResnetTuiError as error:
        _complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output is gone. Python would complain once more at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_TRAINING_FAILED
    except OSError as error:
        # Nothing of ours foresaw it: a path that may not be looked at, a disk that is gone.
        where = f"{error.filename!a}: " if error.filename else ""
        _complain(f"{where}{error.strerror or error}")
        return EXIT_WRONG_INPUT if error.filename else EXIT_TRAINING_FAILED


def _dispatch(argv: list[str]) -> int:
    try:
        Path.cwd()
    except FileNotFoundError:
        raise WrongInput("the current folder no longer exists; cd to another one") from None
    name = argv[0] if argv and argv[0] in COMMANDS else "dashboard"
    command = _command(name)
    parser = _parser(name)
    command.add_arguments(parser)
    arguments = parser.parse_args(argv if name == "dashboard" else argv[1:])
    if getattr(arguments, "dataset", None) in COMMANDS and name == "dashboard":
        word = arguments.dataset
        _complain(
            f"the command comes first: resnet-tui {word} ...; a folder of that name is ./{word}"
        )
        return EXIT_WRONG_INPUT
    return command.run(arguments)


def _command(name: str) -> Command:
    module: Command = import_module(f"tui.commands.{name}")
    return module


def _parser(name: str) -> argparse.ArgumentParser:
    if name != "dashboard":
        return argparse.ArgumentParser(
            prog=f"resnet-tui {name}", description=COMMANDS[name].capitalize() + "."
        )
    width = max(map(len, COMMANDS))
    lines = "\n".join(f"  {each:<{width}}  {about}" for each, about in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="resnet-tui",
        usage="resnet-tui [DATASET] [options]\n       resnet-tui COMMAND ...",
        description=f"{ABOUT}\nWithout a command: the dashboard, on DATASET if one is given.",
        epilog=f"commands:\n{lines}\n\n'resnet-tui COMMAND --help' tells more of each.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, help="print the version and exit")
    return parser


class _Version(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest=argparse.SUPPRESS, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"resnet-tui {version('resnet-tui')}")
        parser.exit()


def _complain(sentence: str) -> None:
    from engine.plan.text import clean

    # What it names may be called anything: file names can move a terminal's cursor.
    lines = "\n".join(map(clean, sentence.split("\n")))
    try:
        print(f"resnet-tui: {lines}", file=sys.stderr, flush=True)
    except OSError:
        return  # The terminal is gone; the exit code still tells.


def _write_what_can_be_written() -> None:
    """A terminal that is not UTF-8 gets ``?`` for what it cannot show, not a failure."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


if __name__ == "__main__":
    sys.exit(main())
