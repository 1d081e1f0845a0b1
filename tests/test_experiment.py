"""Experiments on disk: made, opened again, judged and deleted."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from engine import experiment, lookup
from engine.errors import ExperimentError, StrategyError
from engine.journal import layout
from engine.journal.files import boot_id
from engine.journal.lock import Lock
from engine.plan.config import Settings
from engine.plan.strategies import strategy
from tests.making import make, write_summary


def test_the_plan_survives_the_disk(tmp_path: Path) -> None:
    made = make(tmp_path)
    again = experiment.open_directory(made.directory)
    assert again.plan == made.plan
    assert [run.run for run in again.plan.runs] == ["01-single", "02-amp", "03-amp", "04-single"]
    assert [run.settings.seed for run in again.plan.runs] == [3, 3, 4, 4]


def test_two_in_one_second_have_directories_of_their_own(tmp_path: Path) -> None:
    assert make(tmp_path).directory != make(tmp_path).directory


@pytest.mark.parametrize("name", ["[red]x[/nope]", "\x1b]0;title\x07", "../../etc", "ü" * 300, "."])
def test_a_hostile_dataset_name_makes_a_plain_directory(tmp_path: Path, name: str) -> None:
    made = make(tmp_path, name)
    assert made.directory.parent == tmp_path.resolve()
    assert made.name.isascii()
    assert made.name.isprintable()
    assert len(made.name) < 80


def test_a_folder_that_cannot_be_written_is_told_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExperimentError, match="--experiments-dir"):
        make(tmp_path / "file")


def test_damaged_plans_are_left_out_and_told(tmp_path: Path) -> None:
    made = make(tmp_path)
    (made.directory / layout.PLAN).write_text('{"name": "x"')
    assert lookup.known(tmp_path) == []
    with pytest.raises(ExperimentError, match="damaged"):
        experiment.open_directory(made.directory)


def test_an_experiment_of_the_first_version_opens_and_says_what_was_trained(tmp_path: Path) -> None:
    made = make(tmp_path)
    plan = made.directory / layout.PLAN
    data = msgspec.json.decode(plan.read_bytes())
    data["schema"] = 1
    for run in data["runs"]:
        run["strategy"] = {
            "name": run["strategy"]["name"],
            "explanation": "",
            "parallelism": "none",
            "mixed_precision": run["strategy"]["name"] == "amp",
        }
        run["settings"] = {"model": "resnet18", "precision": "auto"}
    plan.write_bytes(msgspec.json.encode(data))
    opened = experiment.open_directory(made.directory).plan
    assert [run.settings.precision for run in opened.runs] == [
        *("fp32", "mixed"),
        *("mixed", "fp32"),
    ]
    del data["runs"][0]["strategy"]
    plan.write_bytes(msgspec.json.encode(data))
    with pytest.raises(ExperimentError, match="damaged or of another version"):
        experiment.open_directory(made.directory)


def test_what_cannot_run_leaves_no_directory(tmp_path: Path) -> None:
    with pytest.raises(StrategyError, match="dp cannot run here"):
        experiment.create(
            tmp_path, tmp_path / "d", Settings(), strategies=(strategy("dp"),), sources={}
        )
    assert list(tmp_path.iterdir()) == []


def test_what_can_be_said_of_its_state(tmp_path: Path) -> None:
    made = make(tmp_path)
    here = os.uname().nodename
    assert made.state() == "starting"
    lock = Lock(made.directory / layout.LOCK)
    write_summary(made, "running", host=here, boot=boot_id())
    assert made.state() == "running"
    lock.release()
    assert made.state() == "crashed"
    write_summary(made, "running", host="another-host", boot=boot_id())
    assert made.state() == "silent"
    write_summary(made, "running", host=here, boot="another-boot")
    assert made.state() == "silent"
    for state in ("done", "failed", "stopped"):
        write_summary(made, state, host=here, boot=boot_id())
        assert made.state() == state


def test_a_running_one_is_not_deleted(tmp_path: Path) -> None:
    made = make(tmp_path)
    write_summary(made, "done", host="", boot="")
    lock = Lock(made.directory / layout.LOCK)
    with pytest.raises(ExperimentError, match="stop it first"):
        experiment.delete(made)
    lock.release()
    experiment.delete(made)
    assert not made.directory.exists()
    assert lookup.known() == []


def test_an_atomic_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "file"
    with pytest.raises(ExperimentError, match="cannot write"):
        experiment.write_atomically(path, b"new")
    experiment.write_atomically(tmp_path / "file", b"old")
    experiment.write_atomically(tmp_path / "file", b"new")
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"new"


def test_a_path_that_is_no_text_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="symbolic link"):
        make(tmp_path, os.fsdecode(b"ants-\xff"))
    assert list(tmp_path.iterdir()) == []
