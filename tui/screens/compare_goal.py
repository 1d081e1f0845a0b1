"""The accuracy that time to accuracy is measured to, and the price of a GPU hour: a small form."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from engine.errors import SettingError
from engine.plan import values


class Goal(NamedTuple):
    """``None`` for a target: the highest accuracy that every strategy reached."""

    target: float | None
    """0..1."""
    price: float | None


def read_target(text: str) -> float | None:
    """``0.9``, ``90 %`` and ``90`` alike; raises ``SettingError``."""
    told = text.strip()
    percent = told.endswith("%")
    told = told.rstrip("% ").strip()
    try:
        number = float(told)
    except ValueError:
        return values.parse("target_accuracy", told)  # type: ignore[no-any-return]
    if percent or number > 1.0:
        told = repr(number / 100.0)
    return values.parse("target_accuracy", told)  # type: ignore[no-any-return]


class GoalForm(ModalScreen[Goal | None]):
    """Dismissed with what was typed; ``None`` where it is closed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c,ctrl+q", "close", "cancel"),
    ]

    DEFAULT_CSS = """
    GoalForm {
        align: center middle;
        background: $background 60%;
    }
    GoalForm > Vertical {
        width: 64;
        max-width: 94%;
        height: auto;
        padding: 1 2;
        background: $surface;
        border: round $primary;
        border-title-style: bold;
        border-title-color: $foreground;
    }
    GoalForm Input {
        height: 1;
        border: none;
        padding: 0 1;
        background: $panel;
        &:focus {
            border: none;
            background: $primary 25%;
        }
    }
    GoalForm Static {
        height: auto;
        color: $quiet;
    }
    GoalForm #goal-problem {
        color: $error;
    }
    """

    def __init__(self, goal: Goal, reached: str) -> None:
        """``reached`` says what time to accuracy is measured to now."""
        super().__init__()
        self._goal, self._reached = goal, reached

    def compose(self) -> ComposeResult:
        goal = self._goal
        with Vertical() as panel:
            panel.border_title = Content("Target and price")
            yield Static(
                Content(f"accuracy that time to accuracy is measured to ({self._reached})")
            )
            text = "" if goal.target is None else f"{goal.target * 100:g} %"
            yield Input(text, placeholder="auto: what every strategy reached", id="goal-target")
            yield Static(Content("price of a GPU hour, in whatever currency"))
            text = "" if goal.price is None else f"{goal.price:g}"
            yield Input(text, placeholder="none", id="goal-price")
            yield Static(id="goal-problem")
            yield Static(Content("Enter goes on, then takes · Esc cancels"))

    def on_mount(self) -> None:
        for each in self.query(Input):
            each.cursor_blink = False
        self.query_one("#goal-target", Input).focus()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        if message.input.id == "goal-target":
            if self._read() is not None:
                self.query_one("#goal-price", Input).focus()
            return
        goal = self._read()
        if goal is not None:
            self.dismiss(goal)

    def _read(self) -> Goal | None:
        """What stands there; where it cannot be used, the sentence why is shown."""
        target, price = (self.query_one(f"#goal-{name}", Input) for name in ("target", "price"))
        try:
            goal = Goal(read_target(target.value), values.parse("price", price.value))
        except SettingError as error:
            self.query_one("#goal-problem", Static).update(Content(str(error)))
            return None
        self.query_one("#goal-problem", Static).update(Content(""))
        return goal

    def action_close(self) -> None:
        self.dismiss(None)
