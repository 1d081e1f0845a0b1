"""What is saved of a training, when, and going on in another way than it began."""

from __future__ import annotations

import time
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.journal.checkpoints import newest, read_header
from engine.journal.events import AnyEvent, AttemptEnded, CheckpointSaved, Notice
from engine.plan.runs import RunPlan
from engine.train import fit, loop, restoring
from engine.train.job import Job
from engine.train.strategies.none import NoParallelism
from tests.train.interrupting import Interrupted
from tests.train.making import arguments, images, journal, lay_out, plan
from tests.train.nursery import Nursery

pytestmark = pytest.mark.usefixtures("signals")


def _fit(directory: Path, made: RunPlan, *more: str) -> list[AnyEvent]:
    lay_out(directory, made)
    fit.main([*arguments(directory, made), *more])
    return journal(directory, made)


def test_a_checkpoint_says_of_itself_what_it_holds(tmp_path: Path, pictures: Path) -> None:
    made = plan(pictures, epochs=2, backup_epochs=2, ema=0.9)
    events = _fit(tmp_path, made)
    folder = tmp_path / made.run / "checkpoints"
    state = torch.load(folder / "last.pt", weights_only=True)
    header = read_header(folder / "last.pt")
    assert {"epoch", "state_dict", "best_acc", "optimizer", "scheduler", "scaler"} <= state.keys()
    assert {"ema", "classes", "config", "ranks", "step", "step_in_epoch"} <= state.keys()
    assert (header.epoch, header.step, header.step_in_epoch) == (2, 4, 0)
    assert (state["epoch"], state["step"], state["step_in_epoch"]) == (2, 4, 0)
    assert state["classes"] == ["class0", "class1", "class2"]
    assert header.best_acc == state["best_acc"]
    assert len(state["ranks"]) == 1
    assert state["ranks"][0]["rng"].dtype == torch.uint8
    kinds = [each.kind for each in events if isinstance(each, CheckpointSaved)]
    assert kinds.count("last") == 2
    assert kinds.count("backup") == 1
    assert read_header(folder / "epoch-002.pt").step == 4
    assert not (folder / "epoch-001.pt").exists()


