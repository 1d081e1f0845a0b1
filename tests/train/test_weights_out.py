"""Weights for others: what is written is loaded by those that it is written for."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision

from engine.journal.exported import Exported
from engine.journal.predictions import Refused
from engine.plan.config import Settings
from engine.train import weights_out
from engine.train.model import build
from engine.train.opened import open_network

NAMES = ["ants", "bees"]


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    torch.manual_seed(4)
    made: torch.nn.Module = torchvision.models.resnet18(num_classes=2)
    with torch.no_grad():
        made(torch.randn(4, 3, 32, 32))
    return made.eval()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory, network: torch.nn.Module) -> Path:
    path = tmp_path_factory.mktemp("run") / "best.pt"
    config = {"settings": {"model": "resnet18", "image_size": 48}}
    state = {"epoch": 7, "best_acc": 0.5, "classes": NAMES, "config": config}
    torch.save({**state, "state_dict": network.state_dict(), "optimizer": {}}, path)
    return path


@pytest.fixture
def export(checkpoint: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> Any:
    """Runs the process's main function; its exit code, and what it told."""
    import msgspec

    def run(output: Path, *more: str) -> tuple[int, Exported | Refused]:
        ending = output.suffix.removeprefix(".")
        code = weights_out.main(
            ["--checkpoint", str(checkpoint), "--output", str(output), "--format", ending, *more]
        )
        line = capsysbinary.readouterr().out.splitlines()[-1]
        return code, msgspec.json.decode(line, type=Exported | Refused)

    return run


def same(state: dict[str, torch.Tensor], network: torch.nn.Module) -> bool:
    own = network.state_dict()
    return state.keys() == own.keys() and all(torch.equal(state[each], own[each]) for each in own)


def test_a_state_dict_is_loaded_by_torchvision_alone(
    tmp_path: Path, network: torch.nn.Module, export: Any
) -> None:
    path = tmp_path / "w.pt"
    code, told = export(path)
    assert code == 0
    assert (told.model, told.classes, told.image_size, told.epoch) == ("resnet18", 2, 48, 7)
    assert (told.accuracy, told.averaged, told.size) == (0.5, False, path.stat().st_size)
    model = torchvision.models.resnet18(num_classes=2)
    model.load_state_dict(torch.load(path, weights_only=True))
    assert same(model.state_dict(), network)
    assert [each.name for each in tmp_path.iterdir()] == ["w.pt"]


def test_nothing_is_written_over_without_being_asked(tmp_path: Path, export: Any) -> None:
    path = tmp_path / "w.pt"
    path.write_bytes(b"mine")
    code, told = export(path)
    assert code == 2
    assert "exists; --force writes over it" in told.sentence
    assert path.read_bytes() == b"mine"
    assert export(path, "--force")[0] == 0
    assert path.stat().st_size > 1 << 20
    code, told = export(tmp_path / "nowhere" / "w.pt")
    assert code == 2
    assert "cannot be written" in told.sentence
    assert [each.name for each in tmp_path.iterdir()] == ["w.pt"]


def test_safetensors_say_what_they_are(
    tmp_path: Path, network: torch.nn.Module, export: Any
) -> None:
    safetensors = pytest.importorskip("safetensors", reason="the extra safetensors is missing")
    path = tmp_path / "w.safetensors"
    assert export(path)[0] == 0
    with safetensors.safe_open(path, "pt") as file:
        assert same({name: file.get_tensor(name) for name in file.keys()}, network)  # noqa: SIM118
        facts = file.metadata()
    assert facts["model"] == "resnet18"
    assert json.loads(facts["classes"]) == NAMES
    assert json.loads(facts["mean"]) == [0.485, 0.456, 0.406]
    assert json.loads(facts["std"]) == [0.229, 0.224, 0.225]
    assert [json.loads(facts[name]) for name in ("image_size", "epoch", "accuracy")] == [48, 7, 0.5]


@pytest.mark.parametrize("averaged", [False, True])
def test_safetensors_are_opened_with_all_that_they_say(
    tmp_path: Path,
    network: torch.nn.Module,
    checkpoint: Path,
    export: Any,
    monkeypatch: pytest.MonkeyPatch,
    averaged: bool,
) -> None:
    pytest.importorskip("safetensors", reason="the extra safetensors is missing")
    if averaged:
        loaded = torch.load(checkpoint, weights_only=True)
        checkpoint = tmp_path / "best.pt"
        torch.save({**loaded, "ema": loaded["state_dict"]}, checkpoint)
    path = tmp_path / "w.safetensors"
    assert export(path, "--checkpoint", str(checkpoint))[0] == 0
    monkeypatch.setitem(sys.modules, "safetensors", None)  # Reading needs no package.
    opened = open_network(path)
    assert same(dict(opened.network.state_dict()), network)
    assert (opened.model, opened.classes, opened.names) == ("resnet18", 2, tuple(NAMES))
    assert (opened.image_size, opened.size_is_known) == (48, True)
    assert (opened.epoch, opened.accuracy, opened.averaged) == (7, 0.5, averaged)
    begun, told = build(Settings(model="resnet18", weights=str(path)), 2)
    assert same(dict(begun.state_dict()), network)
    assert told == ([f"{path}: its averaged weights are taken"] if averaged else [])


def test_onnx_computes_the_same_for_any_batch(
    tmp_path: Path, network: torch.nn.Module, export: Any
) -> None:
    for name in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(name, reason=f"{name}, of the extra onnx, is missing")
    import onnxruntime

    path = tmp_path / "w.onnx"
    assert export(path)[0] == 0
    session = onnxruntime.InferenceSession(str(path))
    for batch in (1, 3):
        images = torch.randn(batch, 3, 48, 48)
        (logits,) = session.run(None, {"images": images.numpy()})
        with torch.no_grad():
            expected = network(images).numpy()
        assert logits.shape == (batch, 2)
        assert np.abs(logits - expected).max() < 1e-4
    facts = session.get_modelmeta().custom_metadata_map
    assert json.loads(facts["classes"]) == NAMES


def test_a_missing_extra_is_a_sentence_with_the_command(
    tmp_path: Path, export: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, extra in (("safetensors.torch", "safetensors"), ("onnxscript", "onnx")):
        monkeypatch.setitem(sys.modules, name, None)
        code, told = export(tmp_path / f"w.{extra}")
        assert code == 2
        assert f"pip install 'resnet-tui[{extra}]'" in told.sentence
    assert list(tmp_path.iterdir()) == []
