"""What a process that judges images tells: lines of JSON, tagged, on its standard output.

Its standard input is one JSON list of paths per line; it ends when that does. First it tells what
it is doing (``Doing``), then what it judges with (``Judge``), then one ``Judgement`` per path, in
the order in which they were asked for. ``Refused`` is the last line of one that cannot go on.
"""

from __future__ import annotations

import msgspec

BEST = 5
"""How many classes are told of an image."""


class Doing(msgspec.Struct, frozen=True, tag="doing"):
    """A phase has begun."""

    what: str


class Judge(msgspec.Struct, frozen=True, kw_only=True, tag="judge"):
    """A network that is ready."""

    model: str
    classes: int
    names: tuple[str, ...]
    """Of the classes, cleaned; empty where the file does not tell them."""
    image_size: int
    """Side of the square the network sees, in pixels."""
    size_is_known: bool = True
    """Whether the file tells it, or whoever asked; else it is what is usual."""
    averaged: bool
    """Whether its weights are averages over the steps of its training."""
    device: str
    epoch: int | None = None
    """Finished epochs; ``None`` where the file does not tell."""
    accuracy: float | None = None
    """Validation accuracy of these very weights, 0..1; ``None`` where it is not known."""


class Guess(msgspec.Struct, frozen=True, array_like=True):
    """A class, and how probable the network takes it to be, 0..1."""

    index: int
    name: str
    probability: float


class Judgement(msgspec.Struct, frozen=True, tag="judgement"):
    """Of one image: the best guess first, or why there is none."""

    guesses: tuple[Guess, ...] = ()
    problem: str = ""


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """Why nothing can be judged: a sentence."""

    sentence: str


Told = Doing | Judge | Judgement | Refused


def class_name(names: tuple[str, ...], index: int) -> str:
    """As the file tells it, else by its number."""
    return names[index] if names else f"class {index}"
