"""One rank of the proofs: ``torchrun --nproc-per-node N -m tests.train.equivalence FOLDER``.

Goes through everything that needs several processes in one launch, and leaves what came out in
``answers.json``, which ``test_equivalence.py`` judges.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch

from engine.train import devices
from engine.train.world import from_environment
from tests.train import measured, proofs
from tests.train.cases import BY_TORCHRUN
from tests.train.laboratory import CPU, Laboratory, differences

ANSWERS = "answers.json"


def main(folder: Path) -> None:
    world = from_environment()
    devices.configure(CPU, max(1, devices.cores() // world.size))
    world.join(CPU, 120.0)
    notes = folder / f"world{world.size}"
    laboratory = Laboratory(folder, notes, world)
    answers: dict[str, Any] = {"cases": {}}
    for case in BY_TORCHRUN:
        seen = laboratory.train(case)
        if world.first:
            plain = laboratory.plain(case)
            answers["cases"][case.name] = {
                **differences(seen, plain),
                "images": [row[3] for row in seen.losses],
                "validation": [proofs.as_row(seen.validation), proofs.as_row(plain.validation)],
            }
    for proof in (*proofs.ALL, *measured.ALL):
        answers[proof.__name__] = proof(laboratory)
    if world.first:
        (notes / ANSWERS).write_text(json.dumps(answers))
    laboratory.close()
    world.wait_for_all()
    world.leave()


if __name__ == "__main__":
    torch.set_num_interop_threads(1)
    main(Path(sys.argv[1]))
