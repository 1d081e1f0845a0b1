"""Known ways of training, as data. Each is a table of settings, with where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Settings that stand where nothing that counts more says otherwise."""

    name: str
    about: str
    source: str
    """Where the values come from: a paper or a script, and what differs from it here."""
    settings: Mapping[str, Any]


RECIPES: tuple[Recipe, ...] = (
    Recipe(
        name="imagenet",
        about="ResNet-50 from scratch on ImageNet-sized data",
        source="",
        settings={},
    ),
    Recipe(name="tiny-imagenet", about="64 px, 200 classes", source="", settings={}),
    Recipe(
        name="finetune",
        about="a few hundred images per class, from ImageNet weights",
        source="",
        settings={},
    ),
    Recipe(name="quick", about="a first look within minutes", source="", settings={}),
)

NAMES = tuple(each.name for each in RECIPES)
