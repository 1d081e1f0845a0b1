"""Searches the batch size of a run and prints what is told, a line of JSON each.

``python -m tests.run.one_search EXPERIMENT RUN [--tries N]``, a process of its own as the
supervisor is one. A try is over as soon as it has a rate at all. ``--tries``: after so many it is
asked to stop as soon as the next one has begun.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from engine.experiment import open_directory
from engine.journal.events import BatchTried, Event, encode
from engine.run import kin, pace
from engine.run.search import BatchSearch


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("run")
    parser.add_argument("--tries", type=int)
    chosen = parser.parse_args()
    kin.adopt_orphans()
    pace.ENOUGH = 0.0
    experiment = open_directory(chosen.directory)
    (run,) = (each for each in experiment.plan.runs if each.run == chosen.run)
    told: list[Event] = []

    def tell(event: Event) -> None:
        told.append(event)
        sys.stdout.write(encode(event).decode())

    search = BatchSearch(experiment, run, tell)
    while not search.poll():
        tried = sum(isinstance(each, BatchTried) for each in told)
        enough = chosen.tries is not None and tried >= chosen.tries
        if enough and search.watch is not None and not search.stopping:
            search.stop()
        time.sleep(0.02)
    print(f"left {len(kin.descendants())}", file=sys.stderr)


if __name__ == "__main__":
    main()
