"""What a network is said to see, against torchvision's own on the same pixels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from torch import Tensor

from engine.errors import CheckpointError, WeightsError
from engine.journal import layout
from engine.journal.events import Validated
from engine.plan import dataset
from engine.plan.config import MODELS
from engine.train import fit
from engine.train.guessing import Guessing
from engine.train.opened import open_network
from engine.train.weights import network_of
from tests.train.making import arguments, journal, lay_out, plan

CPU = torch.device("cpu")
NAMES = ["ants", "bees", "[red]x\x1b]2;t\x07"]


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    """A ResNet-18 for three classes that has seen some numbers."""
    torch.manual_seed(3)
    made: torch.nn.Module = torchvision.models.resnet18(num_classes=3)
    with torch.no_grad():
        made(torch.randn(4, 3, 32, 32))
    return made.eval()


def saved(path: Path, network: torch.nn.Module, **more: Any) -> Path:
    """As a checkpoint holds it."""
    config = {"settings": {"model": "resnet18", "image_size": 32}}
    known = {"epoch": 4, "best_acc": 0.75, "classes": NAMES, "config": config}
    torch.save({**known, "state_dict": network.state_dict(), **more}, path)
    return path


def test_guesses_are_torchvisions_on_the_same_pixels(
    tmp_path: Path, network: torch.nn.Module
) -> None:
    """Every step written out: the middle 224/256 of the shorter side, resized with antialiasing,
    scaled to 0..1, ImageNet's mean and deviation, softmax."""
    noise = np.random.default_rng(1).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no image")
    paths = [str(tmp_path / name) for name in ("noise.png", "broken.jpg", "none.png", "noise.png")]
    opened = open_network(saved(tmp_path / "best.pt", network))
    assert (opened.model, opened.image_size, opened.epoch, opened.accuracy) == (
        *("resnet18", 32, 4),
        0.75,
    )
    assert opened.names == ("ants", "bees", "[red]x\ufffd]2;t\ufffd")
    first, broken, missing, again = Guessing(opened, CPU, 2).judge(paths)

    left, top, side = (96 - 56) / 2, (64 - 56) / 2, 56
    box = (left, top, left + side, top + side)
    small = Image.fromarray(noise).resize((32, 32), Image.Resampling.BILINEAR, box, 3.0)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    pixels = (torch.from_numpy(np.array(small)) / 255 - mean) / std
    with torch.no_grad():
        shares = torch.softmax(network(pixels.permute(2, 0, 1).unsqueeze(0)), dim=1)[0]
    assert [each.index for each in first.guesses] == shares.argsort(descending=True).tolist()
    told = [each.probability for each in first.guesses]
    assert told == pytest.approx(shares.sort(descending=True).values.tolist(), abs=1e-5)
    assert sum(told) == pytest.approx(1.0)
    assert again.guesses == first.guesses
    for each in (broken, missing):
        assert each.guesses == ()
        assert each.problem


@pytest.mark.usefixtures("signals")
def test_right_guesses_are_as_many_as_were_validated(tmp_path: Path, pictures: Path) -> None:
    made = lay_out(tmp_path, plan(pictures, epochs=2))
    assert fit.main(arguments(tmp_path, made)) == 0
    validated = [each for each in journal(tmp_path, made) if isinstance(each, Validated)]
    val = dataset.load(pictures, 0.2, 0).val
    checkpoints = tmp_path / made.run / layout.CHECKPOINTS
    best = max(validated, key=lambda each: each.top1)
    for name, epoch in ((layout.BEST, best), (layout.LAST, validated[-1])):
        opened = open_network(checkpoints / name)
        judged = Guessing(opened, CPU, 1).judge(val.paths)
        right = sum(
            each.guesses[0].index == label for each, label in zip(judged, val.labels, strict=True)
        )
        assert right == epoch.top1
    assert open_network(checkpoints / layout.BEST).accuracy == best.top1 / 12


def test_averaged_weights_judge_where_there_are_some(
    tmp_path: Path, network: torch.nn.Module
) -> None:
    halved = {name: value / 2 for name, value in network.state_dict().items()}
    opened = open_network(saved(tmp_path / "last.pt", network, ema=halved))
    assert opened.averaged
    assert opened.accuracy is None
    assert torch.equal(opened.network.state_dict()["fc.weight"], halved["fc.weight"])


@pytest.mark.parametrize("model", MODELS)
def test_a_network_is_known_by_the_names_of_its_weights(model: str) -> None:
    with torch.device("meta"):
        state: dict[str, Tensor] = torchvision.models.get_model(model).state_dict()
    assert network_of(state) == model


def test_another_network_is_known_as_none() -> None:
    with torch.device("meta"):
        other: dict[str, Tensor] = torchvision.models.vgg11().state_dict()
    assert network_of(other) is None


def test_bare_weights_have_numbers_for_classes(tmp_path: Path, network: torch.nn.Module) -> None:
    path = tmp_path / "bare.pth"
    torch.save(network.state_dict(), path)
    opened = open_network(path)
    assert (opened.names, opened.classes, opened.image_size) == ((), 3, 224)
    assert not opened.size_is_known
    asked = open_network(path, side=64)
    assert (asked.image_size, asked.size_is_known) == (64, True)
    with pytest.raises(CheckpointError, match="--image-size is 3; give 16 to 2048 px"):
        open_network(path, side=3)
    Image.new("RGB", (50, 50)).save(tmp_path / "black.png")
    (judged,) = Guessing(opened, CPU, 1).judge([str(tmp_path / "black.png")])
    assert {each.name for each in judged.guesses} == {"class 0", "class 1", "class 2"}


Change = Callable[[dict[str, Any]], None]


def _drop(name: str) -> Change:
    return lambda state: state["state_dict"].pop(name)


def _shrink(state: dict[str, Any]) -> None:
    state["state_dict"]["layer2.0.conv1.weight"] = torch.zeros(1)


def _rename(state: dict[str, Any]) -> None:
    state["classes"] = ["ants", "bees"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_drop("fc.weight"), "has no head"),
        (_drop("bn1.weight"), r"does not fit a resnet18: .*bn1\.weight"),
        (_drop("layer4.1.conv1.weight"), "of no ResNet"),
        (_shrink, r"does not fit a resnet18: .*layer2\.0\.conv1\.weight"),
        (_rename, "names 2 classes, and its head tells 3 apart"),
        (lambda state: state.update(state_dict={}), "no dictionary of tensors"),
    ],
    ids=["head", "weight", "block", "shape", "names", "nothing"],
)
def test_checkpoints_that_do_not_fit_are_told_in_a_sentence(
    tmp_path: Path, network: torch.nn.Module, change: Change, told: str
) -> None:
    path = saved(tmp_path / "best.pt", network)
    state = torch.load(path, weights_only=True)
    change(state)
    torch.save(state, path)
    with pytest.raises((CheckpointError, WeightsError), match=told) as caught:
        open_network(path)
    assert "\n" not in str(caught.value)


def test_a_model_that_is_named_must_be_the_files(tmp_path: Path, network: torch.nn.Module) -> None:
    path = saved(tmp_path / "best.pt", network)
    assert open_network(path, "resnet18").model == "resnet18"
    with pytest.raises(CheckpointError, match="is of a resnet18, and --model says resnet50"):
        open_network(path, "resnet50")
    with pytest.raises(CheckpointError, match="--model alexnet is unknown"):
        open_network(path, "alexnet")
