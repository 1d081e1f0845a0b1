"""The training that Setup is about to start: what the user gave, and what that makes of the rest.

What the user typed or gave as a flag stays when another dataset is chosen; everything else follows
the dataset's own defaults, then ours.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.errors import ConfigFileError, SettingError
from engine.plan import values
from engine.plan.config import Settings, declarations
from engine.plan.defaults import FROM_US, resolve
from engine.plan.text import clean
from tui.setup_messages import DefaultsResolved
from tui.widgets.value_input import Field

FROM_YOU = "you"
"""The source of a value that was typed into the form."""


class Draft:
    """Settings in the making. Nothing here touches a file but ``look_up``, made for a thread."""

    def __init__(self, flags: dict[str, Any]) -> None:
        self.dataset: Path | None = None
        self.settings = Settings()
        self.problem = ""
        """A sentence where the dataset's own defaults cannot be used."""
        self._flags = dict(flags)
        self._typed: dict[str, Any] = {}
        self._wrong: dict[str, tuple[str, str]] = {}
        self._sources: dict[str, str] = {}
        self._asked = 0
        self._answered = 0

    @property
    def settled(self) -> bool:
        """Whether the settings are those of the newest dataset and edits."""
        return self._asked == self._answered

    @property
    def wrong(self) -> tuple[str, str] | None:
        """The first setting with a text that cannot be used, and why."""
        for name in declarations():
            if name in self._wrong:
                return name, self._wrong[name][1]
        return None

    def choose(self, dataset: Path) -> None:
        self.dataset = dataset

    def edit(self, name: str, text: str | None) -> None:
        """Takes a typed text, or with ``None`` the default again; a wrong one is kept beside."""
        self._wrong.pop(name, None)
        if text is None:
            self._typed.pop(name, None)
            self._flags.pop(name, None)
            return
        try:
            self._typed[name] = values.parse(name, text)
        except SettingError as error:
            self._wrong[name] = (clean(text), str(error))

    def question(self) -> tuple[int, Path | None, dict[str, Any]]:
        """What ``look_up`` needs for the newest state."""
        self._asked += 1
        return self._asked, self.dataset, {**self._flags, **self._typed}

    def take(self, answer: DefaultsResolved) -> bool:
        """Takes an answer in; ``False``: something must be asked again, or it came too late."""
        if answer.number != self._asked:
            return False
        if answer.field in self._typed or answer.field in self._flags:
            value = self._typed.pop(answer.field, self._flags.pop(answer.field, None))
            text = clean(values.show(answer.field, value))
            self._wrong[answer.field] = (text, answer.problem)
            return False
        self._answered = answer.number
        self.problem = answer.problem
        if answer.resolved is not None:
            self.settings = answer.resolved.settings
            self._sources = answer.resolved.sources
        return True

    def sources(self) -> dict[str, str]:
        """Where each value came from, by the name of its setting."""
        return {
            name: FROM_YOU if name in self._typed else self._sources.get(name, FROM_US)
            for name in declarations()
        }

    def fields(self) -> list[Field]:
        """The form's lines."""
        sources = self.sources()
        fields = []
        for name, declared in declarations().items():
            value = getattr(self.settings, name)
            text, problem = self._wrong.get(name, (clean(values.show(name, value)), ""))
            choices = declared.choices or (("yes", "no") if isinstance(value, bool) else ())
            fields.append(
                Field(
                    name=name,
                    label=declared.label,
                    text=text,
                    unit="" if values.is_duration(name) else declared.unit,
                    source=FROM_YOU if problem else sources[name],
                    about=declared.about,
                    choices=choices,
                    open_choices=declared.open_choices,
                    problem=problem,
                    group=declared.group,
                )
            )
        return fields


def look_up(number: int, dataset: Path | None, given: dict[str, Any]) -> DefaultsResolved:
    """What ``given`` and the dataset's own defaults make together. Blocking: for a thread."""
    try:
        ours = resolve(None, given)
    except ConfigFileError as error:
        return DefaultsResolved(number, None, problem=str(error))
    except SettingError as error:
        return DefaultsResolved(number, None, error.field, str(error))
    try:
        return DefaultsResolved(number, resolve(dataset, given))
    except SettingError as error:
        # The dataset's file is at fault: the others are shown beside what is wrong with it.
        return DefaultsResolved(number, ours, problem=str(error))
