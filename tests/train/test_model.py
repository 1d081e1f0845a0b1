from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision

from engine.errors import WeightsError
from engine.plan.config import Settings
from engine.train.model import build, digest


def _settings(**more: Any) -> Settings:
    return Settings(**{"model": "resnet18", **more})


def _save(path: Path, content: Any) -> str:
    torch.save(content, path)
    return str(path)


@pytest.fixture(scope="module")
def ten_classes() -> dict[str, torch.Tensor]:
    torch.manual_seed(5)
    state: dict[str, torch.Tensor] = torchvision.models.resnet18(num_classes=10).state_dict()
    return state


def test_drawn_weights_belong_to_the_seed() -> None:
    first, _ = build(_settings(), 4)
    again, _ = build(_settings(), 4)
    other, _ = build(_settings(seed=1), 4)
    assert digest(first) == digest(again) != digest(other)
    assert first.state_dict()["fc.weight"].shape[0] == 4


@pytest.mark.parametrize("kind", ["bare", "checkpoint", "of DataParallel"])
def test_a_file_of_weights_is_loaded(
    tmp_path: Path, ten_classes: dict[str, torch.Tensor], kind: str
) -> None:
    content: Any = ten_classes
    if kind == "checkpoint":
        content = {"state_dict": ten_classes, "epoch": 3}
    if kind == "of DataParallel":
        content = {f"module.{name}": value for name, value in ten_classes.items()}
    model, notices = build(_settings(weights=_save(tmp_path / "w.pt", content)), 10)
    assert notices == []
    for name, value in model.state_dict().items():
        assert torch.equal(value, ten_classes[name])


def test_a_head_for_other_classes_starts_anew_and_says_so(
    tmp_path: Path, ten_classes: dict[str, torch.Tensor]
) -> None:
    model, notices = build(_settings(weights=_save(tmp_path / "w.pt", ten_classes)), 3)
    assert torch.equal(
        model.state_dict()["layer4.0.conv1.weight"], ten_classes["layer4.0.conv1.weight"]
    )
    assert model.state_dict()["fc.weight"].shape[0] == 3
    assert len(notices) == 1
    assert "10 classes and this dataset has 3" in notices[0]


def test_weights_that_do_not_fit_are_told_in_a_sentence(
    tmp_path: Path, ten_classes: dict[str, torch.Tensor]
) -> None:
    path = _save(tmp_path / "w.pt", ten_classes)
    with pytest.raises(WeightsError, match="does not fit this model: it has no layer"):
        build(_settings(model="resnet34", weights=path), 10)
    with pytest.raises(WeightsError, match="there is no such file"):
        build(_settings(weights=str(tmp_path / "none.pt")), 10)
    for damage in (b"hello", b"", Path(path).read_bytes()[:5000], b"\x80\x02" + bytes(range(256))):
        (tmp_path / "damaged.pt").write_bytes(damage)
        with pytest.raises(
            WeightsError, match=r"damaged\.pt (is damaged, or holds|cannot be read)"
        ):
            build(_settings(weights=str(tmp_path / "damaged.pt")), 10)
    with pytest.raises(WeightsError, match="no dictionary of tensors"):
        build(_settings(weights=_save(tmp_path / "list.pt", [1, 2])), 10)


def test_code_in_a_file_of_weights_is_not_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    with pytest.raises(WeightsError, match="could run any program"):
        build(_settings(weights=_save(tmp_path / "trap.pt", {"state_dict": Trap()})), 10)
    assert not (tmp_path / "sprung").exists()


def test_without_a_network_imagenet_says_which_file_to_put_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with pytest.raises(WeightsError) as caught:
        build(_settings(weights="imagenet"), 10)
    place = tmp_path / "hub" / "checkpoints" / "resnet18-f37072fd.pth"
    assert f"put it at {place}" in str(caught.value)
    assert "https://download.pytorch.org/models/resnet18-f37072fd.pth" in str(caught.value)


def test_weights_of_another_network_name_both(
    tmp_path: Path, ten_classes: dict[str, torch.Tensor]
) -> None:
    path = _save(tmp_path / "w.pt", {"state_dict": ten_classes})
    with pytest.raises(
        WeightsError, match=r"it is of resnet18, and this is resnet34; give --model resnet18$"
    ):
        build(_settings(model="resnet34", weights=path), 10)
    ten_classes = {**ten_classes, "bn1.weight": torch.full((64,), float("nan"))}
    path = _save(tmp_path / "w.pt", {"state_dict": ten_classes})
    with pytest.raises(WeightsError, match=r"bn1\.weight holds weights that are not finite"):
        build(_settings(weights=path), 10)
