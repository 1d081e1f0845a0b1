"""Which checkpoint is meant, by what they say of themselves."""

from __future__ import annotations

import zipfile
from pathlib import Path

import msgspec
import pytest

from engine.errors import CheckpointError, WrongInput
from engine.experiment import Experiment
from engine.journal import layout
from engine.journal.checkpoints import MEMBER, Header
from engine.run.chosen_checkpoint import choose
from engine.run.exporting import format_of
from tests.run.making import make_experiment
from tests.tui.on_disk import write_experiment


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    """Of three runs, none of which has a checkpoint."""
    return make_experiment(tmp_path, tmp_path, "single", "amp", "ddp", nproc=2)


def save(experiment: Experiment, run: str, name: str, best: float | None) -> Path:
    """A checkpoint with a header and nothing else."""
    path = experiment.directory / run / layout.CHECKPOINTS / name
    path.parent.mkdir(parents=True, exist_ok=True)
    header = Header(
        saved=0.0, model="resnet18", classes=2, strategy="single", world_size=1, epoch=1, step=4,
        step_in_epoch=0, best_acc=best,
    )  # fmt: skip
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"archive/{MEMBER}", msgspec.json.encode(header))
    return path


def test_the_best_run_is_the_one_that_validated_best(experiment: Experiment) -> None:
    save(experiment, "01-single", "best.pt", 0.5)
    best = save(experiment, "02-amp", "best.pt", 0.75)
    last = save(experiment, "02-amp", "last.pt", 0.75)
    other = save(experiment, "03-ddp", "last.pt", None)
    assert choose(experiment).path == best
    assert choose(experiment).title == "best.pt of 02-amp"
    assert choose(experiment, kind="last").path == last
    assert choose(experiment, "03-ddp").path == other
    assert choose(experiment, "ddp").path == other
    for run, kind in (("ddp", "best"), ("single", "last")):
        with pytest.raises(CheckpointError, match=rf"the run {run} has no checkpoint {kind}\.pt"):
            choose(experiment, run, kind)  # type: ignore[arg-type]
    with pytest.raises(CheckpointError, match="--run can be 01-single, 02-amp, 03-ddp"):
        choose(experiment, "gpipe")


def test_without_a_header_the_summary_says_how_good_it_is(tmp_path: Path) -> None:
    made = write_experiment(tmp_path, tmp_path, "done", strategies=("single", "amp"), best=0.5)
    save(made, "02-amp", "best.pt", 0.25)
    older = save(made, "01-single", "best.pt", None)
    older.write_bytes(b"of an earlier version")
    assert choose(made).path == older


def test_where_the_best_is_damaged_the_last_is_meant(experiment: Experiment) -> None:
    best = save(experiment, "01-single", "best.pt", 0.5)
    last = save(experiment, "01-single", "last.pt", 0.5)
    assert choose(experiment).path == best
    best.write_bytes(best.read_bytes()[:-40])
    assert choose(experiment).title == "last.pt of 01-single"
    assert choose(experiment, kind="best").path == best, "it was named: its damage is told"
    last.unlink()
    assert choose(experiment).path == best


def test_before_the_first_epoch_is_over_there_is_none(experiment: Experiment) -> None:
    with pytest.raises(CheckpointError, match="none of its runs has a checkpoint yet"):
        choose(experiment)


def test_the_format_of_weights_is_the_ending() -> None:
    assert format_of(Path("x.PTH")) == "pt"
    assert format_of(Path("x.safetensors")) == "safetensors"
    with pytest.raises(WrongInput, match=r"call it \.pt"):
        format_of(Path("x.csv"))
