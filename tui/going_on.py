"""Going on with what did not end well: what is asked first, and how it is answered.

Asked from Live, the queue, Compare and Home; the answer is the same wherever it was asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from tui import messages
from tui.background import in_background
from tui.queueing import Queueing

if TYPE_CHECKING:
    from engine.experiment import Experiment


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be gone on with; ``name`` is how it is called on the screen, cleaned."""

    directory: Path
    name: str
    runs: tuple[str, ...] = ()
    """Without any: all that are not done."""


class GoingOn(Queueing, inherit_bindings=False):
    """From where runs were, from their beginning, or not at all."""

    def ask_to_go_on(self, wanted: Wanted) -> None:
        """Looks for checkpoints, then asks. Ends in ``GoingOnKnown``."""

        def look(experiment: Experiment) -> Message:
            from engine.run import resume

            return messages.GoingOnKnown(wanted, resume.resumable(experiment, wanted.runs))

        in_background(self, _work(wanted.directory, look), "checkpoints")

    def on_going_on_known(self, message: messages.GoingOnKnown) -> None:
        from tui.screens.resume_question import question

        wanted = message.wanted

        def answered(choice: str | None) -> None:
            if choice in ("resume", "retry"):
                self._go_on(wanted, anew=choice == "retry")

        self.push_screen(question(wanted.name, message.found, time.time()), answered)

    def _go_on(self, wanted: Wanted, *, anew: bool) -> None:
        def ask(experiment: Experiment) -> Message:
            from engine.run import control, disk, resume

            if anew:
                for run in wanted.runs or (None,):
                    control.retry(experiment, run)
                return messages.WentOn(f"{wanted.name} is queued again, from the beginning")
            found = resume.resumable(experiment, wanted.runs)
            disk.check_resume(experiment.directory, [each.plan for each in found])
            resume.resume(experiment, [each.plan.run for each in found])
            return messages.WentOn(f"{wanted.name} is queued again, to go on where it was")

        in_background(self, _work(wanted.directory, ask), "resume")

    def on_went_on(self, message: messages.WentOn) -> None:
        self.tell(message.sentence, severity="error" if message.refused else "information")

    def action_save(self) -> None:
        """Has a checkpoint saved of what trains."""
        if self.feed is None:
            return

        def ask(experiment: Experiment) -> Message:
            from engine.run import control

            control.save(experiment)
            return messages.WentOn("a checkpoint is saved after the step at hand")

        in_background(self, _work(self.feed.directory, ask), "save")

    def can_save(self) -> bool:
        """Whether something trains in the experiment that is shown."""
        if self.current_mode not in ("live", "compare"):
            return False
        shown = self.feed.latest() if self.feed is not None else None
        return (
            shown is not None
            and shown.alive
            and any(run.state == "running" for run in shown.view.runs)
        )


def _work(directory: Path, what: Callable[[Experiment], Message]) -> Callable[[], Message]:
    def work() -> Message:
        from engine.errors import ResnetTuiError
        from engine.experiment import open_directory

        try:
            return what(open_directory(directory))
        except ResnetTuiError as error:
            return messages.WentOn(str(error), refused=True)

    return work
