"""ResNets from torchvision, their head sized to the classes, and where their weights come from."""

from __future__ import annotations

import hashlib
import pickle
import socket
import threading
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlparse

import torch
import torchvision
from torch import Tensor, nn

from engine.errors import CheckpointError, WeightsError
from engine.plan.config import Settings
from engine.train.checkpoint_reading import load
from engine.train.weights import Weights, network_of, weights_of

_PATIENCE = 8.0
"""Seconds within which a server must answer before a download is given up."""


def build(settings: Settings, classes: int) -> tuple[nn.Module, list[str]]:
    """The network on the CPU, and sentences for the user about its weights.

    Weights that are drawn depend on the seed alone; with ``zero_init`` the last scale of each
    residual block is 0 among them (Goyal et al. 2017, 1706.02677), which weights that are loaded
    have learned. Raises ``WeightsError``.
    """
    torch.manual_seed(settings.seed)
    model: nn.Module = torchvision.models.get_model(
        settings.model, num_classes=classes, zero_init_residual=settings.zero_init
    )
    if settings.weights == "none":
        return model, []
    if settings.weights == "imagenet":
        state = _imagenet(settings.model)
        return model, _fit(model, state, f"torchvision's weights of {settings.model}")
    path = Path(settings.weights).expanduser()
    found = _read(path)
    told = [f"{path}: its averaged weights are taken"] if found.averaged else []
    return model, [*told, *_fit(model, found.state, str(path))]


def digest(model: nn.Module) -> str:
    """A short hash of all weights and buffers: equal where two runs start from the same point."""
    result = hashlib.blake2b(digest_size=8)
    for name, value in model.state_dict().items():
        result.update(name.encode())
        result.update(value.detach().cpu().contiguous().numpy().tobytes())
    return result.hexdigest()


def _fit(model: nn.Module, state: dict[str, Tensor], source: str) -> list[str]:
    """Loads ``state``, but a head for other classes; returns what to tell the user."""
    own = model.state_dict()
    notices = []
    head = [name for name in ("fc.weight", "fc.bias") if name in state]
    if any(state[name].shape != own[name].shape for name in head):
        theirs, ours = _rows(state[head[0]]), _rows(own[head[0]])
        notices.append(
            f"{source}: its head knows {theirs} classes and this dataset has {ours}; "
            "the head starts anew, everything else is kept"
        )
        state = {name: value for name, value in state.items() if name not in head}
    wrong = [
        name for name, value in state.items() if name in own and value.shape != own[name].shape
    ]
    unknown = [name for name in state if name not in own]
    missing = [name for name in own if name not in state and not name.startswith("fc.")]
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    for names, what in ((wrong, "another shape of"), (unknown, "unknown"), (missing, "no")):
        if names:
            raise WeightsError(
                f"{source} does not fit this model: it has {what} {names[0]}"
                + (f" and {len(names) - 1} more" if len(names) > 1 else "")
                + _whose(state, own)
            )
    model.load_state_dict(state, strict=False)
    return notices


def _rows(value: Tensor) -> int:
    return len(value) if value.dim() else 0


def _whose(state: dict[str, Tensor], own: dict[str, Tensor]) -> str:
    """What to do about it: both networks by their names, where both have one that differs."""
    theirs, ours = network_of(state), network_of(own)
    if theirs and ours and theirs != ours:
        return f"; it is of {theirs}, and this is {ours}; give --model {theirs}"
    return "; choose the model it was trained with (--model)"


def _read(path: Path) -> Weights:
    """What a file of weights, or a checkpoint, holds; raises ``WeightsError``."""
    try:
        loaded = load(path)
    except CheckpointError as error:
        remedy = "" if path.exists() else "; give none, imagenet, a checkpoint or a file of weights"
        raise WeightsError(f"--weights {error}{remedy}") from error
    return weights_of(loaded, f"--weights {path}")


def _imagenet(name: str) -> dict[str, Tensor]:
    """torchvision's best ImageNet weights, from its cache, else downloaded."""
    weights = torchvision.models.get_model_weights(name).DEFAULT
    url: str = weights.url
    directory = Path(torch.hub.get_dir()) / "checkpoints"
    file = directory / Path(urlparse(url).path).name
    remedy = f"download {url} on a machine that can, and put it at {file}"
    if not file.exists():
        _check_reachable(url, remedy)
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(4 * _PATIENCE)
    try:
        state: dict[str, Tensor] = torch.hub.load_state_dict_from_url(
            url, map_location="cpu", check_hash=True, progress=False, weights_only=True
        )
    except (OSError, RuntimeError, pickle.UnpicklingError, EOFError) as error:
        raise WeightsError(
            f"the imagenet weights of {name} cannot be loaded ({error}); {remedy}"
        ) from error
    finally:
        socket.setdefaulttimeout(before)
    return state


def _check_reachable(url: str, remedy: str) -> None:
    """Asks the server for the file's header, from a thread: a name server can hang for minutes."""
    answer: list[str] = []

    def ask() -> None:
        try:
            request = urllib.request.Request(url, method="HEAD")
            urllib.request.urlopen(request, timeout=_PATIENCE).close()
            answer.append("")
        except (OSError, ValueError) as error:
            answer.append(str(getattr(error, "reason", None) or error))

    thread = threading.Thread(target=ask, name="weights", daemon=True)
    thread.start()
    thread.join(_PATIENCE)
    problem = answer[0] if answer else f"no answer within {_PATIENCE:g} s"
    if problem:
        raise WeightsError(f"the imagenet weights cannot be downloaded ({problem}); {remedy}")
