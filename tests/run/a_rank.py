"""What a rank may do to its run, without torch: ``python -m tests.run.a_rank --at DIR NAME``.

Around it is what is around a training: its tie to torchrun, its log, journal and closing event.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from engine.errors import WrongInput
from engine.journal import layout
from engine.journal.events import AttemptStarted, EpochStarted, Heartbeat
from engine.journal.files import writer_fields
from engine.train.ending import Attempt
from engine.train.fit import STOP_FILE, print_to
from engine.train.kinship import bind_to_supervisor
from engine.train.recorder import Recorder
from engine.train.stop import Stopped, StopRequest
from tests.run.one_attempt import RUN

LONG = 300.0

_WORKER = """
import os, pathlib, sys, time
from engine.train.kinship import die_with
die_with(os.getppid())
pathlib.Path(sys.argv[1]).touch()
time.sleep(300)
"""


class Rank:
    """This process, with the others in sight."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.number = int(os.environ["RANK"])
        self.size = int(os.environ["WORLD_SIZE"])
        self.second = self.number == 1
        print_to(layout.rank_log(directory, RUN, 1, self.number))
        first = AttemptStarted(**writer_fields(), rank=self.number, world_size=self.size)
        self.recorder = Recorder(layout.rank_journal(directory, RUN, 1, self.number), first)
        stop = StopRequest(layout.attempt_directory(directory, RUN, 1) / STOP_FILE)
        self.running = Attempt(self.recorder, stop)

    def meet(self) -> None:
        """Returns when every rank is here, and can be told to stop."""
        (self.directory / f"here-{self.number}").touch()
        for other in range(self.size):
            while not (self.directory / f"here-{other}").exists():
                time.sleep(0.02)
        if self.number == 0:
            (self.directory / "ready").touch()

    def beat(self, place: int, doing: str) -> None:
        """Stays where it is."""
        self.recorder.post(EpochStarted(epoch=0, step=0))
        while True:
            self.recorder.post(Heartbeat(step=17, place=place, doing=doing))
            time.sleep(0.2)


def fails(me: Rank) -> None:
    """The second rank fails and then cannot clean up; the first loses it."""
    if not me.second:
        errors = layout.attempt_directory(me.directory, RUN, 1) / "torchrun"
        while not list(errors.rglob("error.json")):
            time.sleep(0.02)
        raise RuntimeError("[pair.cc:561] Connection closed by peer [127.0.0.1]:5523.")
    try:
        raise ValueError("the cause")
    except ValueError as error:
        me.running.record(error)
    time.sleep(LONG)


def is_killed(me: Rank) -> None:
    """The second rank is killed; the first waits for it and cannot be interrupted."""
    print("last words", flush=True)
    if me.second:
        os.kill(os.getpid(), signal.SIGKILL)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    time.sleep(LONG)


def exits(me: Rank) -> None:
    if me.second:
        print("last words", flush=True)
        os._exit(3)
    time.sleep(LONG)


def kills_torchrun(me: Rank) -> None:
    subprocess.Popen(["sleep", str(LONG)], start_new_session=True)
    if me.second:
        os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(LONG)


def hangs(me: Rank) -> None:
    """The second rank stays in an earlier place than the first."""
    me.beat(0 if me.second else 4, "waiting for data" if me.second else "exchanging gradients")


def freezes(me: Rank) -> None:
    if me.second:
        me.recorder.post(EpochStarted(epoch=0, step=0))
        me.recorder.sync(10)
        os.kill(os.getpid(), signal.SIGSTOP)
    me.beat(4, "exchanging gradients")


def leaves_early(me: Rank) -> None:
    """The first rank can be stopped in its start-up; the second waits for it already."""
    if me.second:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    me.running.stop.interrupt_startup()
    time.sleep(LONG)


def stops(me: Rank) -> None:
    """As a training does it: at the end of a step."""
    while not me.running.stop.requested:
        time.sleep(0.02)
    me.running.step = 3
    raise Stopped("stopped after 3 steps, as asked")


def is_told_to_end(me: Rank) -> None:
    if me.second:
        os.kill(os.getppid(), signal.SIGTERM)
    stops(me)


def is_given_nonsense(me: Rank) -> None:
    raise WrongInput("there are no images in /nowhere")


def waits(me: Rank) -> None:
    """With a process of its own, tied as those of the loader are."""
    subprocess.Popen([sys.executable, "-c", _WORKER, str(me.directory / f"worker-{me.number}")])
    time.sleep(LONG)


DEEDS: tuple[Callable[[Rank], None], ...] = (
    fails,
    is_killed,
    exits,
    kills_torchrun,
    hangs,
    freezes,
    leaves_early,
    stops,
    is_told_to_end,
    is_given_nonsense,
    waits,
)


def main() -> int:
    bind_to_supervisor()
    parser = argparse.ArgumentParser()
    parser.add_argument("--at", type=Path, required=True)
    parser.add_argument("name")
    chosen = parser.parse_args()
    me = Rank(chosen.at)
    (deed,) = (each for each in DEEDS if each.__name__ == chosen.name)
    with me.running:
        me.meet()
        deed(me)
    return me.running.exit_code


if __name__ == "__main__":
    sys.exit(main())
