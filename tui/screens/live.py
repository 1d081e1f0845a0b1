"""Live: what trains now, and how well."""

from __future__ import annotations

import time
from dataclasses import replace

from textual import events
from textual.content import Content

from engine.report.progress import progress
from tui import messages, output
from tui.feed import Snapshot
from tui.screens import live_model as model
from tui.screens.live_actions import LiveActions
from tui.screens.live_model import Entry, Look
from tui.screens.live_news import ENDED, News
from tui.screens.live_preparing import search_at_hand
from tui.screens.live_queue import waiting
from tui.screens.live_time import Insights
from tui.widgets.keys import KeysLine
from tui.widgets.viewport import Viewport

PAINT = 0.25
"""Seconds between looks at the feed's slot; nothing is painted where nothing changed."""


class LiveScreen(LiveActions):
    """The shown experiment, painted from the newest snapshot at most four times a second."""

    def __init__(self) -> None:
        super().__init__()
        self._news = News()
        self._insights = Insights()
        self._trying = False
        self._told = 0
        self._refused = ""

    def on_mount(self) -> None:
        self.set_interval(PAINT, self.paint)

    def on_screen_resume(self) -> None:
        self._painted = ()
        self.call_after_refresh(self.paint)

    def on_resize(self, _event: events.Resize) -> None:
        self._painted = ()
        self.call_after_refresh(self.paint)

    # Painting

    def paint(self) -> None:
        """Shows the newest snapshot, unless the terminal has not taken the last frame yet."""
        feed = self._app.feed
        if feed is None:
            return
        if not self.is_current:
            self._tell_from_below(feed.latest())
            return
        if output.backlog(self.app) > 1:
            self._try_again()
            return
        snapshot = feed.latest()
        if snapshot is None:
            error = feed.error
            self.line("status").show(Content.styled(error or "reading …", "bold"))
            return
        # Before the first look there is nothing to forget, but perhaps a run that was asked for.
        if self.look is not None and not self._is_known(snapshot):
            self._forget()
        second = int(time.time())
        chosen = (self.metric, self.pinned, self.overlay, self.stages)
        # The first layout is made before the size of the terminal is known to it.
        room = (self.query_one("#loss").size, self.query_one("#log").size)
        now = (snapshot.number, second, self.view, chosen, room)
        if now == self._painted:
            return
        self._painted = now
        self._tell_news(snapshot)
        self._tell_refusal(feed.error)
        self._show(snapshot)

    def _tell_refusal(self, error: str) -> None:
        """Once: a disk that cannot be read shows nothing new, which looks like no news."""
        if error != self._refused:
            self._refused = error
            if error:
                self._app.tell(f"nothing new can be read: {error}", severity="error")

    def _tell_from_below(self, snapshot: Snapshot | None) -> None:
        """News come through while another screen is open; of another experiment there are none."""
        if snapshot is not None and snapshot.number != self._told and self._is_known(snapshot):
            self._told = snapshot.number
            self._tell_news(snapshot)

    def _is_known(self, snapshot: Snapshot) -> bool:
        """Whether it is of the experiment that is shown; its plan may have grown since."""
        shown = self.look.snapshot.experiment if self.look is not None else None
        return shown is not None and snapshot.experiment.directory == shown.directory

    def _try_again(self) -> None:
        """The line is stalled: look soon whether it moves, so that a key waits no longer."""
        if not self._trying:
            self._trying = True
            self.set_timer(0.04, self._tried)

    def _tried(self) -> None:
        self._trying = False
        self.paint()

    def _forget(self) -> None:
        """Another experiment: nothing of the old one's choices fits it."""
        self.pinned = None
        self.overlay = False
        self._stop_asked = {}
        self._news = News()
        self.view = replace(self.view, viewport=Viewport())

    def _look(self, snapshot: Snapshot) -> Look:
        now = time.time()
        all_ = model.entries(snapshot)
        shown = next((each for each in all_ if each.name == self.pinned), None)
        shown = shown or self._follow(snapshot, all_)
        asked = self._asked(all_)
        training = [each.view for each in all_ if each.view and each.view.state == "running"]
        insight = self._insights.look(shown.view, shown.plan, snapshot, int(now))
        return Look(
            snapshot=snapshot,
            entries=all_,
            shown=shown,
            state=model.state_of(shown, snapshot, shown.name in asked),
            stopping=frozenset(asked),
            stop_asked=asked.get(shown.name),
            overlay=self.overlay,
            stages=self.stages,
            metric=self.metric,
            progress=progress(shown.view, now) if shown.view is not None else None,
            running=progress(training[0], now) if training and len(all_) > 1 else None,
            now=now,
            insight=insight,
        )

    def _follow(self, snapshot: Snapshot, all_: tuple[Entry, ...]) -> Entry:
        """The run worth looking at; while something is prepared, the one that it is for."""
        ahead, view = waiting(snapshot, all_), snapshot.view
        if ahead and snapshot.alive and view.preparing is not None:
            search = search_at_hand(view)
            of_it = [each for each in ahead if search and each.strategy == search.strategy]
            return (of_it or ahead)[0]
        return model.follow(all_)

    def _asked(self, all_: tuple[Entry, ...]) -> dict[str, float]:
        """When runs were asked to stop: from here, or from anywhere by the supervisor's word."""
        asked = {}
        for each in all_:
            told = each.view.stop_asked if each.view is not None else None
            here = self._stop_asked.get(each.name, self._stop_asked.get(""))
            times = [t for t in (here, told) if t is not None]
            if times:
                asked[each.name] = min(times)
        return asked

    def _show(self, snapshot: Snapshot) -> None:
        self.look = look = self._look(snapshot)
        if self.show_look(look):
            # Its room is known after the next layout only.
            self._painted = ()
            self.call_after_refresh(self.paint)
        self.query_one(KeysLine).look()
        title = model.title(look.shown, look.state, look.progress)
        self.post_message(messages.TitleChanged(title))

    def _tell_news(self, snapshot: Snapshot) -> None:
        """Says what happened since the last look, and lets go of requests that are done."""
        for message in self._news.ends(snapshot):
            self.post_message(message)
        for sentence in self._news.found(snapshot):
            self._app.tell(sentence)
        for alert in self._news.alerts(snapshot):
            self._app.tell(alert.text, severity=alert.level)
        if news := self._news.welcome(snapshot, time.time()):
            self._app.tell(news)
        if not snapshot.alive:
            self._stop_asked.clear()
        for run in snapshot.view.runs:
            if run.state in ENDED:
                self._stop_asked.pop(run.run, None)
