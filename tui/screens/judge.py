"""Judge an image: a trained network's five best guesses beside the picture itself."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input

from engine.journal.predictions import BEST
from tui import judge_messages as messages
from tui import output
from tui.background import in_background
from tui.judged import Found, look_up, typed
from tui.screens import judge_words as words
from tui.screens.judge_work import Network, Pictures
from tui.widgets.filter_field import FilterField
from tui.widgets.keys import KeysLine
from tui.widgets.line import Line
from tui.widgets.picture import PictureView
from tui.widgets.picture_list import Named, PictureList

if TYPE_CHECKING:
    from tui.app import ResnetTuiApp

_POLL = 0.1
"""Seconds between two looks at what the network told."""
_NARROW = 120
"""Cells across, below which the list is a narrow one."""


class PictureField(FilterField):
    """Filters the list by class or file name; what begins as a path is one, and Enter takes it."""

    def action_leave(self, keep: bool) -> None:
        text = self.value.strip()
        if keep and is_path(text):
            self.value = ""
            self.post_message(messages.PathGiven(text))
        super().action_leave(keep)


def is_path(text: str) -> bool:
    return text.startswith(("/", "~", "./", "../"))


class JudgeScreen(Screen[None]):
    """The network lives as long as this screen, in a process of its own that imports torch."""

    BINDING_GROUP_TITLE = "judge an image"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "find, or a path", key_display="/"),
        Binding("y", "copy", "copy path"),
        Binding("j,backspace,escape", "close", "back", key_display="j"),
    ]

    DEFAULT_CSS = """
    JudgeScreen {
        #judge-title {
            background: $panel;
        }
        #judge-list {
            width: 40;
            margin: 0 1;
        }
        &.-narrow #judge-list {
            width: 27;
            margin: 0;
        }
        PictureList {
            height: 1fr;
        }
        #judge-side {
            width: 1fr;
        }
        #judge-about {
            height: 1;
        }
        #judge-guesses {
            height: 6;
        }
    }
    """

    def __init__(self, directory: Path, run: str | None = None) -> None:
        """Of an experiment's ``run``, else of its best one."""
        super().__init__()
        self._directory, self._run = directory, run
        self._network = Network()
        self._pictures: Pictures | None = None
        self._found: Found | None = None
        self._image: Named | None = None
        self._told = ""

    @property
    def dashboard(self) -> ResnetTuiApp:
        return cast("ResnetTuiApp", self.app)

    def compose(self) -> ComposeResult:
        yield Line(id="judge-title")
        listed = PictureList()
        field = PictureField(listed)
        field.placeholder = "class or file name, or a path"
        with Horizontal():
            with Vertical(id="judge-list"):
                yield field
                yield listed
            with Vertical(id="judge-side"):
                yield Line(id="judge-about")
                yield PictureView()
                yield Line(id="judge-guesses")
        yield KeysLine()

    def on_mount(self) -> None:
        # The terminal's own word where there is one; without blocks or colours, characters.
        plain = self.app.no_color or self.dashboard.ascii
        self._pictures = Pictures(self, colours=not plain)
        self.query_one(PictureList).focus()
        in_background(self, partial(look_up, self._directory, self._run), "checkpoint")
        self.set_interval(_POLL, self._poll)
        self.call_after_refresh(self._tell)

    def on_unmount(self) -> None:
        self._network.close()

    def on_resize(self) -> None:
        self.set_class(self.size.width < _NARROW, "-narrow")
        self.call_after_refresh(self._look)

    # What comes

    def on_checkpoint_found(self, message: messages.CheckpointFound) -> None:
        self._found = message.found
        self._network.start(message.found)
        self.query_one(PictureList).show_images(message.found.images)
        if message.found.problem:
            self._told = f"/ takes the path of an image: {message.found.problem}"
        self._tell()

    def on_nothing_to_judge_with(self, message: messages.NothingToJudgeWith) -> None:
        self._network.problem = message.sentence
        self._tell()

    def on_picture_visited(self, message: messages.PictureVisited) -> None:
        self._image = message.image
        self._network.want(message.image.path)
        self._look()
        self._tell()

    def on_picture_read(self, message: messages.PictureRead) -> None:
        assert self._pictures is not None
        if self._pictures.came(message.picture):
            self.query_one(PictureView).show(message.rows)
            self._tell()

    def on_path_given(self, message: messages.PathGiven) -> None:
        names = self._network.judge.names if self._network.judge is not None else ()
        in_background(self, partial(typed, message.text, names), "path")

    def on_path_read(self, message: messages.PathRead) -> None:
        if message.problem:
            self.dashboard.tell(message.problem, severity="error")
        else:
            self._told = ""
            self.query_one(PictureList).add(message.images)

    def _poll(self) -> None:
        came = self._network.poll()
        waiting = self._network.judge is None and not self._network.problem
        if (came or waiting) and self.is_current and output.backlog(self.app) <= 1:
            self._make_room()
            self._tell()

    def _make_room(self) -> None:
        """For as many guesses as there are; the picture has the rest."""
        judge = self._network.judge
        rows = 1 + min(BEST, judge.classes) if judge is not None else 1 + BEST
        guesses = self.query_one("#judge-guesses", Line)
        if guesses.styles.height is None or guesses.styles.height.value != rows:
            guesses.styles.height = rows
            self.call_after_refresh(self._look)

    def _look(self) -> None:
        """Has the picture under the cursor read for the room that there is."""
        if self._pictures is not None and self._image is not None:
            self._pictures.want(self._image.path, self.query_one(PictureView).room)

    # What is told

    def _tell(self) -> None:
        title = self.query_one("#judge-title", Line)
        title.show(words.title(self._found, self._network.judge, title.room))
        about = self.query_one("#judge-about", Line)
        picture = self._pictures.picture if self._pictures is not None else None
        told = words.about(self._image, picture, about.room)
        about.show(told if self._image is not None else Content.styled(self._told, "$quiet"))
        guesses = self.query_one("#judge-guesses", Line)
        guesses.show(Content("\n").join(self._guesses(guesses.room)))

    def _guesses(self, width: int) -> list[Content]:
        """What is told of the image under the cursor; its sign in the list follows it."""
        image = self._image
        judgement = self._network.known.get(image.path) if image is not None else None
        if image is not None and image.truth is not None and judgement and judgement.guesses:
            right = judgement.guesses[0].name == image.truth
            self.query_one(PictureList).mark(image.path, right)
        return words.guesses(self._network, image, width)

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self._image is not None if action == "copy" else True

    def action_filter(self) -> None:
        field = self.query_one(PictureField)
        field.display = True
        field.focus()

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        text = message.value.strip()
        self.query_one(PictureList).filter("" if is_path(text) else text)

    def action_copy(self) -> None:
        if self._image is not None:
            self.dashboard.copy(self._image.path, "its path")

    def action_close(self) -> None:
        """Drops the filter, else closes."""
        field = self.query_one(PictureField)
        if field.value:
            field.action_leave(False)
        else:
            self.dismiss()
