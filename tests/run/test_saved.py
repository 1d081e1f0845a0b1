"""From which checkpoint a run goes on, and from which it never does."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.experiment import Experiment
from engine.journal import layout
from engine.journal.events import Notice
from engine.plan import resuming
from engine.run import adding, past, saved, training
from engine.run.board import Board
from engine.run.docket import Docket
from engine.run.launch import rank_command
from engine.run.teller import Teller
from tests.journal.saving import damage, save
from tests.journal.writing import RankWriter
from tests.run.making import make_experiment

RUN = "01-single"


def begun(
    made: Experiment, monkeypatch: pytest.MonkeyPatch, *, goes_on: bool
) -> tuple[str, list[str]]:
    """What the next attempt would be told to go on from, and what is said of it."""
    told: list[str] = []

    def launch(_: Experiment, run: Any, number: int, resume: str = "") -> Any:
        told.append(resume)
        layout.attempt_directory(made.directory, run.run, number).mkdir(parents=True)
        raise OSError("nothing is trained here")

    monkeypatch.setattr(training, "launch", launch)
    journal = Teller(made.directory / layout.SUPERVISOR_JOURNAL)
    docket = Docket(made, journal)
    board = Board(made.directory, None)
    assert training.begin(made.plan.runs[0], docket, board, goes_on=goes_on) is None
    notices = [each for each in past.events(made.directory) if isinstance(each, Notice)]
    return told[0], [each.text for each in notices]


def test_a_run_goes_on_from_the_newest_whole_checkpoint(tmp_path: Path) -> None:
    run = tmp_path / RUN
    assert saved.to_go_on_from(run) is None
    save(run, 40, "epoch-010.pt")
    save(run, 70, layout.BEST)
    last = save(run, 90)
    found = saved.to_go_on_from(run)
    assert found is not None
    assert (found.path, found.step, found.damaged) == ("checkpoints/last.pt", 90, "")
    damage(last)
    found = saved.to_go_on_from(run)
    assert found is not None
    assert (found.path, found.step, found.damaged) == ("checkpoints/best.pt", 70, "last.pt")
    save(run, 50)  # It went on from epoch-010.pt: steps of best.pt are undone.
    found = saved.to_go_on_from(run)
    assert found is not None
    assert (found.path, found.step, found.damaged) == ("checkpoints/last.pt", 50, "")
    damage(last)
    (run / layout.CHECKPOINTS / layout.BEST).write_bytes(b"PK")
    found = saved.to_go_on_from(run)
    assert found is not None
    assert (found.path, found.damaged) == ("checkpoints/epoch-010.pt", "last.pt")


def test_what_was_saved_before_a_new_beginning_is_never_gone_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_experiment(tmp_path, tmp_path / "no data")
    run = made.directory / RUN
    layout.attempt_directory(made.directory, RUN, 1).mkdir(parents=True)
    save(run, 500)
    assert begun(made, monkeypatch, goes_on=True) == ("checkpoints/last.pt", [])

    # A retry begins anew, and crashes before it has saved anything.
    assert begun(made, monkeypatch, goes_on=False) == ("", [])
    assert (run / "attempt-2" / layout.CHECKPOINTS / layout.LAST).is_file()
    resume, said = begun(made, monkeypatch, goes_on=True)
    assert resume == ""
    assert said == ["01-single has no whole checkpoint to go on from and begins anew"]
    assert (run / "attempt-2" / layout.CHECKPOINTS / layout.LAST).is_file(), "it is kept until then"

    # One that has saved something: what was before it goes.
    save(run, 10)
    saved.drop_aside(run)
    assert begun(made, monkeypatch, goes_on=True)[0] == "checkpoints/last.pt"
    assert list(run.rglob("*.pt")) == [run / layout.CHECKPOINTS / layout.LAST]


def test_the_first_attempt_begins_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_experiment(tmp_path, tmp_path / "no data")
    assert begun(made, monkeypatch, goes_on=True) == ("", [])


def test_a_damaged_checkpoint_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_experiment(tmp_path, tmp_path / "no data")
    run = made.directory / RUN
    save(run, 70, layout.BEST)
    damage(save(run, 90))
    assert begun(made, monkeypatch, goes_on=True) == (
        "checkpoints/best.pt",
        ["last.pt of 01-single is damaged: it goes on from checkpoints/best.pt"],
    )


def test_a_rank_is_told_where_it_goes_on(tmp_path: Path) -> None:
    made = make_experiment(tmp_path, tmp_path / "no data", "single", "ddp", nproc=2)
    for run in made.plan.runs:
        launch = rank_command(made, run, 2, inherited={}, resume="checkpoints/last.pt")
        assert launch.argv[-4:] == ("--attempt", "2", "--resume", "checkpoints/last.pt")


def test_runs_that_are_retried_begin_anew_and_others_go_on(tmp_path: Path) -> None:
    names = ("single", "amp", "gradient-checkpointing")
    made = make_experiment(tmp_path, tmp_path / "no data", *names)
    journal = Teller(made.directory / layout.SUPERVISOR_JOURNAL)

    def going_on(docket: Docket) -> list[str]:
        return [name for name, place in docket.queue.places.items() if place.goes_on]

    every = [run.run for run in made.plan.runs]
    assert going_on(Docket(made, journal)) == every
    assert going_on(Docket(made, journal, ["02-amp"])) == [every[0], every[2]]
    assert going_on(Docket(made, journal, ["02-amp"], resume=True)) == every

    # While a supervisor lives it is asked for each.
    docket = Docket(made, journal)
    for name in every:
        docket.queue.end(name, "failed")
    assert (docket.retry(every[0]), docket.resume(every[1])) == ("", "")
    assert docket.resume(every[1]) == "02-amp is queued"
    assert going_on(docket) == every[1:]
    ddp = replace(made.plan.runs[2], strategy=replace(made.plan.runs[2].strategy, name="other"))
    assert docket.resume(every[2], b"nonsense").startswith("the plans of the runs cannot be read")
    assert docket.resume(every[2], adding.encoded([ddp])) == ""
    assert docket.experiment.plan.runs[2].strategy.name == "other"
    assert docket.queue.places[every[2]].plan == ddp
    assert resuming.way(ddp) == resuming.way(made.plan.runs[2]), "a name computes nothing"


def attempt(run: Path, number: int, from_step: int, until: int) -> None:
    """The journal of an attempt that trained the steps from one to before the other."""
    writer = RankWriter(run.parent, run.name, 0.0, attempt=number)
    writer.begin(from_step=from_step)
    writer.steps(until - from_step)


def test_what_a_later_attempt_undid_is_gone_on_from_only_where_nothing_else_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_experiment(tmp_path, tmp_path / "no data")
    run = made.directory / RUN
    attempt(run, 1, 0, 48)
    save(run, 30, layout.BEST, attempt=1)
    save(run, 40, attempt=1)
    assert begun(made, monkeypatch, goes_on=True)[0] == "checkpoints/last.pt"
    shutil.rmtree(run / "attempt-2")
    attempt(run, 2, 30, 33)
    assert begun(made, monkeypatch, goes_on=True) == (
        "checkpoints/best.pt",
        [
            "01-single goes on from checkpoints/best.pt, for the steps of its last.pt were undone "
            "by a later attempt"
        ],
    )
    # A third one began where the second did, and told nothing. Now best.pt is gone too.
    (run / layout.CHECKPOINTS / layout.BEST).unlink()
    found = saved.to_go_on_from(run)
    assert found is not None
    assert (found.path, found.step, found.missing) == ("checkpoints/last.pt", 40, (33, 39))
    _, said = begun(made, monkeypatch, goes_on=True)
    assert said[-1].endswith(
        "for no other checkpoint is whole; steps 33 to 39 are missing in its curves: they were "
        "undone"
    )
    # What the second saved itself counts.
    save(run, 33, attempt=2)
    found = saved.to_go_on_from(run)
    assert found is not None
    assert (found.step, found.undone, found.missing) == (33, "", None)
