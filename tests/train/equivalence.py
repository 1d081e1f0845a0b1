"""The ranks of the proofs: ``python -m tests.train.equivalence FOLDER WORLD...``.

Goes through everything that needs several processes, in one world after another, and leaves what
came out in ``answers.json`` of each, which ``test_equivalence.py`` judges. Ranks are forked from a
process that has imported torch, where torchrun would let each of them import it anew; how ranks are
launched for real is proven by ``test_torchrun.py``.
"""

from __future__ import annotations

import importlib
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

import torch
from torch.multiprocessing.spawn import start_processes

from engine.train import devices
from engine.train.world import from_environment
from tests.train import learned, measured, proofs
from tests.train.cases import SEVERAL_RANKS
from tests.train.laboratory import CPU, Laboratory, differences

ANSWERS = "answers.json"
LIBRARIES = ("engine.train.strategies.fsdp", "engine.train.strategies.pipeline", "torch._dynamo")
"""What ranks would import one after another, and FSDP at its first step."""


def main(folder: Path, worlds: list[int]) -> None:
    """Raises what the first rank that failed raised; the others are ended."""
    # As torchrun sets it for more than one rank.
    os.environ["OMP_NUM_THREADS"] = "1"
    for each in LIBRARIES:
        importlib.import_module(each)
    for size in worlds:
        ranks = (size, _free_port(), folder)
        start_processes(_rank, ranks, size, start_method="fork")  # type: ignore[no-untyped-call]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _rank(rank: int, size: int, port: int, folder: Path) -> None:
    os.environ.update(
        RANK=str(rank),
        LOCAL_RANK=str(rank),
        WORLD_SIZE=str(size),
        LOCAL_WORLD_SIZE=str(size),
        MASTER_ADDR="127.0.0.1",
        MASTER_PORT=str(port),
    )
    torch.set_num_interop_threads(1)
    prove(folder)


def prove(folder: Path) -> None:
    """What one rank does."""
    world = from_environment()
    devices.configure(CPU, max(1, devices.cores() // world.size))
    world.join(CPU, 120.0)
    notes = folder / f"world{world.size}"
    laboratory = Laboratory(folder, notes, world)
    answers: dict[str, Any] = {"cases": {}}
    for case in SEVERAL_RANKS:
        seen = laboratory.train(case)
        if world.first:
            plain = laboratory.plain(case)
            answers["cases"][case.name] = {
                **differences(seen, plain),
                "images": [row[3] for row in seen.losses],
                "validation": [proofs.as_row(seen.validation), proofs.as_row(plain.validation)],
                "judged": [proofs.as_cells(seen.judged), proofs.as_cells(plain.judged)],
            }
    for proof in (*proofs.ALL, *measured.ALL, *learned.ALL):
        answers[proof.__name__] = proof(laboratory)
    if world.first:
        (notes / ANSWERS).write_text(json.dumps(answers))
    laboratory.close()
    world.wait_for_all()
    world.leave()


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(each) for each in sys.argv[2:]])
