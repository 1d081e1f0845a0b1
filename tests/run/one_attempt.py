"""Makes one attempt whose only rank is a given piece of Python, and prints the verdict as JSON.

A process of its own, as the supervisor is one: at the end of an attempt everything that descends
from this process is killed. ``python -m tests.run.one_attempt DIRECTORY CODE [stop]``
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from engine.run import kin
from engine.run.attempt import Attempt
from engine.run.launch import Launch


def main(directory: str, code: str, *wishes: str) -> None:
    kin.adopt_orphans()
    launch = Launch((sys.executable, "-c", code, directory), {})
    attempt = Attempt(Path(directory), "01-single", 1, launch, patience=0.5, linger=0.5)
    if "stop" in wishes:
        while not (Path(directory) / "ready").exists():
            time.sleep(0.02)
        attempt.stop()
    while (verdict := attempt.poll()) is None:
        time.sleep(0.02)
    print(json.dumps(asdict(verdict) | {"left": len(kin.descendants())}))


if __name__ == "__main__":
    main(*sys.argv[1:])
