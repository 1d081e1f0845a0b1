"""The entry of every process that uses torch: ``python -m engine.train fit|probe|predict|export``.

Nothing here imports torch: a rank says that it has begun before it spends seconds on that.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from engine.train.kinship import bind_to_supervisor


def main(argv: list[str]) -> int:
    """Runs one word and returns the exit code of the process."""
    bind_to_supervisor()
    match argv:
        case ["fit", *rest]:
            from engine.train import fit

            return fit.main(rest)
        case ["probe"]:
            from engine.train import probe

            return probe.main()
        case ["predict", *rest]:
            from engine.train import predict

            return predict.main(rest)
        case ["export", *rest]:
            from engine.train import weights_out

            return weights_out.main(rest)
    print("usage: python -m engine.train fit|probe|predict|export ...", file=sys.stderr)
    return 2


def leave(code: int) -> NoReturn:
    """Ends the process at once: everything that matters is written.

    Taking torch apart takes seconds, which every run would pay for, and its threads have been
    seen to abort a process that had done its work.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