def test_weights_that_are_no_numbers_are_not_saved(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = plan(pictures, epochs=3)
    validate = NoParallelism.begin_validation
    validations = 0

    def ruin(self: NoParallelism) -> None:
        nonlocal validations
        validations += 1
        if validations == 2:  # As an update does whose loss was still a number.
            with torch.no_grad():
                next(self._model.parameters()).fill_(torch.inf)
        validate(self)

    monkeypatch.setattr(NoParallelism, "begin_validation", ruin)
    end = _fit(tmp_path, made)[-1]
    assert isinstance(end, AttemptEnded)
    assert end.state == "failed"
    assert "conv1.weight is not finite after step 3" in end.reason
    assert "the last good checkpoint is kept" in end.reason
    found = newest(tmp_path / made.run)
    assert found is not None
    assert found[1].epoch == 1
    assert torch.load(found[0], weights_only=True)["state_dict"]["conv1.weight"].isfinite().all()


def test_what_was_read_is_let_go_of(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = plan(pictures, epochs=2, ema=0.9)
    _fit(tmp_path / "one", replace(made, settings=replace(made.settings, max_steps=1)))
    saved = tmp_path / "one" / made.run / "checkpoints" / "last.pt"
    read, train = restoring.read, loop.fit
    tensors: list[weakref.ref[torch.Tensor]] = []
    left: list[int] = []

    def watched(*given: Any) -> restoring.Resumed:
        resumed = read(*given)
        for part in (resumed.state["state_dict"], resumed.state["ema"]):
            tensors.extend(weakref.ref(each) for each in part.values())
        return resumed

    def counted(job: Job) -> loop.Ending:
        left.append(sum(each() is not None for each in tensors))
        return train(job)

    monkeypatch.setattr(restoring, "read", watched)
    monkeypatch.setattr(loop, "fit", counted)
    _fit(tmp_path / "two", made, "--resume", str(saved))
    assert len(tensors) > 100
    assert left == [0]


def test_a_checkpoint_of_other_classes_is_refused(tmp_path: Path, pictures: Path) -> None:
    made = plan(pictures, epochs=1)
    _fit(tmp_path / "one", made)
    other = images(tmp_path / "other", classes=2)
    elsewhere = replace(made, dataset=str(other))
    lay_out(tmp_path / "two", elsewhere)
    saved = tmp_path / "one" / made.run / "checkpoints" / "last.pt"
    end = _fit(tmp_path / "two", elsewhere, "--resume", str(saved))[-1]
    assert isinstance(end, AttemptEnded)
    assert "knows 3 classes (class0, class1, class2), and the dataset has 2" in end.reason


def test_images_that_changed_are_not_gone_on_with(tmp_path: Path) -> None:
    dataset = images(tmp_path / "pictures")
    made = plan(dataset, epochs=1)
    _fit(tmp_path / "one", made)
    (dataset / "train" / "class0" / "000.png").unlink()
    saved = tmp_path / "one" / made.run / "checkpoints" / "last.pt"
    end = _fit(tmp_path / "two", replace(made), "--resume", str(saved))[-1]
    assert isinstance(end, AttemptEnded)
    assert "the images of the dataset changed since" in end.reason


def test_one_that_cannot_be_read_leaves_what_is_told_as_it_is(
    tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = lay_out(tmp_path, plan(pictures))
    cut = tmp_path / made.run / "cut.pt"
    cut.write_bytes(b"PK\x03\x04 and no more")
    assert fit.main([*arguments(tmp_path, made), "--resume", "cut.pt"]) == 2
    assert "is damaged" in capsys.readouterr().err
    assert journal(tmp_path, made) == []  # Else the steps before would not count any more.


def test_it_saves_when_it_is_asked_to(tmp_path: Path, nursery: Nursery) -> None:
    many = images(tmp_path / "many", train=200, val=1)
    run = Interrupted(nursery, tmp_path / "run", plan(many, batch_size=4, epochs=9))
    attempt = run.run / "attempt-1"

    def ask() -> None:
        (attempt / fit.SAVE_FILE).touch()
        deadline = time.monotonic() + 60.0
        while (attempt / fit.SAVE_FILE).exists() or newest(run.run) is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        (attempt / fit.STOP_FILE).touch()

    assert run.train(then=(2, ask)) == 0
    asked, stopped = [each for each in run.events() if isinstance(each, CheckpointSaved)]
    assert 2 < asked.step <= stopped.step < 150  # Both within the first epoch.


def test_another_way_goes_on_and_says_what_it_cannot_keep(tmp_path: Path, nursery: Nursery) -> None:
    noise = images(tmp_path / "noise", classes=5, train=5, val=2, side=40)
    small: dict[str, Any] = {"batch_size": 7, "epochs": 3, "lr": 0.001, "save_steps": 1}
    single = plan(noise, **small)
    ddp = replace(plan(noise, "ddp", nproc=2, **small), run=single.run)
    gpipe = replace(plan(noise, "gpipe", stages=2, micro_batches=2, **small), run=single.run)
    run = Interrupted(nursery, tmp_path / "run", single)
    run.train(kill_after=1)
    run.change(ddp, world=2)
    run.train(kill_after=6)
    told = [each.text for each in run.events() if isinstance(each, Notice)]
    assert any("as ddp on 2 ranks, and was trained as single on 1 rank" in each for each in told)
    run.change(gpipe, world=1)
    assert run.train() == 0, run.log()
    told = [each.text for each in run.events() if isinstance(each, Notice)]
    assert any("as gpipe on 1 rank" in each and "running statistics" in each for each in told)
    outcome = run.outcome()
    assert sorted(outcome.steps["0 loss"]) == list(range(12))
    assert [sum(rank[1] for rank in told) for told in outcome.epochs.values()] == [25, 25, 25]
    assert [told[1] for told in outcome.validations.values()] == [10, 10, 10]


def test_a_rank_knows_what_mixed_precision_is_on_its_device(tmp_path: Path, pictures: Path) -> None:
    made = plan(pictures, epochs=1)
    _fit(tmp_path, made)
    saved = tmp_path / made.run / "checkpoints" / "last.pt"
    resumed = restoring.read(saved, made, ("class0", "class1", "class2"))
    mixed = plan(pictures, "amp", epochs=1)
    begins_anew = "the scale of fp16 gradients begins anew"
    assert begins_anew in restoring.lost(resumed, mixed, "fp16")
    assert begins_anew not in restoring.lost(resumed, mixed, "bf16")
