"""What the dashboard asks about the queue of the shown experiment, and how it is answered."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual.message import Message

from tui import messages
from tui.background import in_background
from tui.following import Following
from tui.requests import Request, Requests

if TYPE_CHECKING:
    from pathlib import Path


class Queueing(Following, inherit_bindings=False):
    """Moves, drops and adds; on Live and Compare, and on the queue itself."""

    _requests: Requests | None = None
    _requests_of: Path | None = None

    @property
    def requests(self) -> Requests:
        """What was asked about the shown experiment and is not answered yet."""
        shown = self.feed.directory if self.feed is not None else None
        if self._requests is None or shown != self._requests_of:
            self._requests, self._requests_of = Requests(), shown
        return self._requests

    def can_add(self) -> bool:
        """Whether a strategy can be added from where the user is."""
        if self.feed is None or self.current_mode not in ("live", "compare"):
            return False
        return len(self.screen_stack) == 1 or self.screen.id == "queue"

    def action_queue(self) -> None:
        from tui.screens.queue import QueueScreen

        self.push_screen(QueueScreen())

    def action_add(self) -> None:
        """Chooses a strategy, and queues it."""
        from tui.screens.add_strategy import AddScreen

        if self.feed is None:
            return

        def chosen(name: str | None) -> None:
            if name:
                self.ask(Request(action="add", strategy=name, asked=time.time()))

        self.push_screen(AddScreen(self.feed.directory), chosen)

    def ask(self, request: Request) -> None:
        """Leaves a request as soon as the one before is answered. Ends in ``QueueAnswered``."""
        self.requests.ask(request)
        self._leave_next()

    def _leave_next(self) -> None:
        request = self.requests.next() if self.feed is not None else None
        if request is None or self.feed is None:
            return
        directory = self.feed.directory

        def work() -> Message:
            from engine.errors import ResnetTuiError
            from tui import session

            try:
                session.ask(directory, request)
            except ResnetTuiError as error:
                return messages.QueueAnswered(directory, request, str(error))
            return messages.QueueAnswered(directory, request)

        in_background(self, work, "queue")

    def on_queue_answered(self, message: messages.QueueAnswered) -> None:
        if message.refused:
            self.tell(message.refused, severity="error")
        elif message.request.action == "add":
            # Elsewhere than in the queue nothing else tells of it.
            self.tell(f"{message.request.strategy} is queued")
        if self.feed is not None and message.directory == self.feed.directory:
            self.requests.answered(time.time(), refused=bool(message.refused))
            self._leave_next()
