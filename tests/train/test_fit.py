"""A rank from start to end, inside the process of the tests."""

from __future__ import annotations

import math
import resource
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
import torch
import torchvision

from engine.journal.events import (
    AnyEvent,
    AttemptEnded,
    AttemptStarted,
    CheckpointSaved,
    EpochEnded,
    EpochEstimated,
    EpochStarted,
    Event,
    Notice,
    Phase,
    Ready,
    Validated,
)
from engine.train import ending, fit
from engine.train.strategies.none import NoParallelism
from tests.train.making import arguments, column, images, journal, lay_out, plan

pytestmark = pytest.mark.usefixtures("signals")
E = TypeVar("E", bound=Event)


def _train(
    experiment: Path, dataset: Path, name: str = "single", **settings: Any
) -> tuple[int, list[AnyEvent]]:
    made = lay_out(experiment, plan(dataset, name, **settings))
    code = fit.main(arguments(experiment, made))
    return code, journal(experiment, made)


def _of(events: Sequence[AnyEvent], kind: type[E]) -> list[E]:
    return [each for each in events if isinstance(each, kind)]


def _end(events: Sequence[AnyEvent]) -> AttemptEnded:
    last = events[-1]
    assert isinstance(last, AttemptEnded)
    return last


def test_its_journal_tells_everything(tmp_path: Path, pictures: Path) -> None:
    code, events = _train(tmp_path, pictures, epochs=3, workers=1)
    assert code == 0
    assert isinstance(events[0], AttemptStarted)
    assert _end(events).state == "done"
    phases = [each.name for each in _of(events, Phase)]
    assert phases[:4] == ["importing torch", "reading images", "building model", "warming up"]

    (ready,) = _of(events, Ready)
    assert (ready.train_images, ready.val_images) == (24, 12)
    assert (ready.steps_per_epoch, ready.total_steps) == (2, 6)
    assert set(ready.hashes) == {"weights", "split", "order", "augmentation", "batches"}
    assert sorted(column(events, "images").items()) == [(k, [16, 8][k % 2]) for k in range(6)]
    assert [each.step for each in _of(events, EpochStarted)] == [0, 2, 4]

    losses, sizes = column(events, "loss"), column(events, "images")
    for epoch, ended in enumerate(_of(events, EpochEnded)):
        assert (ended.epoch, ended.step, ended.images) == (epoch, 2 * epoch + 2, 24)
        by_hand = sum(losses[k] * sizes[k] for k in (2 * epoch, 2 * epoch + 1))
        assert ended.loss_sum == pytest.approx(by_hand, rel=1e-5)
    validations = _of(events, Validated)
    assert [each.images for each in validations] == [12, 12, 12]


def test_what_it_spent_adds_up_to_the_time_that_passed(tmp_path: Path, pictures: Path) -> None:
    _, events = _train(tmp_path, pictures, epochs=2, batch_size=4, workers=1)
    (ready,) = _of(events, Ready)
    assert ready.queue == 2
    assert ready.uuids == ()
    assert ready.held["weights"] > ready.held["gradients"] == 4 * ready.parameters
    assert ready.held["optimizer"] == ready.held["gradients"]
    estimates = {each.epoch: each for each in _of(events, EpochEstimated)}
    for number, ended in enumerate(_of(events, EpochEnded)):
        steps = range(6 * number, 6 * number + 6)
        for name, total in ended.sums.items():
            rows = column(events, name)
            assert total == pytest.approx(sum(rows[step] for step in steps), rel=1e-5), name
        assert set(ended.sums) == {
            f"{part}_seconds"
            for part in ("step", "wait", "other", "copy", "forward", "backward", "update")
        }
        whole = ended.sums.pop("step_seconds")
        assert whole == pytest.approx(ended.seconds, rel=0.02, abs=0.1)
        # On a CPU the host's parts and the device's are one ledger.
        assert sum(ended.sums.values()) == pytest.approx(whole, rel=1e-6)
        assert ended.sums["wait_seconds"] == pytest.approx(ended.wait_seconds)
        assert ended.read == 24
        assert ended.read_seconds is not None
        seconds = column(events, "step_seconds")
        estimate = estimates[number]
        assert estimate.steps == 2
        assert estimate.seconds == pytest.approx(3 * (seconds[steps[1]] + seconds[steps[2]]))
        assert ended.estimated_seconds == estimate.seconds


def test_it_learns_real_digits(tmp_path: Path, sample_data: Path) -> None:
    few = tmp_path / "digits"
    for part, count in (("train", 60), ("val", 25)):
        for digit in "014":
            (few / part / digit).mkdir(parents=True)
            for image in sorted((sample_data / part / digit).iterdir())[:count]:
                shutil.copy(image, few / part / digit)
    code, events = _train(
        tmp_path / "experiment", few, epochs=4, batch_size=20, crop_min=0.7, flip=False
    )
    assert code == 0
    validations = _of(events, Validated)
    assert validations[-1].images == 75
    assert validations[-1].top1 > 0.9 * 75  # chance is a third
    losses = list(column(events, "loss").values())
    assert sum(losses[-5:]) < 0.5 * sum(losses[:5])


