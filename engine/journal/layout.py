"""Where everything lies inside an experiment directory: the file half of the journal's contract.

::

    experiments/2026-11-20_153211_hymenoptera/
        experiment.json          the plan
        supervisor.jsonl         life cycle of the queue, acknowledgements
        supervisor.log           what the supervisor itself printed, for the day it breaks
        node-0.jsonl             host and device samples of one node
        commands/<id>.json       requests to the supervisor
        lock                     held for as long as a supervisor lives
        summary.json             a few lines for lists, written by the supervisor
        01-single/
            config.json          everything one run needs to know
            checkpoints/         last.pt, best.pt, epoch-010.pt ...
            metrics.npz          what it measured, as plain arrays, written when it ended
            attempt-1/           rank0.jsonl (journal), rank0.log (stdout and stderr); of several
                                 ranks also torchrun.log, error.json and torchrun/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PLAN = "experiment.json"
SUPERVISOR_JOURNAL = "supervisor.jsonl"
SUPERVISOR_LOG = "supervisor.log"
COMMANDS = "commands"
LOCK = "lock"
SUMMARY = "summary.json"
RUN_CONFIG = "config.json"
CHECKPOINTS = "checkpoints"
LAST = "last.pt"
BEST = "best.pt"
METRICS = "metrics.npz"

_RUN = re.compile(r"\d{2,}-.+")
_ATTEMPT = re.compile(r"attempt-(\d+)")
_RANK = re.compile(r"rank(\d+)\.jsonl")
_NODE = re.compile(r"node-(\d+)\.jsonl")


class RankJournal(NamedTuple):
    """One rank's journal file and what its place says about it."""

    path: Path
    run: str
    attempt: int
    rank: int


def attempt_directory(experiment: Path, run: str, attempt: int) -> Path:
    return experiment / run / f"attempt-{attempt}"


def rank_journal(experiment: Path, run: str, attempt: int, rank: int) -> Path:
    return attempt_directory(experiment, run, attempt) / f"rank{rank}.jsonl"


def rank_log(experiment: Path, run: str, attempt: int, rank: int) -> Path:
    return attempt_directory(experiment, run, attempt) / f"rank{rank}.log"


def node_journal(experiment: Path, node: int) -> Path:
    return experiment / f"node-{node}.jsonl"


def node_journals(experiment: Path) -> list[tuple[int, Path]]:
    """The node journals that exist, as (node, path), by node."""
    found = ((_NODE.fullmatch(path.name), path) for path in _entries(experiment))
    return sorted((int(match[1]), path) for match, path in found if match)


def rank_journals(experiment: Path) -> list[RankJournal]:
    """The rank journals that exist, by run, attempt and rank."""
    journals = [
        RankJournal(path, run.name, attempt, int(match[1]))
        for run in _entries(experiment)
        if _RUN.fullmatch(run.name)
        for attempt, directory in attempts(run)
        for path in _entries(directory)
        if (match := _RANK.fullmatch(path.name))
    ]
    return sorted(journals, key=lambda journal: (journal.run, journal.attempt, journal.rank))


def attempts(run_directory: Path) -> list[tuple[int, Path]]:
    """The attempts of a run that exist, as (number, directory), oldest first."""
    found = ((_ATTEMPT.fullmatch(path.name), path) for path in _entries(run_directory))
    return sorted((int(match[1]), path) for match, path in found if match)


def _entries(directory: Path) -> Iterator[Path]:
    try:
        yield from directory.iterdir()
    except (FileNotFoundError, NotADirectoryError):
        return
