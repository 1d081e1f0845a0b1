"""One rank from start to end: its journal, and its phases."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from engine.errors import (
    EXIT_WRONG_INPUT,
    CheckpointError,
    ExperimentError,
    JournalError,
    ResnetTuiError,
)
from engine.journal import layout
from engine.journal.checkpoints import read_header
from engine.journal.events import AttemptStarted, Phase
from engine.journal.files import writer_fields
from engine.plan.runs import RunPlan
from engine.train.ending import Attempt
from engine.train.recorder import Recorder
from engine.train.stop import StopRequest

STOP_FILE = "stop"
SAVE_FILE = "save"


def main(argv: Sequence[str]) -> int:
    """``fit --experiment DIR --run-name NAME --attempt N [--resume FILE]``; the exit code."""
    _sleep_at_barriers()
    parser = argparse.ArgumentParser(prog="python -m engine.train fit")
    parser.add_argument("--experiment", type=Path, required=True)
    # Not "--run": torchrun, which reads the words meant for us as well, would take it for its own.
    parser.add_argument("--run-name", dest="run", required=True)
    parser.add_argument("--attempt", type=int, required=True)
    parser.add_argument("--resume", default="", help="a checkpoint, relative to the run")
    chosen = parser.parse_args(argv)
    rank = int(os.environ.get("RANK", "0"))
    journal = layout.rank_journal(chosen.experiment, chosen.run, chosen.attempt, rank)
    if journal.exists():
        # Whichever rank it is: torchrun ends the others as soon as one has ended.
        print(_made_already(chosen), file=sys.stderr)
        return EXIT_WRONG_INPUT
    if "TORCHELASTIC_RUN_ID" in os.environ:
        print_to(layout.rank_log(chosen.experiment, chosen.run, chosen.attempt, rank))
    run_directory: Path = chosen.experiment / chosen.run
    attempt = layout.attempt_directory(chosen.experiment, chosen.run, chosen.attempt)
    checkpoint = run_directory / chosen.resume if chosen.resume else None
    try:
        # Before anything is told: of which steps do earlier attempts still count?
        from_step = read_header(checkpoint).step if checkpoint else 0
        recorder = Recorder(
            journal,
            AttemptStarted(
                **writer_fields(),
                from_step=from_step,
                rank=rank,
                world_size=int(os.environ.get("WORLD_SIZE", "1")),
                versions=_versions(),
            ),
        )
    except (JournalError, CheckpointError) as error:
        print(error, file=sys.stderr)
        return error.exit_code
    with Attempt(recorder, StopRequest(attempt / STOP_FILE, attempt / SAVE_FILE)) as running:
        running.stop.interrupt_startup()
        running.plan = _read_plan(run_directory / layout.RUN_CONFIG)
        recorder.post(Phase(name="importing torch"))
        from engine.train.loop import fit
        from engine.train.out_of_memory import Start, free_memory
        from engine.train.preparing import prepare, warm_up

        with prepare(
            running.plan,
            run_directory,
            recorder,
            running.stop,
            checkpoint,
            attempt=chosen.attempt,
        ) as job:
            if job.world.size == 1:
                # Once more: what is raised in the midst of an import may be swallowed by a library.
                running.stop.interrupt_startup()
            running.start = Start(len(job.classes), free_memory())
            try:
                warm_up(job)
                running.end(fit(job))
            except Exception as error:
                # At once: to clean up may take long, and other ranks fail meanwhile.
                running.record(error)
                raise
            finally:
                running.step = job.step
    return running.exit_code


def _made_already(chosen: argparse.Namespace) -> str:
    """For who runs a copied command: what it was told, and its checkpoints, stay as they are."""
    return (
        f"attempt {chosen.attempt} of {chosen.run} has its journal already, and is not trained "
        f"into it again; 'resnet-tui retry' makes another, or give a copy of {chosen.experiment} "
        f"as --experiment with --attempt {chosen.attempt + 1}"
    )


def print_to(log: Path) -> None:
    """What torchrun would mix with the words of other ranks and its own goes into a file."""
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as file:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
                os.dup2(file.fileno(), stream.fileno())
    except OSError as error:
        print(f"cannot write {log}: {error.strerror}", file=sys.stderr)


def _sleep_at_barriers() -> None:
    """Lets torch's threads sleep while they wait for each other; to be set before its import.

    By default they spin, and take the cores from the processes that decode images. Measured on
    two cores with one such process, ResNet-18 at 64 px, five pairs in turn: a step took 0.18 s
    instead of 0.17 where nothing else ran (6 % more), but throughput was 164 to 187 images/s
    instead of 29 to 214, in the median 173 instead of 119. The user's own value is left as it is.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def _read_plan(path: Path) -> RunPlan:
    try:
        return msgspec.json.decode(path.read_bytes(), type=RunPlan)
    except OSError as error:
        raise ExperimentError(f"{path} cannot be read: {error.strerror}") from error
    except (msgspec.MsgspecError, ResnetTuiError) as error:
        raise ExperimentError(f"{path} is damaged or of another version ({error})") from error


def _versions() -> dict[str, str]:
    """Of what computes, read without importing it."""
    versions = {"python": platform.python_version()}
    for name in ("torch", "torchvision"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions
