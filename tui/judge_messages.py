"""The messages of the screen that judges images; each has one handler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.strip import Strip

    from tui.judged import Found
    from tui.pictures import Picture
    from tui.widgets.picture_list import Named


@dataclass
class CheckpointFound(Message):
    """What will judge, and the images that there are to be judged."""

    found: Found


@dataclass
class NothingToJudgeWith(Message):
    """There is no checkpoint; ``sentence`` says why."""

    sentence: str


@dataclass
class PictureRead(Message):
    """A picture is ready to be drawn, or it is known why it cannot be."""

    picture: Picture
    rows: Sequence[Strip]
    """Of the terminal."""


@dataclass
class PictureVisited(Message):
    """The cursor stands on another image."""

    image: Named


@dataclass
class PathGiven(Message):
    """Enter on a path that was typed."""

    text: str


@dataclass
class PathRead(Message):
    """The images that the path stands for, or why there are none."""

    images: tuple[Named, ...]
    problem: str = ""