def test_a_checkpoint_is_readable_by_torchvision(tmp_path: Path, pictures: Path) -> None:
    _, events = _train(tmp_path, pictures)
    folder = tmp_path / "01-single" / "checkpoints"
    state = torch.load(folder / "last.pt", weights_only=True)
    torchvision.models.resnet18(num_classes=3).load_state_dict(state["state_dict"])
    assert (state["epoch"], state["step"]) == (2, 4)
    assert state["classes"] == ["class0", "class1", "class2"]
    assert state["config"]["settings"]["batch_size"] == 16
    assert state["scheduler"]["total_steps"] == 4
    assert "layer1.0.conv1.weight" in state["optimizer"]["state"]

    validated = _of(events, Validated)
    assert state["best_acc"] == max(each.top1 / each.images for each in validated)
    saved = _of(events, CheckpointSaved)
    assert [each.step for each in saved if each.kind == "last"] == [2, 4]
    best = torch.load(folder / "best.pt", weights_only=True)
    assert best["step"] == max(each.step for each in saved if each.kind == "best")
    assert all((tmp_path / "01-single" / each.path).is_file() for each in saved)
    assert sorted(each.name for each in folder.iterdir()) == ["best.pt", "last.pt"]


def test_the_same_seed_gives_the_same_training(tmp_path: Path, pictures: Path) -> None:
    runs = [
        _train(tmp_path / str(number), pictures, seed=seed, workers=workers)[1]
        for number, (seed, workers) in enumerate([(3, 0), (3, 2), (4, 0)])
    ]
    hashes = [_of(events, Ready)[0].hashes for events in runs]
    losses = [column(events, "loss") for events in runs]
    assert hashes[0] == hashes[1]
    assert losses[0] == losses[1]
    assert hashes[0]["weights"] != hashes[2]["weights"]
    assert hashes[0]["order"] != hashes[2]["order"]
    assert losses[0] != losses[2]


def test_amp_trains_from_the_same_point(tmp_path: Path, pictures: Path) -> None:
    single = _train(tmp_path, pictures)[1]
    code, events = _train(tmp_path, pictures, "amp")
    assert code == 0
    assert _of(events, Ready)[0].precision == "bf16"
    assert _of(events, Ready)[0].hashes == _of(single, Ready)[0].hashes
    first, amp = column(single, "loss"), column(events, "loss")
    assert amp[0] == pytest.approx(first[0], rel=0.05)
    assert amp[0] != first[0]


def test_max_steps_ends_early_and_well(tmp_path: Path, pictures: Path) -> None:
    code, events = _train(tmp_path, pictures, epochs=5, max_steps=3)
    assert code == 0
    assert (_end(events).state, _end(events).step) == ("done", 3)
    assert _end(events).reason == "after 3 steps, as asked"
    assert _of(events, Ready)[0].total_steps == 3
    assert [each.images for each in _of(events, EpochEnded)] == [24, 16]
    assert [each.step for each in _of(events, Validated)] == [2, 3]
    last = torch.load(tmp_path / "01-single" / "checkpoints" / "last.pt", weights_only=True)
    assert last["step"] == 3


def test_max_time_ends_early_and_well(tmp_path: Path, pictures: Path) -> None:
    code, events = _train(tmp_path, pictures, epochs=1000, workers=1, max_time=0.01)
    assert code == 0
    assert (_end(events).state, _end(events).step) == ("done", 1)
    assert _end(events).reason == "after 0.01 s of training, as asked"
    assert [each.images for each in _of(events, Validated)] == [12]


def test_a_diverging_training_fails_with_step_and_learning_rate(
    tmp_path: Path, pictures: Path
) -> None:
    code, events = _train(tmp_path, pictures, lr=1e30, warmup_epochs=0, epochs=20)
    assert code == 1
    assert _end(events).state == "failed"
    assert "is not a finite number, at learning rate" in _end(events).reason
    assert "lower --lr" in _end(events).reason
    assert any(math.isnan(loss) for loss in column(events, "loss").values())


