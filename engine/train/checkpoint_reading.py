"""Reading a file of tensors that anybody may have made: nothing in it is ever executed.

Everything that reads weights or a checkpoint comes through ``load``. Python's pickle, in which
torch writes such files, can name any function and have it called; torch's reader for
``weights_only`` knows a short list of harmless ones and refuses the others. What is left for us are
files that lie about their size, that were changed on their way, and sentences for all of them.
What is no file of torch's but one of safetensors is read in ``safetensors_reading``.
"""

from __future__ import annotations

import pickle
import stat
import struct
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch

from engine.errors import CheckpointError
from engine.journal.checkpoints import check_whole
from engine.plan.text import clean
from engine.train.safetensors_reading import is_safetensors, read_safetensors

_UNREADABLE = (
    pickle.UnpicklingError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NameError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)
"""What torch.load raises for files that are not what it writes."""

_PICKLE = 64 << 20
"""Bytes of the part that is no tensor, beyond which it is absurd: a checkpoint's has some hundred
thousand."""


def load(path: Path) -> dict[str, Any]:
    """A dictionary of tensors and plain values that ``torch.save`` or safetensors wrote into
    ``path``, on the CPU.

    Raises ``CheckpointError`` with a sentence that begins with the path for anything else: a file
    that is cut short or changed, that unpacks to more than it is, or that holds anything to run.
    """
    name = clean(str(path))
    try:
        size = _size(path)
        if is_safetensors(path):
            return read_safetensors(path)
        if zipfile.is_zipfile(path):
            _check_archive(path, size)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Advice to whoever wrote the file.
            loaded: Any = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise CheckpointError(f"{name}: there is no such file") from error
    except OSError as error:
        raise CheckpointError(f"{name} cannot be read: {error.strerror or error}") from error
    except _UNREADABLE as error:
        if path.suffix.lower() == ".onnx":
            raise CheckpointError(
                f"{name} is ONNX, which is not read; give a checkpoint, or weights as .pt or "
                ".safetensors"
            ) from error
        # Not torch's own words: they advise to load it in the way that runs what is in the file.
        raise CheckpointError(
            f"{name} is damaged, or holds more than tensors and plain values, which is not loaded "
            "because it could run any program; save its state_dict() with torch.save"
        ) from error
    if not isinstance(loaded, dict):
        raise CheckpointError(f"{name} holds no dictionary of tensors")
    return loaded


def _size(path: Path) -> int:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise CheckpointError(f"{clean(str(path))} is no file; name a file of weights")
    if status.st_size == 0:
        raise CheckpointError(f"{clean(str(path))} cannot be read: it is empty")
    return status.st_size


def _check_archive(path: Path, size: int) -> None:
    """torch.save packs nothing: an archive that does could unpack to any size (a zip bomb)."""
    name = clean(str(path))
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, EOFError, ValueError, struct.error) as error:
        raise CheckpointError(f"{name} is damaged: it is cut short or was changed") from error
    packed = any(each.compress_type != zipfile.ZIP_STORED for each in members)
    if packed or sum(each.file_size for each in members) > size:
        raise CheckpointError(
            f"{name} is not loaded: it unpacks to more than it is, as no file of torch.save does"
        )
    plain = [each.file_size for each in members if each.filename.endswith(".pkl")]
    if plain and max(plain) > _PICKLE:
        raise CheckpointError(
            f"{name} is not loaded: it describes its tensors in {max(plain) >> 20} MiB, which no "
            "network needs"
        )
    check_whole(path)
