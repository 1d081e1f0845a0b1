"""Files of safetensors that anybody may have made: read where they are sound, else a sentence."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import CheckpointError
from engine.train.checkpoint_reading import load
from tests.damage import damaged

WEIGHT = torch.arange(6.0).view(2, 3)
HALF = torch.tensor([0.5, -2.0], dtype=torch.bfloat16)
ENTRIES: dict[str, Any] = {
    "w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
    "h": {"dtype": "BF16", "shape": [2], "data_offsets": [24, 28]},
    "n": {"dtype": "I64", "shape": [], "data_offsets": [28, 36]},
    "e": {"dtype": "F32", "shape": [0, 7], "data_offsets": [36, 36]},
}
DATA = WEIGHT.numpy().tobytes() + HALF.view(torch.int16).numpy().tobytes() + struct.pack("<q", 9)


def packed(header: object, data: bytes = DATA, length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def with_w(**changed: object) -> dict[str, Any]:
    return {**ENTRIES, "w": {**ENTRIES["w"], **changed}}


def with_facts(**facts: object) -> dict[str, Any]:
    return {**ENTRIES, "__metadata__": facts}


@pytest.mark.parametrize("name", ["w.safetensors", "W.SAFETENSORS", "renamed.bin"])
def test_every_tensor_is_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(packed(ENTRIES))
    read = load(path)
    assert read.keys() == {"state_dict"}
    state = read["state_dict"]
    assert torch.equal(state["w"], WEIGHT)
    assert torch.equal(state["h"], HALF)
    assert torch.equal(state["n"], torch.tensor(9))
    assert state["e"].shape == (0, 7)


def test_what_the_library_writes_is_read(tmp_path: Path) -> None:
    library = pytest.importorskip("safetensors.torch", reason="the extra safetensors is missing")
    floats = (torch.float64, torch.float32, torch.float16, torch.bfloat16)
    kinds = (*floats, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool)
    tensors = {str(kind): (torch.arange(30) % 7).view(2, 3, 5).to(kind) for kind in kinds}
    path = tmp_path / "w.safetensors"
    metadata = {"format": "pt", "classes": '["a", "\\ud83d\\ude00"]'}
    library.save_file(tensors, path, metadata=metadata)
    read = load(path)
    assert read["state_dict"].keys() == tensors.keys()
    assert all(torch.equal(read["state_dict"][each], tensors[each]) for each in tensors)
    assert read["classes"] == ("a", "\U0001f600")


@pytest.mark.parametrize(
    ("facts", "known"),
    [
        ({"classes": '["ants", "bees"]'}, {"classes": ("ants", "bees")}),
        ({"classes": "2", "epoch": "-", "accuracy": '"high"'}, {}),
        ({"classes": "[" * 100_000, "image_size": "[48]"}, {}),
        ({"classes": ["ants", "bees"]}, {}),
        ({"image_size": "48"}, {"config": {"settings": {"image_size": 48}}}),
    ],
)
def test_what_is_no_fact_tells_nothing(
    tmp_path: Path, facts: dict[str, object], known: dict[str, Any]
) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(packed(with_facts(**facts)))
    read = load(path)
    assert read.pop("state_dict").keys() == ENTRIES.keys()
    assert read == known


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "it is empty"),
        (b"\x05", "lies about the length"),
        (packed(ENTRIES, length=1 << 63), "lies about the length"),
        (packed(ENTRIES)[:60], "lies about the length"),
        (packed(b""), "no JSON that tells of tensors"),
        (packed(b"hello"), "no JSON that tells of tensors"),
        (packed(b"\xff\xfe"), "no JSON that tells of tensors"),
        (packed([1, 2]), "no JSON that tells of tensors"),
        (packed(b'{"w":' + b"[" * 1_000_000), "no JSON that tells of tensors"),
        (packed(b'{"w":' + b'{"a":' * 1_000_000), "no JSON that tells of tensors"),
        (packed({"w": 1}), "does not tell where w is"),
        (packed({"w\x1b]2;t\x07": {}}), "does not tell where w\ufffd]2;t\ufffd is"),
        (packed(with_w(data_offsets=[0])), "does not tell where w is"),
        (packed(with_w(shape=[2.5])), "does not tell where w is"),
        (packed(with_w(dtype="F4")), "w has the type F4, which is not read"),
        (packed(with_w(dtype="F64")), "w is not as large as its shape says"),
        (packed(with_w(shape=[2, 4])), "w is not as large as its shape says"),
        (packed(with_w(shape=[-2, -3])), "w is not as large as its shape says"),
        (packed(with_w(shape=[0, 10**30], data_offsets=[0, 0])), "w is not as large"),
        (packed(with_w(shape=[1] * 90 + [6])), "w is not as large"),
        (packed(with_w(data_offsets=[24, 0])), "w is not as large"),
        (packed(with_w(data_offsets=[8, 32])), "are not where they should be"),
        (packed(with_w(data_offsets=[10**30, 10**30 + 24])), "are not where they should be"),
        (packed({**ENTRIES, "twice": ENTRIES["w"]}), "are not where they should be"),
        (packed(ENTRIES, DATA[:-1]), "are not where they should be"),
        (packed(ENTRIES, DATA + b"x"), "bytes that belong to no tensor"),
    ],
)
def test_what_is_not_sound_is_a_sentence(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError) as caught:
        load(path)
    sentence = str(caught.value)
    assert sentence.startswith(str(path))
    assert told in sentence
    assert "\n" not in sentence


def test_a_header_that_is_absurd_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    with path.open("wb") as file:
        file.write(struct.pack("<Q", 1 << 40))
        file.truncate((1 << 40) + 8)  # It takes no room on the disk.
    with pytest.raises(CheckpointError, match=r"has 1048576 MiB, which no network needs"):
        load(path)


@settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_file_that_was_changed_is_read_or_a_sentence(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "w.safetensors"
    content = packed(with_facts(classes='["ants", "bees"]', epoch="3"))
    path.write_bytes(damaged(data, content))
    try:
        read = load(path)
    except CheckpointError as error:
        assert "\n" not in str(error)
        return
    assert sum(each.nbytes for each in read["state_dict"].values()) == len(DATA)


def test_onnx_is_called_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "w.onnx"
    path.write_bytes(b"\x08\x0a\x12\x07pytorch")
    with pytest.raises(CheckpointError, match="is ONNX, which is not read"):
        load(path)
