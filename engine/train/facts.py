"""What is known about a training before its first step: the ``Ready`` event, and its hashes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence

import torch
from torch import nn

from engine.journal.events import Ready
from engine.plan.dataset import Dataset
from engine.plan.runs import RunPlan
from engine.plan.shares import device_batch, norm_batch
from engine.train import devices, model
from engine.train.augmentation import augmentation_hash
from engine.train.course import order
from engine.train.freeze import learned


class Facts:
    """To be made before a strategy takes the network apart."""

    def __init__(
        self,
        plan: RunPlan,
        folder: Dataset,
        sizes: Sequence[int],
        network: nn.Module,
        weights: str | None = None,
    ) -> None:
        """``sizes``: of the global batches of an epoch; ``weights``: the hash of those that
        training began with, where an earlier attempt told it."""
        self._plan, self._folder, self._sizes = plan, folder, tuple(sizes)
        self._weights = weights or model.digest(network)
        self._parameters = sum(each.numel() for each in network.parameters())
        self._learning = learned(network, plan.settings) if plan.settings.freeze else None

    def ready(
        self,
        used: Sequence[torch.device],
        precision: str,
        *,
        workers: int,
        threads: int,
        queue: int | None,
        held: dict[str, int],
    ) -> Ready:
        """``used``: this rank's devices; ``precision``: what the strategy computes in; ``queue``:
        batches that are read ahead for it; ``held``: bytes that it holds whatever the batch."""
        settings, folder = self._plan.settings, self._folder
        total = settings.epochs * len(self._sizes)
        return Ready(
            model=settings.model,
            parameters=self._parameters,
            learning=self._learning,
            classes=folder.classes,
            train_images=len(folder.train),
            val_images=len(folder.val),
            epochs=settings.epochs,
            steps_per_epoch=len(self._sizes),
            total_steps=min(total, settings.max_steps or total),
            batch_size=settings.batch_size,
            device=str(used[0]),
            device_name=devices.name_of(used[0]),
            precision=precision,
            workers=workers,
            threads=threads,
            hashes=self.hashes(),
            strategy=self._plan.strategy.name,
            device_batch=device_batch(self._plan),
            norm_batch=norm_batch(self._plan),
            devices=tuple(map(str, used)) if len(used) > 1 else (),
            uuids=devices.uuids(used),
            queue=queue,
            held=held,
        )

    def hashes(self) -> dict[str, str]:
        settings, images = self._plan.settings, len(self._folder.train)
        return {
            "weights": self._weights,
            "split": _split_hash(self._folder),
            "order": _short(order(images, settings.seed, 0).tobytes()),
            "augmentation": augmentation_hash(settings, images),
            "batches": _short(repr(self._sizes).encode()),
        }


def _split_hash(folder: Dataset) -> str:
    """Of the relative paths and labels of both parts, in order."""
    digest = hashlib.blake2b(digest_size=8)
    for split in (folder.train, folder.val):
        for path, label in zip(split.paths, split.labels, strict=True):
            digest.update(os.fsencode(os.path.relpath(path, folder.folder)))
            digest.update(b"\0%d\0" % label)
        digest.update(b"\0\0")
    return digest.hexdigest()


def _short(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=8).hexdigest()
