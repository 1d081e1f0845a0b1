"""``resnet-tui export --weights FILE``: a trained network for other programs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from tui.commands import checkpoints, tables

if TYPE_CHECKING:
    from engine.journal.exported import Exported

_LOADED = {
    "pt": (
        "model = torchvision.models.{model}(num_classes={classes})",
        "model.load_state_dict(torch.load({path}, weights_only=True))",
    ),
    "safetensors": (
        "model = torchvision.models.{model}(num_classes={classes})",
        "model.load_state_dict(safetensors.torch.load_file({path}))",
    ),
    "onnx": (
        "session = onnxruntime.InferenceSession({path})",
        '(logits,) = session.run(None, {{"images": images}})'
        "  # (n, 3, {image_size}, {image_size}) float32, normalised",
    ),
}
"""Two lines of Python that use what was written, by its format."""


def check(arguments: argparse.Namespace) -> None:
    """Raises ``WrongInput`` for what cannot be written, before anything is read."""
    from engine.errors import WrongInput
    from engine.plan.text import clean
    from engine.run.exporting import format_of

    if arguments.weights is None:
        if arguments.run is not None or arguments.checkpoint is not None:
            raise WrongInput("--run and --checkpoint choose weights; give --weights FILE with them")
        return
    if not arguments.weights:
        raise WrongInput("--weights is empty; name a file")
    path = Path(arguments.weights).absolute()
    format_of(path)
    if path.is_dir() or not path.parent.is_dir():
        raise WrongInput(
            f"{clean(str(path))} cannot be written; name a file in a folder that exists"
        )
    tables.keep(arguments, [path])


def export(arguments: argparse.Namespace, to: TextIO) -> None:
    """Writes the file and tells its full path, what is in it, and two lines that load it."""
    from engine.plan.text import clean
    from engine.run import exporting
    from tui.commands.waiting import while_waiting

    chosen = checkpoints.chosen(arguments)
    path = Path(arguments.weights).absolute()
    with while_waiting("writing the weights"):
        written = exporting.export(chosen.path, path, force=arguments.force)
    print(clean(f"weights: {path}"), file=to)
    print(clean(checkpoints.told(chosen, written)), file=to)
    for line in snippet(written, path):
        print(f"    {line}", file=to)
    to.flush()


def snippet(written: Exported, path: Path) -> list[str]:
    """How Python loads it."""
    from engine.run.exporting import format_of

    return [
        line.format(
            model=written.model,
            classes=written.classes,
            image_size=written.image_size,
            path=ascii(str(path)),
        )
        for line in _LOADED[format_of(path)]
    ]
