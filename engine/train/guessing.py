"""From paths to probabilities: images cut as validation cuts them, through one network."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.journal.predictions import BEST, Guess, Judgement, class_name
from engine.plan.text import clean
from engine.train.augment import MEAN, STD, validation_crop
from engine.train.images import Damaged, decode, prepare_pillow
from engine.train.opened import Opened


class Guessing:
    """One network on one device. It computes in float32, however it was trained."""

    def __init__(self, opened: Opened, device: torch.device, readers: int) -> None:
        """``readers``: threads that decode images."""
        prepare_pillow()
        self._opened = opened
        self._device = device
        self._network = opened.network.to(device)
        self._mean = 255.0 * torch.tensor(MEAN, device=device).view(1, 3, 1, 1)
        self._scale = 1.0 / (255.0 * torch.tensor(STD, device=device).view(1, 3, 1, 1))
        self._pool = ThreadPoolExecutor(readers) if readers > 1 else None

    def judge(self, paths: Sequence[str]) -> list[Judgement]:
        """Of each, in their order; all that can be decoded go through the network at once."""
        read = partial(_read, side=self._opened.image_size)
        read_all = list(self._pool.map(read, paths) if self._pool else map(read, paths))
        pixels = [each for each in read_all if not isinstance(each, Damaged)]
        guesses = iter(self._guess(pixels) if pixels else ())
        return [
            Judgement(problem=clean(str(each)))
            if isinstance(each, Damaged)
            else Judgement(next(guesses))
            for each in read_all
        ]

    def _probabilities(self, pixels: Sequence[NDArray[np.uint8]]) -> Tensor:
        """(images, classes), on the host; ``pixels`` are (side, side, 3) each."""
        batch = torch.from_numpy(np.stack(pixels)).to(self._device)
        images = batch.permute(0, 3, 1, 2).to(torch.float32).sub_(self._mean).mul_(self._scale)
        with torch.inference_mode():
            return torch.softmax(self._network(images), dim=1).cpu()

    def _guess(self, pixels: Sequence[NDArray[np.uint8]]) -> list[tuple[Guess, ...]]:
        found = self._probabilities(pixels).topk(min(BEST, self._opened.classes), dim=1)
        names = self._opened.names
        return [
            tuple(Guess(i, class_name(names, i), p) for i, p in zip(row, shares, strict=True))
            for row, shares in zip(found.indices.tolist(), found.values.tolist(), strict=True)
        ]


def _read(path: str, side: int) -> NDArray[np.uint8] | Damaged:
    try:
        return decode(path, side, validation_crop)
    except Damaged as error:
        return error