def test_an_exception_is_told_with_the_ranks_own_frames(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: NoParallelism, *_: object) -> None:
        raise ZeroDivisionError("no such number")

    monkeypatch.setattr(NoParallelism, "update", broken)
    code, events = _train(tmp_path, pictures)
    assert code == 1
    end = _end(events)
    assert end.state == "failed"
    assert end.reason == "training failed with ZeroDivisionError: no such number"
    assert "in train_epoch" in end.traceback
    assert end.traceback.endswith("ZeroDivisionError: no such number")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"device": "cuda"}, "sees no GPU here"),
        ({"gpus": (0, 1)}, "--gpus 0,1"),
        ({"weights": "nowhere.pt"}, "there is no such file"),
    ],
)
def test_wrong_input_is_a_sentence_and_exit_code_2(
    tmp_path: Path, pictures: Path, settings: dict[str, Any], sentence: str
) -> None:
    if torch.cuda.is_available() and ("device" in settings or "gpus" in settings):
        pytest.skip("this machine has a GPU: there is nothing wrong with asking for it")
    code, events = _train(tmp_path, pictures, **settings)
    assert code == 2
    assert _end(events).state == "failed"
    assert sentence in _end(events).reason
    assert _end(events).traceback == ""


def test_a_run_without_its_plan_says_so(tmp_path: Path) -> None:
    made = plan(tmp_path)
    assert fit.main(arguments(tmp_path, made)) == 2
    assert "config.json cannot be read" in _end(journal(tmp_path, made)).reason


def test_a_copied_command_does_not_train_into_what_is_there(
    tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = lay_out(tmp_path, plan(pictures, max_steps=1))
    assert fit.main(arguments(tmp_path, made)) == 0
    assert _end(journal(tmp_path, made)).reason == "after 1 step, as asked"
    before = {
        each: (each.stat().st_mtime_ns, each.stat().st_size)
        for each in tmp_path.rglob("*")
        if each.is_file() and tmp_path / made.run in each.parents
    }
    assert len(before) > 3
    capsys.readouterr()
    assert fit.main(arguments(tmp_path, made)) == 2
    told = capsys.readouterr().err
    assert "attempt 1 of 01-single has its journal already" in told
    assert "--attempt 2" in told
    assert before == {each: (each.stat().st_mtime_ns, each.stat().st_size) for each in before}


def test_torch_is_not_blamed_for_what_else_cannot_be_imported() -> None:
    told, code = ending.explain(ImportError("no name 'X'", name="engine.train.job"), None)
    assert (told, code) == ("training failed with ImportError: no name 'X'", 1)
    told, code = ending.explain(ImportError("libcudart.so.13: no such file"), None)
    assert told.startswith("torch or torchvision cannot be imported")


def test_damaged_images_are_skipped_counted_and_named(tmp_path: Path) -> None:
    folder = images(tmp_path / "data", classes=2, train=10, val=4)
    (folder / "train" / "class1" / "003.png").write_bytes(b"no image")
    (folder / "val" / "class0" / "001.png").write_bytes(b"neither")
    code, events = _train(tmp_path, folder)
    assert code == 0
    assert [each.images for each in _of(events, EpochEnded)] == [19, 19]
    assert [each.images for each in _of(events, Validated)] == [7, 7]
    told = [each.text for each in _of(events, Notice) if each.code == "corrupt-image"]
    assert len(told) == 2
    assert told[0].startswith("train/class1/003.png cannot be decoded and is skipped")


def test_more_than_one_percent_damaged_ends_with_a_list(tmp_path: Path) -> None:
    folder = images(tmp_path / "data", classes=2, train=10, val=2)
    for number in range(5):
        (folder / "train" / "class0" / f"{number:03d}.png").write_bytes(b"no image")
    code, events = _train(tmp_path, folder, batch_size=20)
    assert code == 1
    reason = _end(events).reason
    assert reason.startswith("more than 1 % of the 20 training images cannot be decoded: ")
    assert all(f"train/class0/{number:03d}.png" in reason for number in range(5))


def test_a_full_disk_keeps_the_checkpoint_that_is_there(tmp_path: Path, pictures: Path) -> None:
    experiment = tmp_path / "experiment"
    assert _train(experiment, pictures, epochs=1)[0] == 0
    last = experiment / "01-single" / "checkpoints" / "last.pt"
    before = last.read_bytes()
    shutil.rmtree(experiment / "01-single" / "attempt-1")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, hard))
    try:
        code, events = _train(experiment, pictures, epochs=1, seed=5)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert code == 0
    assert last.read_bytes() == before
    (told,) = [each for each in _of(events, Notice) if each.code == "checkpoint"]
    assert "no checkpoint could be saved" in told.text
    assert "File too large" in told.text
    assert sorted(each.name for each in last.parent.iterdir()) == ["best.pt", "last.pt"]


def test_photographs_train_in_both_strategies(tmp_path: Path, photos: Path) -> None:
    for name in ("single", "amp"):
        code, events = _train(
            tmp_path, photos, name, image_size=64, max_steps=2, batch_size=32, workers=1
        )
        assert code == 0
        assert _of(events, Validated)[-1].images == _of(events, Ready)[0].val_images
