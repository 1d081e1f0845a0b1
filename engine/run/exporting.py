"""Writing the weights of a checkpoint for others, by a process that has torch."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import msgspec

from engine.errors import ResnetTuiError, WrongInput
from engine.journal.exported import Exported
from engine.journal.predictions import Refused
from engine.plan.text import clean
from engine.run.launch import PARENT, python, torch_environment

FORMATS = ("pt", "safetensors", "onnx")
"""By the ending of the file."""


def format_of(path: Path) -> str:
    """By its ending; ``pt`` for ``.pth`` and ``.bin`` too. Raises ``WrongInput``."""
    ending = path.suffix.lower().removeprefix(".")
    ending = {"pth": "pt", "bin": "pt"}.get(ending, ending)
    if ending not in FORMATS:
        raise WrongInput(
            f"{clean(str(path))}: its ending says no format of weights; call it .pt, .safetensors "
            "or .onnx"
        )
    return ending


def export(checkpoint: Path, path: Path, *, force: bool = False) -> Exported:
    """Writes ``path``; raises ``WrongInput`` with a sentence where it is not written. Blocking."""
    command = [
        *python("-m", "engine.train", "export", "--checkpoint", os.fspath(checkpoint)),
        *("--output", os.fspath(path), "--format", format_of(path)),
        *(["--force"] if force else []),
    ]
    environment = {**os.environ, **torch_environment(os.environ), PARENT: str(os.getpid())}
    try:
        answer = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environment,
            check=False,
        )
    except OSError as error:
        raise ResnetTuiError(f"{command[0]} cannot be run: {error.strerror}") from error
    for line in reversed(answer.stdout.splitlines()):
        try:
            told = msgspec.json.decode(line, type=Exported | Refused)
        except msgspec.MsgspecError:
            continue
        if isinstance(told, Refused):
            raise WrongInput(told.sentence)
        return told
    errors = answer.stderr.decode("utf-8", "replace").strip().splitlines()
    reason = clean(errors[-1]) if errors else f"its process ended with code {answer.returncode}"
    raise ResnetTuiError(f"the weights cannot be written: {reason}")
