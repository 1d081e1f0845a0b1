"""Files that anybody may have made: what is not sound is refused in a sentence, nothing is run."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import CheckpointError, WeightsError
from engine.train.checkpoint_reading import load
from engine.train.weights import weights_of
from tests.damage import damaged

SOUND: dict[str, Any] = {
    "epoch": 3,
    "best_acc": 0.5,
    "classes": ["ants", "bees"],
    "state_dict": {"fc.weight": torch.arange(32.0).view(2, 16), "fc.bias": torch.zeros(2)},
}


def written(content: Any, **how: Any) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, **how)
    return file.getvalue()


def archive(members: dict[str, bytes], packing: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", packing) as made:
        for name, data in members.items():
            made.writestr(name, data)
    return file.getvalue()


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as made:
        return {each.filename: made.read(each) for each in made.infolist()}


def refused(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(CheckpointError) as caught:
        load(path)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert "weights_only" not in sentence
    assert str(path) in sentence
    return sentence


class Payload:
    """Python's pickle calls ``os.system`` when it reads this."""

    def __init__(self, command: str) -> None:
        self._command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self._command,)


def test_what_is_sound_is_read(tmp_path: Path) -> None:
    path = tmp_path / "sound.pt"
    for how in ({}, {"_use_new_zipfile_serialization": False}):
        path.write_bytes(written(SOUND, **how))
        read = load(path)
        assert read["classes"] == ["ants", "bees"]
        assert torch.equal(read["state_dict"]["fc.weight"], SOUND["state_dict"]["fc.weight"])


@pytest.mark.parametrize("kind", ["torch's archive", "torch's older form", "a bare pickle"])
def test_what_a_file_wants_to_run_is_not_run(tmp_path: Path, kind: str) -> None:
    mark = tmp_path / "mark"
    content = {"state_dict": {"fc.weight": Payload(f"touch {mark}")}}
    data = {
        "torch's archive": lambda: written(content),
        "torch's older form": lambda: written(content, _use_new_zipfile_serialization=False),
        "a bare pickle": lambda: pickle.dumps(content),
    }[kind]()
    assert "could run any program" in refused(tmp_path / "hostile.pt", data)
    assert not mark.exists()


def test_files_that_are_none_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    assert "it is empty" in refused(path, b"")
    assert "no dictionary" in refused(path, written([1, 2]))
    assert "is damaged" in refused(path, b"hello")
    assert "is damaged" in refused(path, archive({"hello.txt": b"hello"}))
    for not_a_file in (tmp_path, Path("/dev/zero")):
        with pytest.raises(CheckpointError, match="is no file"):
            load(not_a_file)
    with pytest.raises(CheckpointError, match="no such file"):
        load(tmp_path / "none.pt")


def test_what_unpacks_to_more_than_it_is_is_not_unpacked(tmp_path: Path) -> None:
    parts = members(written({"state_dict": {"w": torch.zeros(1 << 20)}}))
    packed = archive(parts, zipfile.ZIP_DEFLATED)
    assert len(packed) < 20_000
    assert "unpacks to more than it is" in refused(tmp_path / "bomb.pt", packed)


def test_a_changed_number_is_noticed(tmp_path: Path) -> None:
    data = bytearray(written(SOUND))
    place = bytes(data).index(torch.arange(32.0).numpy().tobytes()) + 17
    data[place] ^= 1
    assert "check sums" in refused(tmp_path / "w.pt", bytes(data))


@pytest.mark.parametrize("zipped", [True, False])
@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_random_damage_is_a_sentence_or_nothing(
    tmp_path: Path, data: st.DataObject, zipped: bool
) -> None:
    """Cut anywhere, or with bits turned anywhere: never anything but ``CheckpointError``."""
    path = tmp_path / "damaged.pt"
    path.write_bytes(damaged(data, written(SOUND, _use_new_zipfile_serialization=zipped)))
    try:
        read = load(path)
    except CheckpointError as error:
        assert "\n" not in str(error)
        assert "weights_only" not in str(error)
        return
    if zipped:
        # What is not covered by check sums: times, and names of what nobody looks for.
        assert torch.equal(read["state_dict"]["fc.weight"], SOUND["state_dict"]["fc.weight"])


def test_weights_that_are_no_numbers_are_refused() -> None:
    def sentence(state: dict[str, Any]) -> str:
        with pytest.raises(WeightsError) as caught:
            weights_of(state, "w.pt")
        return str(caught.value)

    broken = torch.ones(3)
    broken[1] = float("nan")
    assert "fc.weight holds weights that are not finite" in sentence({"fc.weight": broken})
    assert "no plain numbers in fc.weight" in sentence({"fc.weight": torch.ones(3).int()})
    assert "no plain numbers" in sentence({"fc.weight": torch.ones(3).to_sparse()})
    assert "no plain numbers" in sentence({"fc.weight": torch.ones(3, device="meta")})
    # It says that it has a trillion numbers, and has one.
    huge = torch.ones(1).expand(10**12)
    assert "larger than it is" in sentence({"fc.weight": huge})
    assert "no dictionary of tensors" in sentence({})
    assert "no dictionary of tensors" in sentence({"epoch": 3})


def test_averaged_weights_are_preferred_and_wrappers_prefixes_dropped() -> None:
    plain, averaged = {"module.w": torch.zeros(2)}, {"_orig_mod.w": torch.ones(2)}
    found = weights_of({"state_dict": plain, "ema": averaged}, "w.pt")
    assert found.averaged
    assert torch.equal(found.state["w"], torch.ones(2))
    found = weights_of({"state_dict": plain}, "w.pt")
    assert not found.averaged
    assert torch.equal(found.state["w"], torch.zeros(2))
