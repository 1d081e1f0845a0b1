"""What the judging screen has done elsewhere: the network in a child, pictures in threads."""

from __future__ import annotations

import time
from functools import partial

from textual.message_pump import MessagePump
from textual.strip import Strip

from engine.journal.predictions import Doing, Judge, Judgement, Refused
from engine.run.judging import Judging
from tui import pictures
from tui.background import in_background
from tui.judge_messages import PictureRead
from tui.judged import Found
from tui.widgets.picture import in_characters, in_colours

Drawn = list[Strip]


class Network:
    """The child that judges, one image at a time: the newest that was wanted is next."""

    def __init__(self) -> None:
        self._judging: Judging | None = None
        self._asked: str | None = None
        self._wanted: str | None = None
        self._since = time.monotonic()
        self.doing = "looking for a checkpoint"
        """The phase, until it is ready."""
        self.judge: Judge | None = None
        self.problem = ""
        """Why there is none, or none any more."""
        self.known: dict[str, Judgement] = {}
        """By path."""

    @property
    def seconds(self) -> float:
        """Since the phase began."""
        return time.monotonic() - self._since

    def start(self, found: Found) -> None:
        """From the main thread; beside a training it takes one core's spare time at most."""
        self._judging = Judging(found.chosen.path, gentle=True)
        self._phase("starting")
        self._judging.start()

    def want(self, path: str) -> None:
        self._wanted = path
        self._ask()

    def poll(self) -> bool:
        """Takes what it told; whether anything came."""
        told = self._judging.poll() if self._judging is not None else []
        for each in told:
            match each:
                case Doing(what):
                    self._phase(what)
                case Judge():
                    self.judge = each
                case Judgement():
                    if self._asked is not None:
                        self.known[self._asked] = each
                    self._asked = None
                case Refused(sentence):
                    self.problem = sentence
        self._ask()
        return bool(told)

    def close(self) -> None:
        if self._judging is not None:
            self._judging.close()

    def _phase(self, name: str) -> None:
        self.doing, self._since = name, time.monotonic()

    def _ask(self) -> None:
        ready = self._judging is not None and self.judge is not None and not self.problem
        if ready and self._asked is None and self._wanted not in (None, *self.known):
            assert self._judging is not None and self._wanted is not None
            self._asked = self._wanted
            self._judging.ask([self._asked])


class Pictures:
    """Reads one picture at a time; the newest that was wanted is next. The last is kept."""

    def __init__(self, to: MessagePump, *, colours: bool) -> None:
        self._to = to
        self._draw = in_colours if colours else in_characters
        self._reading = False
        self._wanted: tuple[str, tuple[int, int]] | None = None
        self._read: tuple[str, tuple[int, int]] | None = None
        self.picture: pictures.Picture | None = None

    def want(self, path: str, room: tuple[int, int]) -> None:
        """``room``: pixels across and down."""
        self._wanted = (path, room)
        self._go_on()

    def came(self, picture: pictures.Picture) -> bool:
        """Whether it is the one that is wanted now; else that one is read."""
        self._reading = False
        self.picture = picture
        self._go_on()
        return self._wanted is not None and picture.path == self._wanted[0]

    def _go_on(self) -> None:
        if self._reading or self._wanted is None or self._wanted == self._read:
            return
        path, room = self._wanted
        if min(room) <= 0:
            return
        self._reading, self._read = True, self._wanted
        in_background(self._to, partial(self._work, path, room), "picture")

    def _work(self, path: str, room: tuple[int, int]) -> PictureRead:
        picture = pictures.read(path, room)
        rows = self._draw(picture.pixels) if picture.pixels is not None else []
        return PictureRead(picture, rows)
