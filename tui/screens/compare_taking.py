"""What the comparison takes in and gives out: older runs, copies, exports, its evidence."""

from __future__ import annotations

from engine.plan.text import clean
from tui import compare_messages, messages
from tui.going_on import Wanted
from tui.kept import word
from tui.screens import compare_out as out
from tui.screens.compare_older import ask_which, list_older
from tui.screens.compare_work import CompareWork


class CompareTaking(CompareWork):
    """The keys that reach beyond the table."""

    def _known(self) -> out.Known | None:
        if self.look is None or self.comparison is None:
            return None
        return self.look, self.comparison

    def left_of_row(self) -> tuple[str, ...]:
        """The runs of the row under the cursor that a retry would be about: of the experiment that
        is shown, neither done nor under way."""
        look, row = self.look, self.row
        if look is None or row is None or not look.is_shown(row) or look.snapshot.gone:
            return ()
        ended = ("failed", "stopped", "crashed")
        # What waits for a supervisor that is gone waits for ever.
        left = ended if look.snapshot.alive else (*ended, "queued")
        return tuple(each.run for each in row.repeats if each.state in left)

    def word_for(self, action: str) -> str:
        """The footer's word for what a key does now, where it is not always the same."""
        look = self.look
        if action != "retry" or look is None:
            return ""
        return word(look.snapshot.kept, *self.left_of_row())

    def action_retry(self) -> None:
        look, row = self.look, self.row
        if look is not None and row is not None and (runs := self.left_of_row()):
            directory = look.snapshot.experiment.directory
            self.dashboard.ask_to_go_on(Wanted(directory, look.name(row), runs))

    def action_copy(self) -> None:
        known, row = self._known(), self.row
        if known is not None and row is not None:
            out.ask_what_to_copy(self.dashboard, *known, row)

    def action_export(self) -> None:
        if (known := self._known()) is not None:
            out.ask_format(self, *known)

    def on_exported(self, message: messages.Exported) -> None:
        self.dashboard.tell(f"written: {clean(str(message.path))}")

    def on_export_refused(self, message: messages.ExportRefused) -> None:
        if not message.exists:
            self.dashboard.tell(message.sentence, severity="error")
        elif (known := self._known()) is not None:
            out.ask_to_overwrite(self, *known, message)

    def action_evidence(self) -> None:
        from tui.screens.compare_evidence import CompareEvidence

        self.app.push_screen(CompareEvidence(lambda: self.comparison))

    # Others

    def action_older(self) -> None:
        list_older(self, self.dashboard.start.experiments_directory)

    def on_older_listed(self, message: compare_messages.OlderListed) -> None:
        if self.look is not None and self.is_current:
            shown = self.look.snapshot.experiment.directory
            ask_which(self.dashboard, self, message.rows, shown, self.added)

    def on_older_loaded(self, message: compare_messages.OlderLoaded) -> None:
        for each in message.problems:
            self.dashboard.tell(each, severity="error")
        self.added = message.added
        self.look_again()
