"""Weights for others to use: ``python -m engine.train export``.

A plain state dictionary in torchvision's key layout as ``torch.save`` or safetensors writes it, or
the network itself as ONNX. One line of JSON tells what was written, or why nothing was.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from engine.errors import EXIT_DONE, ResnetTuiError, WrongInput
from engine.journal.exported import Exported
from engine.journal.predictions import Refused
from engine.plan.text import clean

if TYPE_CHECKING:
    from torch import Tensor, nn

    from engine.train.opened import Opened

_OPSET = 18
"""The oldest that torch's exporter writes without translating it."""


def main(argv: Sequence[str]) -> int:
    """``export --checkpoint FILE --output FILE --format pt|safetensors|onnx [--force]``."""
    parser = argparse.ArgumentParser(prog="python -m engine.train export")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--format", choices=tuple(WRITERS), required=True)
    parser.add_argument("--model")
    parser.add_argument("--force", action="store_true")
    chosen = parser.parse_args(argv)
    try:
        from engine.train.opened import open_network

        opened = open_network(chosen.checkpoint, chosen.model)
        _write(opened, chosen.output, WRITERS[chosen.format], force=chosen.force)
    except ResnetTuiError as error:
        _tell(Refused(str(error)))
        return error.exit_code
    except OSError as error:
        sentence = f"{clean(str(chosen.output))} cannot be written: {error.strerror or error}"
        _tell(Refused(sentence))
        return WrongInput.exit_code
    _tell(
        Exported(
            model=opened.model,
            classes=opened.classes,
            image_size=opened.image_size,
            averaged=opened.averaged,
            size=chosen.output.stat().st_size,
            epoch=opened.epoch,
            accuracy=opened.accuracy,
        )
    )
    return EXIT_DONE


def _write(
    opened: Opened, path: Path, writer: Callable[[Opened, Path], None], *, force: bool
) -> None:
    """Beside its place, synced, and then renamed into it: never a part of it has the name."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        writer(opened, temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        os.umask(mask := os.umask(0o077))
        temporary.chmod(0o666 & ~mask)  # safetensors lets nobody else read what it writes.
        if force:
            temporary.replace(path)
        else:
            # Unlike a rename it fails where somebody else has made the file meanwhile.
            _put(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _put(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise WrongInput(f"{clean(str(path))} exists; --force writes over it") from None
    except OSError:
        # A file system without links.
        if path.exists():
            raise WrongInput(f"{clean(str(path))} exists; --force writes over it") from None
        temporary.replace(path)


def _to_torch(opened: Opened, path: Path) -> None:
    import torch

    try:
        torch.save(state(opened), path)
    except RuntimeError as error:
        # A full disk, under torch's own name for it.
        raise OSError(None, str(error).partition("\n")[0]) from error


def _to_safetensors(opened: Opened, path: Path) -> None:
    try:
        from safetensors.torch import save_file
    except ImportError:
        raise _missing("safetensors", "safetensors") from None
    try:
        save_file(state(opened), path, metadata=_facts(opened))
    except Exception as error:  # Its own errors have no common root but this one.
        if type(error).__name__ != "SafetensorError":
            raise
        raise OSError(None, clean(str(error))) from error


def _to_onnx(opened: Opened, path: Path) -> None:
    """Input ``images`` (batch, 3, side, side), normalised; output ``logits`` (batch, classes)."""
    import torch

    try:
        import onnx
        import onnxscript  # noqa: F401 (torch's exporter needs it)
    except ImportError:
        raise _missing("ONNX", "onnx") from None
    side = opened.image_size
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            opened.network,
            (torch.zeros(2, 3, side, side),),
            input_names=["images"],
            output_names=["logits"],
            dynamic_shapes={"x": {0: torch.export.Dim("batch", min=1)}},
            opset_version=_OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    for name, value in _facts(opened).items():
        entry = model.metadata_props.add()
        entry.key, entry.value = name, value
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


WRITERS: dict[str, Callable[[Opened, Path], None]] = {
    "pt": _to_torch,
    "safetensors": _to_safetensors,
    "onnx": _to_onnx,
}


def state(opened: Opened) -> dict[str, Tensor]:
    """Each tensor with memory of its own, whatever it shared before."""
    network: nn.Module = opened.network
    return {
        name: value.detach().clone().contiguous() for name, value in network.state_dict().items()
    }


def _facts(opened: Opened) -> dict[str, str]:
    """What somebody who has the file alone must know, as text."""
    from engine.train.augment import MEAN, STD

    facts: dict[str, Any] = {
        "model": opened.model,
        "classes": opened.names or opened.classes,
        "image_size": opened.image_size,
        "mean": MEAN,
        "std": STD,
        "epoch": opened.epoch,
        "accuracy": opened.accuracy,
        "averaged": opened.averaged,
    }
    told = {name: value for name, value in facts.items() if value is not None}
    return {
        name: value if isinstance(value, str) else json.dumps(value) for name, value in told.items()
    }


def _missing(what: str, extra: str) -> WrongInput:
    return WrongInput(
        f"{what} needs packages that are not installed: pip install 'resnet-tui[{extra}]'"
    )


def _tell(what: Exported | Refused) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(what) + b"\n")
    sys.stdout.buffer.flush()
