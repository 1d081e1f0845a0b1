"""Reading .safetensors: plain numbers behind a header in JSON, and so nothing that could run.

A file begins with eight bytes, the length of its header (little-endian). The header tells of each
tensor its type, shape and place among the bytes behind it; these follow upon each other without a
hole. Its ``__metadata__``, text by name, is where ``export`` tells what the network knows. It is
read here without a package that not everybody has.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from io import BufferedReader
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import torch
from torch import Tensor

from engine.errors import CheckpointError
from engine.plan.text import clean

_LENGTH = 8
_HEADER = 64 << 20
"""Bytes of a header beyond which it is absurd: that of a ResNet-152 has some hundred thousand."""
_DIMENSIONS = 8
_LONGEST = 1 << 31
"""Of any dimension, at most."""

_TYPES = {
    "BOOL": torch.bool,
    "U8": torch.uint8,
    "I8": torch.int8,
    "I16": torch.int16,
    "I32": torch.int32,
    "I64": torch.int64,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F32": torch.float32,
    "F64": torch.float64,
}

_T = TypeVar("_T")


class _Entry(msgspec.Struct, frozen=True):
    """One tensor of the header."""

    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


class _Unsound(Exception):
    """What is wrong with a file, as the rest of a sentence."""


def is_safetensors(path: Path) -> bool:
    """Whether it is called so, or begins as such a file does; raises ``OSError``."""
    if path.suffix.lower() == ".safetensors":
        return True
    with path.open("rb") as file:
        head = file.read(_LENGTH + 1)
        return head[_LENGTH:] == b"{" and _length(head) <= os.fstat(file.fileno()).st_size


def read_safetensors(path: Path) -> dict[str, Any]:
    """As a checkpoint holds it: ``state_dict``, or ``ema`` where the weights are averages, and what
    the header knows of ``classes``, ``epoch``, ``accuracy`` and the size of the images.

    Raises ``OSError``, and ``CheckpointError`` with a sentence for what is no such file.
    """
    try:
        with path.open("rb") as file:
            header = _header(file)
            metadata = header.pop("__metadata__", None)
            tensors = _tensors(file, {name: _entry(name, raw) for name, raw in header.items()})
            known = {} if metadata is None else _metadata(metadata)
    except _Unsound as error:
        raise CheckpointError(
            f"{clean(str(path))} is damaged, or is no file of safetensors: {error}"
        ) from error
    except (MemoryError, RuntimeError) as error:
        raise CheckpointError(
            f"{clean(str(path))} cannot be read: there is not enough memory for its tensors"
        ) from error
    averaged = known.pop("averaged", False)
    return {"ema" if averaged else "state_dict": tensors, **known}


def _length(head: bytes) -> int:
    return int.from_bytes(head[:_LENGTH], "little")


def _header(file: BufferedReader) -> dict[str, msgspec.Raw]:
    room = os.fstat(file.fileno()).st_size - _LENGTH
    length = _length(file.read(_LENGTH))
    if length > room:
        raise _Unsound("it is cut short, or lies about the length of its header")
    if length > _HEADER:
        raise _Unsound(f"its header has {length >> 20} MiB, which no network needs")
    try:
        return msgspec.json.decode(file.read(length), type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise _Unsound("its header is no JSON that tells of tensors") from error


def _entry(name: str, raw: msgspec.Raw) -> _Entry:
    try:
        entry = msgspec.json.decode(raw, type=_Entry)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise _Unsound(f"it does not tell where {_short(name)} is") from error
    kind = _TYPES.get(entry.dtype)
    if kind is None:
        raise _Unsound(f"{_short(name)} has the type {_short(entry.dtype)}, which is not read")
    sound = len(entry.shape) <= _DIMENSIONS and all(0 <= each < _LONGEST for each in entry.shape)
    begin, end = entry.data_offsets
    if not sound or end - begin != math.prod(entry.shape) * kind.itemsize:
        raise _Unsound(f"{_short(name)} is not as large as its shape says")
    return entry


def _tensors(file: BufferedReader, entries: Mapping[str, _Entry]) -> dict[str, Tensor]:
    """All of them in memory of their own; ``file`` stands behind the header."""
    left = os.fstat(file.fileno()).st_size - file.tell()
    place, found = 0, {}
    for name in sorted(entries, key=lambda each: entries[each].data_offsets):
        begin, end = entries[name].data_offsets
        # Were tensors allowed to share their bytes, a small file could take any memory.
        if begin != place or end > left:
            raise _Unsound(f"the bytes of {_short(name)} are not where they should be")
        found[name] = _tensor(file, entries[name])
        place = end
    if place != left:
        raise _Unsound("it has bytes that belong to no tensor")
    return found


def _tensor(file: BufferedReader, entry: _Entry) -> Tensor:
    begin, end = entry.data_offsets
    raw = torch.empty(end - begin, dtype=torch.uint8)
    if file.readinto(raw.numpy().data) != end - begin:
        raise _Unsound("it was changed while it was read")
    return raw.view(_TYPES[entry.dtype]).reshape(entry.shape)


def _metadata(raw: msgspec.Raw) -> dict[str, Any]:
    """What is known of the network, as a checkpoint names it; what is no text tells nothing."""
    try:
        text = msgspec.json.decode(raw, type=dict[str, str])
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return {}
    side = _value(text, "image_size", int)
    known = {
        "classes": _value(text, "classes", tuple[str, ...]),
        "epoch": _value(text, "epoch", int),
        "accuracy": _value(text, "accuracy", float),
        "averaged": _value(text, "averaged", bool),
        "config": None if side is None else {"settings": {"image_size": side}},
    }
    return {name: value for name, value in known.items() if value is not None}


def _value(text: Mapping[str, str], name: str, kind: type[_T]) -> _T | None:
    try:
        return msgspec.json.decode(text.get(name, ""), type=kind)
    except (msgspec.MsgspecError, RecursionError):
        return None


def _short(name: str) -> str:
    return clean(name[:80])
