"""Makes one attempt and prints the verdict as JSON.

A process of its own, as the supervisor is one: at the end of an attempt everything that descends
from this process is killed. ``python -m tests.run.one_attempt DIRECTORY CODE [stop]`` has a piece
of Python as its only rank; with ``--ranks N`` torchrun launches ``tests.run.a_rank``, and CODE is
the name of what its ranks do.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

from engine.journal import layout
from engine.run import kin, torchrun
from engine.run.attempt import Attempt
from engine.run.launch import PARENT, Launch

RUN = "01-single"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("code")
    parser.add_argument("wishes", nargs="*")
    parser.add_argument("--ranks", type=int, default=0)
    parser.add_argument("--hang-timeout", type=float, default=300.0)
    parser.add_argument("--patience", type=float, default=300.0)
    chosen = parser.parse_args()
    kin.adopt_orphans()
    directory: Path = chosen.directory
    launch = Launch((sys.executable, "-c", chosen.code, str(directory)), {})
    if chosen.ranks:
        argv = torchrun.command(
            chosen.ranks, "-m", "tests.run.a_rank", "--at", str(directory), chosen.code
        )
        environment = torchrun.environment(layout.attempt_directory(directory, RUN, 1))
        # The ranks' module is found in the working directory, unlike ours.
        environment |= {PARENT: str(os.getpid()), "PYTHONSAFEPATH": ""}
        launch = Launch(argv, environment, chosen.ranks, by_torchrun=True)
    attempt = Attempt(
        directory,
        RUN,
        1,
        launch,
        patience=chosen.patience,
        linger=0.5,
        hang_timeout=chosen.hang_timeout,
    )
    if "stop" in chosen.wishes:
        while not (directory / "ready").exists():
            time.sleep(0.02)
            attempt.watch.poll()
        attempt.stop()
    while (verdict := attempt.poll()) is None:
        time.sleep(0.02)
    print(json.dumps(asdict(verdict) | {"left": len(kin.descendants())}))


if __name__ == "__main__":
    main()
