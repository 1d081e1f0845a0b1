"""Judging images for somebody who asks: ``python -m engine.train predict``.

See ``engine.journal.predictions`` for what is asked and answered.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from engine.errors import EXIT_DONE, ResnetTuiError
from engine.journal.predictions import Doing, Judge, Refused, Told

if TYPE_CHECKING:
    from engine.train.guessing import Guessing
    from engine.train.opened import Opened

_READERS = 8
"""Threads that decode images, at most."""
_NICE = 10


def main(argv: Sequence[str]) -> int:
    """``predict --checkpoint FILE [--model NAME] [--image-size N] [--device NAME] [--gentle]``.

    Returns the exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m engine.train predict")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--model")
    parser.add_argument("--image-size", type=int)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto")
    # Beside a training that must not notice: one thread, and only what nobody else wants.
    parser.add_argument("--gentle", action="store_true")
    chosen = parser.parse_args(argv)
    if chosen.gentle:
        os.nice(_NICE)
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ[name] = "1"
    try:
        guessing, judge = _prepare(chosen)
    except ResnetTuiError as error:
        _tell(Refused(str(error)))
        return error.exit_code
    except MemoryError:
        _tell(Refused("there is not enough memory for this network; close other programs"))
        return 1
    _tell(judge)
    for line in sys.stdin:
        for judgement in guessing.judge(json.loads(line)):
            _tell(judgement)
    return EXIT_DONE


def _prepare(chosen: argparse.Namespace) -> tuple[Guessing, Judge]:
    _tell(Doing("importing torch"))
    import torch

    from engine.plan.config import Settings
    from engine.train import devices
    from engine.train.guessing import Guessing
    from engine.train.opened import open_network

    _tell(Doing("reading the weights"))
    cores = 1 if chosen.gentle else devices.cores()
    device = (
        torch.device("cpu") if chosen.gentle else devices.choose(Settings(device=chosen.device))
    )
    devices.configure(device, cores)
    opened = open_network(chosen.checkpoint, chosen.model, chosen.image_size)
    return Guessing(opened, device, min(_READERS, cores)), _judge(opened, devices.name_of(device))


def _judge(opened: Opened, device: str) -> Judge:
    return Judge(
        model=opened.model,
        classes=opened.classes,
        names=opened.names,
        image_size=opened.image_size,
        size_is_known=opened.size_is_known,
        averaged=opened.averaged,
        device=device,
        epoch=opened.epoch,
        accuracy=opened.accuracy,
    )


def _tell(what: Told) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(what) + b"\n")
    sys.stdout.buffer.flush()
