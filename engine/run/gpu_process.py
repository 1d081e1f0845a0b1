"""How the process begins that reads GPUs: ``python -m engine.run.gpu_process SECONDS DIRECTORY``.

Without NVIDIA's binding (nvidia-ml-py), or with one that does not know the questions, there is
nothing to try again: it says so and ends. The directory is that of the experiment, for those who
look at a list of processes.
"""

from __future__ import annotations

import sys

from engine.journal.events import GpusFound, encode
from engine.plan.text import clean


def main(arguments: list[str]) -> int:
    try:
        from engine.run import gpu_reader
    except (ImportError, AttributeError) as error:
        problem = (
            "no readings of GPUs: the Python package nvidia-ml-py cannot be used "
            f"({clean(str(error))}); install it again"
        )
        sys.stdout.buffer.write(encode(GpusFound(problem=problem)))
        return 0
    return gpu_reader.main(float(arguments[0]))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except BrokenPipeError:
        sys.exit(0)  # The supervisor is gone.
